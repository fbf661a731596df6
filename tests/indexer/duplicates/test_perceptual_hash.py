from __future__ import annotations

import numpy as np

from indexer.duplicates.perceptual_hash import distinct, near_hashes, perceptual_hashes

RNG = np.random.default_rng(0)


def test_noise_moves_few_bits_and_another_picture_half_of_them() -> None:
    greys = RNG.integers(0, 256, (50, 8, 8)).repeat(4, axis=1).repeat(4, axis=2)
    noisy = (greys + RNG.normal(0, 6, greys.shape)).clip(0, 255)
    hashes, changed = perceptual_hashes(greys.astype(np.uint8)), perceptual_hashes(noisy.astype(np.uint8))
    assert np.bitwise_count(hashes ^ changed).max() <= 8
    assert 28 < np.bitwise_count(hashes[:-1] ^ hashes[1:]).mean() < 36


def test_brightness_is_not_seen() -> None:
    grey = RNG.integers(0, 100, (1, 32, 32)).astype(np.uint8)
    assert perceptual_hashes(grey) == perceptual_hashes(grey + 90)


def test_all_pairs_within_three_bits_are_found_and_none_beyond_the_limit() -> None:
    hashes = RNG.integers(0, 2**64, 300, dtype=np.uint64)
    for row in range(0, 300, 3):
        flips = np.bitwise_or.reduce(np.uint64(1) << RNG.choice(64, 3, replace=False).astype(np.uint64))
        hashes[row + 1] = hashes[row] ^ flips
    found = near_hashes(hashes)
    assert {(row, row + 1) for row in range(0, 300, 3)} <= set(map(tuple, found.tolist()))
    assert np.bitwise_count(hashes[found[:, 0]] ^ hashes[found[:, 1]]).max() <= 8


def test_equal_hashes_of_very_many_take_no_square() -> None:
    found = near_hashes(np.zeros(5000, np.uint64))
    assert 5000 < len(found) <= 5000 * 32
    assert len(near_hashes(np.zeros(1, np.uint64))) == 0


def test_pairs_once_the_lower_first() -> None:
    pairs = np.array([[3, 1], [1, 3], [2, 2], [0, 5]])
    assert distinct(pairs).tolist() == [[0, 5], [1, 3]]
    assert distinct(np.empty((0, 2), np.int64)).shape == (0, 2)
