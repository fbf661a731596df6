from __future__ import annotations

import numpy as np

from search.relevance.claim import Claim, Estimate, claimed

NOTHING = np.empty(0, np.float32)


def _likely(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def test_the_number_to_expect_is_the_sum_of_the_probabilities() -> None:
    claim = claimed(_likely(0.9, 0.9, 0.8, 0.4), NOTHING, 1.0, 0.95)
    assert claim.matches.about == 3
    assert claim.matches.low <= 3 <= claim.matches.high
    assert not claim.no_match
    assert claimed(_likely(*[1.0] * 1234), NOTHING, 1.0, 1.0).matches.about == 1200  # two digits


def test_each_of_a_sample_stands_for_many() -> None:
    few, many = (claimed(_likely(1.0), _likely(0.5, 0.5), scale, 1.0).matches for scale in (1.0, 30.0))
    assert few.about == 2
    assert many.about == 31
    assert many.high - many.low > few.high - few.low


def test_there_is_no_match_where_nothing_speaks_for_one() -> None:
    none = claimed(_likely(0.3, 0.1), NOTHING, 1.0, 0.2)
    assert none.no_match
    assert none.matches.about == none.matches.low == 0
    assert not claimed(_likely(0.3, 0.1), NOTHING, 1.0, 0.6).no_match
    assert not claimed(_likely(0.7), NOTHING, 1.0, 0.2).no_match  # a likely hit is a match
    assert claimed(NOTHING, NOTHING, 1.0, 0.0).no_match


def test_in_words() -> None:
    assert Claim(Estimate(1200, 800, 1700), False).in_words() == "about 1,200 images may match (800 to 1,700)"
    assert Claim(Estimate(1, 0, 2), False).in_words() == "about 1 image may match (0 to 2)"
    assert "nothing here matches for sure" in Claim(Estimate(0, 0, 2), True).in_words()
