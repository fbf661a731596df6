"""Why it matched: which parts of a picture are like a query, rather than like anything."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Encoder, OpenClipEncoder, load_parts
from indexer.errors import InvalidQuery, ModelLoadFailed
from indexer.geometry import Fit, Size, fit
from indexer.grid_features import GridTower, grid_tower
from indexer.images import Limits
from indexer.manifest import Manifest
from indexer.occlusion import occlusion_maps

Method = Literal["grid", "occlusion"]
Vector = NDArray[np.float32]

ANYTHING: Final = (
    "a photo",
    "a picture of something",
    "background",
    "texture",
    "an object",
    "a scene",
    "a person",
    "an animal",
    "a place",
    "food",
    "a building",
    "a plant",
    "sky",
    "ground",
    "water",
)
"""What a part could be like as well. Their mean is taken off every query: docs/why.md has what that gains."""

FLAT: Final = 0.75
"""A contrast below it may be that of any words: 26 % of the labels that are in a picture of four tiles of tiny-imagenet
fall below it, and 78 % of those that are not (`mini`)."""
FULL: Final = 1.5
"""The relevance from which on a part is shown in full colour."""
_NOTHING: Final = 1e-4
"""Cosines differ by less from rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMap:
    """How much more each cell of the model's frame is like the query than the frame as a whole.

    A cell's relevance is the dot product of its unit embedding with the unit query, from which the mean of `ANYTHING`
    was taken (by occlusion: how far that of the whole picture falls); less the mean of all cells; divided by the
    median contrast of the texts of `ANYTHING` on the same picture, treated alike. So 1 is as far above the mean as the
    best place for any words, whatever the model's cosines are.
    """

    relevance: NDArray[np.float32]
    """`(rows, columns)`, mean 0."""
    placed: Fit
    """Where the picture lies in the frame."""
    frame: Size
    """Width and height in pixels of what the model was shown."""
    picture: Size
    """Of the upright picture."""
    method: Method

    @property
    def contrast(self) -> float:
        """The relevance of the best cell."""
        return float(self.relevance.max())

    @property
    def flat(self) -> bool:
        """Whether nothing stands out more than it does for any words: there is no why to be shown."""
        return self.contrast < FLAT


class HeatMaps:
    """Heat maps by one encoder, whose image tower is loaded a second time with the first of them, in float32.

    The encoder's own may be OpenVINO's, in bfloat16 or captured in a graph, and gives only whole pictures. Safe to use
    from any number of threads.
    """

    def __init__(self, encoder: Encoder, manifest: Manifest, limits: Limits | None = None) -> None:
        """`manifest` is the collection's: pictures are decoded as they were to be indexed."""
        self._encoder, self._manifest, self._limits = encoder, manifest, limits or Limits()
        self._loading = threading.Lock()
        self._loaded: _Loaded | None = None

    @property
    def weights_hash(self) -> str:
        return self._encoder.manifest.weights_hash

    def of(self, data: bytes, query: Vector, method: Method | None = None) -> HeatMap:
        """Of a picture file's bytes and a query's unit vector `(dimension,)`.

        Without a `method` it is the grid, and occlusion for models that have none. Raises `UnreadableImage`,
        `InvalidQuery` for the grid of a model that has none, and `ModelLoadFailed`.
        """
        loaded = self._load()
        if method == "grid" and loaded.grid is None:
            raise InvalidQuery(
                f"the image tower of {self._manifest.model!r} is built in a way that has no known grid; "
                "take the method 'occlusion'"
            )
        grid = loaded.grid if method != "occlusion" else None
        preprocessing = grid.preprocessing if grid else self._manifest.preprocessing
        decoded = replace(self._manifest, preprocessing=preprocessing).decode(data, self._limits)
        queries = np.concatenate([loaded.directed(query[None]), loaded.directions])
        if grid:
            maps = np.moveaxis(grid.embed(decoded.pixels[None])[0] @ queries.T, -1, 0)
        else:
            maps = occlusion_maps(self._encoder, decoded.pixels, queries)
        picture = decoded.info.width, decoded.info.height
        return HeatMap(
            relevance=relevance(maps),
            placed=fit(preprocessing, picture),
            frame=(preprocessing.width, preprocessing.height),
            picture=picture,
            method="grid" if grid else "occlusion",
        )

    def _load(self) -> _Loaded:
        with self._loading:
            if self._loaded is None:
                self._loaded = _Loaded.of(self._encoder)
            return self._loaded


def relevance(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """`(1 + n, rows, columns)`, the query's map and those of n texts to compare with -> `(rows, columns)`.

    See `HeatMap`. A picture on which nothing differs at all has no relevance anywhere.
    """
    centred = maps - maps.mean(axis=(1, 2), keepdims=True)
    usual = float(np.median(centred[1:].max(axis=(1, 2))))
    return np.asarray(centred[0] / usual if usual > _NOTHING else np.zeros_like(centred[0]), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    grid: GridTower | None
    anything: Vector
    """Mean of the embeddings of `ANYTHING`."""
    directions: NDArray[np.float32]
    """Each of them without it, `(n, dimension)` unit rows."""

    @classmethod
    def of(cls, encoder: Encoder) -> _Loaded:
        texts = encoder.encode_texts(ANYTHING)
        anything = texts.mean(axis=0)
        return cls(_grid_of(encoder), anything, _unit(texts - anything))

    def directed(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        return _unit(queries - self.anything)


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    norms: NDArray[np.float32] = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, _NOTHING), dtype=np.float32)


def _grid_of(encoder: Encoder) -> GridTower | None:
    if not isinstance(encoder, OpenClipEncoder):
        return None
    parts = load_parts(encoder.manifest.model)
    if parts.weights_hash != encoder.manifest.weights_hash:
        raise ModelLoadFailed(encoder.manifest.model, "its weights have changed since it was loaded; start again")
    return grid_tower(parts.model.visual, parts.preprocessing, encoder.choice.device)
