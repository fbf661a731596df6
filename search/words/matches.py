"""Where the words of a question stand in what is known about an image: what a hit shows of why it was found."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from indexer.texts import ImageText
from indexer.words.fields import Field, Word, folded, parts, place_of, storable, words

SHOWN = 160
"""Characters of a text that are shown around its words."""
_BEFORE = 40  # of them, before the first word


@dataclass(frozen=True, slots=True)
class WordMatch:
    """One text that has words that were asked for."""

    field: Field | Literal["tag"]
    text: str
    """A part of a long one."""
    spans: tuple[tuple[int, int], ...]
    """Where the words stand in `text`, in characters: from the first of each to before the second."""


def matches(
    asked: Collection[str], path: str, texts: Sequence[ImageText], tags: Sequence[str]
) -> tuple[WordMatch, ...]:
    """Of each field the text that has the most of the words, if any has one."""
    folders, name = place_of(path)
    fields: dict[Field | Literal["tag"], list[str]] = {
        "title": [text.text for text in texts if text.kind == "title"],
        "caption": [text.text for text in texts if text.kind == "caption"],
        "keyword": [text.text for text in texts if text.kind == "keyword"],
        "tag": list(tags),
        "name": [name],
        "folder": folders,
    }
    found = []
    for field, said in fields.items():
        with_spans = [(text, _spans(asked, text)) for text in map(storable, said)]
        text, spans = max(with_spans, key=lambda pair: len(pair[1]), default=("", []))
        if spans:
            found.append(_cut(field, text, spans))
    return tuple(found)


def _spans(asked: Collection[str], text: str) -> list[tuple[int, int]]:
    return [(word.start, word.end) for whole in words(text) for word in _matching(asked, whole)]


def _matching(asked: Collection[str], word: Word) -> Iterator[Word]:
    if folded(word.text) in asked:
        yield word
    else:
        yield from (part for part in parts(word) if folded(part.text) in asked)


def _cut(field: Field | Literal["tag"], text: str, spans: Sequence[tuple[int, int]]) -> WordMatch:
    """Around the first word, with the words that are then whole."""
    start = max(0, min(spans[0][0] - _BEFORE, len(text) - SHOWN))
    shown = text[start : start + SHOWN]
    inside = [(first - start, last - start) for first, last in spans if last - start <= len(shown)]
    return WordMatch(field, shown, tuple(inside or [(spans[0][0] - start, len(shown))]))
