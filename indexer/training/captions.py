"""Captioned pictures to train on: WebDataset shards, or pictures with a CSV or JSON-lines table of captions."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from indexer.errors import InvalidDataset, SourceNotFound, UndecodableImage
from indexer.training.shards import read_shard
from indexer.training.text import label_texts

_LOG = logging.getLogger(__name__)
_PICTURE_FIELDS = ("file", "file_name", "filename", "image", "image_path", "filepath", "path", "picture")
_CAPTION_FIELDS = ("caption", "captions", "text", "title")
_TABLES = (".csv", ".jsonl", ".txt")
_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".avif", ".heic")
_MOST_HELD_OUT = 1000


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that is read when it is needed, and its captions, one or more."""

    key: str
    captions: tuple[str, ...]
    file: Path
    """The picture, or the shard that holds it."""
    offset: int
    size: int

    def read(self) -> bytes:
        """Raises `UndecodableImage` when the file cannot be read."""
        try:
            with self.file.open("rb") as file:
                file.seek(self.offset)
                return file.read(self.size)
        except OSError as error:
            raise UndecodableImage(f"it cannot be read ({error.strerror or error})") from error


def read_captions(
    data: Sequence[Path], *, images: Path | None = None, skip_missing: bool = False
) -> tuple[Picture, ...]:
    """The pictures of shards (`.tar`), tables (`.csv`, `.jsonl`, Flickr's `captions.txt`) and folders of either.

    A table names a picture and a caption, or a list of them, in each row; pictures are looked for in `images`, or
    beside the table. Raises `SourceNotFound`, and `InvalidDataset` for a form we do not know, captions without their
    picture (unless `skip_missing`), fewer than four pictures, or one caption for all.
    """
    pictures: list[Picture] = []
    for path in data:
        for file in _files(path):
            pictures += _from_shard(file) if file.suffix == ".tar" else _from_table(file, images, skip_missing)
    name = ", ".join(map(str, data))
    if len(pictures) < 4:
        raise InvalidDataset(name, f"{len(pictures)} pictures with captions are too few to train on; give at least 4")
    if len({" ".join(caption.lower().split()) for picture in pictures for caption in picture.captions}) < 2:
        raise InvalidDataset(name, "all pictures have the same caption, from which nothing can be learned")
    return tuple(pictures)


def hold_out(pictures: Sequence[Picture], share: float, seed: int) -> tuple[tuple[Picture, ...], tuple[Picture, ...]]:
    """Those to train on and those to measure with, drawn by the seed: at least two of each, at most 1,000 held out."""
    count = min(max(2, round(len(pictures) * share)), _MOST_HELD_OUT, len(pictures) - 2)
    order = np.random.default_rng(seed).permutation(len(pictures)).tolist()
    held = set(order[:count])
    return (
        tuple(picture for i, picture in enumerate(pictures) if i not in held),
        tuple(pictures[i] for i in sorted(held)),
    )


def fingerprint(pictures: Sequence[Picture]) -> str:
    """Of which pictures there are, of how many bytes, and their captions; not of where they lie."""
    digest = hashlib.sha256()
    for picture in pictures:
        digest.update(json.dumps([picture.key, picture.size, picture.captions]).encode())
    return digest.hexdigest()[:16]


def _files(path: Path) -> list[Path]:
    """The shards and tables that a path means."""
    if path.is_file():
        if path.suffix not in (".tar", *_TABLES):
            raise InvalidDataset(
                str(path), "captions come as .tar, .csv, .jsonl or captions.txt; unpack what is packed"
            )
        return [path]
    if not path.is_dir():
        raise SourceNotFound(str(path), "there is no such file or folder")
    shards = sorted(path.glob("*.tar"))
    tables = sorted([*path.glob("*.csv"), *path.glob("*.jsonl"), *path.glob("captions.txt")])
    if not shards and len(tables) > 1:
        raise InvalidDataset(str(path), f"it holds several tables; give one of {', '.join(t.name for t in tables)}")
    if not shards and not tables:
        raise InvalidDataset(str(path), "no captions in it: no .tar, .csv, .jsonl or captions.txt")
    return shards or tables


def _from_shard(path: Path) -> Iterator[Picture]:
    """A picture with a label alone is trained on its name: `dog`, `a photo of a dog`."""
    with path.open("rb") as file:
        if not file.read(512)[257:].startswith(b"ustar"):
            raise InvalidDataset(str(path), "not a plain tar file; unpack what is packed")
    for example in read_shard(path):
        captions = example.captions or tuple(label_texts([example.label or ""]))
        yield Picture(f"{path.name}/{example.key}", captions, path, example.offset, len(example.jpeg))


def _from_table(path: Path, images: Path | None, skip_missing: bool) -> Iterator[Picture]:
    folder = images or path.parent
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
    missing = [name for name in captions if not (folder / name).is_file()]
    if missing and not skip_missing:
        raise InvalidDataset(
            str(path),
            f"{len(missing):,} of {len(captions):,} captioned pictures are not in {str(folder)!r} ({_some(missing)}); "
            "name their folder with --images, or train on the rest with --skip-missing",
        )
    _warn_of_uncaptioned(folder, path, captions)
    for name, texts in captions.items():
        file = folder / name
        if texts and file.is_file():
            yield Picture(name, tuple(dict.fromkeys(texts)), file, 0, file.stat().st_size)


def _warn_of_uncaptioned(folder: Path, table: Path, captions: dict[str, list[str]]) -> None:
    """Pictures without a caption do no harm and teach nothing."""
    known = {(folder / name).resolve() for name, texts in captions.items() if texts}
    files = (file for file in folder.rglob("*") if file.suffix.lower() in _PICTURE_SUFFIXES)
    left_out = [file.name for file in files if file.resolve() not in known]
    if left_out:
        _LOG.warning("left out %d pictures without a caption in %s: %s", len(left_out), table, _some(left_out))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


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
