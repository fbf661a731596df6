from __future__ import annotations

import logging

import numpy as np
import pytest
import torch

from indexer.backends.batching import fastest_batch, halved_until_it_fits, padded, padded_size, shares


@pytest.mark.parametrize(
    ("count", "largest", "size"),
    [(1, 64, 8), (8, 64, 8), (9, 64, 16), (64, 64, 64), (33, 64, 64), (5, 6, 6), (1, 1, 1), (40, 48, 48)],
)
def test_a_batch_is_padded_to_few_sizes(count: int, largest: int, size: int) -> None:
    assert padded_size(count, largest) == size


def test_padding_is_behind() -> None:
    pixels = np.arange(2 * 3 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3, 3)
    more = padded(pixels, 5)
    assert more.shape == (5, 3, 3, 3)
    np.testing.assert_array_equal(more[:2], pixels)
    assert not more[2:].any()
    assert padded(pixels, 2) is pixels


@pytest.mark.parametrize(
    ("count", "parts", "sizes"), [(10, 3, [3, 3, 4]), (2, 4, [1, 1]), (8, 2, [4, 4]), (0, 2, []), (5, 1, [5])]
)
def test_shares_are_even_and_in_order(count: int, parts: int, sizes: list[int]) -> None:
    found = shares(count, parts)
    assert [len(range(count)[share]) for share in found] == sizes
    assert [item for share in found for item in range(count)[share]] == list(range(count))


def test_the_batch_grows_while_that_brings_something() -> None:
    """A device that takes a second for up to 256 images, and in proportion beyond."""
    assert fastest_batch(lambda count: max(1.0, count / 256)) == 256
    assert fastest_batch(lambda count: float(count)) == 32
    assert fastest_batch(lambda count: 1.0) == 1024


def test_the_batch_stops_growing_where_memory_ends() -> None:
    def seconds(count: int) -> float:
        if count > 128:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return 1.0

    assert fastest_batch(seconds) == 128
    with pytest.raises(torch.OutOfMemoryError):
        fastest_batch(seconds, smallest=256)


def test_work_is_halved_until_it_fits(caplog: pytest.LogCaptureFixture) -> None:
    released = []

    def work(size: int) -> str:
        if size > 20:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return f"done by {size}"

    with caplog.at_level(logging.WARNING):
        assert halved_until_it_fits(work, 64, lambda: released.append(1)) == ("done by 16", 16)
    assert len(released) == 2
    assert caplog.messages[-1].endswith("batches of 16")


def test_work_that_fits_nowhere_fails() -> None:
    def work(size: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(torch.OutOfMemoryError):
        halved_until_it_fits(work, 8, lambda: None)
