"""Embeddings of texts: kept, bounded, gathered from threads. What queries become is tested with the engine."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from indexer.encoder import Embeddings
from search.embedding import TextEmbeddings
from tests.palette import COLOURS, PaletteEncoder

RED, BLUE, GREEN = "red", "blue", "green"


class Listening(PaletteEncoder):
    """Remembers the batches of texts it was given; waits before it answers while it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[str]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        self.asked.append(list(texts))
        self.begun.set()
        assert self.go_on.wait(30)
        return super().encode_texts(texts)


@pytest.fixture
def encoder() -> Listening:
    return Listening()


def test_a_text_is_encoded_once(encoder: Listening) -> None:
    texts = TextEmbeddings(encoder)
    first = texts.of([RED, BLUE, RED])
    again = texts.of([BLUE, RED])
    assert encoder.asked == [[RED, BLUE]]
    np.testing.assert_array_equal(first, PaletteEncoder().encode_texts([RED, BLUE, RED]))
    np.testing.assert_array_equal(again, first[1:])


def test_only_what_is_new_is_encoded(encoder: Listening) -> None:
    texts = TextEmbeddings(encoder)
    texts.of([RED])
    np.testing.assert_array_equal(texts.of([GREEN, RED]), PaletteEncoder().encode_texts([GREEN, RED]))
    assert encoder.asked == [[RED], [GREEN]]


def test_the_least_recently_used_is_forgotten(encoder: Listening) -> None:
    texts = TextEmbeddings(encoder, kept=2)
    texts.of([RED])
    texts.of([BLUE])
    texts.of([RED])
    texts.of([GREEN])  # in place of blue
    texts.of([RED])
    texts.of([BLUE])
    assert encoder.asked == [[RED], [BLUE], [GREEN], [BLUE]]


def test_more_texts_at_once_than_are_kept(encoder: Listening) -> None:
    names = list(COLOURS)
    rows = TextEmbeddings(encoder, kept=2).of(names)
    np.testing.assert_array_equal(rows, PaletteEncoder().encode_texts(names))


def test_what_a_caller_does_to_its_rows_is_its_own(encoder: Listening) -> None:
    texts = TextEmbeddings(encoder)
    texts.of([RED])[:] = 0
    np.testing.assert_array_equal(texts.of([RED]), PaletteEncoder().encode_texts([RED]))


def test_texts_that_come_while_others_are_encoded_go_together(encoder: Listening) -> None:
    texts = TextEmbeddings(encoder)
    encoder.go_on.clear()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(texts.of, [RED])]
        assert encoder.begun.wait(30)
        calls += [pool.submit(texts.of, [name]) for name in (BLUE, GREEN)]
        while len(texts._batcher._waiting) < 2:
            pass
        encoder.go_on.set()
        for call, name in zip(calls, (RED, BLUE, GREEN), strict=True):
            np.testing.assert_array_equal(call.result(30), PaletteEncoder().encode_texts([name]))
    assert [len(batch) for batch in encoder.asked] == [1, 2]
