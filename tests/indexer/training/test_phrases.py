"""Texts made of others."""

from __future__ import annotations

import random

import pytest

from indexer.training.phrases import cross, phrases, plural


def test_captions_are_cut_before_prepositions_and_actions_and_crossed() -> None:
    crossed, fragments = cross(["two dogs on the beach", "a man riding a horse"], random.Random(0))
    assert len(crossed) == 5  # 2.35 a caption
    assert set(crossed) <= {
        "two dogs on the beach",
        "two dogs riding a horse",
        "a man on the beach",
        "a man riding a horse",
    }
    assert set(fragments) <= {"two dogs", "on the beach", "a man", "riding a horse"}


def test_captions_without_a_joint_give_nothing() -> None:
    assert cross(["red", "a dog"], random.Random(0)) == ([], [])


def test_phrases_of_colours_numbers_and_positions() -> None:
    made = set(phrases(["puppy", "box"], random.Random(0)))
    assert {"red puppy", "three puppies", "many boxes", "a box to the left of a puppy"} <= made
    assert any(text.startswith("a golden star ") for text in made)
    assert list(phrases([], random.Random(0))) == []


@pytest.mark.parametrize(
    ("one", "many"), [("dog", "dogs"), ("box", "boxes"), ("puppy", "puppies"), ("boy", "boys"), ("y", "ys")]
)
def test_plural(one: str, many: str) -> None:
    assert plural(one) == many
