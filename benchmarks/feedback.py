"""What five marks do for a query: precision among the 20 best of the photos that were not marked.

    python benchmarks/feedback.py tiny-imagenet.tar fashion-products.tar imagenet-sample.tar clothing-cc0.tar

An honest user looks at the first page of 20 and marks five: `first` the first five, whatever they are, `mixed` right
and wrong ones in turn, from the top. The marked ones are left out of both rankings, before and after. The queries are
the names of a shard's classes with enough photos; those of imagenet-sample, which has one photo of each class, are
groups of classes by WordNet's numbers, which its file names carry. The weights of `indexer/tags/feedback.py` were
chosen on the first two shards; the last two are reported on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

import json
import tarfile

import numpy as np
import typer

from benchmarks.captioned_photos import read_photos
from benchmarks.goals import Line, at_least, at_most, plain, table, write
from indexer.encoder import Embeddings, Encoder, load_encoder
from indexer.tags.feedback import Moments, boundary, marks_part
from indexer.vectors import Ids, Mask, Vectors
from indexer.vectors.scoring import as_float32

RESULTS = Path(__file__).parent / "results" / "feedback.json"
GROUPS: Final = {
    "a dog": (("n02085620", "n02113978"),),
    "a terrier": (("n02093256", "n02098413"),),
    "a hound": (("n02088094", "n02092339"),),
    "a gun dog": (("n02099267", "n02102973"),),
    "a bird": (("n01514668", "n01622779"), ("n01795545", "n01860187"), ("n02002556", "n02058221")),
    "a snake": (("n01728572", "n01756291"),),
    "an insect": (("n02165105", "n02281787"),),
    "a monkey": (("n02480495", "n02497673"),),
    "a fish": (("n01440764", "n01498041"), ("n02514041", "n02655020")),
    "a hoofed animal": (("n02389026", "n02437616"),),
    "food": (("n07565083", "n07892512"),),
}
"""First and last numbers of their classes; those with at least 16 photos."""
PAGE, MARKS, LEAST = 20, 5, 30


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    images: Embeddings
    queries: Embeddings
    right: Mask
    """`(queries, images)`."""


def read(shard: Path, encoder: Encoder) -> Task:
    photos = read_photos(shard, 10_000, encoder)
    if shard.stem == "imagenet-sample":
        numbers = np.array(_numbers(shard))
        right = [np.any([(numbers >= a) & (numbers <= b) for a, b in spans], axis=0) for spans in GROUPS.values()]
        return Task(photos.name, photos.vectors, encoder.encode_texts(list(GROUPS)), np.stack(right))
    labels = np.array([example.label or "" for example in photos.examples])
    names = [str(name) for name in np.unique(labels) if name and (labels == name).sum() >= LEAST]
    texts = encoder.encode_texts([name.lower() for name in names])
    return Task(photos.name, photos.vectors, texts, np.stack([labels == name for name in names]))


def _numbers(shard: Path) -> list[str]:
    """WordNet's, in the order of the shard."""
    with tarfile.open(shard) as archive:
        members = (member for member in archive if member.name.endswith(".json"))
        files = (archive.extractfile(member) for member in members)
        return [json.load(file)["file_name"].split("_")[0] for file in files if file is not None]


def first(order: Ids, right: Mask) -> Ids:
    return order[:MARKS]


def mixed(order: Ids, right: Mask) -> Ids:
    """As many right as wrong ones, as far as the page has them."""
    page = order[:PAGE]
    places = [np.flatnonzero(right[page] == wanted) for wanted in (True, False)]
    turns = np.concatenate([2 * np.arange(len(places[0])), 2 * np.arange(len(places[1])) + 1])
    chosen: Ids = page[np.concatenate(places)[np.argsort(turns)][:MARKS]]
    return chosen


Way = Callable[[Vectors, Vectors, Vectors, Moments], Vectors]
"""Query, right and wrong images -> what to search with."""


def rocchio(query: Vectors, right: Vectors, wrong: Vectors, moments: Moments) -> Vectors:
    """As in the text books, its weights the best on the first two shards."""
    total = query.copy()
    for weight, images in ((0.5, right), (-0.25, wrong)):
        if len(images):
            total += weight * images.mean(axis=0)
    return total


def ridge(query: Vectors, right: Vectors, wrong: Vectors, moments: Moments) -> Vectors:
    """A linear head for 1 and -1 that is kept near to the query."""
    images, answers = np.concatenate([right, wrong]), np.repeat([1.0, -1.0], [len(right), len(wrong)])
    prior = 2 * query
    rest = np.linalg.solve(images @ images.T + np.eye(len(images)), answers - images @ prior)
    return np.asarray(prior + images.T @ rest, np.float32)


