"""COCO's captions JSON: `captions_val2014.json`, `captions_val2017.json` and files of that form.

{"images": [{"id": 42, "file_name": "COCO_val2014_000000000042.jpg"}, ...],
 "annotations": [{"id": 1, "image_id": 42, "caption": "A dog ..."}, ...]}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from search.datasets.assembly import Entry, Request, captioned
from search.datasets.files import ImageFolder, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.types import CaptionedDataset


def fits(data: Any) -> bool:
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        return False
    notes = data.get("annotations")
    return isinstance(notes, list) and all(isinstance(note, dict) and "caption" in note for note in notes[:1])


def read(request: Request, data: Any) -> CaptionedDataset:
    """All images of the file; captions in the file's order. The split is told by the file's name."""
    problems = Problems()
    named = re.search(r"(train|val|test)(20\d\d)?", request.path.stem)
    return captioned(
        request,
        _entries(data, ImageFolder(request.path, request.images, problems), problems),
        problems,
        name="COCO" if named and named[2] else request.path.stem,
        split=request.split or (named[0] if named else None),
        form="COCO captions JSON",
        hashes={request.path.name: sha256(request.path)},
    )


def _entries(data: Any, folder: ImageFolder, problems: Problems) -> Iterator[Entry]:
    captions = _by_image(data["annotations"], problems)
    names: dict[Any, str] = {}
    for position, image in enumerate(data["images"]):
        try:
            number, name = image["id"], str(image["file_name"])
            if number in names:
                problems.add(Problem.DUPLICATE, f"image {number}")
                continue
        except (KeyError, TypeError):
            problems.add(Problem.DAMAGED, f"image entry {position}")
            continue
        names[number] = name
        yield Entry(name, tuple(captions.get(number, ())), folder.find(name))
    for number in captions.keys() - names.keys():
        for _ in captions[number]:
            problems.add(Problem.UNKNOWN_IMAGE, f"image {number}")


def _by_image(annotations: list[Any], problems: Problems) -> dict[Any, list[str]]:
    found: dict[Any, list[str]] = {}
    seen: set[Any] = set()
    for position, note in enumerate(annotations):
        try:
            number = note.get("id")
            if number is not None and number in seen:
                problems.add(Problem.DUPLICATE, f"annotation {number}")
                continue
            seen.add(number)
            found.setdefault(note["image_id"], []).append(str(note["caption"]))
        except (KeyError, TypeError, AttributeError):
            problems.add(Problem.DAMAGED, f"annotation {position}")
    return found
