"""Tar archives, plain or compressed with zstd, written and read in one pass."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from indexer.arrow_library import load_arrow

_ZSTD = b"\x28\xb5\x2f\xfd"


def is_archive(path: Path) -> bool:
    """By its name."""
    return path.name.endswith((".tar", ".tar.zst"))


@contextmanager
def writing_tar(path: Path, *, compressed: bool) -> Iterator[tarfile.TarFile]:
    """Raises BrokenInstallation if it is to be compressed and pyarrow, which knows zstd, is not there."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("wb"))
        sink = file
        if compressed:
            sink = stack.enter_context(load_arrow(needed_for="a .tar.zst").CompressedOutputStream(file, "zstd"))
        yield stack.enter_context(tarfile.open(fileobj=sink, mode="w|", format=tarfile.PAX_FORMAT))


@contextmanager
def reading_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """Members come in the order they were written. Raises tarfile.TarError, OSError and BrokenInstallation."""
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        source = file
        if file.read(4) == _ZSTD:
            arrow = load_arrow(needed_for="a .tar.zst")
            file.seek(0)
            source = stack.enter_context(arrow.CompressedInputStream(file, "zstd"))
        else:
            file.seek(0)
        yield stack.enter_context(tarfile.open(fileobj=source, mode="r|"))
