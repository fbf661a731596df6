"""Tables of captions: CSV or JSON lines, a picture and a caption of it, or several, in each row."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.errors import InvalidDataset

TABLE_SUFFIXES = (".csv", ".jsonl", ".txt")
_PICTURE_FIELDS = ("file", "file_name", "filename", "image", "image_path", "filepath", "path", "picture")
_CAPTION_FIELDS = ("caption", "captions", "text", "title")


def read_table(path: Path) -> dict[str, tuple[str, ...]]:
    """The captions of each picture that it names, in its order, none twice; none at all for an empty field.

    Raises `InvalidDataset` for what cannot be read, and for a row that names no picture.
    """
    captions: dict[str, list[str]] = {}
    try:
        for number, row in enumerate(_rows(path), start=1):
            name, texts = _entry(row)
            if not name:
                raise InvalidDataset(
                    str(path), f"entry {number} names no picture: one of {', '.join(_PICTURE_FIELDS)} must be given"
                )
            captions.setdefault(name, []).extend(text.strip() for text in texts if text.strip())
    except (OSError, ValueError, csv.Error) as error:
        raise InvalidDataset(str(path), f"it cannot be read: {error}") from error
    return {name: tuple(dict.fromkeys(texts)) for name, texts in captions.items()}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        if path.suffix == ".jsonl":
            for line in file:
                row = json.loads(line) if line.strip() else {}
                if not isinstance(row, dict):
                    raise ValueError("each line must be a JSON object")
                if row:
                    yield row
        else:
            yield from csv.DictReader(file)


def _entry(row: dict[str, Any]) -> tuple[str, list[str]]:
    fields = {str(name).strip().lower(): value for name, value in row.items()}
    name = next((str(fields[field]).strip() for field in _PICTURE_FIELDS if fields.get(field)), "")
    found: Any = next((fields[field] for field in _CAPTION_FIELDS if fields.get(field)), [])
    texts = found if isinstance(found, list) else [found]
    return name, [str(text) for text in texts]
