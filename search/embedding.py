"""Queries -> unit vectors: texts by the encoder or from memory, pictures by the encoder, indexed images as they are."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.errors import InvalidQuery
from indexer.images import Limits
from indexer.microbatching import MicroBatcher
from search.query import ImageTerm, IndexedTerm, Query, Term, TextTerm

KEPT_TEXTS = 4096
"""Texts whose embeddings are kept: 8 MB at 512 dimensions."""
_CALLS_AT_ONCE = 64
"""Concurrent calls whose texts are encoded together."""


class QueryEmbedder:
    """Embeds the queries of one collection. Safe to use from any number of threads."""

    def __init__(self, collection: Collection, encoder: Encoder, limits: Limits) -> None:
        self._collection, self._encoder, self._limits = collection, encoder, limits
        self._texts = TextEmbeddings(encoder)

    def embed(self, queries: Sequence[Query]) -> Embeddings:
        """`(n, dimension)` unit rows: the weighted sum of each query's terms.

        Raises `InvalidQuery` where the weights cancel each other out, `ImageNotFound`, and `UnreadableImage`.
        """
        embedded = self._embed_terms([term for query in queries for term in query.terms])
        rows = np.zeros((len(queries), self._collection.manifest.dimension), np.float32)
        position = 0
        for row, query in zip(rows, queries, strict=True):
            for term in query.terms:
                row += term.weight * embedded[position]
                position += 1
        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if (norms < 1e-6).any():
            raise InvalidQuery("the weights of the terms cancel each other out; change one of them")
        return np.asarray(rows / norms, dtype=np.float32)

    def _embed_terms(self, terms: Sequence[Term]) -> Embeddings:
        """`(len(terms), dimension)`: texts in one batch, pictures in another, indexed images from the catalog."""
        rows = np.empty((len(terms), self._collection.manifest.dimension), np.float32)
        texts = {i: term.text for i, term in enumerate(terms) if isinstance(term, TextTerm)}
        if texts:
            rows[list(texts)] = self._texts.of(list(texts.values()))
        pictures = {
            i: self._collection.manifest.decode(term.data, self._limits).pixels
            for i, term in enumerate(terms)
            if isinstance(term, ImageTerm)
        }
        if pictures:
            rows[list(pictures)] = self._encoder.encode_images(np.stack(list(pictures.values())))
        for i, term in enumerate(terms):
            if isinstance(term, IndexedTerm):
                rows[i] = self._collection.vector(term.image_id)
        return rows


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
