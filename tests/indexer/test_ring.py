"""Batches in memory that is used again."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from indexer.images import Pixels
from indexer.ring import Ring
from tests.palette import PaletteEncoder

PREPROCESSING = replace(PaletteEncoder().manifest.preprocessing, height=4, width=6)


def picture(value: int) -> Pixels:
    return np.full((4, 6, 3), value, np.uint8)


def test_a_batch_is_what_was_put_in_order() -> None:
    ring = Ring(PREPROCESSING, batch_size=3, slots=2)
    for value in (1, 2):
        ring.put(picture(value))
    batch = ring.take()
    assert batch.shape == (2, 4, 6, 3)
    assert batch[:, 0, 0, 0].tolist() == [1, 2]
    assert batch.flags.c_contiguous
    assert ring.take().shape == (0, 4, 6, 3)


def test_a_batch_stays_until_its_place_is_filled_again() -> None:
    ring = Ring(PREPROCESSING, batch_size=1, slots=2)
    taken = []
    for value in (1, 2, 3):
        ring.put(picture(value))
        taken.append(ring.take())
    assert [int(batch[0, 0, 0, 0]) for batch in taken] == [3, 2, 3]
    assert np.shares_memory(taken[0], taken[2])


def test_what_does_not_fit_is_refused() -> None:
    ring = Ring(PREPROCESSING, batch_size=1, slots=1)
    ring.put(picture(1))
    with pytest.raises(IndexError):
        ring.put(picture(2))


@pytest.mark.gpu
def test_with_cuda_in_use_the_memory_is_page_locked_from_then_on() -> None:
    import torch

    ring = Ring(PREPROCESSING, batch_size=1, slots=1)
    torch.zeros(1, device="cuda")
    ring.put(picture(7))
    batch = ring.take()
    assert torch.from_numpy(batch).is_pinned()
    assert torch.equal(torch.from_numpy(batch).to("cuda").cpu(), torch.from_numpy(picture(7)[None]))


def test_a_torch_that_is_just_being_imported_is_not_in_use_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", ModuleType("torch"))
    ring = Ring(PREPROCESSING, batch_size=1, slots=1)
    ring.put(picture(1))
    assert ring.take().shape == (1, 4, 6, 3)
