"""Embeddings made elsewhere: what every format gives, whichever it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

BATCH = 1024
"""Rows read, and committed, at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the other program knew of a file when it embedded it; None where it did not write that down."""

    size: int | None = None
    mtime: float | None = None
    """Seconds, as `os.stat_result.st_mtime`."""
    content_hash: str | None = None
    """SHA-256, hexadecimal."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Some pictures and their embeddings."""

    paths: list[str]
    vectors: NDArray[np.floating[Any]]
    """`(len(paths), dimension)`, of any length, perhaps not even finite."""
    seen: list[Seen] = field(default_factory=list)
    """One a path, or none at all."""


class Embeddings(Protocol):
    """A file or folder of one format. Making one raises InvalidEmbeddings if it is none, and so may reading it."""

    @property
    def path(self) -> str: ...
    @property
    def dimension(self) -> int: ...
    def __len__(self) -> int:
        """How many pictures there are."""
        ...

    def batches(self) -> Iterator[Embedded]:
        """All of them, `BATCH` at a time, in the same order every time."""
        ...


def mtime_seconds(mtime_ns: int) -> float:
    """As Python computes `st_mtime` of it, to the last bit."""
    seconds, rest = divmod(mtime_ns, 10**9)
    return seconds + 1e-9 * rest
