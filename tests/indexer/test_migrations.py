from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from indexer import database, schema
from indexer.catalog import Catalog
from indexer.errors import CollectionTooNew
from indexer.words import table as words
from tests.indexer.samples import MANIFEST, unit_rows


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Of a catalog's file before its first migration."""
    database.make_file(tmp_path / "catalog.db")
    engine = database.open_engine(tmp_path / "catalog.db")
    yield engine
    engine.dispose()


def declarations(engine: sa.Engine) -> dict[str, str]:
    """Every table and index as SQLite keeps it, but for the order of what a table declares, and its spacing.

    A table that a migration gave another name has kept the names of its keys.
    """
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")).all()
    # A column that a migration added stands behind the others, on a line with them, before the last parenthesis.
    found = {name: sorted(" ".join(part.split()).strip(", )") for part in re.split("\n|, ", sql)) for name, sql in rows}
    found.pop("alembic_version", None)
    for name, lines in found.items():
        renamed = (re.sub("([fp]k_(?:embedding|tombstone))_1", r"\1", line).replace('"', "") for line in lines)
        found[name] = [line for line in renamed if line]
    return {name: "\n".join(lines) for name, lines in found.items()}


def test_the_newest_migration_is_the_one_the_code_expects(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(database.migration_config(connection))
    assert script.get_heads() == [schema.HEAD]


def tables_of_a_new_collection() -> sa.MetaData:
    """Those of every collection, and those of its first model."""
    expected = sa.MetaData(naming_convention=schema.metadata.naming_convention)
    own = schema.tables_of(schema.FIRST_MODEL)
    for table in (*schema.metadata.sorted_tables, own.embedding, own.tombstone):
        table.to_metadata(expected)
    return expected


def test_migrations_lead_from_nothing_to_the_schema(engine: sa.Engine, tmp_path: Path) -> None:
    database.migrate(engine, tmp_path)
    with engine.connect() as connection:
        assert database.stored_schema(connection) == schema.HEAD
        opts = {"compare_type": True, "compare_server_default": True, "include_name": _is_no_index_of_words}
        context = MigrationContext.configure(connection, opts=opts)
        assert compare_metadata(context, tables_of_a_new_collection()) == []


def _is_no_index_of_words(name: str | None, kind: str, parents: object) -> bool:
    """SQLAlchemy has no words for a virtual table, and those below it are SQLite's own."""
    return kind != "table" or not (name or "").startswith(words.NAME)


def test_the_index_of_words_is_declared_as_it_is_asked(engine: sa.Engine, tmp_path: Path) -> None:
    database.migrate(engine, tmp_path)
    with engine.connect() as connection:
        query = sa.text("SELECT sql FROM sqlite_master WHERE name = :name")
        assert connection.scalar(query, {"name": words.NAME}) == words.CREATE


def test_a_migrated_catalog_is_declared_like_a_new_one(engine: sa.Engine, tmp_path: Path) -> None:
    """Alembic's comparison does not see AUTOINCREMENT, names of keys or ON DELETE."""
    database.migrate(engine, tmp_path)
    database.make_file(tmp_path / "plain.db")
    plain = database.open_engine(tmp_path / "plain.db")
    with database.writer(plain).begin() as connection:
        tables_of_a_new_collection().create_all(connection)
    migrated = {name: sql for name, sql in declarations(engine).items() if not name.startswith(words.NAME)}
    assert migrated == declarations(plain)
    plain.dispose()


def test_migrating_again_changes_nothing(engine: sa.Engine, tmp_path: Path) -> None:
    database.migrate(engine, tmp_path)
    before = declarations(engine)
    database.migrate(engine, tmp_path)
    assert declarations(engine) == before


def test_a_migration_that_fails_leaves_the_schema_as_it_was(engine: sa.Engine) -> None:
    def fail_after_migrating() -> None:
        with database.writer(engine).begin() as connection:
            command.upgrade(database.migration_config(connection), "head")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_after_migrating()
    assert declarations(engine) == {}


def test_two_that_open_an_old_catalog_at_once_migrate_it_once(engine: sa.Engine, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def migrate() -> None:
        try:
            database.migrate(engine, tmp_path)
        except BaseException as error:  # noqa: BLE001  (shown by the test)
            failures.append(error)

    threads = [threading.Thread(target=migrate) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert "image" in declarations(engine)


def test_an_unknown_schema_is_newer(engine: sa.Engine, tmp_path: Path) -> None:
    database.migrate(engine, tmp_path)
    with database.writer(engine).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'f00d'"))
    with pytest.raises(CollectionTooNew):
        database.migrate(engine, tmp_path)


def test_roots_of_folders_become_roots_of_that_kind(engine: sa.Engine, tmp_path: Path) -> None:
    with database.writer(engine).begin() as connection:
        command.upgrade(database.migration_config(connection), "0007")
        at = "'2026-01-02 03:04:05'"
        values = f"""4, x'2f61', 'folder', '["*.jpg"]', '[]', '["/a/m"]', 'offline', 'away', {at}, NULL, {at}"""
        connection.execute(sa.text(f"INSERT INTO root VALUES ({values})"))
    database.migrate(engine, tmp_path)
    with engine.connect() as connection:
        [row] = connection.execute(sa.select(schema.root))
    assert (row.id, row.path, row.kind, row.options, row.include) == (4, "/a", "folder", {}, ["*.jpg"])
    assert (row.exclude, row.mounts, row.state, row.reason, row.seen_at) == ([], ["/a/m"], "offline", "away", None)
    assert row.synced_at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_catalog_of_the_first_schema_keeps_everything(engine: sa.Engine, tmp_path: Path) -> None:
    """What version 0001 wrote, with a revision of 7, an embedding and a tombstone."""
    manifest = MANIFEST.to_json()
    with database.writer(engine).begin() as connection:
        command.upgrade(database.migration_config(connection), "0001")
        for statement in (
            "INSERT INTO counter VALUES (1, 7)",
            "INSERT INTO image VALUES (3, x'2f61', 10, 20, 'hash', 4, 5, 'jpeg', NULL, NULL, '2026-01-02 03:04:05')",
            "INSERT INTO tombstone VALUES (2, 6)",
        ):
            connection.execute(sa.text(statement))
        row = {"vector": unit_rows(1)[0].tobytes(), "revision": 5}
        connection.execute(sa.text("INSERT INTO embedding VALUES (3, :vector, :revision)"), row)
        connection.execute(
            sa.text("INSERT INTO manifest VALUES (1, 'abc', :body, '2026-01-01 00:00:00')"), {"body": manifest}
        )
    engine.dispose()
    with Catalog.open(tmp_path) as catalog:
        assert (catalog.uid, catalog.manifest, catalog.revision(), catalog.count()) == ("abc", MANIFEST, 7, 1)
        assert catalog.created_at == datetime(2026, 1, 1, tzinfo=UTC)
        assert catalog.get(3).path == "/a"
        assert catalog.words.images_with(["a"])[0].tolist() == [3]
        assert (catalog.vector(3) == unit_rows(1)[0]).all()
        [change, *_] = catalog.changes_since(5)
        assert change.removed_ids.tolist() == [2]
        assert [stored.serving for stored in catalog.models.all()] == [True]
