"""The library's folder: may it be read and written, is there room, has a killed process left something?"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from indexer import staging
from indexer.care.findings import Finding, command, fix
from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.database import FILE_NAME
from indexer.library_folder import THUMBNAILS, VECTORS
from indexer.vectors.cache import VectorCache

_FOLD = 1.3
"""What a new base takes on the disk, as a multiple of ids and vectors: the codes of the largest kind are a quarter."""


def permissions(library: Path) -> Iterator[Finding]:
    kept = [library, library / FILE_NAME, library / VECTORS, library / THUMBNAILS]
    denied = [path for path in kept if path.exists() and not accessible(path, os.R_OK | os.W_OK)]
    if denied:
        message = f"{denied[0]} cannot be written by this user: it can be searched, but not indexed"
        yield Finding("permissions", "warning", message, command("chmod", "-R", "u+rwX", library))
    else:
        yield Finding("permissions", "ok", "the library can be read and written")


def accessible(path: str | Path, mode: int) -> bool:
    """As the user that the process acts for, who need not be the one that started it."""
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def space(catalog: Catalog) -> Iterator[Finding]:
    fold = int(_FOLD * catalog.count() * (2 * catalog.manifest.dimension + 8))
    copy = (catalog.library / FILE_NAME).stat().st_size
    free = shutil.disk_usage(catalog.library).free
    room = f"{free / 1e9:,.1f} GB are free"
    if free < fold:
        message = f"{room}; a new vector index takes {fold / 1e9:,.1f} GB"
        yield Finding("space", "warning", message, f"free some space on the disk of {catalog.library}")
    else:
        message = f"{room}; a new vector index takes {fold / 1e9:,.1f} GB, a backup {copy / 1e9:,.1f} GB"
        yield Finding("space", "ok", message)


def leftovers(library: Path, cache: VectorCache) -> Iterator[Finding]:
    found = _leftovers(library, cache)
    if found:
        size = sum(_size(path) for path in found)
        message = f"{len(found)} files or folders of a process that was killed, {size / 1e6:,.1f} MB: {found[0].name}"
        yield Finding("leftovers", "warning", message, fix(library), partial(_remove_leftovers, library, cache))
    else:
        yield Finding("leftovers", "ok", "nothing was left behind")


def _leftovers(library: Path, cache: VectorCache) -> list[Path]:
    """A restore that is under way counts as one, but is not swept away."""
    half_made = library.with_name(library.name + staging.SUFFIX)
    found = [*sorted(library.glob(f"{FILE_NAME}.new*")), *([half_made] if half_made.is_dir() else [])]
    try:
        return found + cache.leftovers()
    except OSError:  # a folder that cannot be written, which another check says
        return found


def _remove_leftovers(library: Path, cache: VectorCache) -> str:
    with Collection.open(library) as collection, collection.writing():
        found = _leftovers(library, cache)
        for path in found:
            if path.is_dir():
                with suppress(staging.StagingBusy), staging.staged(library):  # gone in the end
                    pass
            else:
                path.unlink(missing_ok=True)
    return f"removed {len(found)} leftovers"


def _size(path: Path) -> int:
    return sum(inside.stat().st_size for inside in [path, *path.rglob("*")])
