"""A flat FAISS index that any FAISS reads, its ids those of the images, and `ids.jsonl`, one line an image."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.manifest import Manifest
from indexer.moving.npy import Add
from indexer.moving.rows import row
from indexer.records import ImageRecord
from indexer.vectors.faiss_library import load_faiss

INDEX, IDS = "index.faiss", "ids.jsonl"


@contextmanager
def writing(folder: Path, manifest: Manifest) -> Iterator[Add]:
    """`IndexIDMap2` over `IndexFlatIP`, float32: FAISS makes it in memory, 4 bytes a number. Raises OSError."""
    faiss = load_faiss()
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(manifest.dimension))
    with (folder / IDS).open("w", encoding="ascii") as ids:

        def add(records: list[ImageRecord], rows: NDArray[np.float16]) -> None:
            index.add_with_ids(rows.astype(np.float32), np.array([record.id for record in records], np.int64))
            for record in records:
                ids.write(json.dumps(row(record, manifest.model)) + "\n")

        yield add
    try:
        faiss.write_index(index, str(folder / INDEX))
    except RuntimeError as error:  # FAISS's, of a disk that is full
        raise OSError(str(error).splitlines()[-1]) from error
