"""The rules of the one box: what in a text is a filter. Each is a pattern and what it reads, tried in this order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, Literal

from indexer.errors import InvalidQuery
from indexer.words.fields import words
from search import dates
from search.filters import (
    FORMATS,
    SHAPES,
    Camera,
    Color,
    Filter,
    Folder,
    Format,
    Measure,
    Orientation,
    PathPart,
    Phrase,
    Range,
    Rating,
    Shape,
    Tag,
    Taken,
)

Kind = Literal[
    "date", "format", "orientation", "size", "camera", "color", "rating", "folder", "path", "tag", "exact", "not"
]
Found = re.Match[str]


@dataclass(frozen=True, slots=True)
class Rule:
    kind: Kind
    pattern: re.Pattern[str]
    """Of what begins at a word, after the sign of NOT."""
    read: Callable[[Found], Filter | None]
    """None: it is none, after all. Raises `InvalidQuery`."""


_END: Final = r"(?=[\s,;.!?]*(?:\s|$))"
"""After what was found nothing of its last word may follow but a mark of the sentence."""
_VALUE: Final = r'(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^\s"]+))'
"""In quotes a quote is written twice."""
_NUMBER: Final = r"\d+(?:\.\d+)?"
_UNIT: Final = r"(?:kb|mb|gb|mp|megapixels?|px|pixels?)"

_SPELLINGS: Final = {name: name for name in FORMATS} | {"jpg": "jpeg", "tif": "tiff", "heic": "heif", "dib": "bmp"}
_FORMAT: Final = rf"(?:{'|'.join(sorted(_SPELLINGS, key=len, reverse=True))})"
_PICTURES: Final = r"(?:photos?|pictures?|images?|files?|shots?)"
_SHAPES: Final[dict[str, Shape]] = {shape: shape for shape in SHAPES} | {
    "horizontal": "landscape",
    "vertical": "portrait",
}
_SIZES: Final[dict[str, tuple[Measure, float]]] = {
    "": ("bytes", 1),
    "kb": ("bytes", 1e3),
    "mb": ("bytes", 1e6),
    "gb": ("bytes", 1e9),
    "mp": ("megapixels", 1),
    "megapixel": ("megapixels", 1),
}
_MORE: Final = r">=|>|over|above|at least|(?:larger|bigger|more) than"
_LESS: Final = r"<=|<|under|below|at most|(?:smaller|less) than"

_D: Final = dates.PATTERN.replace(" ", r"\s+")
_Y: Final = dates.YEAR
_SPAN: Final = "|".join(
    (
        rf"(?:from|between)\s+(?P<first>{_D})\s+(?:to|and|until|till|-|–)\s+(?P<last>{_D})",
        rf"(?P<earliest>{_D})(?:\s+(?:to|until|till|-|–)\s+|\s*(?:\.\.|–)\s*)(?P<latest>{_D})",
        rf"(?P<low>{_Y})-(?P<high>{_Y})",
        rf"(?P<side>since|after|before|until|till)\s+(?P<limit>{_D})",
        rf"(?:(?:taken\s+)?(?:in|on|during|from|of)\s+)?(?:the\s+)?(?P<whole>{_D})(?!\s*{_UNIT}\b)",
    )
)


def rules(now: datetime) -> tuple[Rule, ...]:
    """All of them; dates without a year are seen from `now`."""
    return (
        _rule("exact", r'"(?P<exact>[^"]*[^"\s][^"]*)"', lambda found: _exact(found["exact"])),
        _rule("camera", rf"camera:{_VALUE}", lambda found: Camera(_value(found))),
        _rule("color", rf"colou?r:{_VALUE}", lambda found: _color(_value(found))),
        _rule("rating", rf"rating:{_VALUE}", lambda found: _rating(_value(found))),
        _rule("folder", rf"folder:{_VALUE}", lambda found: Folder(_value(found))),
        _rule("path", rf"(?:path|file|name):{_VALUE}", lambda found: PathPart(_value(found))),
        _rule("tag", rf"(?:tag|concept):{_VALUE}", lambda found: Tag(_value(found))),
        _rule("format", rf"(?:type|format):{_VALUE}", lambda found: _format(_value(found))),
        _rule("orientation", rf"orientation:{_VALUE}", lambda found: _orientation(_value(found))),
        _rule("size", rf"(?P<measure>width|height|size):{_VALUE}", _size_of_measure),
        _rule("date", rf"(?:taken|date):{_VALUE}", lambda found: _dates(_value(found), now)),
        _rule(
            "size",
            rf"(?:(?P<more>{_MORE})|(?:{_LESS}))\s*(?P<number>{_NUMBER})\s*(?P<unit>[kmg]b|mp|megapixels?)",
            _size,
        ),
        _rule("date", f"(?:{_SPAN})", partial(_span, now=now)),
        _rule("format", rf"(?P<name>{_FORMAT})s?(?:\s+{_PICTURES})?", lambda found: _format(found["name"])),
        _rule("orientation", r"(?:in\s+)?(?P<shape>landscape|portrait|square)\s+(?:orientation|format)", _shape),
        _rule("orientation", rf"(?:in\s+)?(?P<shape>horizontal|vertical)\s+(?:orientation|format|{_PICTURES})", _shape),
    )


def _rule(kind: Kind, pattern: str, read: Callable[[Found], Filter | None]) -> Rule:
    return Rule(kind, re.compile(pattern + _END, re.IGNORECASE), read)


def _exact(said: str) -> Filter:
    """Signs alone can only be found in a path."""
    return Phrase(said) if any(words(said)) else PathPart(said)


def _value(found: Found) -> str:
    quoted: str | None = found["quoted"]
    return found["plain"].rstrip(",;") if quoted is None else quoted.replace('""', '"')


def _format(name: str) -> Filter:
    names = name.lower().split(",")
    return Format(tuple(_SPELLINGS.get(one.removeprefix("."), one) for one in names))


def _orientation(name: str) -> Filter:
    return Orientation(_SHAPES.get(name.lower(), name))  # type: ignore[arg-type]  # it checks


def _color(said: str) -> Filter:
    """`red`, `red,blue`, `red>=30%`."""
    found = re.fullmatch(rf"(?P<names>[a-z,]+)(?:>=?(?P<share>{_NUMBER})%)?", said.lower())
    if not found:
        raise InvalidQuery(f"{said[:40]!r} is no colour; write color:red, color:red,blue or color:red>=30%")
    names = found["names"].split(",")
    return Color(
        tuple("grey" if name == "gray" else name for name in names),
        float(found["share"]) / 100 if found["share"] else None,
    )


def _rating(said: str) -> Filter:
    """`4`, `>=3`, `<2`, `3..5`."""
    found = re.fullmatch(r"(?P<sign>[<>]=?)?(?P<stars>\d)|(?P<least>\d)\.\.(?P<most>\d)", said)
    if not found:
        raise InvalidQuery(f"{said[:40]!r} is no rating; write rating:4, rating:>=3 or rating:3..5")
    if found["least"]:
        return Rating(int(found["least"]), int(found["most"]))
    stars = int(found["stars"])
    limits: dict[str, tuple[int | None, int | None]] = {
        ">": (stars + 1, None),
        ">=": (stars, None),
        "<": (None, stars - 1),
        "<=": (None, stars),
    }
    return Rating(*limits.get(found["sign"], (stars, stars)))


def _shape(found: Found) -> Filter:
    return Orientation(_SHAPES[found["shape"].lower()])


def _size(found: Found) -> Filter:
    """`over 2 MB`, `at most 12 MP`: the limit itself counts, which nobody will notice."""
    measure, number = _measured(found["number"], found["unit"])
    return Range(measure, number, None) if found["more"] else Range(measure, None, number)


def _size_of_measure(found: Found) -> Filter:
    """`width:>=1000`, `size:1mb..5mb`, `height:1080`."""
    name, value = found["measure"].lower(), _value(found).lower()
    limit = rf"({_NUMBER})([kmg]b|mp|px)?"
    between, one = re.fullmatch(rf"{limit}\.\.{limit}", value), re.fullmatch(rf"([<>]=?)?{limit}", value)
    if between:
        (measure, least), (_, most) = (_of(name, *between.groups()[place : place + 2]) for place in (0, 2))
        return Range(measure, least, most)
    if not one:
        raise InvalidQuery(f"{value[:40]!r} is no {name}; write {name}:>1000, {name}:<1000 or {name}:1000..2000")
    sign, number, unit = one.groups()
    measure, limit_ = _of(name, number, unit)
    return Range(measure, None if sign and "<" in sign else limit_, None if sign and ">" in sign else limit_)


def _of(name: str, number: str, unit: str | None) -> tuple[Measure, float]:
    """Of width and height the unit says nothing."""
    if name == "width":
        return "width", float(number)
    return ("height", float(number)) if name == "height" else _measured(number, unit or "")


def _measured(number: str, unit: str) -> tuple[Measure, float]:
    measure, scale = _SIZES[unit.lower().removesuffix("s")]
    return measure, float(number) * scale


def _dates(said: str, now: datetime) -> Filter:
    found = re.fullmatch(_SPAN, said.strip(), re.IGNORECASE)
    if not found:
        dates.span_of(said, now)  # says what a date looks like
        raise InvalidQuery(f"{said[:60]!r} is no date; write 2023, May 2023, 2023-05-11, summer 2023 or 2019..2021")
    return _span(found, now)


def _span(found: Found, now: datetime) -> Filter:
    for first, last in (("first", "last"), ("earliest", "latest"), ("low", "high")):
        if found[first]:
            return Taken(dates.span_of(found[first], now).start, dates.span_of(found[last], now).end)
    if found["whole"]:
        span = dates.span_of(found["whole"], now)
        return Taken(span.start, span.end)
    span = dates.span_of(found["limit"], now)
    sides = {
        "since": Taken(start=span.start),
        "after": Taken(start=span.end),
        "before": Taken(end=span.start),
    }
    return sides.get(found["side"].lower(), Taken(end=span.end))
