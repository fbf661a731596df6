"""The benchmark of text queries on a tiny model: every figure is there and is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.text_queries import CALLERS, encoding, under_load, whole_search
from indexer.encoder import load_encoder, load_parts
from indexer.probes import TEXTS
from tests.checkpoints import make_checkpoint
from tests.palette import PaletteEncoder


def test_encoding_is_held_against_open_clips(tmp_path: Path) -> None:
    folder = str(make_checkpoint(tmp_path))
    parts = load_parts(folder)
    encoders = {"float32": load_encoder(folder, device="cpu", precision="float32")}
    lines = {line.name: line for line in encoding(encoders, parts.model.eval(), parts.tokenizer, rounds=1)}
    eager, ours = lines["open_clip eager, float32: ms a query"].value, lines["ours, float32: ms a query"].value
    share = lines["ours, float32: time over eager's"]
    assert lines["ours, float32: lowest cosine to eager"].value == pytest.approx(1, abs=1e-5)
    assert share.value == pytest.approx(float(ours) / float(eager))  # in one round the median of ratios is their ratio
    assert share.goal == 0.45


def test_a_cached_query_is_not_encoded_again() -> None:
    encoder = PaletteEncoder()
    lines = whole_search(encoder, 50, rounds=2)
    assert sum(encoder.text_batches) == len(TEXTS)
    assert [line.goal for line in lines] == [2.0, None]
    assert all(0 < float(line.value) < 1000 for line in lines)


def test_callers_get_their_answers_both_ways() -> None:
    encoder = PaletteEncoder()
    together, alone, ratio = under_load(encoder, rounds=1)
    assert sum(encoder.text_batches) == 2 * len(TEXTS)
    assert encoder.text_batches.count(1) >= len(TEXTS)
    assert max(encoder.text_batches) <= CALLERS
    assert ratio.value == pytest.approx(float(together.value) / float(alone.value))
