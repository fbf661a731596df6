from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.captioned_photos import Photos
from benchmarks.negation import WAYS, captioned, labelled
from indexer.training.shards import Example

DOG, GRASS, CAT, LENGTH = np.eye(4, dtype=np.float32)


def _text(words: str) -> NDArray[np.float32]:
    """Dogs, grass, cats, and a little of how long it is, so that no two are the same."""
    vector = ("dog" in words) * DOG + ("grass" in words) * GRASS + ("cat" in words) * CAT + len(words) * 0.01 * LENGTH
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def _photos() -> Photos:
    """40 of a dog, 20 of a dog on grass, which are a little more of a dog, 20 of neither."""
    kinds = [("a dog", DOG)] * 40 + [("two dogs on the grass", 1.1 * DOG + 0.3 * GRASS)] * 20 + [("a cat", CAT)] * 20
    rows = np.stack([vector + 0.2 * CAT for _, vector in kinds])
    examples = [Example(str(place), b"", (caption,), caption) for place, (caption, _) in enumerate(kinds)]
    return Photos("made", tuple(examples), np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32))


def test_what_is_subtracted_is_less_often_found() -> None:
    found = {line.name: line.value for line in captioned(_photos(), _text)}
    assert found["made: pairs asked"] == 1
    assert found["made, no NOT: wanted"] == 1
    assert found["made, sum, weight -0.5: unwanted"] == 0
    assert found["made, sum, weight -0.5: clean"] == 1
    assert len(found) == 1 + 3 * len(WAYS)


def test_a_labelled_shard_is_asked_for_each_label() -> None:
    found = {line.name: line.value for line in labelled(_photos(), _text, "every dog there is")}
    assert found["made: labels"] == 3
    assert float(found["made, sum, weight -1.0: unwanted"]) <= float(found["made, no NOT: unwanted"])
