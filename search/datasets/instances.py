"""Instance retrieval lists in the form of Revisited Oxford and Paris, as JSON.

    {"imlist": ["all_souls_000013", ...], "qimlist": ["all_souls_000026", ...],
     "gnd": [{"bbx": [x1, y1, x2, y2], "easy": [rows], "hard": [rows], "junk": [rows]}, ...]}

The 2007 lists have `ok` (good and ok together) in place of `easy` and `hard`. The official files are Python pickles,
which can run any program when they are opened: they are never opened here. Convert one you trust, once:

    python -c "import json, pickle; print(json.dumps(pickle.load(open('gnd.pkl', 'rb')), default=list))" > gnd.json
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

from indexer.errors import InvalidDataset
from search.datasets.assembly import Request, finish
from search.datasets.files import ImageFolder, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.standard import dataset_name, standing
from search.datasets.types import InstanceDataset, InstanceQuery, Protocol, StoredImage

_CLASSIC: tuple[Protocol, ...] = ("classic",)
_REVISITED: tuple[Protocol, ...] = ("easy", "medium", "hard")


def fits(data: Any) -> bool:
    return isinstance(data, dict) and all(isinstance(data.get(name), list) for name in ("imlist", "qimlist", "gnd"))


def read(request: Request, data: Any) -> InstanceDataset:
    """Raises `InvalidDataset` for lists that do not go together. A picture that is missing from the gallery, where
    partial sets are allowed, is taken out of every list."""
    problems = Problems()
    folder = ImageFolder(request.path, request.images, problems)
    names, judged = [str(name) for name in data["imlist"]], data["gnd"]
    if len(judged) != len(data["qimlist"]):
        raise InvalidDataset(str(request.path), f"{len(data['qimlist']):,} queries but {len(judged):,} judgements")
    for name, times in _repeated(names):
        problems.add(Problem.DUPLICATE, f"{name} ({times} times)")
    found = [_picture(folder, name) for name in names]
    gallery = tuple((name, image) for name, image in zip(names, found, strict=True) if image is not None)
    rows = _new_rows(found)
    queries = tuple(_queries([str(name) for name in data["qimlist"]], judged, rows, folder, problems))
    name = dataset_name(request.path.stem)
    stands = standing(name, "queries", len(gallery), len(queries))
    hashes = {request.path.name: sha256(request.path)}
    origin = finish(request, problems, len(queries), name, None, "instance lists", hashes, stands)
    classic = any("ok" in entry for entry in judged if isinstance(entry, dict))
    return InstanceDataset(origin, queries, gallery, _CLASSIC if classic else _REVISITED)


def _picture(folder: ImageFolder, name: str) -> StoredImage | None:
    """The official lists leave `.jpg` out."""
    return folder.find(f"{name}.jpg", name)


def _new_rows(found: list[StoredImage | None]) -> list[int | None]:
    """Where each row of the list is in the gallery, now that missing pictures have left it."""
    following = count()
    return [None if image is None else next(following) for image in found]


def _queries(
    names: list[str], judged: list[Any], rows: list[int | None], folder: ImageFolder, problems: Problems
) -> Iterator[InstanceQuery]:
    for name, entry in zip(names, judged, strict=True):
        try:
            easy, hard, junk = (_rows(entry, fields, rows) for fields in (("easy", "ok"), ("hard",), ("junk",)))
            box = _box(entry.get("bbx"))
        except (TypeError, ValueError, AttributeError):
            problems.add(Problem.DAMAGED, name)
            continue
        listed = easy + hard + junk
        if len(set(listed)) < len(listed):
            problems.add(Problem.DUPLICATE, f"judgements of {name}")
            continue
        image = _picture(folder, name)
        if image is not None:
            yield InstanceQuery(name, image, box, easy, hard, junk)


def _rows(entry: Any, fields: tuple[str, ...], rows: list[int | None]) -> tuple[int, ...]:
    listed = [int(row) for name in fields for row in entry.get(name, ())]
    if not all(0 <= row < len(rows) for row in listed):
        raise ValueError(f"rows must be 0 to {len(rows) - 1}")
    return tuple(new for row in listed if (new := rows[row]) is not None)


def _box(numbers: Any) -> tuple[float, float, float, float] | None:
    if numbers is None:
        return None
    left, top, right, bottom = (float(number) for number in numbers)
    return left, top, right, bottom


def _repeated(names: list[str]) -> list[tuple[str, int]]:
    return [(name, times) for name, times in Counter(names).items() if times > 1]
