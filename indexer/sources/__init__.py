"""Where images come from: the `ImageSource` seam, and one file for each kind of source behind it."""

from indexer.sources.folder import FolderSource
from indexer.sources.source import (
    IMAGE_SUFFIXES,
    ImageSource,
    SourceFile,
    SourceProblem,
    Version,
    file_too_large,
    is_unchanged,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "FolderSource",
    "ImageSource",
    "SourceFile",
    "SourceProblem",
    "Version",
    "file_too_large",
    "is_unchanged",
]
