"""Damage of every kind, made by hand: each is found with its remedy, and after `--fix` a second look finds none."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer import database
from indexer.care.doctor import examine, treat
from indexer.care.findings import Finding
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CollectionLocked, CollectionNotFound, ForeignCollection, WeightsNotFound
from indexer.pipeline import sync
from indexer.probes import probes
from indexer.schema import HEAD
from indexer.sources import FolderSource
from indexer.vectors import faiss_library
from indexer.vectors.planning import IndexPlan
from tests.indexer.samples import an_image, forbidden, public_folder, unit_rows
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

PICTURES = 12


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(PICTURES):
        write(tmp_path / "photos" / f"{number % 3}" / f"{number:02}.jpg", photo(64, 48, seed=number))
    return tmp_path / "photos"


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Path:
    """Of real pictures, folded."""
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(photos), threads=1)
        probes(tmp_path / "library" / "vectors", encoder.manifest, encoder)
    return tmp_path / "library"


def palette(name: str) -> Encoder:
    assert name == "palette"
    return PaletteEncoder()


def problems(library: Path, load: Callable[[str], Encoder] = palette, *, quick: bool = False) -> list[Finding]:
    return [finding for finding in examine(library, load, quick=quick) if finding.severity != "ok"]


def execute(library: Path, *statements: str) -> None:
    """As another program would."""
    with sqlite3.connect(library / "catalog.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_a_sound_collection_is_sound_and_every_check_says_so(library: Path) -> None:
    found = list(examine(library, palette))
    assert [finding for finding in found if finding.severity != "ok"] == []
    assert [finding.check for finding in found] == [
        *("versions", "FAISS", "permissions", "catalog", "schema", "space", "leftovers", "pairs"),
        *("words", "vectors"),
        *("index files", "files", "index ids", "self-recall", "model", "model texts"),
    ]
    said = {finding.check: finding.message for finding in found}
    assert said["pairs"] == "12 images, a vector each"
    assert "recall@10 1.000" in said["self-recall"]
    assert "cosine 1.0000 (median)" in said["model"]
    assert "200 texts" in said["model texts"]
    assert all(name in said["versions"] for name in ("Python", "SQLite", "torch", "open_clip_torch", "faiss"))


def test_removed_images_are_counted(library: Path) -> None:
    with Collection.open(library) as collection:
        collection.catalog.remove(collection.catalog.ids().tolist()[:3])
    [pairs] = [finding for finding in examine(library, palette, quick=True) if finding.check == "pairs"]
    assert pairs.message == "9 images, a vector each; 3 removed ones are noted, 0.0 MB"


def test_an_empty_collection_is_sound(tmp_path: Path) -> None:
    Collection.open_or_create(tmp_path / "empty", PaletteEncoder().manifest).close()
    assert problems(tmp_path / "empty") == []


def test_an_examination_changes_nothing(library: Path) -> None:
    execute(library, "DELETE FROM embedding_1 WHERE image_id = 3")
    (library / "vectors" / "ids-left.int64").write_bytes(b"left")
    before = {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}
    assert problems(library)
    after = {path: path.read_bytes() for path in library.rglob("*") if path.is_file()}
    assert after.keys() - before.keys() <= {library / "vectors" / "write.lock"}
    assert {path: after[path] for path in before} == before


def lose_a_vector(library: Path) -> None:
    execute(library, "DELETE FROM embedding_1 WHERE image_id IN (3, 4)")


def lose_an_image(library: Path) -> None:
    execute(library, "DELETE FROM image WHERE id = 3")


def lose_words(library: Path) -> None:
    execute(library, "DELETE FROM image_words WHERE rowid IN (3, 4)")


def overwrite_a_vector(library: Path) -> None:
    execute(library, "UPDATE embedding_1 SET vector = zeroblob(128) WHERE image_id = 3")


def overwrite_a_vector_with_nan(library: Path) -> None:
    execute(library, f"UPDATE embedding_1 SET vector = X'{'FF7F' * 64}' WHERE image_id = 3")


def cut_a_vector(library: Path) -> None:
    execute(library, "UPDATE embedding_1 SET vector = X'00' WHERE image_id IN (3, 5)")


def lose_both(library: Path) -> None:
    execute(library, "DELETE FROM embedding_1 WHERE image_id = 3", "DELETE FROM image WHERE id = 3")


def exchange_vectors(library: Path) -> None:
    """Behind the index's back: the pictures change places."""
    execute(
        library,
        "UPDATE embedding_1 SET vector = (SELECT vector FROM embedding_1 WHERE image_id = 12) WHERE image_id < 6",
    )


