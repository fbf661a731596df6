"""Benchmark sets in the forms people have them; `load_dataset` recognises which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from indexer.errors import InvalidDataset
from search.datasets import coco, flickr, folders, instances, jsonl, karpathy, shards
from search.datasets.assembly import Request
from search.datasets.files import read_json
from search.datasets.types import (
    CaptionedDataset,
    CaptionedImage,
    Dataset,
    InstanceDataset,
    InstanceQuery,
    LabelledDataset,
    LabelledImage,
    Origin,
    Standing,
    StoredImage,
)

__all__ = [
    "CaptionedDataset",
    "CaptionedImage",
    "Dataset",
    "InstanceDataset",
    "InstanceQuery",
    "LabelledDataset",
    "LabelledImage",
    "Origin",
    "Standing",
    "StoredImage",
    "load_dataset",
]

FORMS = (
    "Karpathy or COCO captions JSON, a Flickr token file, a captions table, JSON lines, WebDataset shards (.tar), "
    "class folders, or instance lists as JSON"
)
_CAPTION_FILES = (
    "dataset_*.json",
    "captions_*.json",
    "*.token.txt",
    "*.token",
    "captions.txt",
    "results.csv",
    "*.jsonl",
)
_JSON_FORMS: tuple[tuple[Callable[[Any], bool], Callable[[Request, Any], Dataset]], ...] = (
    (karpathy.fits, karpathy.read),
    (coco.fits, coco.read),
    (instances.fits, instances.read),
)
_LINE_FORMS: tuple[tuple[Callable[[str], bool], Callable[[Request], Dataset]], ...] = (
    (flickr.fits_token, flickr.read_token),
    (jsonl.fits, jsonl.read),
    (flickr.fits_table, flickr.read_table),
)


def load_dataset(
    path: str | Path,
    *,
    images: str | Path | None = None,
    split: str | None = None,
    kind: Literal["captions", "labels"] | None = None,
    allow_partial: bool = False,
) -> Dataset:
    """The set at a path: a file, a shard, or a folder with one of them; docs/evaluation.md has a table of the forms.

    `images` is the folder of the pictures, looked for in the usual places beside the captions unless given. `split` is
    `test`, `val`...; for Flickr's text files also the path of a list. `kind` chooses where shards hold both captions
    and labels. No picture is read before it is asked for. Raises `InvalidDataset` if the path is of no known form, and
    `IncompleteDataset` if anything is missing or wrong; with `allow_partial` the rest is returned, marked as partial.
    """
    request = Request(Path(path), Path(images) if images is not None else None, split, allow_partial)
    if not request.path.exists():
        raise InvalidDataset(str(path), "there is no such file or folder")
    found = shards.find(request)
    if found:
        wants_captions = shards.has_captions(found) if kind is None else kind == "captions"
        return shards.read_captions(request, found) if wants_captions else shards.read_labels(request, found)
    return _from_folder(request) if request.path.is_dir() else _from_file(request)


def _from_folder(request: Request) -> Dataset:
    """The one caption file in it, or the classes that its folders are."""
    fitting = sorted({path for pattern in _CAPTION_FILES for path in request.path.glob(pattern)})
    if len(fitting) > 1:
        names = ", ".join(path.name for path in fitting)
        raise InvalidDataset(str(request.path), f"it holds several sets; give one of {names}")
    if fitting:
        return _from_file(Request(fitting[0], request.images, request.split, request.allow_partial))
    for folder in (request.path / (request.split or ""), request.path):
        if folder.is_dir() and folders.fits(folder):
            return folders.read(request)
    raise InvalidDataset(str(request.path), f"no set of a known form in it: {FORMS}")


def _from_file(request: Request) -> Dataset:
    path = request.path
    if path.suffix in (".pkl", ".pickle"):
        raise InvalidDataset(str(path), "a pickle can run any program; convert it to JSON (docs/evaluation.md)")
    if path.suffix in (".gz", ".tgz", ".zip", ".bz2", ".xz", ".zst"):
        raise InvalidDataset(str(path), "it is compressed; unpack it first (shards to .tar)")
    if path.suffix == ".json":
        data = read_json(path)
        for fits, read in _JSON_FORMS:
            if fits(data):
                return read(request, data)
    else:
        first = _first_line(path)
        for fits_line, read_lines in _LINE_FORMS:
            if fits_line(first):
                return read_lines(request)
    raise InvalidDataset(str(path), f"not of a known form: {FORMS}")


def _first_line(path: Path) -> str:
    """Up to 64 KiB of it, as far as it is text; a picture or an archive fits no form."""
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            return file.readline(1 << 16).rstrip("\n")
    except OSError as error:
        raise InvalidDataset(str(path), f"it cannot be read ({error.strerror or error})") from error
