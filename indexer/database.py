"""A catalog's SQLite file: how it is recognised, opened, made, migrated, and what its errors mean.

All that is particular to SQLite is here; `indexer/catalog.py` says what is asked of a database, whichever it is.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

from indexer.errors import (
    CollectionDamaged,
    CollectionError,
    CollectionLocked,
    CollectionNotFound,
    CollectionTooNew,
    CollectionUnavailable,
    ForeignCollection,
)
from indexer.schema import HEAD
from indexer.words import table as words

if TYPE_CHECKING:
    from alembic.config import Config

FILE_NAME = "catalog.db"
APPLICATION_ID = 0x53474C54  # "SGLT", in the header of every catalog
PAGE_SIZE = 8192  # 100,000 images with 512 dimensions take 149 MB; 169 with 4096, 141 with 16384 but twice the log
BUSY_SECONDS = 30.0

_PAGES = 4096  # copied between two reports of progress: 32 MB

_HEADER = 100  # bytes
_MAGIC = b"SQLite format 3\0"
_UNAVAILABLE = {
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_NOMEM,
}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def check_file(library: Path) -> Path:
    """The catalog's file, if there is one and it is ours. Makes no file beside it."""
    path = library / FILE_NAME
    with translated(library):
        try:
            size = path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            raise CollectionNotFound(str(library)) from None
        found = _application_id(path) if size >= _HEADER else None
    if found is None:
        raise ForeignCollection(str(library), f"its {FILE_NAME} is not a database")
    if found != APPLICATION_ID:
        raise ForeignCollection(str(library), f"its {FILE_NAME} is a database of another program")
    return path


def _application_id(path: Path) -> int | None:
    """What its header says, or None if it is no database.

    Read by SQLite, never by `open`: who closes a file gives up all locks that their process holds on it, and another
    process would then take the log away from under the connections that are open here.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        try:
            return int(connection.execute("PRAGMA application_id").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_NOTADB and not _begins_as_ours(path):
                return None
            return APPLICATION_ID  # damaged, or in the middle of a checkpoint: to open it properly will tell


def _begins_as_ours(path: Path) -> bool:
    """Of a file that no connection can have open."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    return header.startswith(_MAGIC) and header[68:72] == APPLICATION_ID.to_bytes(4, "big")


def open_engine(path: Path) -> sa.Engine:
    """An engine whose every connection is set up, for any number of threads; the file must be there.

    Transactions begin when SQLAlchemy says so, those of `writer(engine)` with the write lock in hand: one that reads
    first and writes later would fail as soon as another had written in between.
    """
    uri = f"{path.absolute().as_uri()}?{_open_mode(path)}"

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=-1)
    sa.event.listen(engine, "begin", _begin)
    return engine


