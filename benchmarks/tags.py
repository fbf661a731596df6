"""Tags of photos whose class is known: how many of those shown are right, how many of the right ones are shown.

    python benchmarks/tags.py DATA/tiny-imagenet.tar DATA/imagenet-sample.tar DATA/flowers.tar DATA/clothing-cc0.tar

The names of a shard's classes are the list, beside the one that ships. A photo's own class is right, every other class
wrong; what the shipped list says is not judged. The first shard is the one that the three numbers of
`indexer/tags/scoring.py` and its threshold were fitted on (`--fit` does it again), the others are reported on. Beside
it stands one flat threshold of the cosine for all labels, the best one on the first shard.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import sqlalchemy as sa
import typer

from benchmarks.captioned_photos import read_photos
from benchmarks.catalog_filters import filled
from benchmarks.goals import Line, at_most, plain, table, write
from indexer.catalog import Catalog
from indexer.encoder import Embeddings, Encoder, load_encoder
from indexer.tags.labels import Label, shipped_labels
from indexer.tags.scoring import OFFSET, SHOWN, Background, Scorer, Z, calibrated
from indexer.tags.store import Tags
from indexer.vectors import Ids, Mask, Vectors
from indexer.vectors.scoring import as_float32

RESULTS = Path(__file__).parent / "results" / "tags.json"
PARTS = (1, 1, 1, 3, 3, 3, 5, 5, 10, 10, 30)
"""Classes of the parts that are fitted on beside the whole: collections may be of one subject."""
IMAGES, LABELS, DIMENSION = 1_000_000, 1_000, 512
TAGS_EACH = 2.63
"""On average, as many as `speed` finds in its made-up images."""
AT_ONCE = 8 * 2048
"""Images a transaction, as tagging has it."""


@dataclass(frozen=True, slots=True)
class Labelled:
    name: str
    images: Embeddings
    labels: Embeddings
    """Of the classes."""
    right: Mask
    """`(images, classes)`."""


def read(shard: Path, encoder: Encoder) -> Labelled:
    photos = read_photos(shard, 10_000, encoder)
    names = sorted({example.label for example in photos.examples if example.label})
    places = np.array([names.index(example.label) if example.label else -1 for example in photos.examples])
    known = places >= 0
    right = np.zeros((int(known.sum()), len(names)), np.bool_)
    right[np.arange(len(right)), places[known]] = True
    return Labelled(photos.name, photos.vectors[known], encoder.encode_texts([name.lower() for name in names]), right)


def shipped(encoder: Encoder) -> Embeddings:
    sums = np.array([encoder.encode_texts(label.texts).sum(axis=0) for label in shipped_labels()])
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True), np.float32)


def logits(of: Labelled, background: Embeddings) -> Vectors:
    lines = calibrated(of.images, of.labels, background)
    return lines.logits(of.images @ of.labels.T, *Background.of(background).of_images(of.images))


def counts(shown: Mask, right: Mask) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """`(images, 3)`: right tags, tags, classes."""
    return np.stack([(shown & right).sum(axis=1), shown.sum(axis=1), right.sum(axis=1)], axis=1).astype(np.float64)


def f1(shown: Mask, right: Mask) -> float:
    return 2 * float((shown & right).sum()) / max(int(shown.sum() + right.sum()), 1)


def fitted(of: Labelled, background: Embeddings) -> list[Line]:
    """Logistic regression of right on z and w, by Newton's method, and the threshold with the best mean F1."""
    random = np.random.default_rng(0)
    parts = [of]
    for number in PARTS:
        chosen = random.choice(of.right.shape[1], number, replace=False)
        rows = of.right[:, chosen].any(axis=1)
        parts.append(Labelled(of.name, of.images[rows], of.labels, of.right[rows]))
    features, answers = [], []
    for part in parts:
        lines = calibrated(part.images, part.labels, background)
        cosines = part.images @ part.labels.T
        mean, deviation = Background.of(background).of_images(part.images)
        z = (cosines * lines.gain + lines.bias - OFFSET) / Z
        features.append(np.stack([z.ravel(), ((cosines - mean[:, None]) / deviation[:, None]).ravel()], axis=1))
        answers.append(part.right.ravel())
    rows, right = np.c_[np.concatenate(features), np.ones(sum(map(len, answers)))], np.concatenate(answers)
    weights = np.array([1.0, 1.0, -6.0])
    for _ in range(30):
        p = 1 / (1 + np.exp(-rows @ weights))
        weights -= np.linalg.solve((rows * (p * (1 - p))[:, None]).T @ rows + 1e-6 * np.eye(3), rows.T @ (p - right))
    steps = np.linspace(-4, 0, 41)
    own = [row @ weights[:2] + weights[2] for row in features]
    best = [np.mean([f1(o >= t, r) for o, r in zip(own, answers, strict=True)]) for t in steps]
    threshold = 1 / (1 + np.exp(-steps[int(np.argmax(best))]))
    names = ("fitted Z", "fitted W", "fitted OFFSET", "fitted SHOWN")
    return [plain(name, float(value)) for name, value in zip(names, (*weights, threshold), strict=True)]


