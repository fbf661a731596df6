from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.errors import EmbeddingsDisagree, InvalidEmbeddings, ModelMismatch
from indexer.moving import embedded
from indexer.moving.export import export
from indexer.moving.imports import ImportFormat, ImportReport, import_embeddings, open_embeddings
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.indexer.moving.conftest import PICTURES
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

QUERIES = PaletteEncoder().encode_texts(["red", "a green meadow", "blue and gray", "nothing"])


def take(source: Path, format: ImportFormat, library: Path, **options: Any) -> ImportReport:
    encoder = options.pop("encoder", None) or PaletteEncoder()
    return import_embeddings(open_embeddings(source, format), encoder, library, threads=1, **options)


def found(collection: Collection) -> list[list[tuple[str, float]]]:
    """Paths and scores, which do not depend on ids."""
    return [
        sorted(
            (collection.catalog.get(int(id_)).path, float(score)) for id_, score in zip(m.ids, m.scores, strict=True)
        )
        for m in collection.search(QUERIES, 5)
    ]


def contents(collection: Collection) -> dict[str, tuple[str, NDArray[np.float16]]]:
    return {
        record.path: (record.content_hash, vector)
        for records, vectors in collection.catalog.contents()
        for record, vector in zip(records, vectors, strict=True)
    }


def as_rclip(collection: Collection, folder: Path) -> Path:
    """As rclip 3 writes it; what it cannot hold is left out."""
    folder.mkdir()
    connection = sqlite3.connect(folder / "db.sqlite3")
    connection.execute(
        "CREATE TABLE images (id INTEGER PRIMARY KEY, deleted BOOLEAN, filepath TEXT NOT NULL UNIQUE, "
        "modified_at DATETIME NOT NULL, size INTEGER NOT NULL, vector BLOB NOT NULL, indexing BOOLEAN)"
    )
    for path, (_, vector) in contents(collection).items():
        if path.isascii():
            status = os.stat(path)
            row = (path, status.st_mtime, status.st_size, vector.astype(np.float32).tobytes())
            connection.execute("INSERT INTO images(filepath, modified_at, size, vector) VALUES (?, ?, ?, ?)", row)
    gone = ("/gone.jpg", 0.0, 1, bytes(256))
    connection.execute("INSERT INTO images(deleted, filepath, modified_at, size, vector) VALUES (1, ?, ?, ?, ?)", gone)
    connection.execute("CREATE TABLE db_version (version INTEGER)")
    connection.commit()
    connection.close()
    return folder


def as_clip_retrieval(collection: Collection, folder: Path) -> Path:
    """As `clip-retrieval inference` writes it, in two parts; paths as text, so without the one that is not UTF-8."""
    rows = [(path, vector) for path, (_, vector) in contents(collection).items() if path.isascii()]
    (folder / "img_emb").mkdir(parents=True)
    (folder / "metadata").mkdir()
    for part, some in enumerate((rows[:4], rows[4:])):
        np.save(folder / "img_emb" / f"img_emb_{part}.npy", np.stack([vector for _, vector in some]))
        table = pyarrow.table({"image_path": [path for path, _ in some], "caption": ["-"] * len(some)})
        pyarrow.parquet.write_table(table, folder / "metadata" / f"metadata_{part}.parquet")
    return folder


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("npy", "parquet", "rclip", "clip_retrieval"):
        monkeypatch.setattr(f"indexer.moving.{module}.BATCH", 3)
    assert embedded.BATCH > 3


@pytest.mark.parametrize("format", ["npy", "parquet"])
def test_exported_and_imported_it_finds_the_same(
    indexed: Collection, tmp_path: Path, photos: Path, format: ImportFormat
) -> None:
    export(indexed, tmp_path / "out", format)  # type: ignore[arg-type]
    report = take(tmp_path / "out", format, tmp_path / "again")
    assert (report.added, report.failed, report.checked.number) == (PICTURES, 0, PICTURES)
    assert report.checked.median > 0.999
    with Collection.open(tmp_path / "again") as again:
        assert contents(again).keys() == contents(indexed).keys()
        assert found(again) == found(indexed)
        record, before = next(again.catalog.contents())[0][0], next(indexed.catalog.contents())[0][0]
        assert (record.width, record.format, record.size, record.mtime_ns) == (64, "jpeg", before.size, before.mtime_ns)