def flip_a_byte_of_the_index(library: Path) -> None:
    [path] = (library / "vectors").glob("vectors-*")
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def lose_a_file_of_the_index(library: Path) -> None:
    [path] = (library / "vectors").glob("ids-*")
    path.unlink()


def put_back_an_older_catalog(library: Path) -> None:
    older = (library / "catalog.db").read_bytes()
    with Collection.open(library) as collection:
        collection.catalog.put([an_image("/newer")], unit_rows(1, 64))
        collection.fold(always=True)
    (library / "catalog.db").write_bytes(older)


def leave_things_behind(library: Path) -> None:
    (library / "vectors" / "vectors-0123.float16").write_bytes(bytes(100))
    (library / "vectors" / "cache.json.new").write_bytes(b"{")
    (library / "catalog.db.new").write_bytes(b"")
    half = library.with_name("library.partial")
    half.mkdir()
    (half / "whole").mkdir()


def damage_an_index_of_the_catalog(library: Path) -> None:
    """Rows that an index of the table does not know."""
    execute(
        library,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_image_content_hash ON image (camera)' "
        "WHERE name = 'ix_image_content_hash'",
    )
    execute(library, "REINDEX")
    execute(
        library,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE INDEX ix_image_content_hash ON image (content_hash)' "
        "WHERE name = 'ix_image_content_hash'",
    )


@pytest.mark.parametrize(
    ("harm", "check", "message", "dropped"),
    [
        (lose_a_vector, "pairs", "2 images have no vector", 2),
        (lose_an_image, "pairs", "1 vectors belong to no image", 1),
        (overwrite_a_vector, "vectors", "1 vectors are not finite", 1),
        (overwrite_a_vector_with_nan, "vectors", "1 vectors are not finite", 1),
        (cut_a_vector, "vectors", "2 vectors are not finite", 2),
        (lose_words, "words", "the words of 2 images are not searched", 0),
        (lose_both, "index ids", "lacks 0 images of the catalog and has 1", 1),
        (exchange_vectors, "self-recall", "5 of 12 stored vectors do not find themselves", 0),
        (flip_a_byte_of_the_index, "index files", "is damaged", 0),
        (lose_a_file_of_the_index, "index files", "cannot be used", 0),
        (put_back_an_older_catalog, "index files", "newer than the catalog", 0),
        (leave_things_behind, "leftovers", "4 files or folders", 0),
        (damage_an_index_of_the_catalog, "catalog", "a table and its index differ", 0),
    ],
)
def test_what_can_be_mended_is_found_and_mended(
    library: Path, harm: Callable[[Path], None], check: str, message: str, dropped: int, photos: Path
) -> None:
    harm(library)
    found = problems(library)
    named = {finding.check: finding for finding in found}
    assert check in named, found
    assert message in named[check].message
    assert "sightline doctor --fix" in (named[check].remedy or "")
    assert list(treat(found))
    again = problems(library)
    if harm is exchange_vectors:  # the index is as the catalog says; that this is wrong, the model shows
        [finding] = again
        assert (finding.check, finding.severity) == ("model", "broken")
        assert "stored vectors are not of their pictures" in finding.message
        return
    assert again == []
    assert not library.with_name("library.partial").exists()
    encoder = PaletteEncoder()
    with Collection.open(library) as collection:
        assert collection.catalog.count() == PICTURES - dropped
        report = sync(collection, encoder, FolderSource(photos), threads=1)
        assert (report.added, report.removed, report.failed) == (dropped, 0, 0)
        assert sum(encoder.image_batches) == dropped


