"""Questions with known answers, to judge a cut-off by: what is asked of which pictures, what matches, what is absent.

Of photos with captions, single words are asked. A photo matches a word that at least two of its captions have; one
whose captions have it once is left out of that question, as nobody can say. Words are those that follow an article or a
number in at least a fifth of their places (things and their kinds, hardly verbs) and match five photos or more. Of
photos with labels, the labels are asked.

Absent are (1) the names of classes whose photos were all taken away, half of the classes at a time, so that each is
asked once with and once without its photos; (2) names of classes of the other sets of which no word is in any caption
or label; (3) the same in a sentence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.encoder import Encoder
from indexer.images import Limits, decode
from indexer.training.shards import Example, read_shard

SENTENCE = "a photo of a {} on a table"
LEAST_PHOTOS, LEAST_CAPTIONS, NOUN_SHARE = 5, 2, 0.2
MOST_ABSENT = 300
_BEFORE_NOUNS = frozenset(
    ["a", "an", "the", "his", "her", "their", "its", "two", "three", "four", "some", "several", "many"]
)
_BATCH = 64

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Photos:
    """A shard, embedded."""

    name: str
    vectors: Vectors
    captions: tuple[tuple[str, ...], ...]
    labels: tuple[str | None, ...]

    def words(self) -> set[str]:
        """All that its captions and labels have."""
        return {word for texts in self.captions for text in texts for word in words(text)} | {
            word for label in self.labels if label for word in words(label)
        }

    def classes(self) -> list[str]:
        return sorted({label for label in self.labels if label})


@dataclass(frozen=True, slots=True)
class Trial:
    """Queries over one collection."""

    name: str
    vectors: Vectors
    """`(n, d)` of the photos that are there."""
    texts: tuple[str, ...]
    truth: NDArray[np.int8]
    """`(len(texts), n)`: 1 matches, 0 does not, -1 is not counted."""

    @property
    def present(self) -> NDArray[np.bool_]:
        """Which queries have a match."""
        there: NDArray[np.bool_] = (self.truth == 1).any(axis=1)
        return there


def embedded(shard: Path, encoder: Encoder, most: int | None = None, seed: int = 0) -> Photos:
    """Its photos, or so many of them, drawn evenly."""
    examples = list(read_shard(shard))
    if most is not None and len(examples) > most:
        drawn = np.sort(np.random.default_rng(seed).choice(len(examples), most, replace=False))
        examples = [examples[i] for i in drawn]
    labels = tuple(example.label.lower() if example.label else None for example in examples)
    return Photos(shard.stem, _vectors(examples, encoder), tuple(example.captions for example in examples), labels)


def _vectors(examples: Sequence[Example], encoder: Encoder) -> Vectors:
    """As an index keeps them: rounded to float16."""
    limits, preprocessing, rows = Limits(), encoder.manifest.preprocessing, []
    for start in range(0, len(examples), _BATCH):
        some = examples[start : start + _BATCH]
        pixels = np.stack([decode(example.jpeg, preprocessing, limits).pixels for example in some])
        rows.append(encoder.encode_images(pixels).astype(np.float16).astype(np.float32))
    return np.concatenate(rows)


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+", text.lower())


def of_words(photos: Photos, absent: Iterable[str] = ()) -> Trial:
    """Single words of the captions, then `absent` texts."""
    asked = dict(asked_words(photos.captions))
    truth = np.zeros((len(asked), len(photos.vectors)), np.int8)
    for row, places in enumerate(asked.values()):
        for place, captions in places.items():
            truth[row, place] = 1 if captions >= LEAST_CAPTIONS else -1
    return _with_absent(f"{photos.name}, words", photos.vectors, tuple(asked), truth, absent)


def asked_words(captions: Sequence[Sequence[str]]) -> Iterator[tuple[str, Counter[int]]]:
    """Each word with the photos whose captions have it, and how many of them do."""
    places: dict[str, Counter[int]] = defaultdict(Counter)
    uses, after_article = Counter[str](), Counter[str]()
    for place, texts in enumerate(captions):
        for text in texts:
            found = words(text)
            places_of = set(found)
            uses.update(found)
            after_article.update(word for before, word in pairwise(found) if before in _BEFORE_NOUNS)
            for word in places_of:
                places[word][place] += 1
    for word in sorted(places):
        surely = sum(count >= LEAST_CAPTIONS for count in places[word].values())
        noun = len(word) > 2 and word not in _BEFORE_NOUNS and after_article[word] >= NOUN_SHARE * uses[word]
        if noun and surely >= LEAST_PHOTOS:
            yield word, places[word]


def of_labels(photos: Photos, rows: NDArray[np.intp] | None = None, absent: Iterable[str] = ()) -> Trial:
    """All labels of the set, of the photos at those `rows` alone, then `absent` texts."""
    rows = np.arange(len(photos.vectors)) if rows is None else rows
    here = np.array([photos.labels[row] for row in rows])
    asked = tuple(photos.classes())
    truth = np.stack([here == label for label in asked]).astype(np.int8)
    return _with_absent(f"{photos.name}, labels", photos.vectors[rows], asked, truth, absent)


def thinned(photos: Photos, among: Photos | None = None, seed: int = 0) -> Trial:
    """One photo of each of a random 60 % of the classes, among up to 900 photos of another kind; all are asked for."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(photos.classes())
    labels = np.array(photos.labels)
    rows = np.array([rng.choice(np.flatnonzero(labels == one)) for one in classes[: len(classes) * 3 // 5]])
    if among is None:
        return of_labels(photos, rows)
    known = among.words()
    asked = of_labels(photos, rows)
    kept = [row for row, text in enumerate(asked.texts) if not known & set(words(text))]
    others = among.vectors[:900]
    return Trial(
        f"{photos.name}, single ones among {among.name}",
        np.concatenate([asked.vectors, others]),
        tuple(asked.texts[row] for row in kept),
        np.concatenate([asked.truth[kept], np.zeros((len(kept), len(others)), np.int8)], axis=1),
    )


def halves(photos: Photos, seed: int = 0) -> list[Trial]:
    """The set without one half of its classes, and without the other."""
    classes = np.random.default_rng(seed).permutation(photos.classes())
    labels = np.array(photos.labels)
    some = np.isin(labels, classes[: len(classes) // 2])
    return [of_labels(photos, np.flatnonzero(there)) for there in (some, ~some)]


def names_elsewhere(photos: Photos, others: Iterable[Photos]) -> list[str]:
    """Classes of other sets of which no word, in either number, is in any caption or label of this one; 300 at most."""
    known = photos.words()
    known |= {word + "s" for word in known} | {word.removesuffix("s") for word in known}
    names = [name for other in others for name in other.classes() if not known & set(words(name))]
    names = list(dict.fromkeys(names))
    return names[:: max(1, -(-len(names) // MOST_ABSENT))]


def pairs(trial: Trial, most: int = 300, seed: int = 0) -> tuple[list[tuple[int, int]], Trial, Trial]:
    """Pairs of a trial's texts that five photos or more match both of: where both match, and where only the first does.

    What is not counted for one of the two is counted only where the other settles it.
    """
    match, no_match = trial.truth == 1, trial.truth == 0
    both = match.astype(np.int32) @ match.T.astype(np.int32)
    found = [(int(a), int(b)) for a, b in np.argwhere(np.tril(both, -1) >= LEAST_PHOTOS)]
    chosen = [found[i] for i in np.random.default_rng(seed).permutation(len(found))[:most]]
    one, other = np.array(chosen, np.intp).reshape(-1, 2).T
    together = np.where(match[one] & match[other], 1, np.where(no_match[one] | no_match[other], 0, -1))
    without = np.where(match[one] & no_match[other], 1, np.where(no_match[one] | match[other], 0, -1))
    texts = tuple(f"{trial.texts[a]} and {trial.texts[b]}" for a, b in chosen)
    return (
        chosen,
        Trial(f"{trial.name} in twos", trial.vectors, texts, together.astype(np.int8)),
        Trial(f"{trial.name}, one without another", trial.vectors, texts, without.astype(np.int8)),
    )


def sentences(names: Iterable[str]) -> list[str]:
    return [SENTENCE.format(name) for name in names]


def _with_absent(
    name: str, vectors: Vectors, asked: tuple[str, ...], truth: NDArray[np.int8], absent: Iterable[str]
) -> Trial:
    absent = tuple(absent)
    return Trial(name, vectors, asked + absent, np.concatenate([truth, np.zeros((len(absent), len(vectors)), np.int8)]))
