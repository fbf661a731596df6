"""Pictures and the texts that go with each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from indexer.training.features import PictureFeatures


class Groups:
    """Numbers for what texts say: the synonyms of an ImageNet class share one, whichever shard they come from."""

    def __init__(self, classes: Sequence[Sequence[str]]) -> None:
        self._numbers: dict[str, int] = {}
        for number, names in enumerate(classes):
            for name in names:
                self._numbers.setdefault(_plain(name), number)
        self._next = len(classes)

    def of(self, text: str) -> int:
        plain = _plain(text)
        if plain not in self._numbers:
            self._numbers[plain] = self._next
            self._next += 1
        return self._numbers[plain]


@dataclass(frozen=True, slots=True)
class Text:
    number: int
    """In the corpus."""
    group: int
    """Texts of one group are right for each other's pictures; they are no wrong answers."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """n pictures; row i of the features goes with `texts[i]`, of which there is at least one."""

    features: PictureFeatures
    texts: tuple[tuple[Text, ...], ...]

    def __len__(self) -> int:
        return len(self.texts)

    def draw(self, rows: Sequence[int], rng: random.Random) -> list[Text]:
        """One text of each of these pictures."""
        return [rng.choice(self.texts[row]) for row in rows]


def _plain(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").lower().split())
