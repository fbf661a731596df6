"""The same meaning in other letters."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from indexer.training.misspelling import changed, in_other_number, with_slip, without_articles


def test_a_slip_is_one_of_four_in_one_long_word() -> None:
    rng = random.Random(0)
    seen = {with_slip("a dog runs", rng) for _ in range(2000)}
    assert {"a dog rnus", "a dog rusn"} <= seen  # exchanged
    assert {"a dog rns", "a dog rus"} <= seen  # lost
    assert {"a dog ruuns", "a dog runns"} <= seen  # doubled
    assert "a dog rxns" in seen  # wrong
    assert all(text.startswith("a dog r") and len(text) in (9, 10, 11) for text in seen)
    assert "a dog rruns" not in seen  # the first letter stays as it is
    bolder = {with_slip("a dog runs", rng, first_letter_too=True) for _ in range(2000)}
    assert {"a dog urns", "a dog uns", "a dog rruns", "a dog xuns"} <= bolder


def test_short_words_have_no_slips() -> None:
    assert with_slip("a red dog", random.Random(0)) == "a red dog"
    assert with_slip("", random.Random(0)) == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [("red shoe", "red shoes"), ("two dogs", "two dog"), ("green grass", "green grasss"), ("s", "ss")],
)
def test_in_other_number(text: str, expected: str) -> None:
    assert in_other_number(text) == expected


def test_articles_go_but_never_the_whole_text() -> None:
    assert without_articles("a dog on the beach") == "dog on beach"
    assert without_articles("the a") == "the a"


def test_four_in_five_stay_as_they_are() -> None:
    rng = random.Random(1)
    counts = Counter(changed("the running puppy", rng) for _ in range(4000))
    assert counts["the running puppy"] / 4000 == pytest.approx(0.8, abs=0.03)
    assert counts["the running puppys"] / 4000 == pytest.approx(0.05, abs=0.015)
    assert counts["running puppy"] / 4000 == pytest.approx(0.05, abs=0.015)
