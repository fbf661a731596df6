"""Groups of ImageNet's classes by WordNet, at every level of it: queries with many right answers among single photos.

By a rule, so that nobody picks them: every noun of WordNet 3.0 with two classes or more below it and so many photos;
of nouns with nearly the same classes (Jaccard index of 0.8 or more) the one with the fewest, of those called alike the
one with the most. The query is its first word.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.vectors import Mask

ALIKE = 0.8


@dataclass(frozen=True, slots=True)
class WordNet:
    """Nouns by their numbers, those of ImageNet without the `n`."""

    names: dict[str, str]
    above: dict[str, tuple[str, ...]]
    """What each is a kind of, or an instance of."""

    @classmethod
    def read(cls, folder: Path) -> WordNet:
        """`data.noun` of version 3.0, as Debian's wordnet-base has it."""
        names, above = {}, {}
        with (folder / "data.noun").open(encoding="latin-1") as lines:
            for line in lines:
                if line.startswith("  "):  # the licence
                    continue
                fields = line.split(" | ", 1)[0].split()
                number, pointers = fields[0], 4 + 2 * int(fields[3], 16)
                names[number] = fields[4].replace("_", " ")
                rest = fields[pointers + 1 :]
                links = [rest[i : i + 4] for i in range(0, 4 * int(fields[pointers]), 4)]
                above[number] = tuple(link[1] for link in links if link[0] in ("@", "@i"))
        return cls(names, above)

    def kinds_of(self, number: str) -> set[str]:
        """It, and all above it; nothing is above a number that WordNet has not."""
        found, left = {number}, [number]
        while left:
            new = [one for one in self.above.get(left.pop(), ()) if one not in found]
            found.update(new)
            left += new
        return found

    def groups(self, numbers: Sequence[str], least: int, most: int) -> dict[str, Mask]:
        """Names and members, of photos with those numbers (`n01440764`)."""
        of_photos = np.array([number[1:] for number in numbers])
        classes: dict[str, set[str]] = defaultdict(set)
        for number in np.unique(of_photos).tolist():
            for kind in self.kinds_of(number):
                classes[kind].add(number)
        kept: list[tuple[str, set[str], Mask]] = []
        for kind, members, right in self._by_size(classes, of_photos, least, most):
            if all(len(members & others) < ALIKE * len(members | others) for _, others, _ in kept):
                kept.append((kind, members, right))
        return {self.names[kind]: right for kind, _, right in kept}  # of two called alike the later one, the larger

    def _by_size(
        self, classes: dict[str, set[str]], photos: np.ndarray, least: int, most: int
    ) -> Iterator[tuple[str, set[str], Mask]]:
        """The smallest first; of equal ones the deepest."""
        found = []
        for kind, members in classes.items():
            right = np.isin(photos, list(members))
            if len(members) > 1 and least <= right.sum() <= most:
                found.append((int(right.sum()), -len(self.kinds_of(kind)), kind, members, right))
        for _, _, kind, members, right in sorted(found, key=lambda one: one[:3]):
            yield kind, members, right
