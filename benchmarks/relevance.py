"""Whether the cut-off means something: F1 beside the best flat threshold; calibration; "no match"; what it costs.

    python benchmarks/relevance.py flickr8k-dev.tar imagenet-sample.tar

Shards are tars of `NNNNNN.jpg` and `NNNNNN.json` with `captions` or a `label`; benchmarks/relevance_trials.py says what
is asked of them. The flat threshold is one cosine for all queries of a trial, chosen with hindsight for the highest F1
on the very queries that it is judged by: no threshold does better there. Ours were fitted on other photos, once, by
benchmarks/relevance_fit.py. F1, precision and recall are of all pairs of query and photo together.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.goals import Line, at_least, at_most, plain, table, write
from benchmarks.relevance_trials import (
    Trial,
    embedded,
    halves,
    names_elsewhere,
    of_labels,
    of_words,
    pairs,
    sentences,
)
from benchmarks.vector_search.generator import World
from benchmarks.vector_search.timing import take_turns, threads, times_faster
from indexer.encoder import Encoder, load_encoder
from indexer.vectors import Matches
from indexer.vectors.segmented import SegmentedIndex
from search.combination import combined
from search.query import UNWANTED
from search.rankings import Window
from search.relevance.claim import CUT, LIKELY, Claim
from search.relevance.relevance import COUNTED, Relevance
from search.relevance.vocabulary import VOCABULARY

RESULTS = Path(__file__).parent / "results" / "relevance.json"
POINTS, WRONG = 10.0, 15.0
PROMPTS = ("a photo of {}", "a picture with {}", "there is {} here")
PAGE = 60
_BINS = np.linspace(0, 1, 11)


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial and what was said of it."""

    trial: Trial
    scores: NDArray[np.float32]
    """`(queries, n)`: cosines."""
    likely: NDArray[np.float32]
    """`(queries, n)`: probabilities."""
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class F1:
    """Percent."""

    value: float
    precision: float
    recall: float


def judge(trial: Trial, vectors: NDArray[np.float32], relevance: Relevance) -> Judged:
    """Every query of it, `(queries, d)`, as the engine would answer it."""
    index = SegmentedIndex.build(np.arange(len(trial.vectors)), trial.vectors.astype(np.float16))
    scores = np.empty(trial.truth.shape, np.float32)
    likely = np.empty_like(scores)
    claims = []
    for row, vector in enumerate(vectors):
        [found] = index.search(vector[None], len(index))
        judged = relevance.judge(vector, index, Window(found.ids, found.scores))
        assert judged is not None
        scores[row, found.ids] = found.scores
        likely[row, found.ids] = judged.probabilities(found.ids, found.scores)
        claims.append(judged.claim)
    return Judged(trial, scores, likely, tuple(claims))


def f1_above(values: NDArray[np.float32], truth: NDArray[np.int8], threshold: float) -> F1:
    """Of calling everything above it a match; what is not counted is left out."""
    chosen = (values > threshold) & (truth >= 0)
    return _f1(int((chosen & (truth == 1)).sum()), int(chosen.sum()), int((truth == 1).sum()))


def best_flat(scores: NDArray[np.float32], truth: NDArray[np.int8]) -> tuple[float, F1]:
    """The threshold with the highest F1 there is, and its F1."""
    counted = truth >= 0
    order = np.argsort(-scores[counted], kind="stable")
    ordered = scores[counted][order]
    found = np.cumsum(truth[counted][order] == 1)
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # equal scores are called alike
    values = 2 * found[last] / (last + 1 + found[-1])
    best = last[int(values.argmax())]
    threshold = float(np.nextafter(ordered[best], np.float32(-np.inf)))
    return threshold, _f1(int(found[best]), int(best) + 1, int(found[-1]))


def _f1(right: int, chosen: int, wanted: int) -> F1:
    return F1(100 * 2 * right / max(1, chosen + wanted), 100 * right / max(1, chosen), 100 * right / max(1, wanted))


