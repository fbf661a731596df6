"""What a sync tells: how far it is, and what became of the files."""

from __future__ import annotations

from dataclasses import dataclass

from indexer.pace import Pace


@dataclass(frozen=True, slots=True)
class Progress:
    done: int
    """Candidates dealt with, whatever came of them."""
    total: int | None
    """How many there are, about; None until they have been counted."""


@dataclass(frozen=True, slots=True)
class Failure:
    path: str
    reason: str
    """One line."""


@dataclass(frozen=True, slots=True)
class SyncReport:
    """What became of every candidate; `removed` counts images whose files are gone."""

    added: int
    unchanged: int
    changed: int
    moved: int
    removed: int
    failed: int
    failures: tuple[Failure, ...]
    seconds: float
    pace: Pace | None = None
    """None where nothing had to be encoded."""
