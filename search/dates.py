"""Dates as people say them: days, months, seasons, years and spans of them, as half-open stretches of time.

Seasons are those of the northern hemisphere, by whole months: summer is June to August, and the winter of a year is
the one that begins in its December. Weeks begin on Monday. What is said without a year (`last March`) is seen from
`now`, which is an argument: nothing here looks at a clock. All times are a camera's: without a zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from indexer.errors import InvalidQuery

_MONTHS: Final = (
    ("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",), ("june", "jun"),
    ("july", "jul"), ("august", "aug"), ("september", "sept", "sep"), ("october", "oct"), ("november", "nov"),
    ("december", "dec"),
)  # fmt: skip
_MONTH_NAMES: Final = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names}
_SEASONS: Final = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7,
                   "eight": 8, "nine": 9, "ten": 10, "twelve": 12}  # fmt: skip

_MONTH: Final = "(?:" + "|".join(sorted(_MONTH_NAMES, key=len, reverse=True)) + r")\b\.?"
_SEASON: Final = "(?:" + "|".join(_SEASONS) + ")"
YEAR: Final = r"(?:1[89]\d\d|2[01]\d\d)"
_NUMBER: Final = r"(?:\d{1,3}|" + "|".join(_NUMBERS) + ")"
_ISO: Final = r"\d{4}-\d{1,2}-\d{1,2}|\d{4}-\d{2}"
_DAY: Final = r"\d{1,2}(?:st|nd|rd|th)?"


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` to before `end`."""

    start: datetime
    end: datetime


def _start_of(year: int, month: int = 1, day: int = 1) -> datetime:
    """Months may count on past December. Raises `InvalidQuery` for a day that is in no calendar."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    try:
        return datetime(year, month, day)  # noqa: DTZ001 - a camera's clock has no zone
    except ValueError as error:
        raise InvalidQuery(f"there is no day {day} in month {month} of {year}; look at the date again") from error


def _year(year: int) -> Span:
    return Span(_start_of(year), _start_of(year + 1))


def _month(year: int, month: int) -> Span:
    if not 1 <= month <= 12:
        raise InvalidQuery(f"there is no month {month} in {year}; look at the date again")
    return Span(_start_of(year, month), _start_of(year, month + 1))


def _season(year: int, first_month: int) -> Span:
    return Span(_start_of(year, first_month), _start_of(year, first_month + 3))


def _day(year: int, month: int, day: int) -> Span:
    if not 1 <= month <= 12:
        raise InvalidQuery(f"there is no month {month} in {year}; look at the date again")
    start = _start_of(year, month, day)
    return Span(start, start + timedelta(days=1))


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)


def _iso(text: str, now: datetime) -> Span:
    year, month, *day = (int(part) for part in text.split("-"))
    return _day(year, month, day[0]) if day else _month(year, month)


def _day_in_words(text: str, now: datetime) -> Span:
    """`11 May 2023`, `the 5th of May 2021`, `May 11, 2023`."""
    [name] = re.findall(rf"\b{_MONTH}", text)
    year, day = int(text[-4:]), int(re.findall(r"\d{1,2}", text[:-4])[0])
    return _day(year, _MONTH_NAMES[name.rstrip(".")], day)


def _month_of_year(text: str, now: datetime) -> Span:
    name = re.split(r"[\s.,]", text, maxsplit=1)[0]
    return _month(int(text[-4:]), _MONTH_NAMES[name])


def _season_of_year(text: str, now: datetime) -> Span:
    return _season(int(text[-4:]), _SEASONS[text.split()[0]])


def _year_alone(text: str, now: datetime) -> Span:
    return _year(int(text))


def _decade(text: str, now: datetime) -> Span:
    first = int(text[-5:-1].strip())
    return Span(_start_of(first), _start_of(first + 10))


def _named_day(text: str, now: datetime) -> Span:
    start = _midnight(now) - timedelta(days=text == "yesterday")
    return Span(start, start + timedelta(days=1))


def _this_or_last(text: str, now: datetime) -> Span:
    """The one that it is now, or the latest that is over: `last March` in May is this year's."""
    which, name = text.split()
    back = int(which == "last")
    if name == "week":
        start = _midnight(now) - timedelta(days=now.weekday() + 7 * back)
        return Span(start, start + timedelta(days=7))
    if name == "weekend":
        start = _midnight(now) - timedelta(days=now.weekday() - 5 + 7 * back)
        return Span(start, start + timedelta(days=2))
    if name == "month":
        return Span(_start_of(now.year - 1, now.month + 12 - back), _start_of(now.year - 1, now.month + 13 - back))
    if name == "year":
        return _year(now.year - back)
    return _latest(name.rstrip("."), now, over=bool(back))


