"""The map as it was last shown: bringing one up to date takes a search for every newer picture."""

from __future__ import annotations

import threading

from indexer.collection import Collection
from indexer.projection.making import CurrentMap, current_map


class LastMap:
    """Keeps one. Threads may share it."""

    def __init__(self) -> None:
        self._busy = threading.Lock()
        self._version = ""
        self._map: CurrentMap | None = None

    def of(self, collection: Collection) -> tuple[str, CurrentMap | None]:
        """What changes whenever the map does, and the map; None if none was made."""
        with self._busy:
            version = _version(collection)
            if version != self._version:
                self._map, self._version = current_map(collection), version
            return version, self._map


def _version(collection: Collection) -> str:
    try:
        made = collection.map_file.stat().st_mtime_ns
    except FileNotFoundError:
        made = 0
    return f"{collection.catalog.model_id}-{collection.catalog.revision()}-{made:x}"
