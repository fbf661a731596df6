"""Parquet: `images.parquet`, one row an image, its embedding a list of float32. Needs the extra `parquet`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.arrow_library import load_arrow
from indexer.errors import InvalidEmbeddings
from indexer.manifest import Manifest
from indexer.moving.embedded import BATCH, Embedded
from indexer.moving.npy import Add
from indexer.moving.rows import COLUMNS, row, seen
from indexer.records import ImageRecord

IMAGES = "images.parquet"

_PATHS = ("path", "image_path", "filepath")
_VECTORS = ("vector", "embedding")
_INTEGERS = ("id", "size", "mtime_ns", "width", "height")


@contextmanager
def writing(folder: Path, manifest: Manifest) -> Iterator[Add]:
    """A row group for every batch that is added, compressed with zstd. Raises BrokenInstallation without pyarrow.

    Float32, which holds a float16 exactly: few readers know Parquet's own float16. A path that is not UTF-8 has U+FFFD
    in `path`, and its bytes in `path_bytes`.
    """
    arrow = load_arrow(needed_for="Parquet")
    parquet = load_arrow("pyarrow.parquet", needed_for="Parquet")
    schema = arrow.schema(
        [
            *((name, arrow.int64() if name in _INTEGERS else arrow.string()) for name in COLUMNS),
            ("path_bytes", arrow.binary()),
            ("vector", arrow.list_(arrow.float32(), manifest.dimension)),
        ],
        metadata={"sightline": manifest.to_json()},
    )
    with parquet.ParquetWriter(folder / IMAGES, schema, compression="zstd") as writer:

        def add(records: list[ImageRecord], rows: NDArray[np.float16]) -> None:
            table = [_row(record, manifest.model) for record in records]
            columns = {name: [fields[name] for fields in table] for name in schema.names if name != "vector"}
            flat = arrow.array(rows.astype(np.float32).reshape(-1))
            vectors = arrow.FixedSizeListArray.from_arrays(flat, manifest.dimension)
            writer.write_table(arrow.table({**columns, "vector": vectors}, schema=schema))

        yield add


def _row(record: ImageRecord, model: str) -> dict[str, Any]:
    raw = os.fsencode(record.path)
    readable = raw.decode("utf-8", "replace")
    return {**row(record, model), "path": readable, "path_bytes": None if readable == record.path else raw}


class ParquetEmbeddings:
    """See `Embeddings`. A file, or all .parquet files of a folder.

    Takes the columns `path` (or `image_path`, `filepath`) and `vector` (or `embedding`), a list of numbers of one
    length; `size`, `mtime_ns` and `content_hash` are used where they are there. Raises BrokenInstallation, too.
    """

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        files = sorted(path.glob("*.parquet")) if path.is_dir() else [path]
        if not files:
            raise InvalidEmbeddings(self.path, "there is no .parquet file in it")
        self._tables = [opened(self.path, file) for file in files]
        self._path_column = self._named(_PATHS)
        self._vector_column = self._named(_VECTORS)
        self._size: int = sum(table.metadata.num_rows for table in self._tables)
        first = next(self.batches(), None)
        self.dimension = int(first.vectors.shape[1]) if first else 0

    def __len__(self) -> int:
        return self._size

    def batches(self) -> Iterator[Embedded]:
        for table in self._tables:
            names = set(table.schema_arrow.names)
            known = [name for name in ("size", "mtime_ns", "content_hash", "path_bytes") if name in names]
            columns = [self._path_column, self._vector_column, *known]
            for batch in table.iter_batches(BATCH, columns=columns):
                if not len(batch):
                    continue
                fields = {name: batch.column(name).to_pylist() for name in [self._path_column, *known]}
                paths = fields[self._path_column]
                for place, raw in enumerate(fields.get("path_bytes", [])):
                    paths[place] = paths[place] if raw is None else os.fsdecode(raw)
                rows = [{name: fields[name][place] for name in known} for place in range(len(paths))]
                yield Embedded(paths, self._matrix(batch.column(self._vector_column)), [seen(one) for one in rows])

    def _matrix(self, column: Any) -> NDArray[Any]:
        """Lists of one length -> rows."""
        try:
            flat = column.flatten().to_numpy(zero_copy_only=False)
            matrix: NDArray[Any] = flat.reshape(len(column), -1)
        except (AttributeError, ValueError) as error:
            raise InvalidEmbeddings(self.path, f"{self._vector_column!r} has no lists of one length") from error
        lengths = np.diff(np.asarray(column.offsets)) if hasattr(column, "offsets") else matrix.shape[1]
        if column.null_count or not np.issubdtype(flat.dtype, np.floating) or np.any(lengths != matrix.shape[1]):
            raise InvalidEmbeddings(self.path, f"{self._vector_column!r} has no lists of one length of real numbers")
        return matrix

    def _named(self, names: tuple[str, ...]) -> str:
        found = set(self._tables[0].schema_arrow.names)
        for name in names:
            if name in found:
                return name
        raise InvalidEmbeddings(self.path, f"it has no column {' or '.join(names)}, but {', '.join(sorted(found))}")


def opened(path: str, file: Path) -> Any:
    """A `pyarrow.parquet.ParquetFile`. Raises InvalidEmbeddings, naming `path`, and BrokenInstallation."""
    arrow = load_arrow(needed_for="Parquet")
    parquet = load_arrow("pyarrow.parquet", needed_for="Parquet")
    try:
        return parquet.ParquetFile(file)
    except (OSError, arrow.ArrowException) as error:
        raise InvalidEmbeddings(path, f"{file.name} cannot be read ({error})") from error
