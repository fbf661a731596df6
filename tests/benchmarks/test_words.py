from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import words, words_quality
from benchmarks.captioned_photos import Photos
from benchmarks.words import asked, cost, descriptions
from benchmarks.words_quality import measure, short_questions
from indexer.catalog import Catalog
from indexer.training.shards import Example
from tests.palette import PaletteEncoder


def test_captions_are_of_every_second_image_and_the_same_again() -> None:
    assert descriptions(0, 4) == descriptions(0, 4)
    assert [len(said.texts) for said in descriptions(0, 4)] == [0, 1, 0, 1]


def test_the_index_costs_time_and_bytes_and_every_question_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "BATCH", 64)
    lines = {line.name.removeprefix("64 rows: "): line.value for line in cost(tmp_path, 64)}
    assert lines["indexing those of an older catalog, s"] > 0  # type: ignore[operator]
    with Catalog.open(tmp_path / "with") as catalog:
        assert len(asked(catalog, 1)) == len(words.QUESTIONS) + 1


def _photos() -> Photos:
    """Of four colours, forty in all; the captions that are asked and held out name them."""
    names = ("red", "green", "blue", "yellow")
    captions = tuple(tuple(f"a {name} thing number{place}" for place in range(5)) for name in names)
    examples = tuple(Example(str(number), b"", captions[number % 4], None) for number in range(40))
    vectors = PaletteEncoder().encode_texts([names[number % 4] for number in range(40)])
    return Photos("made up", examples, np.asarray(vectors))


def test_questions_are_made_of_held_out_captions() -> None:
    assert short_questions(_photos(), 1) == {}  # a quarter of all have each: too usual to ask for ten


def test_words_bring_what_has_texts_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_quality, "ENOUGH", (0.0,))
    monkeypatch.setattr(words_quality, "SHARES", (2,))
    monkeypatch.setattr(words_quality, "short_questions", lambda photos, length: {"red": set(range(0, 40, 4))})
    lines = {
        line.name.removeprefix("made up, texts of 1 of 2, "): line.value
        for line in measure(_photos(), PaletteEncoder())
    }
    assert len(lines) == 12
    assert lines["words from 0 of the question: 1 words, precision@10"] == 100