def test_the_quick_examination_finds_what_is_cheap_to_find(library: Path) -> None:
    checks = [finding.check for finding in examine(library, palette, quick=True)]
    assert "pairs" in checks
    assert not {"vectors", "files", "model", "self-recall"} & set(checks)
    lose_a_vector(library)
    assert [finding.check for finding in problems(library, quick=True)] == ["pairs"]


def test_a_damaged_catalog_says_how_to_go_on(library: Path) -> None:
    with Collection.open(library) as collection:
        for start in range(0, 2000, 500):
            collection.catalog.put([an_image(f"/{n}") for n in range(start, start + 500)], unit_rows(500, 64))
    with (library / "catalog.db").open("r+b") as file:
        for page in range(5, 30):
            file.seek(8192 * page)
            file.write(b"\xff" * 100)
    [damaged] = problems(library)
    assert (damaged.check, damaged.severity, damaged.mend) == ("catalog", "broken", None)
    assert "sightline restore BACKUP OTHER_FOLDER" in (damaged.remedy or "")
    assert "sightline index FOLDER --library OTHER_FOLDER" in (damaged.remedy or "")


def test_a_catalog_cut_short_is_found(library: Path) -> None:
    with (library / "catalog.db").open("r+b") as file:
        file.truncate(3 * 8192)
    assert [finding.check for finding in problems(library)] == ["catalog"]


def test_where_there_is_no_collection_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound):
        problems(tmp_path / "nothing")
    (tmp_path / "catalog.db").write_bytes(b"Dear diary")
    with pytest.raises(ForeignCollection):
        problems(tmp_path)


