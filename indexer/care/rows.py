"""The catalog: is its file sound, its schema ours, does every image have one vector, and are these unit vectors?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from indexer import database
from indexer.care.findings import Finding, command, fix
from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.errors import CollectionDamaged
from indexer.schema import HEAD

_NOTE = 23
"""Bytes that the catalog grows by with a removed image, measured with half a million."""
INDEX_AGAIN = "then `sightline index FOLDER`, which indexes again what was dropped"


def file(library: Path, *, quick: bool) -> Iterator[Finding]:
    """Raises what `database.check_file` raises where there is no catalog of ours."""
    try:
        with _engine(library) as engine:
            damage = database.damage(engine, quick=quick)
    except CollectionDamaged as error:
        damage = [error.reason]
    if not damage:
        size = (library / database.FILE_NAME).stat().st_size
        yield Finding("catalog", "ok", f"{size / 1e6:,.1f} MB, {'quickly ' if quick else ''}checked page by page")
    elif database.only_indexes(damage):
        message = f"a table and its index differ: {damage[0]}"
        yield Finding("catalog", "broken", message, fix(library), partial(_rebuild_indexes, library))
    else:
        more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
        remedy = (
            f"{command('sightline', 'restore', 'BACKUP', 'OTHER_FOLDER')}; without a backup, "
            f"{command('sightline', 'index', 'FOLDER', '--library', 'OTHER_FOLDER')}"
        )
        yield Finding("catalog", "broken", f"the file is damaged: {damage[0]}{more}", remedy)


def schema(library: Path) -> Iterator[Finding]:
    with _engine(library) as engine, engine.connect() as connection:
        found = database.stored_schema(connection)
    if found == HEAD:
        yield Finding("schema", "ok", f"{HEAD}, the newest")
    elif found is None or database.is_known(found):
        message = f"an older Sightline made it (schema {found}, now {HEAD}); the next command that opens it migrates it"
        yield Finding("schema", "warning", message, fix(library), partial(_migrate, library))
    else:
        message = f"a newer Sightline made it (schema {found}, we know {HEAD})"
        yield Finding("schema", "broken", message, "upgrade Sightline")


def pairs(catalog: Catalog) -> Iterator[Finding]:
    images, vectors = catalog.unpaired()
    if images:
        message = f"{len(images):,} images have no vector and are never found"
        yield _droppable(catalog, "pairs", message, images)
    if vectors:
        yield _droppable(catalog, "pairs", f"{len(vectors):,} vectors belong to no image", vectors)
    if not images and not vectors:
        removed = catalog.removed()
        noted = f"; {removed:,} removed ones are noted, {removed * _NOTE / 1e6:,.1f} MB" if removed else ""
        yield Finding("pairs", "ok", f"{catalog.count():,} images, a vector each{noted}")


def words(catalog: Catalog) -> Iterator[Finding]:
    missing, orphaned = catalog.words.gaps()
    if missing or orphaned:
        message = f"the words of {len(missing):,} images are not searched, and those of {len(orphaned):,} lead nowhere"
        yield Finding("words", "broken", message, fix(catalog.library), partial(_mend_words, catalog.library))
    else:
        yield Finding("words", "ok", "those of every image are searched")


def vectors(catalog: Catalog) -> Iterator[Finding]:
    unsound = catalog.unsound()
    if unsound:
        message = f"{len(unsound):,} vectors are not finite, not of unit length or cut, such as that of {unsound[0]}"
        yield _droppable(catalog, "vectors", message, unsound)
    else:
        yield Finding("vectors", "ok", "all are finite and of unit length")


def _droppable(catalog: Catalog, check: str, message: str, ids: Sequence[int]) -> Finding:
    mend = partial(_drop, catalog.library, ids)
    return Finding(check, "broken", message, f"{fix(catalog.library)}, {INDEX_AGAIN}", mend)


def _drop(library: Path, ids: Sequence[int]) -> str:
    with Collection.open(library) as collection, collection.writing():
        collection.catalog.remove(ids)
    return f"dropped {len(ids):,} images or vectors from the catalog; `sightline index FOLDER` indexes them again"


def _mend_words(library: Path) -> str:
    with Collection.open(library) as collection, collection.writing():
        return f"indexed the words of {collection.catalog.words.mend():,} images again"


def _rebuild_indexes(library: Path) -> str:
    with _engine(library) as engine:
        database.rebuild_indexes(engine)
    return "made the indexes of the catalog's tables again"


def _migrate(library: Path) -> str:
    Catalog.open(library).close()
    return f"migrated the catalog to schema {HEAD}"


@contextmanager
def _engine(library: Path) -> Iterator[sa.Engine]:
    engine = database.open_engine(database.check_file(library))
    try:
        with database.translated(library):
            yield engine
    finally:
        engine.dispose()
