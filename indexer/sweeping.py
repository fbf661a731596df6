"""Takes images out of a collection whose files are gone."""

from __future__ import annotations

from collections.abc import Mapping

from indexer.catalog import Catalog
from indexer.collection import Collection

_AT_ONCE = 1000


def sweep(collection: Collection, gone: Mapping[int, str]) -> int:
    """Take out what syncs have postponed, unless it has moved since; returns how many. Raises as `writing`."""
    if not gone:
        return 0
    with collection.writing():
        return remove_left(collection.catalog, gone)


def remove_left(catalog: Catalog, gone: Mapping[int, str]) -> int:
    """Those that still have the path that is gone."""
    removed, ids = 0, list(gone)
    for start in range(0, len(ids), _AT_ONCE):
        found = catalog.get_many(ids[start : start + _AT_ONCE])
        left = [id_ for id_, record in found.items() if record.path == gone[id_]]
        catalog.remove(left)
        removed += len(left)
    return removed
