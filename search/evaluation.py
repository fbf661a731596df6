"""Retrieval measured the way papers report it: embeddings and who belongs to whom in, every figure out.

The protocol (docs/evaluation.md): text->image, each caption is a query and its image the one right answer; image->text,
each image is a query and any of its captions right. All captions and all images of the split take part, raw, with
nothing deduplicated. Ties stand in the order of the rows; the figures with ties against and in favour are beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np

from search import metrics
from search.metrics import Ties
from search.ranks import Embeddings, Float64, Ints, RightRanks, rank_both
from search.significance import (
    RESAMPLES,
    Interval,
    McNemar,
    PairedTest,
    bootstrap_means,
    mcnemar,
    paired_test,
)

DEFAULT_KS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class Direction:
    """The figures of one direction. R@K, mAP@K and nDCG@K are in percent; ranks count from 1."""

    figures: Mapping[str, float]
    """`R@K`, `mAP@K`, `nDCG@K` for each K, `mean_rank`, `median_rank`; ties in the order of the rows."""
    in_favour: Mapping[str, float]
    """The same with ties in favour; equal where nothing ties."""
    intervals: Mapping[str, Interval]
    """95 % bootstrap interval of each mean, images resampled with all their captions. None of `median_rank`."""
    tied: int
    """Queries whose best right answer ties with a wrong one."""
    right: RightRanks
    """The rank of every right answer of every query, to compare runs with and to look at."""
    cluster: Ints
    """`(queries,)`: the image that each query belongs to."""
    against: Mapping[str, float] = field(default_factory=dict)
    """The figures with ties against: the worst that any order of them could give, as `in_favour` is the best."""

    @property
    def queries(self) -> Ints:
        """`(queries,)`: the row of the captions, or of the images, that each rank belongs to; ascending."""
        return self.right.first().query

    @property
    def ranks(self) -> Ints:
        """`(queries,)`: each query's rank from 1, in the order of `queries`."""
        return self.right.first().in_order + 1

    def hardest(self, count: int) -> Ints:
        """The queries with the worst ranks, worst first; equal ranks in their own order."""
        return self.queries[np.argsort(-self.ranks, kind="stable")[:count]]

    def easiest(self, count: int) -> Ints:
        """The queries answered best, by rank and then by how sure the score is."""
        return self.queries[np.lexsort((-self.right.first().score, self.ranks))[:count]]

    def to_dict(self) -> dict[str, Any]:
        """Plain numbers for JSON: the figures, `queries`, `tied`, `against`, `in_favour`, `intervals`. NaN is None."""
        return {
            **{name: _plain(value) for name, value in self.figures.items()},
            "queries": len(self.queries),
            "tied": self.tied,
            "against": {name: _plain(value) for name, value in self.against.items()},
            "in_favour": {name: _plain(value) for name, value in self.in_favour.items()},
            "intervals": {name: [_plain(i.low), _plain(i.high)] for name, i in self.intervals.items()},
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    text_to_image: Direction
    image_to_text: Direction
    images: int
    captions: int
    ks: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "captions": self.captions,
            "text_to_image": self.text_to_image.to_dict(),
            "image_to_text": self.image_to_text.to_dict(),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Run B against run A on the same queries."""

    tests: Mapping[str, PairedTest]
    """By the name of the figure."""
    mcnemar: Mapping[str, McNemar]
    """For each `R@K`."""
    gained: Ints
    """Queries by how many ranks B puts their right answer higher, most first; only those it does."""
    lost: Ints
    """The same for those it puts lower."""


def evaluate(
    images: Embeddings,
    captions: Embeddings,
    image_of_caption: Ints,
    *,
    ks: Sequence[int] = DEFAULT_KS,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Evaluation:
    """Both directions of retrieval between images and their captions.

    `images` is `(m, d)`, `captions` `(n, d)`, `image_of_caption` `(n,)`, the row of each caption's image. Scores are
    inner products, so give unit rows for cosines. An image without captions is a distractor for the texts and no
    query. `seed` and `resamples` are the bootstrap's; without `resamples` there are no intervals. Memory is bounded:
    blocks of 4 MB and O(captions + images), so arrays mapped from files may be larger than memory. Raises
    `ValueError` for shapes that do not go together, indices out of range, and numbers that are not finite.
    """
    by_text, by_image = rank_both(images, captions, image_of_caption)
    steps = tuple(sorted(set(ks)))
    return Evaluation(
        text_to_image=_direction(by_text, by_text.item, steps, seed, resamples),
        image_to_text=_direction(by_image, by_image.first().query, steps, seed, resamples),
        images=len(images),
        captions=len(captions),
        ks=steps,
    )


def breakdown(
    direction: Direction, groups: Sequence[str], *, ks: Sequence[int] = DEFAULT_KS
) -> dict[str, dict[str, float]]:
    """The figures of each group of queries, in order of first appearance, with `queries`, their number.

    `groups[row]` names the group of the query in that row of the captions (text->image) or images (image->text),
    such as its `length_group` or the prompt it was put in. The gallery stays whole: a group's figures can be compared
    with the total's.
    """
    names = np.array([groups[row] for row in direction.right.query.tolist()], dtype=object)
    found: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(names.tolist()):
        part = direction.right.where(names == name)
        found[name] = {"queries": float(len(part.first())), **metrics.figures(part, ks)}
    return found


LENGTHS = ((5, "1-5 words"), (10, "6-10 words"), (15, "11-15 words"), (20, "16-20 words"))


def length_group(caption: str) -> str:
    """`1-5 words`, `6-10 words`, ... `over 20 words`. Flickr's captions have 12 words on average, COCO's 10."""
    words = len(caption.split())
    return next((name for limit, name in LENGTHS if words <= limit), "over 20 words")


def compare(a: Direction, b: Direction, *, ks: Sequence[int] = DEFAULT_KS, seed: int = 0) -> Comparison:
    """Whether run B differs from run A. Raises `ValueError` if they did not answer the same queries."""
    if not np.array_equal(a.queries, b.queries) or not np.array_equal(a.cluster, b.cluster):
        raise ValueError("the two runs answered other queries; evaluate both on the same images and captions")
    values_a, values_b = metrics.per_query(a.right, ks), metrics.per_query(b.right, ks)
    tests = {name: paired_test(values_a[name], values_b[name], a.cluster, seed=seed) for name in values_a}
    hits = {name: mcnemar(values_a[name], values_b[name]) for name in values_a if name.startswith("R@")}
    change = b.ranks - a.ranks
    order = np.argsort(change, kind="stable")
    return Comparison(
        tests=tests,
        mcnemar=hits,
        gained=a.queries[order[change[order] < 0]],
        lost=a.queries[order[::-1][change[order[::-1]] > 0]],
    )


def _direction(right: RightRanks, cluster: Ints, ks: Sequence[int], seed: int, resamples: int) -> Direction:
    first = right.first().wrong
    return Direction(
        figures=metrics.figures(right, ks),
        against=metrics.figures(right, ks, Ties.AGAINST),
        in_favour=metrics.figures(right, ks, Ties.IN_FAVOUR),
        intervals=_intervals(metrics.per_query(right, ks), cluster, seed, resamples) if resamples else {},
        tied=int(np.count_nonzero(first.worst > first.best)),
        right=right,
        cluster=cluster,
    )


def _intervals(values: Mapping[str, Float64], cluster: Ints, seed: int, resamples: int) -> dict[str, Interval]:
    table = np.stack(list(values.values()), axis=1)
    return dict(zip(values, bootstrap_means(table, cluster, seed=seed, resamples=resamples), strict=True))


def _plain(value: float) -> float | None:
    return value if isfinite(value) else None
