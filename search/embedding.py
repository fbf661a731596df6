"""The terms of queries -> unit vectors: by the encoder, or from memory where they are known."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.images import Limits
from indexer.microbatching import MicroBatcher
from indexer.originals import Originals
from search.query import ImageTerm, IndexedTerm, Query, Term, TextTerm

KEPT_TEXTS = 4096
"""Texts whose embeddings are kept: 8 MB at 512 dimensions."""
_CALLS_AT_ONCE = 64
"""Concurrent calls whose texts are encoded together."""


class QueryEmbedder:
    """Embeds the terms of the queries of one collection. Safe to use from any number of threads."""

    def __init__(self, collection: Collection, encoder: Encoder, limits: Limits) -> None:
        self._collection, self._encoder, self._limits = collection, encoder, limits
        self._texts, self._originals = TextEmbeddings(encoder), Originals(limits)

    def embed(self, queries: Sequence[Query]) -> list[Embeddings]:
        """`(terms, dimension)` unit rows of each query: texts in one batch, pictures in another.

        Raises `ImageNotFound` and `UnreadableImage`.
        """
        terms = [term for query in queries for term in query.terms]
        rows = np.empty((len(terms), self._collection.manifest.dimension), np.float32)
        self._embed_texts(rows, queries)
        pictures = {
            place: self._collection.manifest.decode(data, self._limits).pixels
            for place, term in enumerate(terms)
            if (data := self._picture(term)) is not None
        }
        if pictures:
            rows[list(pictures)] = self._encoder.encode_images(np.stack(list(pictures.values())))
        for place, term in enumerate(terms):
            if isinstance(term, IndexedTerm) and term.region is None:
                rows[place] = self._collection.vector(term.image_id)
        return np.split(rows, np.cumsum([len(query.terms) for query in queries])[:-1])

    def _embed_texts(self, rows: Embeddings, queries: Sequence[Query]) -> None:
        """Each text, or the mean of its prompts, into its row."""
        said: dict[int, list[str]] = {}
        place = 0
        for query in queries:
            for term in query.terms:
                if isinstance(term, TextTerm):
                    said[place] = [prompt.replace("{}", term.text) for prompt in query.prompts] or [term.text]
                place += 1
        if not said:
            return
        embedded = self._texts.of([text for texts in said.values() for text in texts])
        parts = np.split(embedded, np.cumsum([len(texts) for texts in said.values()])[:-1])
        for place, part in zip(said, parts, strict=True):
            rows[place] = part[0] if len(part) == 1 else _mean(part)

    def _picture(self, term: Term) -> bytes | None:
        """The file to encode for a term; None for what has its vector already, and for texts."""
        if isinstance(term, ImageTerm):
            return term.data if term.region is None else term.region.cut(term.data, self._limits)
        if isinstance(term, IndexedTerm) and term.region is not None:
            path = self._collection.catalog.get(term.image_id).path
            data = self._originals.read(path)
            return term.region.cut(data, self._limits)
        return None


def _mean(rows: Embeddings) -> NDArray[np.float32]:
    total: NDArray[np.float32] = rows.sum(axis=0)
    length = float(np.linalg.norm(total))
    return total / length if length > 0 else rows[0]


class TextEmbeddings:
    """What an encoder made of the texts that were asked for last; the others it is asked for.

    A page asks for the same text again with every filter and every page; people ask for what others asked for. Calls
    that come while the encoder is at work are encoded together next.
    """

    def __init__(self, encoder: Encoder, kept: int = KEPT_TEXTS) -> None:
        self._encoder, self._most = encoder, kept
        self._kept: OrderedDict[str, NDArray[np.float32]] = OrderedDict()  # the least recently used first
        self._lock = threading.Lock()
        self._batcher = MicroBatcher(self._encode, _CALLS_AT_ONCE)

    def of(self, texts: Sequence[str]) -> Embeddings:
        """`(n, dimension)` float32 unit rows."""
        found = self._look_up(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in found]
        if missing:
            made = dict(zip(missing, self._batcher(missing), strict=True))
            self._keep(made)
            found |= made
        return np.stack([found[text] for text in texts])

    def _encode(self, calls: list[list[str]]) -> list[list[NDArray[np.float32]]]:
        """Rows of their own, so that one that is kept does not keep its whole batch in memory."""
        rows = iter(self._encoder.encode_texts([text for texts in calls for text in texts]))
        return [[next(rows).copy() for _ in texts] for texts in calls]

    def _look_up(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        found = {}
        with self._lock:
            for text in texts:
                if text in self._kept:
                    self._kept.move_to_end(text)
                    found[text] = self._kept[text]
        return found

    def _keep(self, made: dict[str, NDArray[np.float32]]) -> None:
        with self._lock:
            self._kept |= made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
