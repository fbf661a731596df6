"""The same meaning in other letters: slips of the finger, plurals, articles that nobody types."""

from __future__ import annotations

import random
import string

MISSPELLED, OTHER_NUMBER, WITHOUT_ARTICLES = 0.10, 0.05, 0.05
"""Shares of the texts that are changed so; the rest stays as it is."""
_ARTICLES = ("a", "an", "the")


def changed(text: str, rng: random.Random) -> str:
    """`text` as somebody else might type it; mostly the same."""
    chance = rng.random()
    if chance < MISSPELLED:
        return with_slip(text, rng)
    if chance < MISSPELLED + OTHER_NUMBER:
        return in_other_number(text)
    if chance < MISSPELLED + OTHER_NUMBER + WITHOUT_ARTICLES:
        return without_articles(text)
    return text


def with_slip(text: str, rng: random.Random, *, first_letter_too: bool = False) -> str:
    """One slip in a word of four letters or more: two letters exchanged, one lost, one doubled, or a wrong one.

    The first letter stays, as it mostly does when people type, unless that is to be risked, too.
    """
    words = text.split()
    long = [i for i, word in enumerate(words) if len(word) > 3]
    if not long:
        return text
    i = rng.choice(long)
    word = words[i]
    place = rng.randrange(0 if first_letter_too else 1, len(word) - 1)
    before, letter, following, rest = word[:place], word[place], word[place + 1], word[place + 2 :]
    slips = (
        before + following + letter + rest,
        before + following + rest,
        before + letter + letter + following + rest,
        before + rng.choice(string.ascii_lowercase) + following + rest,
    )
    words[i] = rng.choice(slips)
    return " ".join(words)


def in_other_number(text: str) -> str:
    """The last word with an `s` more or less: `red shoe` -> `red shoes`, `two dogs` -> `two dog`."""
    one_of_many = len(text) > 1 and text.endswith("s") and not text.endswith("ss")
    return text[:-1] if one_of_many else text + "s"


def without_articles(text: str) -> str:
    return " ".join(word for word in text.split() if word not in _ARTICLES) or text
