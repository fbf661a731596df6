"""The words of a question that say something: without `a`, `on` and their like, each once, as the index has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from indexer.words.fields import folded, storable, words

MOST: Final = 32
"""Words; a longer text is a document, and no image has four fifths of its words."""
_LONGEST_TAG: Final = 4  # words

_ENGLISH: Final = """
    a about above across after all along an and another any are around as at be been before behind being below beside
    between both but by can could did do does doing down during each either few for from had has have having he her
    here hers him his how i if in inside into is it its just like ll many me more most much my near next no nor not of
    off on one onto or other our out outside over own re s same she should so some such t than that the their them then
    there these they this those through to too toward towards under until up upon us ve very was we were what when
    where which while who whom whose why will with within without would you your
"""
FUNCTION_WORDS: Final = frozenset(_ENGLISH.split())
"""They are in captions of anything. English, as the models that ship read it."""


def asked_words(texts: Iterable[str]) -> tuple[str, ...]:
    """Empty where nothing is said, and where too much is."""
    found = dict.fromkeys(folded(word.text) for text in texts for word in words(storable(text)))
    said = tuple(word for word in found if word and word not in FUNCTION_WORDS)
    return said if len(said) <= MOST else ()


def asked_tags(texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Tags that may be meant, such as `our dog`: up to four words in a row, each with those that say something."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        row = [word.text.casefold() for word in words(storable(text))]
        for start in range(len(row)):
            for end in range(start + 1, min(len(row), start + _LONGEST_TAG) + 1):
                if said := asked_words(row[start:end]):
                    found[" ".join(row[start:end])] = said
    return found