@pytest.mark.parametrize(("make", "format"), [(as_rclip, "rclip"), (as_clip_retrieval, "clip-retrieval")])
def test_what_others_have_made_is_taken_over_and_nothing_is_encoded_again(
    indexed: Collection,
    tmp_path: Path,
    photos: Path,
    make: Callable[[Collection, Path], Path],
    format: ImportFormat,
) -> None:
    source = make(indexed, tmp_path / "theirs")
    report = take(source, format, tmp_path / "ours")
    assert (report.added, report.failed) == (PICTURES - 1, 0)
    encoder = PaletteEncoder()
    with Collection.open(tmp_path / "ours") as ours:
        theirs = contents(indexed)
        assert all(hash_ == theirs[path][0] for path, (hash_, _) in contents(ours).items())
        cosines = [vector.astype(float) @ theirs[path][1].astype(float) for path, (_, vector) in contents(ours).items()]
        assert min(cosines) > 0.999
        synced = sync(ours, encoder, FolderSource(photos), threads=1)
    assert (synced.unchanged, synced.added) == (PICTURES - 1, 1)  # the one whose name they could not hold
    assert sum(encoder.image_batches) == 1


def test_again_it_is_unchanged_and_nothing_is_there_twice(indexed: Collection, tmp_path: Path) -> None:
    export(indexed, tmp_path / "out", "npy")
    take(tmp_path / "out", "npy", tmp_path / "again")
    report = take(tmp_path / "out", "npy", tmp_path / "again")
    assert (report.added, report.unchanged) == (0, PICTURES)
    with Collection.open(tmp_path / "again") as again:
        assert again.catalog.count() == PICTURES
        revision = again.catalog.revision()
    take(tmp_path / "out", "npy", tmp_path / "again")
    with Collection.open(tmp_path / "again") as again:
        assert again.catalog.revision() == revision


def test_another_model_is_refused_with_the_figure_and_nothing_is_made(indexed: Collection, tmp_path: Path) -> None:
    export(indexed, tmp_path / "out", "npy")
    vectors = np.load(tmp_path / "out" / "vectors.npy")
    for change, reason in (
        (np.roll(vectors, 32, axis=1), "name the weights"),
        (np.roll(vectors, 1, axis=1), "QuickGELU"),
    ):
        np.save(tmp_path / "out" / "vectors.npy", change)
        with pytest.raises(EmbeddingsDisagree, match=reason) as refused:
            take(tmp_path / "out", "npy", tmp_path / "again")
        assert refused.value.median < 0.98
        assert f"{refused.value.median:.3f} (median)" in str(refused.value)
    assert not (tmp_path / "again").exists()


def test_another_dimension_is_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    np.save(tmp_path / "theirs.npy", np.ones((2, 512), np.float16))
    (tmp_path / "theirs.jsonl").write_text('{"path": "/a.jpg"}\n{"path": "/b.jpg"}\n')
    encoder = PaletteEncoder()
    with pytest.raises(InvalidEmbeddings, match="512 numbers, those of 'palette' 64"):
        take(tmp_path / "theirs.npy", "npy", tmp_path / "again", encoder=encoder)
    assert encoder.image_batches == []


def test_a_collection_of_another_model_is_left_alone(indexed: Collection, tmp_path: Path) -> None:
    export(indexed, tmp_path / "out", "npy")
    other = PaletteEncoder(model="other", weights_hash="1" * 64)
    with pytest.raises(ModelMismatch):
        take(tmp_path / "out", "npy", indexed.library, encoder=other)


