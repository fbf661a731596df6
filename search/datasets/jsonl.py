"""JSON lines of pairs: `{"image": "photos/a.jpg", "caption": "A dog"}` or `{"path": ..., "captions": [...]}`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from search.datasets.assembly import Entry, Request, captioned
from search.datasets.files import ImageFolder, read_text, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.standard import split_in
from search.datasets.types import CaptionedDataset

_IMAGE_FIELDS = ("image", "path", "file_name", "filename", "file")
_TEXT_FIELDS = ("captions", "caption", "text")


def fits(first_line: str) -> bool:
    try:
        return _pair(json.loads(first_line)) is not None
    except ValueError:
        return False


def read(request: Request) -> CaptionedDataset:
    """Lines of the same image add their captions up; an `id`, where there is one, stands once."""
    problems = Problems()
    found: dict[str, list[str]] = {}
    for image, texts in _pairs(read_text(request.path), problems):
        found.setdefault(image, []).extend(texts)
    folder = ImageFolder(request.path, request.images, problems)
    return captioned(
        request,
        (Entry(image, tuple(texts), folder.find(image)) for image, texts in found.items()),
        problems,
        name=request.path.stem if request.path.stem != "captions" else request.path.resolve().parent.name,
        split=request.split or split_in(request.path.stem),
        form="JSON lines",
        hashes={request.path.name: sha256(request.path)},
    )


def _pairs(text: str, problems: Problems) -> Iterator[tuple[str, list[str]]]:
    ids: set[str] = set()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            pair = _pair(fields)
        except (ValueError, RecursionError):
            pair = None
        if pair is None:
            problems.add(Problem.DAMAGED, f"line {number}")
            continue
        if (identity := fields.get("id")) is not None:
            if str(identity) in ids:
                problems.add(Problem.DUPLICATE, str(identity))
                continue
            ids.add(str(identity))
        yield pair


def _pair(fields: Any) -> tuple[str, list[str]] | None:
    """Image and captions of a line; None if it has another shape."""
    if not isinstance(fields, dict):
        return None
    image = next((fields[name] for name in _IMAGE_FIELDS if name in fields), None)
    text = next((fields[name] for name in _TEXT_FIELDS if name in fields), None)
    texts = [text] if isinstance(text, str) else text
    if not isinstance(image, str) or not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
        return None
    return image, texts
