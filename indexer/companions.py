"""Files that belong to a picture: the RAW file it was developed from, the moving part of a live photo."""

from __future__ import annotations

from pathlib import Path

from indexer.sources.address import is_file

RAW_SUFFIXES = ("arw", "cr2", "cr3", "crw", "dng", "nef", "nrw", "orf", "pef", "raf", "rw2", "srw")
VIDEO_SUFFIXES = ("mov", "mp4")


def companions_of(picture: str) -> list[str]:
    """Paths of the files beside it that have its name but for the suffix, in lower or upper case, as cameras do.

    Asked of the disk when somebody looks at the picture, so that the answer is never out of date.
    """
    if not is_file(picture):
        return []
    path = Path(picture)
    suffixes = [written for suffix in (*RAW_SUFFIXES, *VIDEO_SUFFIXES) for written in (suffix, suffix.upper())]
    try:
        return [str(beside) for suffix in suffixes if (beside := path.with_suffix(f".{suffix}")).is_file()]
    except (OSError, ValueError):  # a disk that is away; a path that is none of a file
        return []
