"""The JSON of the HTTP API."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from indexer.catalog import ImageRecord
from search.engine import Hit
from search.query import MAX_ID
from search.relevance.claim import Estimate
from web.problems import printable

MAX_K: Final = 1_000
MAX_OFFSET: Final = 10_000
HASH: Final = "[0-9a-f]{64}"
HASH_EXAMPLE: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

CURSOR: Final = "the last page's `cursor`: the next hits of that search, of the collection as it was then"


def examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": list(examples)})


_IMAGE: Final[dict[str, Any]] = {
    "id": 17,
    "path": "/home/ada/Pictures/beach.jpg",
    "name": "beach.jpg",
    "width": 4032,
    "height": 3024,
    "format": "jpeg",
    "size": 2418733,
    "taken_at": "2024-05-11T17:42:08",
    "camera": "Canon EOS 5D",
    "thumbnail_url": "/api/images/17/thumbnail?side=320&v=9f86d081884c7d65",
    "original_url": "/api/images/17/original",
}
_HIT: Final[dict[str, Any]] = {"rank": 1, "score": 0.3127, "probability": 0.86, **_IMAGE}
_MATCHES: Final[dict[str, Any]] = {"about": 12, "low": 8, "high": 17}


class SearchRequest(BaseModel):
    """What to look for: a text, a picture of the collection or one sent before, or text and picture together."""

    model_config = examples(
        {"text": "a dog on a beach", "k": 40},
        {"text": "a red car", "min_probability": 0.5},
        {"image_id": 17},
        {"text": "at night", "query_image": HASH_EXAMPLE},
    )

    # The length of the text is checked where queries are made, with a message of its own.
    text: str | None = Field(default=None, description="what the picture shows, in a few words")
    image_id: int | None = Field(default=None, ge=0, le=MAX_ID, description="id of an indexed image to look like")
    query_image: str | None = Field(
        default=None, pattern=f"^{HASH}$", description="name of a picture sent before, as an answer's `query` gave it"
    )
    k: int = Field(default=40, ge=1, le=MAX_K, description="how many hits")
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET, description="how many hits to pass over")
    min_probability: float = Field(
        default=0, ge=0, le=1, description="only hits that match at least so probably; for queries in words alone"
    )
    cursor: str | None = Field(default=None, description=f"{CURSOR}; instead of everything else but `k`")


class ImageOut(BaseModel):
    """An indexed image."""

    model_config = examples(_IMAGE)

    id: int
    path: str = Field(description="absolute; U+FFFD stands for bytes that are not UTF-8")
    name: str
    width: int = Field(description="pixels, of the upright picture")
    height: int = Field(description="pixels, of the upright picture")
    format: str = Field(description="`jpeg`, `png`, `webp`, `gif`, `bmp`, `tiff`, `avif`, `heif`")
    size: int = Field(description="bytes")
    taken_at: str | None = Field(description="ISO 8601 without a time zone, as the camera's clock said it")
    camera: str | None
    thumbnail_url: str = Field(description="320 px; it changes when the picture does, so it may be cached for ever")
    original_url: str

    @classmethod
    def of(cls, record: ImageRecord) -> ImageOut:
        return cls(**_fields(record))


class HitOut(ImageOut):
    """An image found: its place among all and the cosine between query and image, -1 to 1."""

    model_config = examples(_HIT)

    rank: PositiveInt
    score: float
    probability: float | None = Field(
        description="that it is what was asked for, 0 to 1; null unless the query is in words alone"
    )

    @classmethod
    def of_hit(cls, hit: Hit) -> HitOut:
        return cls(rank=hit.rank, score=hit.score, probability=hit.probability, **_fields(hit.image))


class QueryOut(BaseModel):
    """The query as a link would hold it: with it the same search can be asked again."""

    model_config = examples({"text": "a dog on a beach", "image_id": None, "query_image": None})

    text: str | None
    image_id: int | None
    query_image: str | None = Field(description="name under which the picture that was sent is kept")


class MatchesOut(BaseModel):
    """How many images of the collection match, estimated."""

    model_config = examples(_MATCHES)

    about: int = Field(ge=0)
    low: int = Field(
        ge=0, description="with `high`, where the number is expected; docs/relevance.md says how often it is"
    )
    high: int = Field(ge=0)

    @classmethod
    def of(cls, estimate: Estimate) -> MatchesOut:
        return cls(about=estimate.about, low=estimate.low, high=estimate.high)


class SearchResponse(BaseModel):
    model_config = examples(
        {
            "hits": [_HIT],
            "images": 1000,
            "matches": _MATCHES,
            "no_match": False,
            "seconds": 0.031,
            "next_offset": 40,
            "cursor": "3q2-7wEjRWeJq83v.40",
            "query": {"text": "a dog on a beach", "image_id": None, "query_image": None},
        }
    )

    hits: list[HitOut]
    images: int = Field(description="how many images the collection holds")
    matches: MatchesOut | None = Field(description="how many match; null unless the query is in words alone")
    no_match: bool | None = Field(description="whether most likely none does; null with `matches`")
    seconds: float = Field(description="time of encoding, search and join")
    next_offset: int | None = Field(description="`offset` of the next page; null after the last one")
    cursor: str | None = Field(
        description="`cursor` of the next page, which stays as it is while the collection changes; kept for 15 minutes"
    )
    query: QueryOut | None = Field(description="null when a cursor was sent")


class ImagesResponse(BaseModel):
    """Images, the newest in the collection first."""

    model_config = examples({"images": [_IMAGE], "next_before": 17})

    images: list[ImageOut]
    next_before: int | None = Field(description="`before` of the next page; null after the last one")


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
    library: str = Field(description="folder of the collection")
    max_upload_mb: int = Field(description="MiB that a picture sent to search with may have")
    version: str


class Health(BaseModel):
    model_config = examples({"status": "ok"})

    status: str


def _fields(record: ImageRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "path": printable(record.path),
        "name": printable(PurePath(record.path).name),
        "width": record.width,
        "height": record.height,
        "format": record.format,
        "size": record.size,
        "taken_at": record.taken_at.isoformat() if record.taken_at else None,
        "camera": printable(record.camera) if record.camera else None,
        "thumbnail_url": f"/api/images/{record.id}/thumbnail?side=320&v={version(record)}",
        "original_url": f"/api/images/{record.id}/original",
    }


def version(record: ImageRecord) -> str:
    """What changes with the picture's bytes, for the URLs of what may be cached."""
    return record.content_hash[:16]