def calibration_error(likely: NDArray[np.float32], truth: NDArray[np.int8], least: float = 0.05) -> float:
    """Expected calibration error in points, of the pairs above `least`: ten bins of equal width, weighted by size.

    Below it are nearly all pairs, and nearly all of them right: they would hide the rest.
    """
    counted = (truth >= 0) & (likely > least)
    said, so = likely[counted], truth[counted] == 1
    bins = np.digitize(said, _BINS[1:-1])
    sizes = np.bincount(bins, minlength=10)
    gaps = np.abs(np.bincount(bins, said, minlength=10) - np.bincount(bins, so, minlength=10))
    return float(100 * gaps.sum() / max(1, sizes.sum()))


def reliability(likely: NDArray[np.float32], truth: NDArray[np.int8]) -> list[tuple[float, float, int]]:
    """Said and found, in percent, and how many pairs, for each tenth."""
    counted = truth >= 0
    said, so = likely[counted], truth[counted] == 1
    bins = np.digitize(said, _BINS[1:-1])
    return [
        (100 * float(said[bins == b].mean()), 100 * float(so[bins == b].mean()), int((bins == b).sum()))
        for b in range(10)
        if (bins == b).any()
    ]


def of_cut_off(judged: Judged) -> list[Line]:
    """F1 of the queries that have matches, ours and the best flat one's, and how well probabilities hold."""
    present = judged.trial.present
    truth, scores, likely = judged.trial.truth[present], judged.scores[present], judged.likely[present]
    threshold, flat = best_flat(scores, truth)
    ours, surer = f1_above(likely, truth, CUT), f1_above(likely, truth, LIKELY)
    _, hindsight = best_flat(likely, truth)
    name = f"{judged.trial.name}, {len(truth):,} queries of {truth.shape[1]:,} photos"
    bins = "; ".join(f"{said:.0f}: {so:.0f} ({pairs:,})" for said, so, pairs in reliability(likely, truth))
    inside = [
        claim.matches.low <= wanted <= claim.matches.high
        for claim, wanted in zip(
            (claim for claim, there in zip(judged.claims, present, strict=True) if there),
            (truth == 1).sum(axis=1),
            strict=True,
        )
    ]
    return [
        plain(f"{name}: the best flat threshold, cosine {threshold:.3f}: F1, %", flat.value),
        plain(f"{name}: its precision, %", flat.precision),
        plain(f"{name}: its recall, %", flat.recall),
        plain(f"{name}: above our cut: F1, %", ours.value),
        plain(f"{name}: its precision, %", ours.precision),
        plain(f"{name}: its recall, %", ours.recall),
        plain(f"{name}: a cut of the probabilities with the same hindsight: F1, %", hindsight.value),
        plain(f"{name}: likely hits: precision, %", surer.precision),
        plain(f"{name}: likely hits: recall, %", surer.recall),
        at_least(f"{name}: F1 above the flat threshold's, points", ours.value - flat.value, POINTS),
        plain(f"{name}: expected calibration error above 0.05, points", calibration_error(likely, truth)),
        plain(f"{name}: % said, % found and pairs, by tenths", bins),
        plain(f"{name}: the number of matches is within the interval, % of queries", 100 * float(np.mean(inside))),
    ]


def of_one_threshold(judged: Sequence[Judged]) -> list[Line]:
    """One cosine for all trials, as a program has it that knows no more: with the highest mean F1, by hindsight."""
    parts = [(one.scores[one.trial.present], one.trial.truth[one.trial.present], one) for one in judged]
    thresholds = np.arange(-0.2, 1, 0.005)
    found = np.array([[f1_above(scores, truth, t).value for t in thresholds] for scores, truth, _ in parts])
    best = int(found.mean(axis=0).argmax())
    lines = []
    for (_, truth, one), of_flat in zip(parts, found[:, best], strict=True):
        ours = f1_above(one.likely[one.trial.present], truth, CUT).value
        name = f"{one.trial.name}, one flat threshold for all sets, {thresholds[best]:.3f}"
        lines += [plain(f"{name}: F1, %", of_flat), plain(f"{name}: our cut above it, points", ours - of_flat)]
    return lines


