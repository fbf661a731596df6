"""Which images have the words of a question, best first.

A word weighs as much as it tells images apart (inverse document frequency, ln(1 + (N - n + 0.5) / (n + 0.5)) where n of
N have it), and half of that where it only stands in a name or a folder. An image is found whose words make `ENOUGH` of
what the whole question weighs. docs/queries.md has what was measured, also of the usual rule that any word is enough.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids
from indexer.words.fields import SAID
from indexer.words.store import Words
from search.words.asked import asked_tags, asked_words

ENOUGH = 0.8
"""Of the weight of all words. Of two or three words that is all of them; of a sentence, nearly all."""
PLACE = 0.5
"""What a word weighs in a name or a folder, against one in a caption, a keyword, a title or a tag."""
COMMONEST = 100_000
"""Images. A word that more of them have, or more than half of all, is passed over."""


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


@dataclass(frozen=True, slots=True, eq=False)
class _Having:
    """The images that have one word, ascending."""

    anywhere: Ids
    said: Ids


def find(catalog_words: Words, images: int, texts: Sequence[str], unwanted: Sequence[str]) -> Found | None:
    """None where there is no image that has enough words of the texts, of so many images in all.

    One that has all words of an unwanted text is not found.
    """
    asked = asked_words(texts)
    tags = catalog_words.tagged_by_people(list(asked_tags(texts))) if asked else {}
    told = _telling(catalog_words, images, asked, _ids_by_word(texts, tags))
    if not told:
        return None
    weights = {word: _weight(len(having.anywhere), images) for word, having in told.items()}
    ids = np.unique(np.concatenate([having.anywhere for having in told.values()]))
    covered, scores = np.zeros(len(ids)), np.zeros(len(ids))
    for word, having in told.items():
        covered[np.searchsorted(ids, having.anywhere)] += weights[word]
        scores[np.searchsorted(ids, having.anywhere)] += PLACE * weights[word]
        scores[np.searchsorted(ids, having.said)] += (1 - PLACE) * weights[word]
    keep = covered >= ENOUGH * sum(weights.values())
    for text in unwanted:
        keep &= ~np.isin(ids, _with_all(catalog_words, text))
    if not keep.any():
        return None
    return Found(ids[keep], scores[keep], asked, tags)


def _telling(words: Words, images: int, asked: Sequence[str], tagged: dict[str, list[Ids]]) -> dict[str, _Having]:
    """Of each word that tells images apart, who has it; also of those that nobody has."""
    most = min(COMMONEST, images // 2)
    told: dict[str, _Having] = {}
    for word in asked:
        anywhere = words.images_with(word, most=most + 1)
        if len(anywhere) > most:
            continue
        said = words.images_with(word, SAID) if len(anywhere) else anywhere
        own = tagged.get(word, [])
        told[word] = _Having(_union([anywhere, *own]), _union([said, *own]))
    return told


def _ids_by_word(texts: Sequence[str], tags: dict[str, Ids]) -> dict[str, list[Ids]]:
    found: dict[str, list[Ids]] = {}
    for tag, said in asked_tags(texts).items() if tags else ():
        for word in said if tag in tags else ():
            found.setdefault(word, []).append(tags[tag])
    return found


def _with_all(words: Words, text: str) -> Ids:
    having = [words.images_with(word) for word in asked_words([text])]
    ids = having[0] if having else np.empty(0, np.int64)
    for more in having[1:]:
        ids = np.intersect1d(ids, more, assume_unique=True)
    return ids


def _union(parts: Sequence[Ids]) -> Ids:
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


def _weight(having: int, images: int) -> float:
    return math.log(1 + max(0.0, images - having + 0.5) / (having + 0.5))
