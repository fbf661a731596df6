from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from indexer import database
from indexer.catalog import Catalog
from indexer.errors import (
    CollectionDamaged,
    CollectionError,
    CollectionLocked,
    CollectionNotFound,
    CollectionTooNew,
    CollectionUnavailable,
    ForeignCollection,
)
from tests.indexer.samples import MANIFEST, forbidden, public_folder, put

NOT_UTF8 = os.fsdecode(b"/photos/caf\xe9 \n\xff.jpg")


# Opening


def test_a_catalog_comes_back_with_its_manifest(catalog: Catalog) -> None:
    [id_] = put(catalog, NOT_UTF8)
    with Catalog.open(catalog.library) as reopened:
        assert reopened.manifest == MANIFEST
        assert (reopened.uid, reopened.created_at) == (catalog.uid, catalog.created_at)
        assert reopened.get(id_) == catalog.get(id_)


def test_the_database_is_set_up_as_it_should_be(catalog: Catalog) -> None:
    with catalog._reading() as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "application_id")
        values = [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas]
    assert values == ["wal", 1, 1, 30_000, database.APPLICATION_ID]


def test_closing_twice_is_closing_and_leaves_one_file(catalog: Catalog) -> None:
    put(catalog, "/a")
    catalog.close()
    catalog.close()
    assert [path.name for path in catalog.library.iterdir()] == ["catalog.db"]


def test_to_open_it_twice_gives_up_no_lock(catalog: Catalog) -> None:
    """Or else another process that closes it would take itself for the last one, and the log away from this one."""
    put(catalog, "/a")
    with Catalog.open(catalog.library):
        pass
    program = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM image').fetchall(); c.close()"
    )
    subprocess.run([sys.executable, "-c", program, str(catalog.library / "catalog.db")], check=True)
    assert (catalog.library / "catalog.db-wal").exists()
    put(catalog, "/b")
    assert catalog.count() == 2


def test_where_there_is_none_nothing_is_made(tmp_path: Path) -> None:
    for library in (tmp_path / "missing", tmp_path):
        with pytest.raises(CollectionNotFound, match="sightline index FOLDER"):
            Catalog.open(library)
    assert list(tmp_path.iterdir()) == []


def test_a_catalog_is_not_made_over_another(catalog: Catalog) -> None:
    with pytest.raises(ValueError, match="there already"):
        Catalog.create(catalog.library, MANIFEST)


def test_leftovers_of_a_crash_do_not_get_into_a_new_catalog(tmp_path: Path) -> None:
    """A log beside a database is replayed into it, whoever's it is."""
    with Catalog.create(tmp_path / "old", MANIFEST) as old:
        put(old, "/a", "/b")
        shutil.copytree(tmp_path / "old", tmp_path / "new")
    (tmp_path / "new" / "catalog.db").rename(tmp_path / "new" / "catalog.db.new")
    for suffix in ("-wal", "-shm"):
        shutil.copy(tmp_path / "new" / f"catalog.db{suffix}", tmp_path / "new" / f"catalog.db.new{suffix}")
    with Catalog.create(tmp_path / "new", MANIFEST) as new:
        assert new.count() == 0
        assert put(new, "/c") == [1]


def a_file(library: Path, content: bytes) -> None:
    (library / "catalog.db").write_bytes(content)


def a_database_of_somebody_else(library: Path) -> None:
    connection = sqlite3.connect(library / "catalog.db")
    connection.execute("CREATE TABLE image (id INTEGER)")
    connection.close()


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"my photos, by name\n" * 100])
def test_a_file_that_is_no_database_is_foreign(tmp_path: Path, content: bytes) -> None:
    a_file(tmp_path, content)
    with pytest.raises(ForeignCollection, match="not a database"):
        Catalog.open(tmp_path)
    assert (tmp_path / "catalog.db").read_bytes() == content


def test_a_database_of_another_program_is_foreign_and_left_alone(tmp_path: Path) -> None:
    a_database_of_somebody_else(tmp_path)
    before = (tmp_path / "catalog.db").read_bytes()
    with pytest.raises(ForeignCollection, match="another program"):
        Catalog.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["catalog.db"]
    assert (tmp_path / "catalog.db").read_bytes() == before


def change_database(library: Path, statement: str) -> None:
    connection = sqlite3.connect(library / "catalog.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_a_catalog_of_a_newer_version_is_not_touched(catalog: Catalog) -> None:
    catalog.close()
    change_database(catalog.library, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CollectionTooNew, match=r"'9999'.*upgrade Sightline") as caught:
        Catalog.open(catalog.library)
    assert caught.value.schema == "9999"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM model",
        "DELETE FROM collection",
        "UPDATE model SET manifest = '{'",
        "UPDATE model SET manifest = '{}'",
        "UPDATE model SET manifest = '[]'",
    ],
)
def test_a_catalog_without_its_manifest_is_damaged(catalog: Catalog, statement: str) -> None:
    catalog.close()
    change_database(catalog.library, statement)
    with pytest.raises(CollectionDamaged, match="manifest"):
        Catalog.open(catalog.library)