def of_composed(trial: Trial, encoder: Encoder, relevance: Relevance) -> list[Line]:
    """How well probabilities hold of prompts, of several texts, and of what is not to be seen."""
    chosen, together, without = pairs(trial)
    embedded = encoder.encode_texts(trial.texts)
    prompted = np.mean([encoder.encode_texts([p.format(text) for text in trial.texts]) for p in PROMPTS], axis=0)
    prompted /= np.linalg.norm(prompted, axis=1, keepdims=True)

    def sums(weight: float) -> NDArray[np.float32]:
        weights, texts = np.array([1, weight], np.float32), np.ones(2, np.bool_)
        return np.stack([combined(embedded[list(pair)], weights, texts).sum(axis=0) for pair in chosen])

    asked = {
        f"{trial.name}, {len(PROMPTS)} prompts": judge(trial, prompted, relevance),
        f"{together.name}, as two texts": judge(together, sums(1), relevance),
        f"{together.name}, as a sentence": judge(together, encoder.encode_texts(together.texts), relevance),
        f"{without.name} of weight {UNWANTED:g}": judge(without, sums(UNWANTED), relevance),
    }
    lines = []
    for name, one in asked.items():
        surer = f1_above(one.likely, one.trial.truth, LIKELY)
        error = calibration_error(one.likely, one.trial.truth)
        lines += [
            plain(f"{name}, {len(one.claims):,} queries: expected calibration error above 0.05, points", error),
            plain(f"{name}: likely hits: precision, %", surer.precision),
        ]
    return lines


def of_absence(name: str, judged: list[Judged]) -> list[Line]:
    """How often "no match" is said of what is not there and of what is; and when the flat threshold leaves nothing."""
    absent, present, flat_absent, flat_present = [], [], [], []
    for one in judged:
        there = one.trial.present
        none = np.array([claim.no_match for claim in one.claims])
        threshold, _ = best_flat(one.scores[there], one.trial.truth[there])
        empty = one.scores.max(axis=1) <= threshold
        absent.append(none[~there])
        present.append(none[there])
        flat_absent.append(empty[~there])
        flat_present.append(empty[there])
    right, wrong = np.concatenate(absent), np.concatenate(present)
    return [
        plain(f"{name}, {len(right):,} queries: 'no match' is right, %", 100 * float(right.mean())),
        plain(f"{name}: the best flat threshold leaves nothing, %", 100 * float(np.concatenate(flat_absent).mean())),
        at_most(f"{name}: 'no match' for the {len(wrong):,} that have matches, %", 100 * float(wrong.mean()), WRONG),
        plain(f"{name}: the flat threshold leaves them nothing, %", 100 * float(np.concatenate(flat_present).mean())),
    ]


def measure(shards: Sequence[Path], encoder: Encoder) -> list[Line]:
    vocabulary = encoder.encode_texts(VOCABULARY)
    relevance = Relevance(lambda: vocabulary)
    sets = [embedded(shard, encoder) for shard in shards]
    lines: list[Line] = []
    whole: list[Judged] = []
    for photos in sets:
        trial = of_words(photos) if not photos.classes() else of_labels(photos)
        whole.append(judge(trial, encoder.encode_texts(trial.texts), relevance))
        lines += of_cut_off(whole[-1])
        if not photos.classes():
            lines += of_composed(trial, encoder, relevance)
        else:
            name = f"{photos.name}, classes without their photos"
            lines += of_absence(
                name, [judge(half, encoder.encode_texts(half.texts), relevance) for half in halves(photos)]
            )
        elsewhere = names_elsewhere(photos, [other for other in sets if other is not photos])
        for what, texts in (("names of other things", elsewhere), ("sentences about them", sentences(elsewhere))):
            if texts:
                asked = _with_absent(trial, texts)
                judged = judge(asked, encoder.encode_texts(asked.texts), relevance)
                lines += of_absence(f"{photos.name}, {what}", [judged])
    if len(whole) > 1:
        lines += of_one_threshold(whole)
    return lines


