"""Captioned pictures to train on: shards, pictures with a table of captions, or those of a collection."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.catalog import Catalog
from indexer.database import FILE_NAME
from indexer.errors import InvalidDataset, SourceNotFound, UndecodableImage
from indexer.sidecars import captions_beside
from indexer.training.shards import read_shard
from indexer.training.tables import TABLE_SUFFIXES, read_table
from indexer.training.text import label_texts

_LOG = logging.getLogger(__name__)
_TABLES_AMONG_PICTURES = ("captions.csv", "captions.jsonl", "captions.txt")
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
    """The pictures of shards (`.tar`), tables (`.csv`, `.jsonl`, Flickr's `captions.txt`), folders of either, and
    collections.

    A table names a picture and a caption, or a list of them, in each row; pictures are looked for in `images`, or
    beside the table. The captions of a collection's pictures stand in side-cars, or in tables `captions.csv`,
    `.jsonl` or `.txt` in their folders. Raises `SourceNotFound`, the errors of opening a collection, and
    `InvalidDataset` for a form we do not know, captions without their picture (unless `skip_missing`), fewer than
    four pictures, or one caption for all.
    """
    pictures: list[Picture] = []
    for path in data:
        if (path / FILE_NAME).is_file():
            pictures += _from_collection(path, skip_missing)
            continue
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
        if path.suffix not in (".tar", *TABLE_SUFFIXES):
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
    captions = read_table(path)
    _warn_of_uncaptioned(folder, path, captions)
    named = {name: (folder / name, texts) for name, texts in captions.items()}
    return _there(str(path), str(folder), named, skip_missing, "name their folder with --images")


def _from_collection(library: Path, skip_missing: bool) -> Iterator[Picture]:
    with Catalog.open(library) as catalog:
        paths = [state.path for state in catalog.files_under("/")]
    root = os.path.commonpath([os.path.dirname(path) for path in paths]) if paths else "/"  # noqa: PTH120
    captions = _captions_of(paths, root)
    bare = [os.path.relpath(path, root) for path in paths if not captions[path]]
    if len(bare) == len(paths):
        reason = f"none of its {len(paths):,} images has captions; write them into IMAGE.txt beside it, one a line"
        raise InvalidDataset(str(library), f"{reason}, or into captions.csv")
    if bare:
        _LOG.warning("left out %d pictures without a caption in %s: %s", len(bare), library, _some(bare))
    named = {os.path.relpath(path, root): (Path(path), texts) for path, texts in captions.items() if texts}
    return _there(str(library), root, named, skip_missing, "index the folder again")


def _captions_of(paths: Sequence[str], root: str) -> dict[str, tuple[str, ...]]:
    """What tables among the pictures and side-cars say of each; a table may know other pictures, too."""
    captions: dict[str, tuple[str, ...]] = dict.fromkeys(paths, ())
    for table in _tables_among(paths, root):
        for name, texts in read_table(table).items():
            path = os.path.normpath(table.parent / name)
            if path in captions:
                captions[path] += texts
    for path in paths:
        beside = captions_beside(path, lambda sidecar: _LOG.warning("left out %s: it cannot be read", sidecar))
        captions[path] = tuple(dict.fromkeys((*captions[path], *beside)))
    return captions


def _tables_among(paths: Sequence[str], root: str) -> list[Path]:
    """Those in the folders that hold the pictures, and above these down from `root`."""
    folders: set[Path] = set()
    for parent in {Path(path).parent for path in paths}:
        folders |= {folder for folder in (parent, *parent.parents) if folder.is_relative_to(root)}
    return sorted(file for folder in folders for name in _TABLES_AMONG_PICTURES if (file := folder / name).is_file())


def _there(
    source: str, folder: str, named: Mapping[str, tuple[Path, tuple[str, ...]]], skip_missing: bool, remedy: str
) -> Iterator[Picture]:
    """Those of the pictures named, by key, that have captions; files that are gone are an error, or left out."""
    missing = {key: None for key, (file, _) in named.items() if not file.is_file()}
    if missing and not skip_missing:
        raise InvalidDataset(
            source,
            f"{len(missing):,} of {len(named):,} captioned pictures are not in {folder!r} ({_some(list(missing))}); "
            f"{remedy}, or train on the rest with --skip-missing",
        )
    for key, (file, texts) in named.items():
        if texts and key not in missing:
            yield Picture(key, texts, file, 0, file.stat().st_size)


def _warn_of_uncaptioned(folder: Path, table: Path, captions: Mapping[str, tuple[str, ...]]) -> None:
    """Pictures without a caption do no harm and teach nothing."""
    known = {(folder / name).resolve() for name, texts in captions.items() if texts}
    files = (file for file in folder.rglob("*") if file.suffix.lower() in _PICTURE_SUFFIXES)
    left_out = [file.name for file in files if file.resolve() not in known]
    if left_out:
        _LOG.warning("left out %d pictures without a caption in %s: %s", len(left_out), table, _some(left_out))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
