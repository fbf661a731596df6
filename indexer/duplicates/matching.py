"""All pairs of a collection that are worth a link, each with its kind: candidates first, then a look at both.

Candidates are near by perceptual hash, near by embedding, or taken one after the other by one camera. Cosines of
different models are not to be compared: how near is near is said in standard deviations above pictures that chance put
together. The thresholds were chosen on photos of `flickr8k-train.tar` by `benchmarks/duplicates.py --part choose`, on
product photos that nobody had edited, and on painted pictures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from indexer.duplicates.alignment import align_finely, align_roughly
from indexer.duplicates.colours import agreements, coloured, mistaken
from indexer.duplicates.contents import Contents
from indexer.duplicates.kinds import Link, LinkKind
from indexer.duplicates.neighbours import EXACT_UP_TO, Near, likely_cosine, neighbours
from indexer.duplicates.perceptual_hash import Pairs, distinct, near_hashes, perceptual_hashes
from indexer.vectors import Stored
from indexer.vectors.scoring import as_float32

Check = Callable[[str], None]
"""Told what is being done, often; may raise, to end it."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    near: float = 2.0
    """Standard deviations: a candidate's cosine at least, where there are too many to look at all neighbours."""
    rough: float = 0.8
    """Correlation of 8 x 8 cells that is worth a finer look."""
    same: float = 0.92
    """Correlation of 16 x 16 cells, where at least `whole` of the picture is there."""
    crop: float = 0.94
    """Correlation of 16 x 16 cells, where less is there: of many places and sizes the best is high by chance."""
    detail: float = 0.92
    """Correlation of the details of 16 x 16 cells. Of product photos on white 2.5 pairs a photo correlate by shape."""
    colour: float = 0.75
    """Correlation of the colours of 4 x 4 cells. Photos whose hues were turned by 60 degrees or more reach 0.53, crops
    and re-encoded photos 0.89 at least."""
    whole: float = 0.88
    """Share of the area: what loses less was not cropped, but got a border or was turned a little."""
    burst_seconds: float = 5.0
    """Between two pictures of one camera, one after the other."""
    burst: float = 2.5
    """Standard deviations: the cosine of these, at least, unless they agree roughly."""
    alike: float = 4.0
    """Standard deviations: a look-alike's cosine, at least."""


THRESHOLDS: Final = Thresholds()
RULES: Final = 2
"""Grows with every change of what becomes a link: a collection that was compared by others is compared anew."""
_IN_SERIES = 8  # pictures that follow one which are compared with it
_CHUNK = 1 << 16  # cosines at a time


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Candidates that agreed roughly, and how they agree finely."""

    pairs: Pairs
    scores: NDArray[np.float32]
    details: NDArray[np.float32]
    colours: NDArray[np.float32]
    shares: NDArray[np.float32]
    """Of the area of one that the other shows."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What is known of the pairs of a collection, before anything is made of it."""

    mean: float
    deviation: float
    """Of the cosines of pictures that chance put together."""
    near: Near
    series: Pairs
    """Taken one soon after the other."""
    cosines: NDArray[np.float32]
    """Of these."""
    compared: Compared


def links(contents: Contents, vectors: Stored, check: Check) -> list[Link]:
    """Between contents, whose embeddings are `vectors`, row by row; no two have more than one link."""
    return judged(contents, examined(contents, vectors, check)) if len(contents) > 1 else []


def examined(contents: Contents, vectors: Stored, check: Check, thresholds: Thresholds = THRESHOLDS) -> Evidence:
    """Of two contents or more."""
    mean, deviation = likely_cosine(vectors)
    least = mean + thresholds.near * deviation if len(contents) > EXACT_UP_TO else -1.0  # a few are all worth a look
    near = neighbours(vectors, least, lambda: check("comparing embeddings"))
    series = _series(contents, thresholds.burst_seconds)
    candidates = _candidates(contents, near, series, check)
    compared = compare(contents, candidates, lambda: check("comparing pictures"), thresholds.rough)
    return Evidence(mean, deviation, near, series, _cosines(vectors, series), compared)


def judged(contents: Contents, evidence: Evidence, thresholds: Thresholds = THRESHOLDS) -> list[Link]:
    """What becomes a link: the first kind that a pair is given stays."""
    found: dict[tuple[int, int], tuple[LinkKind, float]] = {}
    compared, series = evidence.compared, evidence.series
    likely = evidence.cosines >= evidence.mean + thresholds.burst * evidence.deviation
    together = likely | _among(series, compared.pairs, len(contents))
    _take(found, series[together], "burst", evidence.cosines[together])  # other moments are other pictures
    whole, close = compared.shares >= thresholds.whole, _close(contents, compared, thresholds)
    same, crop = close & whole, close & ~whole
    _take(found, compared.pairs[same], "same", compared.details[same])
    _take(found, compared.pairs[crop], "crop", compared.details[crop])
    alike = _closest(evidence.near, evidence.mean + thresholds.alike * evidence.deviation)
    _take(found, alike.pairs, "look-alike", alike.cosines)
    return [_link(contents, pair, kind, confidence) for pair, (kind, confidence) in found.items()]


