from __future__ import annotations

from datetime import datetime

import pytest

from indexer.errors import InvalidQuery
from search.dates import span_of

NOW = datetime(2024, 5, 15, 13, 30)  # noqa: DTZ001 - a Wednesday


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("2023", "2023-01-01", "2024-01-01"),
        ("the 1990s", "1990-01-01", "2000-01-01"),
        ("May 2023", "2023-05-01", "2023-06-01"),
        ("dec. 2023", "2023-12-01", "2024-01-01"),
        ("2023-05", "2023-05-01", "2023-06-01"),
        ("2024-02-29", "2024-02-29", "2024-03-01"),
        ("11 May 2023", "2023-05-11", "2023-05-12"),
        ("the 5th of May 2021", "2021-05-05", "2021-05-06"),
        ("May 5th, 2021", "2021-05-05", "2021-05-06"),
        ("summer 2023", "2023-06-01", "2023-09-01"),
        ("Winter  2022", "2022-12-01", "2023-03-01"),
        ("fall 2020", "2020-09-01", "2020-12-01"),
        ("today", "2024-05-15", "2024-05-16"),
        ("yesterday", "2024-05-14", "2024-05-15"),
        ("this week", "2024-05-13", "2024-05-20"),
        ("last week", "2024-05-06", "2024-05-13"),
        ("last weekend", "2024-05-11", "2024-05-13"),
        ("this month", "2024-05-01", "2024-06-01"),
        ("last month", "2024-04-01", "2024-05-01"),
        ("last year", "2023-01-01", "2024-01-01"),
        ("last March", "2024-03-01", "2024-04-01"),
        ("last May", "2023-05-01", "2023-06-01"),
        ("this May", "2024-05-01", "2024-06-01"),
        ("last summer", "2023-06-01", "2023-09-01"),
        ("last winter", "2023-12-01", "2024-03-01"),
        ("three days ago", "2024-05-12", "2024-05-13"),
        ("a week ago", "2024-05-06", "2024-05-13"),
        ("5 months ago", "2023-12-01", "2024-01-01"),
        ("two years ago", "2022-01-01", "2023-01-01"),
        ("the last 3 weeks", "2024-04-25", "2024-05-16"),
    ],
)
def test_what_people_say(said: str, start: str, end: str) -> None:
    span = span_of(said, NOW)
    assert (span.start.isoformat()[:10], span.end.isoformat()[:10]) == (start, end)


def test_last_month_in_january_is_december() -> None:
    assert span_of("last month", datetime(2024, 1, 31)).start == datetime(2023, 12, 1)  # noqa: DTZ001


@pytest.mark.parametrize("said", ["2023-02-30", "31 April 2023", "2023-13-01", "2023-00", "May 0, 2021"])
def test_days_in_no_calendar_are_refused(said: str) -> None:
    with pytest.raises(InvalidQuery, match="there is no"):
        span_of(said, NOW)


@pytest.mark.parametrize("said", ["", "soon", "12", "last dog", "May", "2023-5-5-5"])
def test_what_is_no_date_is_refused(said: str) -> None:
    with pytest.raises(InvalidQuery, match="is no date"):
        span_of(said, NOW)
