"""Files of ours that other requests may be reading: written whole or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from pathlib import Path

_log = logging.getLogger(__name__)


def write_atomically(path: Path, data: bytes) -> None:
    """Make `path` hold `data`; a reader sees the old file, the new one or none, never a part. Raises `OSError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(name, path)  # noqa: PTH105  (pathlib has no rename of a plain name)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise


def write_if_possible(path: Path, data: bytes) -> bool:
    """Cache `data`: on a full or read-only disk the answer still goes out, it is only made again next time."""
    try:
        write_atomically(path, data)
    except OSError as error:
        _log.warning("cannot keep %s: %s", path, error)
        return False
    return True
