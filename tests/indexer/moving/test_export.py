from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer import catalog_reader
from indexer.collection import Collection
from indexer.errors import InvalidExport
from indexer.moving.export import FORMATS, ExportFormat, export
from indexer.moving.rows import COLUMNS
from tests.indexer.moving.conftest import PICTURES
from tests.palette import PaletteEncoder


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_reader, "_BATCH", 4)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def stored(collection: Collection) -> tuple[list[int], np.ndarray]:
    batches = list(collection.catalog.contents())
    ids = [record.id for records, _ in batches for record in records]
    return ids, np.concatenate([vectors for _, vectors in batches])


def test_npy_is_what_is_stored_in_the_order_of_the_lines(indexed: Collection, tmp_path: Path) -> None:
    indexed.catalog.remove([3])
    report = export(indexed, tmp_path / "out", "npy")
    ids, vectors = stored(indexed)
    assert report.images == len(ids) == PICTURES - 1
    found = np.load(tmp_path / "out" / "vectors.npy")
    assert found.dtype == np.float16
    assert np.array_equal(found, vectors)
    rows = lines(tmp_path / "out" / "images.jsonl")
    assert [row["id"] for row in rows] == ids
    record = indexed.catalog.get(ids[0])
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["path"] == record.path
    assert rows[0]["content_hash"] == record.content_hash
    assert (rows[0]["width"], rows[0]["height"], rows[0]["format"]) == (64, 48, "jpeg")
    assert rows[0]["model"] == "palette"


def test_parquet_has_the_same_and_a_path_that_every_reader_takes(indexed: Collection, tmp_path: Path) -> None:
    import pyarrow.parquet

    export(indexed, tmp_path / "out", "parquet")
    table = pyarrow.parquet.ParquetFile(tmp_path / "out" / "images.parquet")
    assert table.num_row_groups == 3  # of 4, 4 and 2: nothing has to be in memory as a whole
    rows = table.read().to_pylist()
    ids, vectors = stored(indexed)
    assert [row["id"] for row in rows] == ids
    assert np.array_equal(np.array([row["vector"] for row in rows], np.float16), vectors)
    odd = [row for row in rows if row["path_bytes"] is not None]
    assert [row["path_bytes"].rpartition(b"/")[2] for row in odd] == [b"caf\xe9.jpg"]
    assert odd[0]["path"].endswith("caf\ufffd.jpg")
    assert json.loads(table.schema_arrow.metadata[b"sightline"])["model"] == "palette"


def test_any_faiss_reads_the_index_and_finds_the_images(indexed: Collection, tmp_path: Path) -> None:
    import faiss

    export(indexed, tmp_path / "out", "faiss")
    index = faiss.read_index(str(tmp_path / "out" / "index.faiss"))
    ids, vectors = stored(indexed)
    scores, found = index.search(vectors.astype(np.float32), 1)
    assert found[:, 0].tolist() == ids
    assert scores[:, 0] == pytest.approx(1, abs=2e-3)
    assert [row["id"] for row in lines(tmp_path / "out" / "ids.jsonl")] == ids
    assert np.array_equal(index.reconstruct(ids[2]), vectors[2].astype(np.float32))


@pytest.mark.parametrize("format", FORMATS)
def test_an_empty_collection_can_be_exported(tmp_path: Path, format: ExportFormat) -> None:
    with Collection.open_or_create(tmp_path / "empty", PaletteEncoder().manifest) as empty:
        assert export(empty, tmp_path / "out", format).images == 0
    if format == "npy":
        assert np.load(tmp_path / "out" / "vectors.npy").shape == (0, 64)


def test_the_folder_says_what_made_the_vectors(indexed: Collection, tmp_path: Path) -> None:
    export(indexed, tmp_path / "out", "npy")
    readme = (tmp_path / "out" / "README.md").read_text()
    for said in (
        "10 image embeddings",
        "`palette`",
        indexed.manifest.weights_hash,
        "| 64 |",
        "unit length",
        "vectors.npy",
    ):
        assert said in readme
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (manifest["model"], manifest["images"], manifest["dimension"]) == ("palette", PICTURES, 64)


def test_a_folder_in_use_is_left_alone_and_a_failure_leaves_nothing(
    indexed: Collection, tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidExport, match="new folder"):
        export(indexed, photos, "npy")
    monkeypatch.setattr(indexed.catalog.manifest.__class__, "to_json", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(indexed, tmp_path / "out", "parquet")
    assert not list(tmp_path.glob("out*"))


def test_progress_reaches_its_end(indexed: Collection, tmp_path: Path) -> None:
    steps: list[tuple[int, int | None]] = []
    export(indexed, tmp_path / "out", "npy", progress=lambda done, total: steps.append((done, total)))
    assert steps == [(4, 10), (8, 10), (10, 10)]
