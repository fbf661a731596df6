"""What people look at and what runs are compared by: the best and worst queries, and the rank of every one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np

from indexer.encoder import Embeddings
from indexer.errors import UnreadableImage
from indexer.images import Limits, thumbnail
from search.benchmark.corpus import Corpus, printable
from search.benchmark.encoding import Picture
from search.benchmark.report import Example, Examples, QueryRanks, Returned
from search.classification import Classification
from search.evaluation import Direction, Evaluation
from search.ranks import Float64, Ints, nearest

COUNT = 8
"""Worst and best queries of each direction."""
RETURNED = 6
THUMBNAIL = 160
"""Pixels of the longer side."""
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Names:
    """How pictures and captions are called in a report."""

    images: tuple[str, ...]
    captions: tuple[str, ...]
    caption_keys: tuple[str, ...]
    owner: tuple[int, ...]
    """The row of each caption's image."""

    @classmethod
    def of(cls, corpus: Corpus) -> Names:
        seen: dict[int, int] = {}
        owner = tuple(corpus.image_of_caption.tolist())
        keys = []
        for row in owner:
            number = seen[row] = seen.get(row, -1) + 1
            keys.append(f"{corpus.keys[row]}#{number}")
        return cls(corpus.keys, tuple(printable(text) for text in corpus.captions), tuple(keys), owner)


def query_ranks(found: Evaluation, names: Names) -> dict[str, QueryRanks]:
    texts, images = found.text_to_image, found.image_to_text
    captions = texts.queries.tolist()
    keys = tuple(names.images[row] for row in images.queries.tolist())
    return {
        "text_to_image": QueryRanks(
            rank=tuple(texts.ranks.tolist()),
            key=tuple(names.caption_keys[row] for row in captions),
            image=tuple(names.images[names.owner[row]] for row in captions),
            text=tuple(names.captions[row] for row in captions),
        ),
        "image_to_text": QueryRanks(rank=tuple(images.ranks.tolist()), key=keys, image=keys),
    }


def captioned_examples(found: Evaluation, names: Names, images: Embeddings, captions: Embeddings) -> Examples:
    """The worst and the best of both directions, at most one query an image."""

    def shown(pick: Callable[[Direction], Ints]) -> tuple[Example, ...]:
        texts, pictures = found.text_to_image, found.image_to_text
        return (
            *_texts(pick(texts), texts, names, nearest(captions[pick(texts)], images, RETURNED)),
            *_pictures(pick(pictures), pictures, names, nearest(images[pick(pictures)], captions, RETURNED)),
        )

    return Examples(
        worst=shown(lambda direction: _one_an_image(direction, direction.hardest(len(direction.queries)))),
        best=shown(lambda direction: _one_an_image(direction, direction.easiest(len(direction.queries)))),
    )


def classified_examples(
    found: Classification, keys: Sequence[str], classes: Sequence[str], images: Embeddings, vectors: Embeddings
) -> tuple[QueryRanks, Examples]:
    """The same for class sets: `vectors` are the classes'."""
    right = found.right
    ranks = right.in_order + 1

    def shown(rows: Ints) -> tuple[Example, ...]:
        returned = _rows(nearest(images[right.query[rows]], vectors, RETURNED))
        return tuple(
            Example(
                direction="image_to_class",
                query=keys[right.query[row]],
                key=keys[right.query[row]],
                image=keys[right.query[row]],
                answer=classes[right.item[row]],
                rank=int(ranks[row]),
                returned=tuple(Returned(classes[c], score, bool(c == right.item[row])) for c, score in some),
            )
            for row, some in zip(rows.tolist(), returned, strict=True)
        )

    asked = tuple(keys[row] for row in right.query.tolist())
    queries = QueryRanks(rank=tuple(ranks.tolist()), key=asked, image=asked)
    worst, best = np.argsort(-ranks, kind="stable"), np.lexsort((-right.score, ranks))
    return queries, Examples(shown(worst[:COUNT]), shown(best[:COUNT]))


def thumbnails(examples: Examples, pictures: Mapping[str, Picture], limits: Limits) -> dict[str, str]:
    """Of every image that the examples show, by key; what has vanished meanwhile is left out."""
    keys: dict[str, None] = {}
    for example in (*examples.worst, *examples.best):
        keys |= dict.fromkeys((example.image, *(returned.key for returned in example.returned)))
    made = {}
    for key in keys:
        if key not in pictures:  # a class
            continue
        try:
            picture = thumbnail(pictures[key].read(limits), THUMBNAIL, limits)
        except UnreadableImage:
            continue
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        made[key] = base64.b64encode(buffer.getvalue()).decode("ascii")
    return made


def _one_an_image(direction: Direction, rows: Ints) -> Ints:
    """The first queries of different images: five captions of one photo tell little more than one."""
    image = dict(zip(direction.queries.tolist(), direction.cluster.tolist(), strict=True))
    first = {image[row]: row for row in reversed(rows.tolist())}
    chosen = set(first.values())
    return np.array([row for row in rows.tolist() if row in chosen][:COUNT], np.int64)


def _texts(rows: Ints, direction: Direction, names: Names, found: tuple[Ints, Float64]) -> Iterator[Example]:
    ranks = _ranks(direction)
    for row, returned in zip(rows.tolist(), _rows(found), strict=True):
        answer = names.owner[row]
        yield Example(
            direction="text_to_image",
            query=names.captions[row],
            key=names.caption_keys[row],
            image=names.images[answer],
            answer=names.images[answer],
            rank=ranks[row],
            returned=tuple(Returned(names.images[image], score, image == answer) for image, score in returned),
        )


def _pictures(rows: Ints, direction: Direction, names: Names, found: tuple[Ints, Float64]) -> Iterator[Example]:
    ranks = _ranks(direction)
    first = direction.right.first()
    best = dict(zip(first.query.tolist(), first.item.tolist(), strict=True))
    for row, returned in zip(rows.tolist(), _rows(found), strict=True):
        yield Example(
            direction="image_to_text",
            query=names.images[row],
            key=names.images[row],
            image=names.images[row],
            answer=names.captions[best[row]],
            rank=ranks[row],
            returned=tuple(
                Returned(names.images[names.owner[text]], score, names.owner[text] == row, names.captions[text])
                for text, score in returned
            ),
        )


def _ranks(direction: Direction) -> dict[int, int]:
    return dict(zip(direction.queries.tolist(), direction.ranks.tolist(), strict=True))


def _rows(found: tuple[Ints, Float64]) -> Iterator[list[tuple[int, float]]]:
    """For each query, what came and its score."""
    for items, scores in zip(*found, strict=True):
        yield list(zip(items.tolist(), scores.tolist(), strict=True))
