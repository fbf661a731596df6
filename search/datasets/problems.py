"""What is wrong with a set, counted by kind, with the first examples: a line each, however many there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

_EXAMPLES = 3


class Problem(Enum):
    """Singular and plural."""

    MISSING_IMAGE = "missing image", "missing images"
    OUTSIDE = "image name that leads out of the image folder", "image names that lead out of the image folder"
    NO_CAPTION = "image without captions", "images without captions"
    UNKNOWN_IMAGE = "caption for an unknown image", "captions for unknown images"
    DUPLICATE = "duplicate id", "duplicate ids"
    EMPTY_CAPTION = "empty caption", "empty captions"
    DAMAGED = "entry that cannot be read", "entries that cannot be read"
    CUT_SHORT = "shard that is cut short", "shards that are cut short"
    MISSING_SHARD = "missing shard", "missing shards"
    NO_CLASS = "image without a known class", "images without a known class"


@dataclass(slots=True)
class Problems:
    _count: dict[Problem, int] = field(default_factory=dict)
    _examples: dict[Problem, list[str]] = field(default_factory=dict)

    def add(self, problem: Problem, example: str) -> None:
        self._count[problem] = self._count.get(problem, 0) + 1
        examples = self._examples.setdefault(problem, [])
        if len(examples) < _EXAMPLES:
            examples.append(example)

    def lines(self) -> tuple[str, ...]:
        """`2 missing images ('a.jpg', 'b.jpg')`, in the order in which each kind was first met."""
        return tuple(self._line(problem) for problem in self._count)

    def _line(self, problem: Problem) -> str:
        count = self._count[problem]
        shown = ", ".join(repr(example) for example in self._examples[problem])
        more = ", ..." if count > _EXAMPLES else ""
        return f"{count:,} {problem.value[count > 1]} ({shown}{more})"