def writer(engine: sa.Engine) -> sa.Engine:
    """The same connections, for transactions that write."""
    return engine.execution_options(writes=True)


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _open_mode(path: Path) -> str:
    """`mode=rw` never makes a file. Where nothing can be written, SQLite reads a WAL catalog only as `immutable`,
    which is right as long as no log with newer pages lies beside it."""
    log = Path(f"{path}-wal")
    writable = os.access(path.parent, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
    if writable or (log.exists() and log.stat().st_size > 0):
        return "mode=rw"
    return "mode=ro&immutable=1"


def make_file(path: Path) -> None:
    """An empty database at `path`, marked as ours, in WAL mode."""
    path.unlink(missing_ok=True)  # of a crash; SQLite itself drops a log that lies beside an empty database
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def publish(fresh: Path, path: Path) -> None:
    """Give a closed database its name, so that it is there whole or not at all, also after a power cut."""
    sync(fresh)
    for leftover in _companions(path):  # of a catalog that was deleted without them; SQLite would replay its log
        leftover.unlink(missing_ok=True)
    fresh.replace(path)
    sync(path.parent)


def _companions(path: Path) -> list[Path]:
    return [Path(f"{path}{suffix}") for suffix in ("-wal", "-shm", "-journal")]


def sync(path: Path) -> None:
    """That a file, or a folder's list of names, is on the disk also after a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def damage(engine: sa.Engine, *, quick: bool = False) -> list[str]:
    """What SQLite finds wrong with a file, some twenty sentences at most; none if it is sound.

    `quick` does not compare rows with the indexes on them. References that lead nowhere are not looked for.
    """
    with engine.connect() as connection:
        pragma = "quick_check" if quick else "integrity_check"
        found = [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {pragma}(20)")]
    return [line.replace("\n", "; ") for line in found if line != "ok"]


def only_indexes(damage: Sequence[str]) -> bool:
    """Whether all of that damage is in indexes, which SQLite can make again from the rows."""
    signs = ("missing from index", "wrong # of entries in index", "non-unique entry in index")
    return bool(damage) and all(any(sign in line for sign in signs) for line in damage)


def rebuild_indexes(engine: sa.Engine) -> None:
    with writer(engine).begin() as connection:
        connection.exec_driver_sql("REINDEX")


def copy(engine: sa.Engine, target: Path, progress: Callable[[int, int], None] | None = None) -> None:
    """The database as of one moment as another file, which must not be there; others may read and write meanwhile.

    By SQLite's online backup inside a read transaction: without one, it begins anew whenever somebody commits.
    100,000 images of 512 dimensions take 0.8 of the time of VACUUM INTO, which says nothing on its way. `progress` is
    called with the pages done and all pages.
    """
    with engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM sqlite_master").all()  # the transaction begins with what is read
        source: Any = connection.connection.driver_connection
        copied = sqlite3.connect(target)
        try:
            report = (lambda status, left, total: progress(total - left, total)) if progress else None
            source.backup(copied, pages=_PAGES, progress=report)
        finally:
            copied.close()
    sync(target)


def migrate(engine: sa.Engine, library: Path) -> None:
    """Bring the schema to `HEAD`. Alembic, 0.2 s to import, is loaded only if there is something to do."""
    with engine.connect() as connection:
        found = stored_schema(connection)
    if found == HEAD:
        return
    from alembic import command

    with writer(engine).begin() as connection:
        config = migration_config(connection)
        found = stored_schema(connection)  # again: another process may have migrated while we waited for the lock
        if found is not None and found not in _known(config):
            raise CollectionTooNew(str(library), found)
        command.upgrade(config, "head")
        words.fill(connection)  # migrations leave it empty: by what rules words are made may change


def is_known(revision: str) -> bool:
    """Whether it is one of our migrations; a newer Sightline has others."""
    return revision == HEAD or revision in _known(_config())


def _known(config: Config) -> set[str]:
    from alembic.script import ScriptDirectory

    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def stored_schema(connection: sa.Connection) -> str | None:
    """The migration a database is at; None before the first."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def migration_config(connection: sa.Connection) -> Config:
    """Alembic's configuration; env.py runs on `connection`."""
    config = _config()
    config.attributes["connection"] = connection
    return config


def _config() -> Config:
    """Made here so that no ini file has to be found."""
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    return config


@contextmanager
def translated(library: Path) -> Iterator[None]:
    """Errors of SQLAlchemy, SQLite and the file system as ours."""
    try:
        yield
    except (sa.exc.DBAPIError, sqlite3.Error) as error:
        raise meaning(error, library) from error
    except sa.exc.NoResultFound as error:
        raise CollectionDamaged(str(library), "a row that is always there is missing") from error
    except OSError as error:
        raise CollectionUnavailable(str(library), error.strerror or str(error)) from error


def meaning(error: sa.exc.DBAPIError | sqlite3.Error, library: Path) -> CollectionError:
    """Which of our errors a database error is; what nothing else explains is damage."""
    origin: Any = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    code = (getattr(origin, "sqlite_errorcode", None) or 0) & 0xFF  # the upper bits say more precisely what happened
    if code in _LOCKED:
        return CollectionLocked(str(library))
    if code in _UNAVAILABLE:
        return CollectionUnavailable(str(library), str(origin))
    return CollectionDamaged(str(library), str(origin))
