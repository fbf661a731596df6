"""Careless typing: what is changed, and that recall is counted of it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from benchmarks.robustness import CHANGES, measure
from tests.indexer.training.madeup import write_shards
from tests.palette import PaletteEncoder

CAPTION = "A brown dog runs, on the beach ."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("as they are", {CAPTION}),
        ("in upper case", {CAPTION.upper()}),
        ("without punctuation", {"A brown dog runs on the beach "}),
        ("without articles", {"brown dog runs, on beach ."}),
        (
            "with one word in the other number",
            {
                "A browns dog runs, on the beach",
                "A brown dog runs,s on the beach",
                "A brown dog runs, on the beachs",
            },
        ),
    ],
)
def test_what_is_changed(name: str, expected: set[str]) -> None:
    assert {CHANGES[name](CAPTION, random.Random(seed)) for seed in range(50)} == expected


def test_slips_touch_one_word_or_two_the_first_letter_too() -> None:
    one = [CHANGES["with one slip"]("brown dog barks", random.Random(seed)) for seed in range(200)]
    assert any(text.endswith("barks") and text[0] != "b" for text in one)
    assert all(text.endswith(" dog barks") or text.startswith("brown dog ") for text in one)
    two = [CHANGES["with two slips"]("brown dog barks", random.Random(seed)) for seed in range(200)]
    assert any("brown" not in text and "barks" not in text for text in two)


def test_recall_of_every_change(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards") / "flickr8k-train.tar"
    figures = {line.name.partition(" captions ")[2]: float(line.value) for line in measure(shard, PaletteEncoder(), 0)}
    assert len(figures) == 3 * len(CHANGES)
    assert figures["as they are: text->image R@1, %"] == 100
    assert figures["with two slips: text->image R@1, %"] < 100  # colours misspelt are no colours
