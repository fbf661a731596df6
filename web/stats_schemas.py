"""The JSON of a collection in numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field

from indexer.roots import Root, RootState
from web.problems import printable
from web.schemas import examples

_INDEX: Final[dict[str, Any]] = {
    "kind": "rabitq",
    "base": 100_000,
    "tail": 12,
    "dead": 3,
    "bytes_per_vector": 81.0,
    "calibration": {
        "target": 0.99,
        "kind": "rabitq",
        "parameters": {},
        "curve": [
            {
                "effort": 1000,
                "recall10_images": 1.0,
                "recall100_images": 0.998,
                "recall10_texts": 0.999,
                "recall100_texts": 0.996,
                "ms": 0.84,
            }
        ],
        "chosen": 1000,
        "reached": True,
        "queries": {"images": 500, "texts": 200},
        "seconds": 2.1,
    },
    "folding": False,
}


class PointOut(BaseModel):
    """What an index finds of the true best at one effort, 0 to 1, and what a query takes then."""

    effort: int
    recall10_images: float = Field(description="of the best 10, for pictures that were asked with")
    recall100_images: float
    recall10_texts: float | None = Field(description="for texts; null when none were measured with")
    recall100_texts: float | None
    ms: float = Field(description="milliseconds a query, on one thread")


class CalibrationOut(BaseModel):
    """How an approximate index was measured against exact search after it was built."""

    target: float = Field(description="share of the nearest that it has to find")
    kind: str
    parameters: dict[str, int] = Field(description="of its structure")
    curve: list[PointOut] = Field(description="by ascending effort, as far as it had to be raised")
    chosen: int = Field(description="the effort that searches take")
    reached: bool = Field(description="whether the target is met there; if not, there is no higher effort")
    queries: dict[str, int] = Field(description="how many `images` and `texts` were measured with")
    seconds: float = Field(description="that measuring took")


class IndexOut(BaseModel):
    """The vector index."""

    model_config = examples(_INDEX)

    kind: str = Field(description="`exact`, `pq`, `rabitq`, `ivf`, `hnsw` or `torch`")
    base: int = Field(description="vectors that its structure was built of")
    tail: int = Field(description="newer ones, not yet in the base; they are found all the same")
    dead: int = Field(description="of the base, removed or replaced since")
    bytes_per_vector: float = Field(description="that every search reads; 0 with an empty base")
    calibration: CalibrationOut | None = Field(description="null for exact kinds")
    folding: bool = Field(description="whether a new base is being built")


_ROOT: Final[dict[str, Any]] = {
    "path": "/media/ada/Photos",
    "kind": "folder",
    "state": "offline",
    "reason": "no image is there now, but 812 were indexed from it",
    "synced_at": "2026-05-11T17:42:08Z",
}


class RootOut(BaseModel):
    """Where images come from."""

    model_config = examples(_ROOT)

    path: str = Field(description="or the URL of an object store")
    kind: str = Field(description="`folder`, `tar`, `zip`, `list`, `video` or `remote`")
    state: RootState = Field(description="offline: not there now, as a disk that is unplugged; its images stay")
    reason: str = Field(description="why it is offline; empty if it is not")
    synced_at: datetime | None = Field(description="when all of it was looked at")

    @classmethod
    def of(cls, root: Root) -> RootOut:
        return cls(
            path=printable(root.path),
            kind=root.kind,
            state=root.state,
            reason=printable(root.reason),
            synced_at=root.synced_at,
        )


class StatsResponse(BaseModel):
    model_config = examples(
        {
            "images": 1000,
            "model": "mini",
            "dimension": 384,
            "index": _INDEX,
            "precision": "bfloat16",
            "formats": {"jpeg": 940, "png": 60},
            "bytes": 132_904_881,
            "bytes_on_disk": 14_311_424,
            "roots": [_ROOT],
            "library": "/home/ada/.local/share/sightline",
            "max_upload_mb": 32,
            "version": "0.1.0",
        }
    )

    images: int
    model: str
    dimension: int
    index: IndexOut
    precision: str = Field(description="number format that the embeddings were computed in")
    formats: dict[str, int] = Field(description="images of each file format")
    bytes: int = Field(description="size of the indexed files together")
    bytes_on_disk: int = Field(description="size of the collection itself: catalog, caches, thumbnails")
    roots: list[RootOut] = Field(description="where the images come from, and whether that is there")
    library: str = Field(description="folder of the collection")
    max_upload_mb: int = Field(description="MiB that a picture sent to search with may have")
    version: str
