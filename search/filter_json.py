"""Filters as JSON, there and back: `{"and": [{"format": ["jpeg"]}, {"not": {"camera": "canon"}}]}`.

An object with several keys means all of them. `SCHEMA` describes it for OpenAPI.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

from indexer.errors import InvalidQuery
from indexer.looks.colours import LOOKS
from search.filters import (
    FORMATS,
    MAX_DEPTH,
    MAX_RATING,
    MEASURES,
    SHAPES,
    And,
    Camera,
    Color,
    Condition,
    Filter,
    Folder,
    Format,
    Not,
    Or,
    Orientation,
    PathPart,
    Phrase,
    Range,
    Rating,
    Tag,
    Taken,
    check_size,
)

_DAY: Final = timedelta(days=1)


def filter_from_json(value: Any) -> Filter:
    """Raises `InvalidQuery`, which names the part that is wrong."""
    return check_size(_read(value, 0))


def filter_to_json(filter: Filter) -> dict[str, Any]:
    """What `filter_from_json` reads again."""
    match filter:
        case And(parts):
            return {"and": [filter_to_json(part) for part in parts]}
        case Or(parts):
            return {"or": [filter_to_json(part) for part in parts]}
        case Not(part):
            return {"not": filter_to_json(part)}
    return _condition_to_json(filter)


def _condition_to_json(condition: Condition) -> dict[str, Any]:
    match condition:
        case Taken(start, end):
            return {"taken": _present({"from": start and start.isoformat(), "before": end and end.isoformat()})}
        case Range(measure, least, most):
            return {measure: _present({"from": least, "to": most})}
        case Format(names):
            return {"format": list(names)}
        case Orientation(shape):
            return {"orientation": shape}
        case Color(names, least):
            return {"color": list(names) if least is None else {"of": list(names), "from": least}}
        case Rating(fewest, most):
            return {"rating": _present({"from": fewest, "to": most})}
    return _words_to_json(condition)


def _words_to_json(condition: Camera | Folder | PathPart | Phrase | Tag) -> dict[str, Any]:
    match condition:
        case Camera(words):
            return {"camera": words}
        case Folder(path):
            return {"folder": path}
        case PathPart(words):
            return {"path": words}
        case Phrase(words):
            return {"phrase": words}
        case Tag(name):
            return {"tag": name}


def _read(value: Any, depth: int) -> Filter:
    if not isinstance(value, dict) or not value:
        raise InvalidQuery(f"a filter is an object such as {{'format': ['jpeg']}}, with {', '.join(_READERS)}")
    if depth >= MAX_DEPTH:
        raise InvalidQuery(f"the filter has more than {MAX_DEPTH} levels; join its parts on fewer")
    parts = tuple(_read_one(key, part, depth) for key, part in value.items())
    return parts[0] if len(parts) == 1 else And(parts)


def _read_one(key: str, value: Any, depth: int) -> Filter:
    if key not in _READERS:
        raise InvalidQuery(f"a filter knows nothing called {key[:40]!r}; it knows {', '.join(_READERS)}")
    return _READERS[key](key, value, depth)


def _joined(key: str, value: Any, depth: int) -> Filter:
    if not isinstance(value, list) or not value:
        raise InvalidQuery(f"'{key}' of a filter takes a list of filters")
    parts = tuple(_read(part, depth + 1) for part in value)
    return And(parts) if key == "and" else Or(parts)


def _negated(key: str, value: Any, depth: int) -> Filter:
    return Not(_read(value, depth + 1))


def _taken(key: str, value: Any, depth: int) -> Filter:
    """`to` is a day that still counts, or a moment that does; `before` never counts."""
    limits = _limits(key, value, ("from", "to", "before"), str)
    if {"to", "before"} <= limits.keys():
        raise InvalidQuery("'taken' of a filter takes 'to' or 'before', not both")
    start = _moment(limits["from"]) if "from" in limits else None
    end = _moment(limits["before"]) if "before" in limits else None
    if "to" in limits:
        end = _after(limits["to"])
    return Taken(start, end)


def _range(key: str, value: Any, depth: int) -> Filter:
    limits = _limits(key, value, ("from", "to"), (int, float))
    return Range(key, limits.get("from"), limits.get("to"))  # type: ignore[arg-type]  # the table below names measures only


def _format(key: str, value: Any, depth: int) -> Filter:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise InvalidQuery(f"'format' of a filter takes a list of {', '.join(FORMATS)}")
    return Format(tuple(value))


def _color(key: str, value: Any, depth: int) -> Filter:
    """A list of colours, or an object that says their share, too."""
    least = None
    if isinstance(value, dict) and set(value) == {"of", "from"}:
        value, least = value["of"], value["from"]
    named = isinstance(value, list) and all(isinstance(name, str) for name in value)
    if not named or not (least is None or (isinstance(least, int | float) and not isinstance(least, bool))):
        raise InvalidQuery("'color' of a filter takes a list such as ['red'], or {'of': ['red'], 'from': 0.25}")
    return Color(tuple(value), least)


def _rating(key: str, value: Any, depth: int) -> Filter:
    limits = _limits(key, value, ("from", "to"), int)
    return Rating(limits.get("from"), limits.get("to"))


def _text(kind: Callable[[str], Filter]) -> Callable[[str, Any, int], Filter]:
    def read(key: str, value: Any, depth: int) -> Filter:
        if not isinstance(value, str):
            raise InvalidQuery(f"'{key}' of a filter takes a text")
        return kind(value)

    return read


def _orientation(shape: str) -> Filter:
    return Orientation(shape)  # type: ignore[arg-type]  # it checks


_READERS: Final[dict[str, Callable[[str, Any, int], Filter]]] = {
    "and": _joined,
    "or": _joined,
    "not": _negated,
    "taken": _taken,
    **dict.fromkeys(MEASURES, _range),
    "format": _format,
    "orientation": _text(_orientation),
    "camera": _text(Camera),
    "color": _color,
    "rating": _rating,
    "folder": _text(Folder),
    "path": _text(PathPart),
    "phrase": _text(Phrase),
    "tag": _text(Tag),
}


def _limits(key: str, value: Any, names: tuple[str, ...], kind: type | tuple[type, ...]) -> dict[str, Any]:
    known = isinstance(value, dict) and value and set(value) <= set(names)
    if not known or not all(isinstance(limit, kind) and not isinstance(limit, bool) for limit in value.values()):
        raise InvalidQuery(f"'{key}' of a filter takes an object with {' or '.join(names)}")
    return dict(value)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidQuery(f"{text[:40]!r} is no date; write it as 2023-07-21 or 2023-07-21T18:30:00") from error
    if moment.tzinfo is not None:
        raise InvalidQuery(f"{text[:40]!r} names a time zone, which cameras do not; leave it out")
    return moment


def _after(text: str) -> datetime:
    """The first moment that does not count any more."""
    moment = _moment(text)
    try:
        date.fromisoformat(text)
    except ValueError:
        step = timedelta(seconds=1)  # cameras count in seconds
    else:
        step = _DAY
    try:
        return moment + step
    except OverflowError as error:
        raise InvalidQuery(f"{text[:40]!r} is the end of time; leave it out") from error


def _present(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


_NUMBERS: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {"from": {"type": "number", "minimum": 0}, "to": {"type": "number", "minimum": 0}},
}
_DATES: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "properties": {name: {"type": "string"} for name in ("from", "to", "before")},
    "description": "ISO 8601 without a zone; the day or moment `to` still counts, `before` does not",
}
_STARS: Final[dict[str, Any]] = {"type": "integer", "minimum": 0, "maximum": MAX_RATING}
_COLORS: Final[dict[str, Any]] = {"type": "array", "minItems": 1, "items": {"enum": list(LOOKS)}}
_PART: Final[dict[str, Any]] = {"type": "object", "description": "a filter again", "minProperties": 1}

SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "additionalProperties": False,
    "minProperties": 1,
    "description": "what an image has to be; several keys mean all of them",
    "properties": {
        "and": {"type": "array", "minItems": 1, "items": _PART},
        "or": {"type": "array", "minItems": 1, "items": _PART},
        "not": _PART,
        "taken": _DATES,
        "width": _NUMBERS | {"description": "pixels"},
        "height": _NUMBERS | {"description": "pixels"},
        "megapixels": _NUMBERS,
        "bytes": _NUMBERS | {"description": "of the file"},
        "format": {"type": "array", "minItems": 1, "items": {"enum": list(FORMATS)}},
        "orientation": {"enum": list(SHAPES)},
        "camera": {"type": "string", "minLength": 1, "description": "words of make and model, in any case"},
        "color": {
            "anyOf": [
                _COLORS,
                {
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["of", "from"],
                    "properties": {
                        "of": _COLORS,
                        "from": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
                    },
                },
            ],
            "description": "any of these; `from`: at least that share of the picture, 0 to 1",
        },
        "rating": {
            "type": "object",
            "additionalProperties": False,
            "minProperties": 1,
            "properties": {"from": _STARS, "to": _STARS},
            "description": "stars",
        },
        "folder": {"type": "string", "minLength": 1, "description": "absolute path: anything below it"},
        "path": {"type": "string", "minLength": 1, "description": "words of folder or file name"},
        "phrase": {
            "type": "string",
            "minLength": 1,
            "description": "words in a row in a name, folder, title, caption or keyword, or a tag; `*` ends a prefix",
        },
        "tag": {"type": "string", "minLength": 1, "description": "a tag, a concept, or a list: any of its tags"},
    },
    "examples": [
        {"format": ["jpeg"], "taken": {"from": "2023-06-01", "to": "2023-08-31"}},
        {"not": {"camera": "canon"}},
        {"color": ["red", "orange"], "rating": {"from": 3}},
    ],
}
