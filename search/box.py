"""One box: what a person types, by rules alone, into filters, what is not to be seen, and the meaning that is left.

    beach summer 2023 -people camera:canon OR camera:nikon type:png "IMG 20"

Whatever is recognised is a chip: it knows its place in the text, and the text can be had without it. Dates are read by
`dates`, the other rules stand in `box_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from indexer.errors import InvalidQuery
from search.box_rules import Kind, Rule, rules
from search.filters import Filter, Not, Or, all_of
from search.query import MAX_TEXT, UNWANTED, TextTerm

_WORD: Final = re.compile(r"\S+")
_NEGATION: Final = re.compile(r"-(?=[^\s-])|NOT\s+(?=\S)")
_EXCLUDED: Final = re.compile(r"\((?P<several>[^()]+)\)|(?P<one>[^\s\"():]+)(?=\s|$)")
_OR: Final = "OR"


@dataclass(frozen=True, slots=True)
class Chip:
    """A part of the text that was recognised."""

    kind: Kind
    text: str
    start: int
    """Where it stands in the text: the characters from `start` to before `end`."""
    end: int
    filter: Filter | None = None
    excluded: str | None = None
    """Of kind `not`: the words for what is not to be seen."""


@dataclass(frozen=True, slots=True)
class Box:
    """A text that was read."""

    source: str
    chips: tuple[Chip, ...]
    meaning: str
    """What no rule recognised: to be seen in the picture. May be empty."""
    filter: Filter | None

    def terms(self) -> tuple[TextTerm, ...]:
        """The meaning, and what is excluded with a weight of `UNWANTED`."""
        wanted = (TextTerm(self.meaning),) if self.meaning else ()
        return wanted + tuple(TextTerm(chip.excluded, UNWANTED) for chip in self.chips if chip.excluded)

    def without(self, chip: Chip) -> str:
        """The text without one of its chips, and without the OR that joined it."""
        before, after = self.source[: chip.start].rstrip(), self.source[chip.end :].lstrip()
        shorter = before.removesuffix(f" {_OR}")
        if shorter == before:
            after = after.removeprefix(f"{_OR} ").lstrip()
        return f"{shorter} {after}".strip()


def read_box(source: str, now: datetime) -> Box:
    """Raises `InvalidQuery` for an empty or too long text, a day in no calendar, and limits that nothing can meet."""
    if not source.strip():
        raise InvalidQuery("the text is empty; say in a few words what the picture shows")
    if len(source) > MAX_TEXT:
        raise InvalidQuery(f"the text has {len(source):,} characters; the limit is {MAX_TEXT:,}: shorten it")
    items = list(_items(source, rules(now)))
    chips = tuple(item for item in items if isinstance(item, Chip))
    words = [item for place, item in enumerate(items) if isinstance(item, str) and not _joins(items, place)]
    meaning = " ".join(words).strip(" ,;.")
    said = meaning if re.search(r"\w", meaning) else ""  # marks of a sentence alone mean nothing
    return Box(source, chips, said, all_of([_any_of(some) for some in _groups(items)]))


def _items(source: str, known: Sequence[Rule]) -> Iterator[Chip | str]:
    """Chips and words, from left to right."""
    place = 0
    while word := _WORD.search(source, place):
        chip = _chip_at(source, word.start(), known)
        place = chip.end if chip else word.end()
        yield chip or word[0]


def _chip_at(source: str, start: int, known: Sequence[Rule]) -> Chip | None:
    negation = _NEGATION.match(source, start)
    inner = negation.end() if negation else start
    for rule in known:
        found = rule.pattern.match(source, inner)
        filter = rule.read(found) if found else None
        if found and filter:
            whole = source[start : found.end()]
            return Chip(rule.kind, whole, start, found.end(), Not(filter) if negation else filter)
    if negation and (found := _EXCLUDED.match(source, inner)):
        excluded = (found["several"] or found["one"]).strip(" ,;")
        return Chip("not", source[start : found.end()], start, found.end(), None, excluded) if excluded else None
    return None


def _groups(items: Sequence[Chip | str]) -> list[list[Filter]]:
    """All of the lists have to hold, of each list one filter: what OR joins."""
    groups: list[list[Filter]] = []
    for place, item in enumerate(items):
        if not isinstance(item, Chip) or item.filter is None:
            continue
        if place > 1 and items[place - 1] == _OR and _filters(items, place - 2):
            groups[-1].append(item.filter)
        else:
            groups.append([item.filter])
    return groups


def _joins(items: Sequence[Chip | str], place: int) -> bool:
    """Whether the word there is an OR beside a filter, no word of the meaning."""
    return items[place] == _OR and (_filters(items, place - 1) or _filters(items, place + 1))


def _filters(items: Sequence[Chip | str], place: int) -> bool:
    item = items[place] if 0 <= place < len(items) else None
    return isinstance(item, Chip) and item.filter is not None


def _any_of(filters: list[Filter]) -> Filter:
    return filters[0] if len(filters) == 1 else Or(tuple(filters))
