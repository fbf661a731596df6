"""Pictures that are files of this machine."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from indexer.errors import UnreadableImage
from indexer.sources.address import Address
from indexer.sources.source import Version, file_too_large

_NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)


class Files:
    """See `Reader`."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes

    def read(self, address: Address) -> bytes:
        """Never waits for a pipe that took the file's place."""
        try:
            with open(address.container, "rb", opener=lambda name, flags: os.open(name, flags | _NON_BLOCKING)) as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode):
                    raise UnreadableImage("not a regular file")
                if self._max_bytes is not None and status.st_size > self._max_bytes:
                    raise file_too_large(status.st_size, self._max_bytes)
                return file.read()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UnreadableImage("vanished while being read") from error
        except OSError as error:
            raise UnreadableImage(f"cannot be read ({reason_of(error)})") from error
        except ValueError as error:
            raise UnreadableImage("not a path") from error
        except MemoryError as error:
            raise UnreadableImage("there is not enough memory to read it") from error

    def look(self, address: Address) -> Version | None:
        status = status_of(address.container)
        return None if status is None else Version(status.st_size, status.st_mtime_ns)


def status_of(path: str) -> os.stat_result | None:
    """None where there is nothing. Raises OSError where that cannot be told, as behind a link that leads nowhere."""
    try:
        return Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):  # noqa: PTH114
            raise
        return None
    except ValueError:  # no path
        return None


def is_filled(folder: str) -> bool:
    """Whether there is anything in it: the mount point of a disk that is away is an empty folder."""
    try:
        with os.scandir(folder) as entries:
            return any(not entry.name.startswith(".") for entry in entries)
    except OSError:
        return False


def reason_of(error: OSError) -> str:
    return (error.strerror or str(error) or type(error).__name__).lower()
