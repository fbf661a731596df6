"""The pictures' files: are they there, as they were, and readable? A folder that is missing as a whole is not gone."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from indexer.care.findings import Finding, command
from indexer.care.folder import accessible
from indexer.catalog import Catalog
from indexer.originals import Originals
from indexer.records import FileState
from indexer.sources.address import is_remote, location, parse
from indexer.sources.source import is_same

_SHOWN = 5  # places named one by one


def files(catalog: Catalog) -> Iterator[Finding]:
    away: Counter[str] = Counter()
    others: dict[str, Counter[str]] = {"gone": Counter(), "changed": Counter(), "unreadable": Counter()}
    absent, originals, looked_at = _Absent(), Originals(), 0
    for state in catalog.files_under(os.sep):
        if is_remote(location(state.path)):
            continue
        looked_at += 1
        what = _state(state, originals)
        address = parse(state.path)
        if what == "gone" and (place := absent.place(address.container)):
            away[place] += 1
        elif what:  # of an archive the archive itself: that is what is to be indexed again
            is_file = address.kind == "file"
            others[what][os.path.dirname(address.container) if is_file else address.container] += 1  # noqa: PTH120
    if not away and not any(others.values()):
        elsewhere = catalog.count() - looked_at
        asked = f"; {elsewhere:,} on other machines were not asked for" if elsewhere else ""
        yield Finding("files", "ok", f"all {looked_at:,} are as they were indexed{asked}")
    yield from _not_connected(catalog, away)
    for what, folders in others.items():
        if folders:
            yield _listed(catalog, what, folders)


def _state(state: FileState, originals: Originals) -> str | None:
    try:
        now = originals.look(state.path)
    except FileNotFoundError:  # a link that leads nowhere
        return "gone"
    except OSError:
        return "unreadable"
    if now is None:
        return "gone"
    if not is_same(now, state.size, state.mtime_ns):
        return "changed"
    return None if accessible(parse(state.path).container, os.R_OK) else "unreadable"


class _Absent:
    """Finds the folder that is missing with all that was in it, or that is empty: a disk that is not connected."""

    def __init__(self) -> None:
        self._known: dict[str, str | None] = {}

    def place(self, path: str) -> str | None:
        """None if the folder of the file is there and holds other things."""
        folder = os.path.dirname(path)  # noqa: PTH120
        if folder not in self._known:
            self._known[folder] = self._found(Path(folder))
        return self._known[folder]

    @staticmethod
    def _found(folder: Path) -> str | None:
        missing: Path | None = None
        while not folder.is_dir():
            missing, folder = folder, folder.parent
        try:
            with os.scandir(folder) as entries:
                empty = next(entries, None) is None
        except OSError:
            empty = False
        if empty:
            return str(folder)
        return str(missing) if missing else None


def _not_connected(catalog: Catalog, away: Counter[str]) -> Iterator[Finding]:
    for place, number in away.most_common(_SHOWN):
        message = f"{place} is not connected, or gone with {number:,} images"
        index = command("sightline", "index", Path(place).parent, "--library", catalog.library)
        yield Finding("files", "warning", message, f"connect the disk; if they are really gone, {index}")
    if rest := sum(sorted(away.values(), reverse=True)[_SHOWN:]):
        yield Finding("files", "warning", f"{rest:,} images more are in other folders that are not there")


def _listed(catalog: Catalog, what: str, folders: Counter[str]) -> Finding:
    words = {
        "gone": "are gone from folders that are there",
        "changed": "have changed since they were indexed",
        "unreadable": "cannot be read by this user",
    }
    root = os.path.commonpath(folders)
    message = f"{folders.total():,} files {words[what]}, below {root}"
    index = command("sightline", "index", root, "--library", catalog.library)
    return Finding("files", "warning", message, "make them readable" if what == "unreadable" else index)
