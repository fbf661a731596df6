"""Which images have the words of a question, best first.

A word weighs as much as it tells images apart (inverse document frequency, ln(1 + (N - n + 0.5) / (n + 0.5)) where n of
N have it), and half of that where it only stands in a name or a folder. An image is found whose words make `ENOUGH` of
what the whole question weighs. docs/queries.md has what was measured, also of the usual rule that any word is enough.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids
from indexer.words.fields import SAID
from indexer.words.store import Words
from search.words.asked import asked_tags, asked_words

ENOUGH = 0.8
"""Of the weight of all words: nearly all of a sentence, and both of two unless one is very common."""
PLACE = 0.5
"""What a word weighs in a name or a folder, against one in a caption, a keyword, a title or a tag."""
COMMONEST = 100_000
"""Images. A word that more of them have, or more than half of all, is passed over."""


_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Images that have enough of the words."""

    ids: Ids
    """Ascending."""
    weights: NDArray[np.float64]
    """`(n,)`: of the words that each has."""
    words: tuple[str, ...]
    """What was asked, folded."""
    tags: dict[str, Ids]
    """Which images, ascending, have a tag that was asked for."""


def find(catalog_words: Words, images: int, texts: Sequence[str], unwanted: Sequence[str]) -> Found | None:
    """None where there is no image that has enough words of the texts, of so many images in all.

    One that has all words of an unwanted text is not found.
    """
    asked = asked_words(texts)
    tags = catalog_words.tagged_by_people(list(asked_tags(texts))) if asked else {}
    tagged = _ids_by_word(texts, tags)
    having = _telling(catalog_words, images, asked, tagged)
    if not having:
        return None
    weights = {word: _weight(len(ids), images) for word, ids in having.items()}
    ids = np.unique(np.concatenate(list(having.values())))
    covered = _summed(ids, having, weights)
    keep = covered >= ENOUGH * sum(weights.values()) - _ROUNDING
    for text in unwanted:
        keep &= ~np.isin(ids, _with_all(catalog_words, text))
    if not keep.any():
        return None
    said = zip(having, catalog_words.images_with(list(having), SAID), strict=True)
    in_texts = {word: _union([some, *tagged.get(word, [])]) for word, some in said}
    scores = PLACE * covered + (1 - PLACE) * _summed(ids, in_texts, weights)
    return Found(ids[keep], scores[keep], asked, tags)


def _telling(words: Words, images: int, asked: Sequence[str], tagged: Mapping[str, list[Ids]]) -> dict[str, Ids]:
    """Of each word that tells images apart, who has it, ascending; also of those that nobody has."""
    most = min(COMMONEST, images // 2)
    found = zip(asked, words.images_with(asked, most=most + 1), strict=True)
    return {word: _union([ids, *tagged.get(word, [])]) for word, ids in found if len(ids) <= most}


def _summed(ids: Ids, having: Mapping[str, Ids], weights: Mapping[str, float]) -> NDArray[np.float64]:
    """`(n,)`: of each image, the weights of the words that it has."""
    total = np.zeros(len(ids))
    for word, some in having.items():
        total[np.searchsorted(ids, some)] += weights[word]
    return total


def _ids_by_word(texts: Sequence[str], tags: Mapping[str, Ids]) -> dict[str, list[Ids]]:
    found: dict[str, list[Ids]] = {}
    for tag, said in asked_tags(texts).items() if tags else ():
        for word in said if tag in tags else ():
            found.setdefault(word, []).append(tags[tag])
    return found


def _with_all(words: Words, text: str) -> Ids:
    having = words.images_with(asked_words([text]))
    ids = having[0] if having else np.empty(0, np.int64)
    for more in having[1:]:
        ids = np.intersect1d(ids, more, assume_unique=True)
    return ids


def _union(parts: Sequence[Ids]) -> Ids:
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def _weight(having: int, images: int) -> float:
    return math.log(1 + max(0.0, images - having + 0.5) / (having + 0.5))
