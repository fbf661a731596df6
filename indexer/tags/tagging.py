"""Gives the images of a collection their tags: all of them when labels or model change, else only those that are new.

Labels are calibrated against a sample of the collection. They keep that until the collection has doubled, so that new
images do not change what the others have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.tags.concepts import remake
from indexer.tags.feedback import sampled
from indexer.tags.labels import EVERYDAY, Label, shipped_labels
from indexer.tags.scoring import SHOWN, Background, Lines, Scorer, calibrated
from indexer.tags.store import CONCEPTS, StoredLabel, Tags
from indexer.vectors import Ids, Stored
from indexer.vectors.scoring import as_float32

BLOCK = 2048
"""Images scored at once: 8 MB of scores for a thousand labels."""
_WRITTEN = 8  # blocks a transaction
_TEXTS = 256  # encoded at once

Advance = Callable[[int, int], None]
"""Told after every transaction how many images are done, and of how many."""


@dataclass(frozen=True, slots=True)
class TagReport:
    images: int
    """That were looked at: all, or those that are new."""
    labels: int
    tags: int
    """That these images have now."""
    anew: bool
    seconds: float


def add_list(tags: Tags, name: str, labels: tuple[Label, ...]) -> None:
    """Beside the one that ships, which is put in unseen if it is not there: others have to stand out from it."""
    if EVERYDAY not in {found.name for found in tags.lists()}:
        tags.put_list(EVERYDAY, shipped_labels(), shown=False)
    tags.put_list(name, labels)


def refresh(
    collection: Collection, encoder: Encoder, *, always: bool = False, advance: Advance | None = None
) -> TagReport | None:
    """Bring the tags up to date; None if there is nothing to do. The caller holds the collection for writing.

    `always`: all images anew, with labels calibrated anew. Raises what the encoder and the catalog raise.
    """
    catalog, tags = collection.catalog, collection.catalog.tags
    before, labels = tags.tagging(), tags.labels()
    if not labels:
        return None
    started = time.monotonic()
    if before is not None and before.model_id != catalog.model_id:
        tags.forget_vectors()
        labels = tags.labels()
    count = catalog.count()
    anew = always or before is None or before.model_id != catalog.model_id or count > 2 * before.images
    anew = anew or any(label.vector is None or label.line is None for label in labels if label.list != CONCEPTS)
    if not anew and before is not None and before.revision == catalog.revision():
        return None
    batches: Iterator[tuple[Ids, Stored]]
    if anew:
        tags.begin()
        _embed(tags, encoder, labels)
        remake(collection, encoder)
        _calibrate(collection, tags)
        batches = _all(collection)
    else:
        assert before is not None
        changes = catalog.changes_since(before.revision)
        batches = ((change.put_ids, change.put_vectors) for change in changes)
    dimension = collection.manifest.dimension
    report = _tag(tags, dimension, batches, count, anew, advance or (lambda done, total: None))
    if anew or before is None:
        tags.finish(catalog.model_id, count)
    else:
        tags.finish(catalog.model_id, before.images)
    return TagReport(*report, anew, time.monotonic() - started)


def embed_texts(encoder: Encoder, texts: tuple[str, ...]) -> Embeddings:
    """`(n, dimension)` unit rows."""
    parts = [encoder.encode_texts(texts[start : start + _TEXTS]) for start in range(0, len(texts), _TEXTS)]
    return np.concatenate(parts)


def _embed(tags: Tags, encoder: Encoder, labels: list[StoredLabel]) -> None:
    """The labels that lack one: each the mean of its texts."""
    wanted = [label for label in labels if label.vector is None and label.list != CONCEPTS]
    if not wanted:
        return
    rows = embed_texts(encoder, tuple(text for label in wanted for text in label.label.texts))
    begins = np.cumsum([0, *(len(label.label.texts) for label in wanted[:-1])])
    sums = np.add.reduceat(rows, begins, axis=0)
    units = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    tags.put_vectors({label.id: unit for label, unit in zip(wanted, units, strict=True)})


def _calibrate(collection: Collection, tags: Tags) -> None:
    labels = [label for label in tags.labels() if label.list != CONCEPTS and label.vector is not None]
    if not labels:
        return
    vectors = np.stack([label.vector for label in labels if label.vector is not None])
    background = vectors[[label.list == EVERYDAY for label in labels]]
    tags.put_lines([label.id for label in labels], calibrated(sampled(collection.snapshot()), vectors, background))


def _scorer(tags: Tags, dimension: int) -> tuple[list[int], Scorer]:
    """Ids of the labels that are shown, and what scores them."""
    labels = [label for label in tags.labels() if label.vector is not None and label.line is not None]
    usual = np.array([label.vector for label in labels if label.list == EVERYDAY and label.vector is not None])
    shown = [label for label in labels if label.shown]
    names = sorted({label.list for label in shown})
    lines = np.array([label.line for label in shown], np.float32).reshape(-1, 3)
    scorer = Scorer(
        vectors=np.array([label.vector for label in shown], np.float32).reshape(len(shown), dimension),
        lines=Lines(*(np.ascontiguousarray(column) for column in lines.T)),
        thresholds=np.array([label.label.threshold or SHOWN for label in shown]),
        lists=np.array([names.index(label.list) for label in shown], np.int64),
        background=Background.of(usual.reshape(-1, dimension) if len(usual) else np.zeros((1, dimension), np.float32)),
    )
    return [label.id for label in shown], scorer


def _all(collection: Collection) -> Iterator[tuple[Ids, Stored]]:
    ids, vectors = collection.snapshot().contents()
    step = BLOCK * _WRITTEN
    for start in range(0, len(ids), step):
        yield ids[start : start + step], vectors[start : start + step]


def _tag(
    tags: Tags, dimension: int, batches: Iterator[tuple[Ids, Stored]], total: int, anew: bool, advance: Advance
) -> tuple[int, int, int]:
    """Images looked at, labels, tags given."""
    ids_of_labels, scorer = _scorer(tags, dimension)
    label_ids = np.array(ids_of_labels, np.int64)
    done = given = 0
    for ids, vectors in batches:
        rows: list[dict[str, float]] = []
        for start in range(0, len(ids), BLOCK):
            block = ids[start : start + BLOCK]
            found = scorer.tags(as_float32(vectors[start : start + BLOCK]))
            columns = (block[found.rows].tolist(), label_ids[found.labels].tolist(), found.scores.tolist())
            rows += [{"image_id": i, "label_id": t, "score": s} for i, t, s in zip(*columns, strict=True)]
        tags.replace(ids, rows, everything=anew)
        done, given = done + len(ids), given + len(rows)
        advance(done, total if anew else done)
    return done, len(label_ids), given