def _with_absent(trial: Trial, texts: Sequence[str]) -> Trial:
    nothing = np.zeros((len(texts), trial.truth.shape[1]), np.int8)
    return replace(trial, texts=(*trial.texts, *texts), truth=np.concatenate([trial.truth, nothing]))


def cost(sizes: Sequence[int], dimension: int, rounds: int) -> list[Line]:
    """What judging adds to the search of a page, one thread: generated vectors as benchmarks/search.py has them."""
    lines = []
    for size in sizes:
        made = World(size, dimension)
        vectors = np.concatenate([rows.astype(np.float16) for _, rows in made.chunks_of_pictures(size)])
        texts = made.texts(len(VOCABULARY))
        index = SegmentedIndex.build(np.arange(size), vectors, probes=texts[:200])
        relevance = Relevance(partial(np.asarray, texts))
        started = time.perf_counter()
        _judged_page(relevance, index, texts, 0)
        first = time.perf_counter() - started
        runs: dict[str, Callable[[int], object]] = {
            "search": partial(_found, index, texts),
            "judged": partial(_judged_page, relevance, index, texts),
        }
        found = take_turns(runs, len(texts), rounds=rounds)
        name = f"{size:,} x {dimension}, {index.kind}"
        lines += [
            plain(f"{name}: a search for {COUNTED}, ms", 1000 * found["search"].median),
            plain(f"{name}: the same, judged, ms", 1000 * found["judged"].median),
            plain(f"{name}: times as long", 1 / times_faster(found["judged"], found["search"])),
            *[plain(f"{name}: {what}, ms of the processor", ms) for what, ms in _processor_times(runs).items()],
            plain(f"{name}: the first query, which samples, ms", 1000 * first),
        ]
    return lines


def _processor_times(runs: Mapping[str, Callable[[int], object]], calls: int = 300) -> dict[str, float]:
    """Median milliseconds a call, taking turns at every call: what a busy machine adds by waiting is not in them."""
    spent: dict[str, list[float]] = {what: [] for what in runs}
    for number in range(calls):
        for what, run in runs.items():
            started = time.thread_time()
            run(number)
            spent[what].append(time.thread_time() - started)
    return {what: 1000 * float(np.median(times)) for what, times in spent.items()}


def _found(index: SegmentedIndex, texts: NDArray[np.float32], number: int) -> Matches:
    [found] = index.search(texts[number][None], COUNTED)
    return found


def _judged_page(relevance: Relevance, index: SegmentedIndex, texts: NDArray[np.float32], number: int) -> object:
    found = _found(index, texts, number)
    judged = relevance.judge(texts[number], index, Window(found.ids, found.scores))
    assert judged is not None
    return judged.probabilities(found.ids[:PAGE], found.scores[:PAGE])


def main(
    shards: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, help="Tars of photos to report on.")],
    model: Annotated[str, typer.Option(help="The model to judge by.")] = "mini",
    sizes: Annotated[str, typer.Option(help="Collections to measure the cost in, parted by commas.")] = "20000,100000",
    output: Annotated[Path, typer.Option(help="File for the results.")] = RESULTS,
) -> None:
    lines = measure(shards, load_encoder(model, precision="float32"))
    with threads(1):
        lines += cost([int(size) for size in sizes.split(",") if size], 512, rounds=5)
    print(table(lines))
    names = " ".join(shard.name for shard in shards)
    write(lines, output, f"python benchmarks/relevance.py {names} --model {model}")


if __name__ == "__main__":
    typer.run(main)
