"""Folders and files that appear under their name whole or not at all: made in `NAME.partial`, then renamed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from indexer.database import sync

SUFFIX = ".partial"
_LOCK = "making.lock"


class StagingBusy(Exception):
    """Another process is making the same."""


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """An empty folder beside `target` to work in, which is gone in the end; what a killed process left there, too.

    Raises StagingBusy if another process is making the same target, and OSError.
    """
    folder = target.with_name(target.name + SUFFIX)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / _LOCK, timeout=0):
            clear(folder, but=_LOCK)
            try:
                yield folder
            finally:
                if folder.exists():
                    clear(folder)
                    folder.rmdir()
    except filelock.Timeout:
        raise StagingBusy(f"another process is making {str(target)!r}") from None


def publish(made: Path, target: Path) -> None:
    """Give what was made in a staging folder its name, once all of it is on the disk; an empty folder gives way."""
    _sync_below(made)
    made.replace(target)
    sync(target.parent)


def is_free(target: Path) -> bool:
    """Whether there is nothing at `target`, or an empty folder."""
    try:
        return not any(target.iterdir())
    except FileNotFoundError:
        return not target.is_symlink()
    except NotADirectoryError:
        return False


def clear(folder: Path, but: str | None = None) -> None:
    for path in folder.iterdir():
        if path.name == but:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _sync_below(made: Path) -> None:
    if made.is_dir():
        for place, _, names in os.walk(made):
            for name in names:
                sync(Path(place) / name)
            sync(Path(place))
    else:
        sync(made)
