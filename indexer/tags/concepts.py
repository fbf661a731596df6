"""Concepts: a query and its marks as a label, made anew whenever marks or model change, that tags new images, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import ImageNotFound, InvalidRequest
from indexer.tags.concept_store import THRESHOLD, Concept
from indexer.tags.feedback import Boundary, Marks, Moments, boundary, marks_part, sampled
from indexer.tags.labels import tag_name
from indexer.tags.scoring import probability
from indexer.vectors import Ids, Vectors
from indexer.vectors.scoring import as_float32

MAX_QUERY = 2_000
MAX_MARKS = 1_000
_BLOCK = 1 << 16


def save(
    collection: Collection, encoder: Encoder, name: str, query: str, right: Sequence[int], wrong: Sequence[int] = ()
) -> int:
    """Teach a concept by marked images, in the place of one of that name, and tag the collection by it.

    Returns how many images have it. One right mark is enough, though five are better; the query may be empty. Raises
    `InvalidRequest` without a right mark and for an image that is both, and `ImageNotFound`.
    """
    called, concepts = tag_name(name), collection.catalog.concepts
    if not right:
        raise InvalidRequest(f"the concept {called!r} has no right mark; mark at least one image that shows it")
    if both := set(right) & set(wrong):
        raise InvalidRequest(f"image {min(both)} is marked right and wrong; leave it out of one")
    if len(query) > MAX_QUERY or len(right) + len(wrong) > MAX_MARKS:
        raise InvalidRequest(f"a concept takes {MAX_QUERY:,} characters and {MAX_MARKS:,} marks at most")
    hashes = concepts.hashes([*right, *wrong])
    for id_ in (*right, *wrong):
        if id_ not in hashes:
            raise ImageNotFound(id_)
    marks = [tuple(dict.fromkeys(hashes[id_] for id_ in ids)) for ids in (right, wrong)]
    concept = Concept(called, " ".join(query.split()), *marks)
    label_id = concepts.put(concept)
    made = _made(collection, encoder, concept)
    assert made is not None  # its right marks are there
    concepts.put_label(called, *made)
    ids, scores = _members(collection, *made)
    concepts.give(label_id, ids, scores)
    return len(ids)


def remake(collection: Collection, encoder: Encoder) -> None:
    """The vectors of all concepts, by the model that serves. One whose right marks are gone keeps what it has."""
    for concept in collection.catalog.concepts.all():
        made = _made(collection, encoder, concept)
        if made is not None:
            collection.catalog.concepts.put_label(concept.name, *made)


def _made(collection: Collection, encoder: Encoder, concept: Concept) -> tuple[Vectors, Boundary] | None:
    """`(dimension,)` unit length, and where it ends."""
    (_, right), (wrong_ids, wrong) = (_marked(collection, hashes) for hashes in (concept.right, concept.wrong))
    if not len(right):
        return None
    mean = right.mean(axis=0)
    query = encoder.encode_texts([concept.query])[0] if concept.query else mean / np.linalg.norm(mean)
    index = collection.snapshot()
    sample = sampled(index)
    vector = query + marks_part(query, Marks(right, wrong, wrong_ids), index, Moments.of(sample))
    vector = np.asarray(vector / np.linalg.norm(vector), np.float32)
    return vector, boundary(right @ vector, sample @ vector)


def _marked(collection: Collection, hashes: Sequence[str]) -> tuple[Ids, Vectors]:
    """Of the images of those contents that are there."""
    states = [found[0] for content in hashes if (found := collection.catalog.with_hash(content))]
    rows = [collection.vector(state.id) for state in states]
    vectors = np.array(rows, np.float32).reshape(len(rows), collection.manifest.dimension)
    return np.array([state.id for state in states], np.int64), vectors


def _members(collection: Collection, vector: Vectors, line: Boundary) -> tuple[list[int], list[float]]:
    """Ids and scores of the images on this side of the boundary."""
    ids, vectors = collection.snapshot().contents()
    blocks = (as_float32(vectors[start : start + _BLOCK]) for start in range(0, len(ids), _BLOCK))
    cosines = np.concatenate([block @ vector for block in blocks])  # there are images: some were marked
    scores = probability(np.asarray(cosines * line.gain + line.bias, np.float32))
    inside = scores >= THRESHOLD
    return ids[inside].tolist(), scores[inside].tolist()
