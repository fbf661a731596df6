"""The output of `clip-retrieval inference`: img_emb/img_emb_N.npy beside metadata/metadata_N.parquet (`image_path`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.errors import InvalidEmbeddings
from indexer.moving.embedded import BATCH, Embedded
from indexer.moving.npy import mapped
from indexer.moving.parquet import opened


class ClipRetrievalEmbeddings:
    """See `Embeddings`. The folder that holds `img_emb` and `metadata`. Raises BrokenInstallation without pyarrow.

    Of WebDataset shards, as in `clip-retrieval end2end`, `image_path` holds keys, which lead to no files.
    """

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        parts = sorted((path / "img_emb").glob("img_emb_*.npy"))
        if not parts:
            raise InvalidEmbeddings(self.path, "there is no img_emb/img_emb_*.npy in it")
        self._parts = []
        for part in parts:
            table = path / "metadata" / f"metadata_{part.stem.removeprefix('img_emb_')}.parquet"
            vectors, metadata = mapped(self.path, part), opened(self.path, table)
            if "image_path" not in metadata.schema_arrow.names:
                raise InvalidEmbeddings(self.path, f"{table.name} has no column image_path")
            if metadata.metadata.num_rows != len(vectors):
                reason = f"{part.name} has {len(vectors):,} rows and {table.name} {metadata.metadata.num_rows:,}"
                raise InvalidEmbeddings(self.path, reason)
            self._parts.append((vectors, metadata))
        self.dimension = int(self._parts[0][0].shape[1])
        if any(vectors.shape[1] != self.dimension for vectors, _ in self._parts):
            raise InvalidEmbeddings(self.path, "its parts have different dimensions")

    def __len__(self) -> int:
        return sum(len(vectors) for vectors, _ in self._parts)

    def batches(self) -> Iterator[Embedded]:
        for vectors, metadata in self._parts:
            done = 0
            for batch in metadata.iter_batches(BATCH, columns=["image_path"]):
                paths = batch.column("image_path").to_pylist()
                yield Embedded(paths, vectors[done : done + len(paths)])
                done += len(paths)
