"""`vectors.npy`, one row an image, and `images.jsonl`, one line an image in the same order. Needs NumPy alone."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import InvalidEmbeddings
from indexer.manifest import Manifest
from indexer.moving.embedded import BATCH, Embedded
from indexer.moving.rows import row, seen
from indexer.records import ImageRecord

VECTORS, IMAGES = "vectors.npy", "images.jsonl"

Add = Callable[[list[ImageRecord], NDArray[np.float16]], None]
"""Writes some images and their vectors."""


@contextmanager
def writing(folder: Path, manifest: Manifest) -> Iterator[Add]:
    """Float16 vectors, exactly as they are stored."""
    count = 0
    with (folder / VECTORS).open("wb") as vectors, (folder / IMAGES).open("w", encoding="ascii") as images:
        start = _write_header(vectors, 0, manifest.dimension)

        def add(records: list[ImageRecord], rows: NDArray[np.float16]) -> None:
            nonlocal count
            count += len(records)
            vectors.write(np.ascontiguousarray(rows, "<f2").data)
            for record in records:
                images.write(json.dumps(row(record, manifest.model)) + "\n")

        yield add
        vectors.seek(0)
        if _write_header(vectors, count, manifest.dimension) != start:
            raise ValueError("NumPy's header has become longer than the room it leaves for its first number")


def _write_header(file: IO[bytes], count: int, dimension: int) -> int:
    """NumPy leaves room in it for a longer first dimension, so that it can be written again; gives its length."""
    fields = {"shape": (count, dimension), "fortran_order": False, "descr": "<f2"}
    np.lib.format.write_array_header_1_0(file, fields)
    return file.tell()


class NpyEmbeddings:
    """See `Embeddings`. A folder of `writing`, or FILE.npy with FILE.jsonl beside it; a line needs `path` alone."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        vectors = path / VECTORS if path.is_dir() else path
        self._images = path / IMAGES if path.is_dir() else path.with_suffix(".jsonl")
        self._vectors = mapped(self.path, vectors)
        if not self._images.is_file():
            raise InvalidEmbeddings(self.path, f"there is no {self._images.name} beside {vectors.name}")
        self.dimension = int(self._vectors.shape[1])

    def __len__(self) -> int:
        return len(self._vectors)

    def batches(self) -> Iterator[Embedded]:
        done = 0
        with self._images.open(encoding="utf-8") as lines:
            while batch := [self._parsed(line) for line in islice(lines, BATCH)]:
                rows = self._vectors[done : done + len(batch)]
                if len(rows) < len(batch):
                    break
                done += len(batch)
                yield Embedded([fields["path"] for fields in batch], rows, [seen(fields) for fields in batch])
        if batch or done < len(self):
            reason = f"{self._images.name} has not one line for each of the {len(self):,} vectors"
            raise InvalidEmbeddings(self.path, reason)

    def _parsed(self, line: str) -> dict[str, Any]:
        try:
            fields = json.loads(line)
            if not isinstance(fields["path"], str):
                raise TypeError("path is no text")
        except (ValueError, TypeError, KeyError) as error:
            raise InvalidEmbeddings(self.path, f"{self._images.name} has the line {line[:80]!r} ({error})") from error
        return dict(fields)


def mapped(path: str, file: Path) -> NDArray[Any]:
    """The matrix in an .npy file, memory-mapped. Raises InvalidEmbeddings, naming `path`."""
    try:
        matrix: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidEmbeddings(path, f"{file.name} cannot be read ({error})") from error
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.floating):
        raise InvalidEmbeddings(path, f"{file.name} is no matrix of real numbers, but {matrix.dtype} {matrix.shape}")
    return matrix
