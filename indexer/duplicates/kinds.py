"""What a picture can be of another, and how two are linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

LinkKind = Literal["same", "crop", "burst", "look-alike"]
Kind = Literal["identical", LinkKind]
"""From the closest: the same bytes; the same picture re-encoded, resized or lightly edited; a part of the other; taken
within seconds by the same camera; alike by embedding alone."""
KINDS: Final[tuple[Kind, ...]] = ("identical", "same", "crop", "burst", "look-alike")
COLLAPSED: Final[Kind] = "burst"
"""Up to here pictures are groups of duplicates. Look-alikes are offered, and never taken for one picture."""


@dataclass(frozen=True, slots=True)
class Link:
    """Between two contents, named by their hashes, the lower first."""

    first: str
    second: str
    kind: LinkKind
    confidence: float
    """0 to 1: how well the details of the pictures correlate (same, crop), or the cosine of the embeddings."""


def within(level: Kind) -> tuple[Kind, ...]:
    """The kinds that make groups of that level: it and the closer ones; look-alikes stand alone."""
    return ("look-alike",) if level == "look-alike" else KINDS[: KINDS.index(level) + 1]


def loosest(kinds: list[Kind]) -> Kind:
    """`identical` for none."""
    return max(kinds, key=KINDS.index, default="identical")