@pytest.mark.parametrize(
    ("statement", "read"),
    [
        ("DELETE FROM model", Catalog.revision),
        ("DROP TABLE model", Catalog.revision),
        ("UPDATE embedding_1 SET vector = x'0102'", lambda catalog: catalog.vector(1)),
        ("UPDATE embedding_1 SET vector = x'0102'", lambda catalog: list(catalog.changes_since(0))),
        ("UPDATE image SET indexed_at = 'yesterday'", lambda catalog: catalog.get(1)),
    ],
)
def test_rows_that_make_no_sense_are_damage(catalog: Catalog, statement: str, read: object) -> None:
    put(catalog, "/a")
    with Catalog.open(catalog.library) as opened:
        change_database(catalog.library, statement)
        with pytest.raises(CollectionDamaged):
            read(opened)  # type: ignore[operator]


def read_everything(library: Path) -> None:
    with Catalog.open(library) as reopened:
        list(reopened.changes_since(0))
        list(reopened.files_under("/"))


@pytest.mark.parametrize("at", [16, 4000, 60_000])
def test_overwritten_pages_are_damage(catalog: Catalog, at: int) -> None:
    put(catalog, *(f"/{number}" for number in range(3000)))
    catalog.close()
    path = catalog.library / "catalog.db"
    data = bytearray(path.read_bytes())
    data[at : at + 200_000] = b"\xa5" * len(data[at : at + 200_000])
    data[68:72] = database.APPLICATION_ID.to_bytes(4, "big")
    path.write_bytes(data)
    with pytest.raises(CollectionDamaged):
        read_everything(catalog.library)


def test_a_file_cut_short_is_damage(catalog: Catalog) -> None:
    put(catalog, *(f"/{number}" for number in range(3000)))
    catalog.close()
    path = catalog.library / "catalog.db"
    path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(CollectionDamaged):
        read_everything(catalog.library)


def test_a_writer_that_waits_too_long_says_who_is_in_the_way(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.05)
    with Catalog.open(catalog.library) as impatient, catalog._writing():
        with pytest.raises(CollectionLocked):
            put(impatient, "/a")
        assert impatient.count() == 0  # reading goes on


def test_a_library_that_cannot_be_written_can_be_read() -> None:
    with public_folder() as library:
        with Catalog.create(library, MANIFEST) as catalog:
            put(catalog, "/a")
        with forbidden(library, 0o555), Catalog.open(library) as reopened:
            assert reopened.get(1).path == "/a"
            with pytest.raises(CollectionUnavailable, match="readonly"):
                put(reopened, "/b")
        assert [path.name for path in library.iterdir()] == ["catalog.db"]


def test_a_library_that_cannot_be_read_or_made_says_so() -> None:
    with public_folder() as library:
        with forbidden(library, 0o555), pytest.raises(CollectionUnavailable, match="Permission denied"):
            Catalog.create(library / "deeper", MANIFEST)
        Catalog.create(library, MANIFEST).close()
        with forbidden(library, 0o000), pytest.raises(CollectionUnavailable, match="Permission denied"):
            Catalog.open(library)


# Errors of SQLite

CODES = sorted(
    {
        value
        for name, value in vars(sqlite3).items()
        if name.startswith("SQLITE_") and isinstance(value, int) and 1 <= value & 0xFF <= 26 and value < 2**16
    }
)


KINDS = [sqlite3.Error, *sqlite3.Error.__subclasses__(), *sqlite3.DatabaseError.__subclasses__()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_of_sqlite_becomes_one_of_ours(tmp_path: Path, kind: type[sqlite3.Error]) -> None:
    assert len(CODES) > 80
    for code in (None, *CODES):
        error = kind("reason")
        if code is not None:
            error.sqlite_errorcode = code
        with pytest.raises(CollectionError) as caught, database.translated(tmp_path):
            raise error
        assert caught.value.__cause__ is error


def test_a_full_disk_is_not_called_damage(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "small.db")
    connection.execute("PRAGMA max_page_count = 2")
    connection.execute("CREATE TABLE t (x)")
    with pytest.raises(CollectionUnavailable, match="full"), database.translated(tmp_path):
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()


def test_a_copy_is_the_database_as_of_one_moment(catalog: Catalog, tmp_path: Path) -> None:
    put(catalog, "/a", "/b")
    engine = database.open_engine(catalog.library / "catalog.db")
    steps: list[tuple[int, int]] = []

    def write_meanwhile(done: int, total: int) -> None:
        steps.append((done, total))
        put(catalog, f"/{len(steps)}")

    (tmp_path / "copy").mkdir()
    database.copy(engine, tmp_path / "copy" / "catalog.db", write_meanwhile)
    engine.dispose()
    assert steps[-1][0] == steps[-1][1] > 0
    assert catalog.count() > 2
    with Catalog.open(tmp_path / "copy") as copy:
        assert copy.uid == catalog.uid
        assert copy.count() == 2
        assert copy.damage() == []


def test_what_sqlite_finds_wrong_is_told_line_by_line(catalog: Catalog) -> None:
    assert catalog.damage() == catalog.damage(quick=True) == []
    put(catalog, "/a", "/b")
    catalog.close()
    connection = sqlite3.connect(catalog.library / "catalog.db")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("DELETE FROM sqlite_master WHERE name = 'ix_image_content_hash'")
    connection.commit()
    connection.close()
    assert any("never used" in line for line in catalog.damage())


def test_migrations_of_ours_are_known_and_others_are_not() -> None:
    assert database.is_known("0001")
    assert not database.is_known("9999")