def _close(contents: Contents, compared: Compared, thresholds: Thresholds) -> NDArray[np.bool_]:
    """Which of them agree in everything that a copy or a part has to."""
    whole = compared.shares >= thresholds.whole
    close = compared.scores >= np.where(whole, thresholds.same, thresholds.crop)
    close &= compared.details >= thresholds.detail
    close &= ~(compared.colours < thresholds.colour)  # NaN, of what is without colour, speaks against nothing
    pairs, details, colours = compared.pairs[close], compared.details[close], compared.colours[close]
    close[close] = ~mistaken(pairs, details, colours, coloured(contents.colours))
    return close


def compare(contents: Contents, pairs: Pairs, check: Callable[[], None], rough: float) -> Compared:
    """Look for each picture of a pair in the other."""
    greys, (first, second) = contents.greys, pairs.T
    apart = contents.shape[first] - contents.shape[second]
    template, scene, shape = (np.concatenate(each) for each in ((first, second), (second, first), (apart, -apart)))
    roughly = align_roughly(greys, template, scene, shape, check)
    forth, back = np.split(roughly.scores, 2)
    places = np.arange(len(pairs)) + np.where(back > forth, len(pairs), 0)
    agree = np.maximum(forth, back) >= rough
    chosen = places[agree]
    template, scene = template[chosen], scene[chosen]
    fine = align_finely(greys, template, scene, shape[chosen], roughly.boxes[chosen], check)
    colours = agreements(contents.colours, template, scene, fine.boxes, check)
    return Compared(pairs[agree], fine.scores, fine.details, colours, fine.boxes[:, 2] * fine.boxes[:, 3])


def _candidates(contents: Contents, near: Near, series: Pairs, check: Check) -> Pairs:
    """Near by hash, by embedding or in time, where there are fingerprints to compare."""
    known = np.flatnonzero(contents.known)
    by_hash = known[near_hashes(perceptual_hashes(contents.greys[known]))]
    check("comparing hashes")
    pairs = distinct(np.concatenate([by_hash, near.pairs, series]))
    return pairs[contents.known[pairs].all(axis=1)]


def _among(pairs: Pairs, others: Pairs, count: int) -> NDArray[np.bool_]:
    """Which of the pairs are among the others, too; rows are below `count`."""
    return np.isin(pairs[:, 0] * count + pairs[:, 1], others[:, 0] * count + others[:, 1])


def _series(contents: Contents, seconds: float) -> Pairs:
    """Pictures that one camera took one soon after the other, at different times at most so far apart."""
    rows = np.flatnonzero((contents.camera >= 0) & np.isfinite(contents.taken))
    rows = rows[np.lexsort((contents.taken[rows], contents.camera[rows]))]
    pairs = [np.empty((0, 2), np.int64)]
    for step in range(1, min(_IN_SERIES, len(rows) - 1) + 1):
        before, after = rows[:-step], rows[step:]
        gap = contents.taken[after] - contents.taken[before]
        soon = (contents.camera[after] == contents.camera[before]) & (gap > 0) & (gap <= seconds)
        pairs.append(np.stack([before[soon], after[soon]], axis=1))
    return distinct(np.concatenate(pairs))


def _cosines(vectors: Stored, pairs: Pairs) -> NDArray[np.float32]:
    found = np.empty(len(pairs), np.float32)
    for start in range(0, len(pairs), _CHUNK):
        first, second = pairs[start : start + _CHUNK].T
        found[start : start + _CHUNK] = (as_float32(vectors[first]) * as_float32(vectors[second])).sum(axis=1)
    return found


def _closest(near: Near, least: float) -> Near:
    """Of each row its nearest, if that is near enough."""
    order = np.lexsort((-near.cosines, near.pairs[:, 0]))
    order = order[near.cosines[order] >= least]
    _, first = np.unique(near.pairs[order, 0], return_index=True)
    chosen = order[first]
    return Near(near.pairs[chosen], near.cosines[chosen])


def _take(
    found: dict[tuple[int, int], tuple[LinkKind, float]], pairs: Pairs, kind: LinkKind, scores: NDArray[np.float32]
) -> None:
    for (first, second), score in zip(np.sort(pairs, axis=1).tolist(), scores.tolist(), strict=True):
        found.setdefault((first, second), (kind, min(1.0, max(0.0, score))))


def _link(contents: Contents, pair: tuple[int, int], kind: LinkKind, confidence: float) -> Link:
    first, second = sorted((contents.hashes[pair[0]], contents.hashes[pair[1]]))
    return Link(first, second, kind, confidence)