def test_a_migration_that_is_pending_is_said_and_not_done(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.care.rows.HEAD", "9999")
    [pending] = problems(library)
    assert (pending.check, pending.severity) == ("schema", "warning")
    assert f"schema {HEAD}, now 9999" in pending.message
    assert pending.mend is not None


def test_a_newer_schema_is_refused_kindly(library: Path) -> None:
    execute(library, "UPDATE alembic_version SET version_num = '9999'")
    [newer] = problems(library)
    assert (newer.check, newer.severity, newer.remedy) == ("schema", "broken", "upgrade Sightline")


class Turned(PaletteEncoder):
    """The same manifest, other embeddings: as of a library that has changed what it computes."""

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.roll(super().encode_images(pixels), 1, axis=1)

    def encode_texts(self, texts: object) -> NDArray[np.float32]:
        return np.roll(super().encode_texts(texts), 1, axis=1)  # type: ignore[arg-type]


def test_an_installation_that_encodes_otherwise_is_noticed(library: Path) -> None:
    pictures, texts = problems(library, lambda name: Turned())
    assert (pictures.check, pictures.severity) == ("model", "broken")
    assert "does not make the vectors that are stored" in pictures.message
    assert "12 pictures encoded again: cosine 0." in pictures.message
    assert (texts.check, texts.severity) == ("model texts", "broken")


def test_another_model_and_a_missing_one_are_noticed(library: Path) -> None:
    [other] = problems(library, lambda name: PaletteEncoder(weights_hash="1" * 64))
    assert (other.check, other.severity) == ("model", "broken")
    assert "weights hash" in other.message

    def missing(name: str) -> Encoder:
        raise WeightsNotFound(name, ["/cache"])

    [gone] = problems(library, missing)
    assert (gone.check, gone.severity) == ("model", "broken")
    assert "cannot be loaded" in gone.message


def test_files_that_are_gone_changed_or_unreadable_are_counted(library: Path, photos: Path) -> None:
    (photos / "0" / "00.jpg").unlink()
    write(photos / "1" / "01.jpg", photo(64, 48, seed=99))
    write(photos / "1" / "04.jpg", photo(64, 48, seed=98))
    gone, changed = problems(library)
    assert gone.message == f"1 files are gone from folders that are there, below {photos / '0'}"
    assert gone.remedy == f"`sightline index {photos / '0'} --library {library}`"
    assert changed.message == f"2 files have changed since they were indexed, below {photos / '1'}"
    assert {gone.severity, changed.severity} == {"warning"}


def test_a_folder_that_is_missing_or_empty_is_not_connected(library: Path, photos: Path) -> None:
    shutil.rmtree(photos / "2")
    for path in (photos / "1").iterdir():
        path.unlink()
    found = problems(library)
    assert {finding.message for finding in found} == {
        f"{photos / '1'} is not connected, or gone with 4 images",
        f"{photos / '2'} is not connected, or gone with 4 images",
    }
    assert all("connect the disk" in (finding.remedy or "") for finding in found)
    shutil.rmtree(photos)
    os.mkdir(photos)  # a mount point without its disk
    [root] = problems(library)
    assert root.message == f"{photos} is not connected, or gone with 12 images"
    assert list(treat([root])) == []  # nothing is forgotten because a disk is away
    os.rmdir(photos)
    [root] = problems(library)
    assert root.message == f"{photos} is not connected, or gone with 12 images"


def test_two_faiss_packages_are_noticed(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faiss_library, "installed_packages", lambda: ["faiss-cpu", "faiss-gpu"])
    [twice] = problems(library)
    assert (twice.check, twice.severity) == ("FAISS", "broken")
    assert "pip uninstall faiss-cpu faiss-gpu" in (twice.remedy or "")


def test_an_index_that_finds_too_little_is_noticed(tmp_path: Path) -> None:
    with Collection.open_or_create(tmp_path / "library", PaletteEncoder().manifest) as collection:
        collection.catalog.put([an_image(f"/{n}") for n in range(3000)], unit_rows(3000, 64))
        collection.choose(IndexPlan("ivf", 0.6))
        collection.fold(always=True)
        collection.choose(IndexPlan("ivf", 1.0))  # wanted now; what is there was built for less
    found = {finding.check: finding for finding in problems(tmp_path / "library")}
    assert found["self-recall"].severity == "warning"
    assert "where 1 is wanted" in found["self-recall"].message
    list(treat([found["self-recall"]]))
    assert "self-recall" not in {finding.check for finding in problems(tmp_path / "library")}


def test_more_copies_than_are_shown_are_no_reason_to_worry(tmp_path: Path) -> None:
    with Collection.open_or_create(tmp_path / "library", PaletteEncoder().manifest) as collection:
        rows = np.repeat(unit_rows(3, 64), 20, axis=0)
        collection.catalog.put([an_image(f"/{n}") for n in range(60)], rows)
    assert "self-recall" not in {finding.check for finding in problems(tmp_path / "library")}


def test_nothing_is_mended_while_another_process_indexes(library: Path) -> None:
    lose_a_vector(library)
    found = problems(library)
    with Collection.open(library) as other, other.writing(), pytest.raises(CollectionLocked):
        list(treat(found))


def test_a_library_that_cannot_be_written_is_examined_all_the_same() -> None:
    with public_folder() as folder:
        with Collection.open_or_create(folder / "library", PaletteEncoder().manifest) as collection:
            collection.catalog.put([an_image("/a")], unit_rows(1, 64))
            collection.fold(always=True)
        with forbidden(folder, 0o555):
            found = {finding.check: finding for finding in problems(folder / "library")}
        assert found.keys() == {"permissions", "files"}
        assert found["permissions"].remedy == f"`chmod -R u+rwX {folder / 'library'}`"


def test_what_a_running_fold_writes_is_not_left_behind(library: Path) -> None:
    from indexer.vectors.cache import Owner, VectorCache

    manifest = PaletteEncoder().manifest
    with Collection.open(library) as collection:
        owner = Owner(collection.catalog.uid, manifest.weights_hash, manifest.dimension)
    cache = VectorCache(library / "vectors", owner)
    with cache.draft() as draft:
        draft.write([])
        assert problems(library) == []


def test_only_damage_of_indexes_alone_is_mended_by_making_them_again() -> None:
    assert not database.only_indexes([])
    assert database.only_indexes(["row 3 missing from index ix_image_content_hash"])
    assert not database.only_indexes(["row 3 missing from index ix_image_path", "Page 7: never used"])