def test_missing_changed_and_broken_pictures_are_named_and_the_rest_is_taken(
    indexed: Collection, tmp_path: Path, photos: Path
) -> None:
    source = as_rclip(indexed, tmp_path / "theirs")
    (photos / "0" / "00.jpg").unlink()
    write(photos / "0" / "02.jpg", photo(64, 48, seed=77))
    status = os.stat(photos / "0" / "04.jpg")
    with open(photos / "0" / "04.jpg", "r+b") as file:
        file.write(bytes(16))
    os.utime(photos / "0" / "04.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    connection = sqlite3.connect(source / "db.sqlite3")
    with connection:
        connection.execute("UPDATE images SET vector = zeroblob(256) WHERE filepath LIKE '%01.jpg'")
    connection.close()
    report = take(source, "rclip", tmp_path / "ours")
    reasons = {os.path.basename(failure.path): failure.reason for failure in report.failures}
    assert reasons.keys() == {"00.jpg", "01.jpg", "02.jpg", "04.jpg"}
    assert "No such file" in reasons["00.jpg"]
    assert "no vector" in reasons["01.jpg"]
    assert "changed since" in reasons["02.jpg"]
    assert "not a picture" in reasons["04.jpg"]
    assert report.added == PICTURES - 1 - 4


def test_copied_elsewhere_the_hash_tells_that_nothing_has_changed(
    indexed: Collection, tmp_path: Path, photos: Path
) -> None:
    export(indexed, tmp_path / "out", "npy")
    for path in photos.rglob("*.jpg"):
        os.utime(path, ns=(0, 0))
    assert take(tmp_path / "out", "npy", tmp_path / "again").added == PICTURES


def test_relative_paths_need_their_folder(indexed: Collection, tmp_path: Path, photos: Path) -> None:
    rows = [path for path in contents(indexed) if path.isascii()]
    table = pyarrow.table(
        {
            "image_path": [os.path.relpath(path, photos) for path in rows],
            "embedding": [(contents(indexed)[path][1] * 3).astype(np.float32).tolist() for path in rows],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "theirs.parquet")
    with pytest.raises(InvalidEmbeddings, match="--images"):
        take(tmp_path / "theirs.parquet", "parquet", tmp_path / "ours")
    report = take(tmp_path / "theirs.parquet", "parquet", tmp_path / "ours", images=photos)
    assert (report.added, report.failed) == (PICTURES - 1, 0)
    with Collection.open(tmp_path / "ours") as ours:
        lengths = [np.linalg.norm(vector.astype(float)) for _, vector in contents(ours).values()]
        assert lengths == pytest.approx([1] * len(lengths), abs=1e-3)


def test_where_no_picture_is_there_it_says_so(indexed: Collection, tmp_path: Path, photos: Path) -> None:
    source = as_rclip(indexed, tmp_path / "theirs")
    shutil.rmtree(photos)
    with pytest.raises(InvalidEmbeddings, match="none of its 9 pictures is there"):
        take(source, "rclip", tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


def nothing(folder: Path) -> None: ...


def a_text(folder: Path) -> None:
    for name in ("db.sqlite3", "vectors.npy", "a.parquet"):
        (folder / name).write_bytes(b"Dear diary")
    (folder / "img_emb").mkdir()
    (folder / "img_emb" / "img_emb_0.npy").write_bytes(b"Dear diary")


def other_forms(folder: Path) -> None:
    sqlite3.connect(folder / "db.sqlite3").execute("CREATE TABLE images (id)").connection.close()
    np.save(folder / "vectors.npy", np.ones(3))
    pyarrow.parquet.write_table(pyarrow.table({"path": ["/a"], "vec": [[1.0]]}), folder / "a.parquet")
    (folder / "img_emb").mkdir()
    np.save(folder / "img_emb" / "img_emb_0.npy", np.ones((2, 64)))


def of_different_lengths(folder: Path) -> None:
    connection = sqlite3.connect(folder / "db.sqlite3")
    connection.execute("CREATE TABLE images (id, deleted, filepath, modified_at, size, vector)")
    for number in (256, 128):
        connection.execute("INSERT INTO images VALUES (1, NULL, '/a', 0, 0, zeroblob(?))", (number,))
    connection.commit()
    connection.close()
    np.save(folder / "vectors.npy", np.ones((2, 64)))
    (folder / "images.jsonl").write_text('{"path": "/a"}\n')
    lists = pyarrow.table({"path": ["/a", "/b"], "vector": [[1.0] * 64, [1.0] * 63]})
    pyarrow.parquet.write_table(lists, folder / "a.parquet")
    (folder / "img_emb").mkdir()
    (folder / "metadata").mkdir()
    np.save(folder / "img_emb" / "img_emb_0.npy", np.ones((2, 64)))
    pyarrow.parquet.write_table(pyarrow.table({"image_path": ["/a"]}), folder / "metadata" / "metadata_0.parquet")


@pytest.mark.parametrize("format", ["rclip", "npy", "parquet", "clip-retrieval"])
@pytest.mark.parametrize("harm", [nothing, a_text, other_forms, of_different_lengths])
def test_what_is_of_no_known_form_is_refused_in_words(
    tmp_path: Path, harm: Callable[[Path], None], format: ImportFormat
) -> None:
    (tmp_path / "theirs").mkdir()
    harm(tmp_path / "theirs")
    with pytest.raises(InvalidEmbeddings) as refused:
        take(tmp_path / "theirs", format, tmp_path / "ours")
    assert str(tmp_path / "theirs") in str(refused.value)
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "ours").exists()


def test_a_path_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidEmbeddings, match="no such file"):
        open_embeddings(tmp_path / "nothing", "npy")


IMPORT = """
import sys
from pathlib import Path
from indexer.moving import npy
from indexer.moving.imports import import_embeddings, open_embeddings
from tests.palette import PaletteEncoder
npy.BATCH = 2
report = lambda done, total: print(done, flush=True)
source = open_embeddings(Path(sys.argv[1]), "npy")
import_embeddings(source, PaletteEncoder(), Path(sys.argv[2]), threads=1, progress=report)
"""


def test_killed_it_goes_on_where_it_stopped(indexed: Collection, tmp_path: Path) -> None:
    export(indexed, tmp_path / "out", "npy")
    command = [sys.executable, "-c", IMPORT, str(tmp_path / "out"), str(tmp_path / "again")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "2\n"
        process.send_signal(signal.SIGKILL)
    report = take(tmp_path / "out", "npy", tmp_path / "again")
    assert report.unchanged >= 2
    assert report.added + report.unchanged == PICTURES
    with Collection.open(tmp_path / "again") as again:
        assert contents(again).keys() == contents(indexed).keys()
        assert again.catalog.unpaired() == ([], [])