def _latest(name: str, now: datetime, *, over: bool) -> Span:
    """Of a month or a season, the latest that has begun, or that is `over`."""
    for year in (now.year, now.year - 1, now.year - 2):
        span = _season(year, _SEASONS[name]) if name in _SEASONS else _month(year, _MONTH_NAMES[name])
        if (span.end if over else span.start) <= now:
            return span
    raise AssertionError("every month has been in the last two years")


def _ago(text: str, now: datetime) -> Span:
    """`three weeks ago`: that day, week, month or year."""
    number, unit, _ = text.split()
    count = _count(number)
    if unit.startswith(("day", "week")):
        start = _midnight(now) - timedelta(days=count if unit.startswith("day") else 7 * count + now.weekday())
        return Span(start, start + timedelta(days=1 if unit.startswith("day") else 7))
    if unit.startswith("year"):
        return _year(now.year - count)
    months = 12 * now.year + now.month - 1 - count
    return _month(months // 12, months % 12 + 1)


def _last_so_many(text: str, now: datetime) -> Span:
    """`the last 3 weeks`: up to the end of today."""
    number, unit = text.split()[-2:]
    end = _midnight(now) + timedelta(days=1)
    days = {"day": 1, "week": 7, "month": 30, "year": 365}[unit.rstrip("s")]
    return Span(end - timedelta(days=days * _count(number)), end)


def _count(number: str) -> int:
    return _NUMBERS.get(number) or int(number)


_UNIT: Final = "(?:days?|weeks?|months?|years?)"
_FORMS: Final[tuple[tuple[str, Callable[[str, datetime], Span]], ...]] = (
    (_ISO, _iso),
    (rf"(?:the )?{_DAY} (?:of )?{_MONTH},? {YEAR}|{_MONTH} {_DAY},? {YEAR}", _day_in_words),
    (rf"{_MONTH},? (?:of )?{YEAR}", _month_of_year),
    (rf"{_SEASON},? (?:of )?{YEAR}", _season_of_year),
    (r"(?:the )?(?:1[89]|20)\d0s", _decade),
    (r"today|yesterday", _named_day),
    (rf"(?:last|this) (?:weekend|week|month|year|{_SEASON}|{_MONTH})", _this_or_last),
    (rf"{_NUMBER} {_UNIT} ago", _ago),
    (rf"(?:the )?(?:last|past) {_NUMBER} {_UNIT}", _last_so_many),
    (YEAR, _year_alone),
)
PATTERN: Final = "(?:" + "|".join(pattern for pattern, _ in _FORMS) + ")"
"""What `span_of` understands, in lower case and with single spaces: a group of a larger pattern."""


def span_of(text: str, now: datetime) -> Span:
    """`2023`, `May 2023`, `2023-05-11`, `summer 2023`, `last March`, `yesterday`, `three weeks ago`...

    Raises `InvalidQuery` for what is none of these, and for days that are in no calendar.
    """
    said = " ".join(text.lower().split())
    for pattern, read in _FORMS:
        if re.fullmatch(pattern, said):
            try:
                return read(said, now)
            except (OverflowError, ValueError) as error:
                raise InvalidQuery(f"{text[:60]!r} is beyond the calendar") from error
    raise InvalidQuery(f"{text[:60]!r} is no date; write 2023, May 2023, 2023-05-11, summer 2023 or last March")
