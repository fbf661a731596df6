"""The map as a file beside the vectors: derived, and made anew when it is gone."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from indexer.database import sync
from indexer.projection.layout import Points
from indexer.projection.regions import Region
from indexer.vectors import Ids

FILE: Final = "map.npz"
SIDE: Final = 65535
"""Places run from 0 to this, along the longer side of the map."""
_VERSION = 1

_log = logging.getLogger(__name__)

Places = NDArray[np.uint16]
"""`(n, 2)`: x from the left, y from the top, in units of a `SIDE`th of the map's longer side."""


@dataclass(frozen=True, slots=True, eq=False)
class PictureMap:
    ids: Ids
    """`(n,)`, ascending: the images on it."""
    places: Places
    regions: tuple[Region, ...]
    """Their places are in the same units."""
    images: int
    """That the collection had when it was laid out."""
    revision: int
    """Of the catalog, when it was laid out."""


def scaled(points: Points, regions: list[Region]) -> tuple[Places, tuple[Region, ...]]:
    """To whole numbers from 0 to `SIDE`; one unit is the same length in both directions."""
    if not len(points):
        return np.empty((0, 2), np.uint16), ()
    low, high = points.min(axis=0), points.max(axis=0)
    unit = SIDE / (float((high - low).max()) or 1.0)
    shift = SIDE / 2 - (low + high) / 2 * unit
    places = np.clip(np.rint(points * unit + shift), 0, SIDE).astype(np.uint16)
    named = tuple(replace(one, x=one.x * unit + float(shift[0]), y=one.y * unit + float(shift[1])) for one in regions)
    return places, named


def write(path: Path, made: PictureMap) -> None:
    """Whole or not at all."""
    path.parent.mkdir(exist_ok=True)
    partial = path.with_suffix(".npz.new")
    header = {"version": _VERSION, "images": made.images, "revision": made.revision}
    regions = json.dumps(header | {"regions": [asdict(region) for region in made.regions]})
    with partial.open("wb") as file:
        np.savez(file, ids=made.ids, places=made.places, header=np.frombuffer(regions.encode(), np.uint8))
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def read(path: Path) -> PictureMap | None:
    """None where there is none, or one that cannot be used: it is made anew then."""
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            header = json.loads(file["header"].tobytes())
            if header["version"] != _VERSION:
                return None
            regions = tuple(Region(**region) for region in header["regions"])
            return PictureMap(file["ids"], file["places"], regions, header["images"], header["revision"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        _log.warning("the map %s cannot be read: %s; `sightline map` makes it anew", path, error)
        return None