WAYS: Final[dict[str, Way]] = {
    "Rocchio": rocchio,
    "ridge head": ridge,
    "ours": lambda query, right, wrong, moments: query + marks_part(query, right, wrong, moments),
}


def precision(images: Embeddings, vector: Vectors, right: Mask, left_out: Ids) -> float:
    scores = images @ vector
    scores[left_out] = -np.inf
    return 100 * float(right[np.argsort(-scores, kind="stable")[:PAGE]].mean())


def measure(task: Task, goal: float | None) -> list[Line]:
    moments, lines = Moments.of(task.images), []
    for user in (first, mixed):
        rows = []
        for query, right in zip(task.queries, task.right, strict=True):
            marks = user(np.argsort(-(task.images @ query), kind="stable"), right)
            good, bad = task.images[marks[right[marks]]], task.images[marks[~right[marks]]]
            vectors = [query, *(way(query, good, bad, moments) for way in WAYS.values())]
            rows.append([precision(task.images, vector, right, marks) for vector in vectors])
        values = np.array(rows)
        label = f"{task.name}, {len(values)} queries, {user.__name__} five"
        lines.append(plain(f"{label}: precision@20 before", float(values[:, 0].mean())))
        for name, gains in zip(WAYS, (values[:, 1:] - values[:, :1]).T, strict=True):
            drawn = np.random.default_rng(0).choice(gains, (1000, len(gains))).mean(axis=1)
            low, high = np.percentile(drawn, (2.5, 97.5))
            said = f"{label}: {name}, points gained (95 % {low:+.1f} to {high:+.1f})"
            line = plain(said, float(gains.mean()))
            ours = goal is not None and name == "ours" and user is first
            lines.append(at_least(said, float(gains.mean()), goal) if ours and goal is not None else line)
    lines.append(plain(f"{task.name}: F1 of the concept that mixed five teach", concept(task, moments)))
    return lines


def concept(task: Task, moments: Moments) -> float:
    """Percent, mean over the queries with a right mark; of the photos that were not marked."""
    found = []
    for query, right in zip(task.queries, task.right, strict=True):
        marks = mixed(np.argsort(-(task.images @ query), kind="stable"), right)
        good, bad = task.images[marks[right[marks]]], task.images[marks[~right[marks]]]
        if not len(good):
            continue
        vector = query + marks_part(query, good, bad, moments)
        scores = task.images @ vector
        line = boundary(good @ vector, scores)
        inside = scores * line.gain + line.bias >= 0
        unmarked = np.ones(len(right), np.bool_)
        unmarked[marks] = False
        hits = (inside & right & unmarked).sum()
        found.append(2 * hits / max((inside & unmarked).sum() + (right & unmarked).sum(), 1))
    return 100 * float(np.mean(found))


def speed() -> list[Line]:
    """The collection's moments are taken once; then a query with marks, and a scan of 100,000 images by it."""
    random = np.random.default_rng(0)
    rows = random.standard_normal((100_000, 512), np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    stored = rows.astype(np.float16)
    started = time.perf_counter()
    moments = Moments.of(rows[:8192])
    once = time.perf_counter() - started
    times = []
    for _ in range(20):
        started = time.perf_counter()
        marks_part(rows[0], rows[1:4], rows[4:6], moments)
        times.append(time.perf_counter() - started)
    started = time.perf_counter()
    for at in range(0, len(stored), 4096):
        as_float32(stored[at : at + 4096]) @ rows[0]
    scan = time.perf_counter() - started
    return [
        plain("moments of 8,192 x 512, once for each state of a collection, ms", 1000 * once),
        at_most("five marks to a vector, ms", 1000 * float(np.median(times)), 100),
        plain("scan of 100,000 x 512 by it, ms", 1000 * scan),
    ]


def main(
    shards: Annotated[list[Path], typer.Argument(help="Two that were chosen on, then those to report on.")],
    model: Annotated[str, typer.Option(help="The model that encodes.")] = "mini",
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    encoder = load_encoder(model)
    lines: list[Line] = []
    for place, shard in enumerate(shards):
        lines += measure(read(shard, encoder), 15 if place > 1 else None)
    lines += speed()
    print(table(lines))
    write(lines, output, f"python benchmarks/feedback.py {' '.join(shard.name for shard in shards)}")


if __name__ == "__main__":
    typer.run(main)
