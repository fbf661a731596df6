r"""What five marks do for a query: precision among the 20 best.

    python benchmarks/feedback.py tiny-imagenet.tar fashion-products.tar flickr8k-train.tar \
        --report imagenet-sample.tar --report clothing-cc0.tar --wordnet FOLDER

Three honest users: `first` marks the first five hits, whatever they are; `mixed` right and wrong ones of the first page
of 20 in turn, from the top; `five right` the first five right ones of the first 40, or as many as there are. Precision
is that of the rest, marked images being left out of the ranking before and after (residual collection), and that of the
page as it is shown: the right ones where their scores put them, the wrong ones gone.

The queries are the names of classes with 30 photos or more, groups of classes by WordNet with 25 photos or more and a
fifth of the shard at most, and words of captions. Shards of 200 classes are also thinned to five photos of each. The
names of clothing-cc0 are so few and so well known to `mini` that other words for them are asked as well. The numbers of
`indexer/tags/feedback.py` were chosen on the first shards; nothing was chosen on those to report on.
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
from numpy.typing import NDArray

from benchmarks.captioned_photos import Photos, read_photos
from benchmarks.goals import Line, at_least, at_most, plain, table, write
from benchmarks.relevance_trials import LEAST_CAPTIONS, asked_words
from benchmarks.vector_search.generator import World
from benchmarks.wordnet_groups import WordNet
from indexer.encoder import Embeddings, Encoder, load_encoder
from indexer.tags.feedback import Marks, Moments, boundary, marks_part, sampled
from indexer.training.shards import read_shard
from indexer.vectors import Ids, Mask, Vectors
from indexer.vectors.segmented import SegmentedIndex

RESULTS = Path(__file__).parent / "results" / "feedback.json"
OTHER_WORDS: Final = {
    "dress": "gown",
    "hat": "cap",
    "longsleeve": "long sleeved top",
    "outwear": "coat",
    "pants": "trousers",
    "shirt": "button-up",
    "shoes": "footwear",
    "shorts": "short trousers",
    "skirt": "miniskirt",
    "t-shirt": "tee",
}
"""For the classes of clothing-cc0; written down before anything was measured by them."""
PAGE, DEEP, MARKS = 20, 40, 5
LEAST_OF_A_CLASS, LEAST_OF_A_GROUP = 30, 25
CAPTIONED = 2_000
GOAL = 15.0


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    images: Embeddings
    texts: tuple[str, ...]
    right: Mask
    """`(texts, images)`."""


def tasks(shard: Path, encoder: Encoder, wordnet: WordNet) -> list[Task]:
    captioned = next(iter(read_shard(shard))).label is None
    photos = read_photos(shard, CAPTIONED if captioned else 10_000, encoder)
    labels = np.array([(example.label or "").lower() for example in photos.examples])
    numbers = [name.split("_")[0] for name in _file_names(shard)]
    if captioned:
        return [_of_words(photos)]
    found = [_of_labels(photos, labels)]
    if any(number[1:] in wordnet.names for number in numbers):
        found.append(_of_groups(f"{photos.name}, groups", photos.vectors, numbers, wordnet))
        if len(found[0].texts) > 1:
            rows = np.concatenate([np.flatnonzero(labels == one)[:5] for one in np.unique(labels)])
            thinned = [numbers[row] for row in rows]
            found.append(_of_groups(f"{photos.name}, five of each, groups", photos.vectors[rows], thinned, wordnet))
    if set(found[0].texts) <= set(OTHER_WORDS):
        others = tuple(OTHER_WORDS[text] for text in found[0].texts)
        found.append(Task(f"{photos.name}, other words", photos.vectors, others, found[0].right))
    return [task for task in found if task.texts]


def _of_labels(photos: Photos, labels: NDArray[np.str_]) -> Task:
    names = tuple(str(name) for name in np.unique(labels) if (labels == name).sum() >= LEAST_OF_A_CLASS)
    right = np.array([labels == name for name in names], np.bool_)
    return Task(f"{photos.name}, classes", photos.vectors, names, right)


def _of_groups(name: str, images: Embeddings, numbers: list[str], wordnet: WordNet) -> Task:
    groups = wordnet.groups(numbers, LEAST_OF_A_GROUP, len(images) // 5)
    return Task(name, images, tuple(groups), np.stack(list(groups.values())))


def _of_words(photos: Photos) -> Task:
    """Of captions; right is what two of them say."""
    examples = photos.examples
    right = {}
    for word, places in asked_words([example.captions for example in examples]):
        sure = [place for place, captions in places.items() if captions >= LEAST_CAPTIONS]
        if LEAST_OF_A_CLASS <= len(sure) <= 3 * len(examples) // 10:
            right[word] = np.isin(np.arange(len(examples)), sure)
    return Task(f"{photos.name}, words", photos.vectors, tuple(right), np.stack(list(right.values())))


def _file_names(shard: Path) -> list[str]:
    """In the order of the shard."""
    with tarfile.open(shard) as archive:
        members = (member for member in archive if member.name.endswith(".json"))
        files = (archive.extractfile(member) for member in members)
        return [json.load(file)["file_name"] for file in files if file is not None]


def first(order: Ids, right: Mask) -> Ids:
    return order[:MARKS]


def mixed(order: Ids, right: Mask) -> Ids:
    """As many right as wrong ones, as far as the page has them."""
    page = order[:PAGE]
    places = [np.flatnonzero(right[page] == wanted) for wanted in (True, False)]
    turns = np.concatenate([2 * np.arange(len(places[0])), 2 * np.arange(len(places[1])) + 1])
    chosen: Ids = page[np.concatenate(places)[np.argsort(turns)][:MARKS]]
    return chosen


def five_right(order: Ids, right: Mask) -> Ids:
    page = order[:DEEP]
    return page[right[page]][:MARKS]


USERS: Final = {"first five": first, "mixed five": mixed, "five right": five_right}


@dataclass(frozen=True, slots=True)
class Asked:
    """Of one shard: what any way to answer can use."""

    images: Embeddings
    index: SegmentedIndex
    moments: Moments

    @classmethod
    def of(cls, images: Embeddings) -> Asked:
        index = SegmentedIndex.build(np.arange(len(images)), images.astype(np.float16))
        return cls(images, index, Moments.of(images))


Way = Callable[[Vectors, Ids, Ids, Asked], Vectors]
"""Query, rows of right and of wrong images -> what to search with."""


def rocchio(query: Vectors, right: Ids, wrong: Ids, asked: Asked) -> Vectors:
    """As in the text books, its weights the best on the first shards."""
    total = query.copy()
    for weight, rows in ((0.5, right), (-0.25, wrong)):
        if len(rows):
            total += weight * asked.images[rows].mean(axis=0)
    return total


def ours(query: Vectors, right: Ids, wrong: Ids, asked: Asked) -> Vectors:
    marks = Marks(asked.images[right], asked.images[wrong], wrong)
    return query + marks_part(query, marks, asked.index, asked.moments)


WAYS: Final[dict[str, Way]] = {"Rocchio": rocchio, "ours": ours}


def precision(scores: Vectors, right: Mask, left_out: Ids) -> float:
    """Percent."""
    order = np.argsort(-scores, kind="stable")
    rest = order[~np.isin(order, left_out)]
    return 100 * float(right[rest[:PAGE]].mean())


def measure(task: Task, encoder: Encoder, report: bool) -> list[Line]:
    asked, lines = Asked.of(task.images), []
    queries = encoder.encode_texts(list(task.texts))
    for user, choose in USERS.items():
        rest, shown = [], []
        for query, right in zip(queries, task.right, strict=True):
            scores = task.images @ query
            marks = choose(np.argsort(-scores, kind="stable"), right)
            good, bad = marks[right[marks]], marks[~right[marks]]
            answers = [scores, *(task.images @ way(query, good, bad, asked) for way in WAYS.values())]
            rest.append([precision(answer, right, marks) for answer in answers])
            shown.append([precision(answer, right, bad if place else bad[:0]) for place, answer in enumerate(answers)])
        label = f"{task.name}, {len(queries)} queries, {user}"
        lines += gains(f"{label}, of the rest", np.array(rest), report)
        lines += gains(f"{label}, as shown", np.array(shown), report=False)
        said = f"{task.name}, {user}: F1 of the concept they teach"
        lines.append(plain(said, concept(task, queries, asked, choose)))
    return lines


def gains(label: str, values: NDArray[np.float64], report: bool) -> list[Line]:
    """Of `(queries, 1 + ways)` precisions."""
    before = float(values[:, 0].mean())
    lines = [plain(f"{label}: precision@20 before", before)]
    for name, gained in zip(WAYS, (values[:, 1:] - values[:, :1]).T, strict=True):
        drawn = np.random.default_rng(0).choice(gained, (1000, len(gained))).mean(axis=1)
        low, high = np.percentile(drawn, (2.5, 97.5))
        possible = 100 * float(gained.mean()) / max(100 - before, 1e-9)
        said = f"{label}: {name}, points gained (95 % {low:+.1f} to {high:+.1f}; {possible:.0f} % of what is possible)"
        value = float(gained.mean())
        lines.append(at_least(said, value, GOAL) if report and name == "ours" else plain(said, value))
    return lines


def concept(task: Task, queries: Embeddings, asked: Asked, choose: Callable[[Ids, Mask], Ids]) -> float:
    """Percent, mean over the queries with a right mark; of the photos that were not marked."""
    found = []
    for query, right in zip(queries, task.right, strict=True):
        marks = choose(np.argsort(-(task.images @ query), kind="stable"), right)
        good = marks[right[marks]]
        if not len(good):
            continue
        scores = task.images @ ours(query, good, marks[~right[marks]], asked)
        line = boundary(scores[good], scores)
        inside = scores * line.gain + line.bias >= 0
        unmarked = ~np.isin(np.arange(len(right)), marks)
        hits = (inside & right & unmarked).sum()
        found.append(2 * hits / max((inside & unmarked).sum() + (right & unmarked).sum(), 1))
    return 100 * float(np.mean(found))


def speed() -> list[Line]:
    """The collection's moments are taken once; then a query with marks, whose index is searched twice more for them."""
    made = World(100_000, 512)
    vectors = np.concatenate([rows.astype(np.float16) for _, rows in made.chunks_of_pictures(100_000)])
    queries = made.texts(200)
    index = SegmentedIndex.build(np.arange(len(vectors)), vectors, probes=queries)
    started = time.perf_counter()
    moments = Moments.of(sampled(index))
    once = time.perf_counter() - started
    times: list[list[float]] = [[], []]
    for query in queries:
        started = time.perf_counter()
        [found] = index.search(query[None], PAGE)
        searched = time.perf_counter()
        rows = index.vectors_of(found.ids[:MARKS])
        marks_part(query, Marks(rows[:3], rows[3:], found.ids[3:MARKS]), index, moments)
        times[0].append(searched - started)
        times[1].append(time.perf_counter() - searched)
    search, taught = (1000 * float(np.median(some)) for some in times)
    name = f"100,000 x 512, {index.kind}"
    return [
        plain(f"{name}: moments of 8,192 of them, once for each state of a collection, ms", 1000 * once),
        plain(f"{name}: a search, ms", search),
        at_most(f"{name}: five marks to a vector, ms", taught, 100),
    ]


def main(
    shards: Annotated[list[Path], typer.Argument(help="Those that were chosen on.")],
    report: Annotated[list[Path], typer.Option(help="Those to report on.")],
    wordnet: Annotated[Path, typer.Option(help="The folder with data.noun of WordNet 3.0.")],
    model: Annotated[str, typer.Option(help="The model that encodes.")] = "mini",
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    encoder, nouns = load_encoder(model), WordNet.read(wordnet)
    lines: list[Line] = []
    for shard in (*shards, *report):
        for task in tasks(shard, encoder, nouns):
            lines += measure(task, encoder, shard in report)
    lines += speed()
    print(table(lines))
    named = [shard.name for shard in shards], [f"--report {shard.name}" for shard in report]
    write(lines, output, f"python benchmarks/feedback.py {' '.join([*named[0], *named[1]])} --wordnet FOLDER")


if __name__ == "__main__":
    typer.run(main)
