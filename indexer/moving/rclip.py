"""rclip's database: table `images` with filepath, modified_at, size, vector (float32) and deleted.

Up to version 2 of its database rclip used ViT-B-32-quickgelu/openai, since version 3 ViT-B-32-256/datacomp_s34b_b86k.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import InvalidEmbeddings
from indexer.moving.embedded import BATCH, Embedded, Seen

FILE_NAME = "db.sqlite3"
_ALIVE = "FROM images WHERE deleted IS NULL OR deleted = 0"


class RclipEmbeddings:
    """See `Embeddings`. The database, or the folder that it is in; it is only read."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self._file = path / FILE_NAME if path.is_dir() else path
        if not self._file.is_file():
            raise InvalidEmbeddings(self.path, f"there is no {self._file.name}")
        with self._reading() as connection:
            self._size = int(connection.execute(f"SELECT count(*) {_ALIVE}").fetchone()[0])
            first = connection.execute(f"SELECT vector {_ALIVE} LIMIT 1").fetchone()
        self.dimension = len(first[0]) // 4 if first else 0

    def __len__(self) -> int:
        return self._size

    def batches(self) -> Iterator[Embedded]:
        with self._reading() as connection:
            cursor = connection.execute(f"SELECT filepath, size, modified_at, vector {_ALIVE} ORDER BY id")
            while rows := cursor.fetchmany(BATCH):
                paths = [os.fsdecode(row[0]) for row in rows]
                seen = [Seen(row[1], float(row[2])) for row in rows]
                yield Embedded(paths, self._matrix([row[3] for row in rows]), seen)

    def _matrix(self, blobs: list[bytes]) -> NDArray[Any]:
        if any(len(blob) != 4 * self.dimension for blob in blobs):
            raise InvalidEmbeddings(self.path, f"its vectors have not all the dimension {self.dimension} of the first")
        return np.frombuffer(b"".join(blobs), "<f4").reshape(len(blobs), self.dimension)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(f"{self._file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
                yield connection
        except (sqlite3.Error, TypeError, ValueError) as error:
            raise InvalidEmbeddings(self.path, f"it is no database of rclip ({error})") from error