def judged(of: Labelled, name: str, shown: Mask) -> list[Line]:
    """Precision, recall and F1 with 95 % bootstrap intervals over images."""
    per_image = counts(shown, of.right)
    hits, tags, classes = per_image.sum(axis=0)
    lines = []
    sizes = np.random.default_rng(0).multinomial(len(per_image), np.full(len(per_image), 1 / len(per_image)), 1000)
    drawn = sizes @ per_image
    for what, top, bottom in (("precision", drawn[:, 0], drawn[:, 1]), ("recall", drawn[:, 0], drawn[:, 2])):
        value = hits / max(tags, 1) if what == "precision" else hits / classes
        low, high = np.percentile(top / np.maximum(bottom, 1), (2.5, 97.5))
        lines.append(plain(f"{of.name}, {name}: {what} (95 % {100 * low:.1f} to {100 * high:.1f})", 100 * value))
    return [*lines, plain(f"{of.name}, {name}: F1", 100 * f1(shown, of.right))]


def best_cosine(of: Labelled) -> float:
    cosines = of.images @ of.labels.T
    steps = np.quantile(cosines, np.linspace(0.9, 0.9999, 60))
    return float(max(steps, key=lambda step: f1(cosines >= step, of.right)))


def speed() -> list[Line]:
    """A million generated images by a thousand labels, stored as they are stored: half precision."""
    random = np.random.default_rng(0)

    def unit(number: int) -> Vectors:
        rows = random.standard_normal((number, DIMENSION), np.float32)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    stored = np.concatenate([unit(100_000).astype(np.float16) for _ in range(IMAGES // 100_000)])
    labels = unit(LABELS)
    started = time.perf_counter()
    lines = calibrated(as_float32(stored[:8192]), labels, labels)
    calibrating = time.perf_counter() - started
    lists, background = np.zeros(LABELS, np.int64), Background.of(labels)
    scorer = Scorer(labels, lines, np.full(LABELS, SHOWN), lists, background)
    started = time.perf_counter()
    tags = sum(len(scorer.tags(as_float32(stored[at : at + 2048])).rows) for at in range(0, IMAGES, 2048))
    seconds = time.perf_counter() - started
    started = time.perf_counter()
    for at in range(0, IMAGES, 2048):
        as_float32(stored[at : at + 2048]) @ labels.T
    product = time.perf_counter() - started
    return [
        plain("labels calibrated, s", calibrating),
        at_most(f"a million images x 512 scored by a thousand labels, {tags:,} tags, s", seconds, 60),
        plain("times the matrix product alone", seconds / product),
    ]


def writing(images: int, library: Path | None = None) -> list[Line]:
    """As many tags for each of so many images as `speed` finds, written as tagging writes them, once and once again."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = library or Path(scratch)
        with Catalog.open(folder / "library") if library else filled(folder, images) as catalog:
            ids = catalog.ids_where(sa.true())[:images]
            catalog.tags.put_list("made up", [Label(f"label {n}", (f"label {n}",)) for n in range(LABELS)])
            labels = np.array([one.id for one in catalog.tags.labels() if one.label.name.startswith("label ")])
            first, tags = _written(catalog.tags, ids, labels)
            again, _ = _written(catalog.tags, ids, labels)
            catalog.tags.remove_list("made up")
    name = f"{tags:,} tags of {len(ids):,} images written"
    return [plain(f"{name}, s", first), plain(f"{name} in the place of as many, s", again)]


def _written(tags: Tags, ids: Ids, labels: Ids) -> tuple[float, int]:
    """Seconds, and how many."""
    random, seconds, written = np.random.default_rng(0), 0.0, 0
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        counts = random.poisson(TAGS_EACH, len(some)).clip(0, 10)
        owners = np.repeat(some, counts)
        given = np.concatenate([random.choice(labels, count, replace=False) for count in counts])
        started = time.perf_counter()
        columns = owners.tolist(), given.tolist(), random.random(len(owners)).tolist()
        rows = [{"image_id": i, "label_id": t, "score": s} for i, t, s in zip(*columns, strict=True)]
        tags.replace(some, rows, everything=True)
        seconds, written = seconds + time.perf_counter() - started, written + len(rows)
    return seconds, written


def main(
    shards: Annotated[list[Path], typer.Argument(help="The one that was fitted on, then those to report on.")],
    model: Annotated[str, typer.Option(help="The model that encodes.")] = "mini",
    fit: Annotated[bool, typer.Option("--fit", help="Fit the three numbers and the threshold again.")] = False,
    library: Annotated[Path | None, typer.Option(help="The folder that catalog_filters.py --library filled.")] = None,
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    encoder = load_encoder(model)
    background = shipped(encoder)
    first, *others = [read(shard, encoder) for shard in shards]
    lines = fitted(first, background) if fit else []
    flat, least = best_cosine(first), np.log(SHOWN / (1 - SHOWN))
    for of in (first, *others):
        ways: dict[str, Callable[[Labelled], Mask]] = {
            "calibrated": lambda one: logits(one, background) >= least,
            f"one cosine, {flat:.3f}": lambda one: one.images @ one.labels.T >= flat,
        }
        for name, way in ways.items():
            lines += judged(of, name, way(of))
    lines += speed()
    lines += writing(IMAGES, library)
    print(table(lines))
    write(lines, output, f"python benchmarks/tags.py {' '.join(shard.name for shard in shards)}{' --fit' * fit}")


if __name__ == "__main__":
    typer.run(main)
