"""What does not need a GPU runs on CPU tensors: padding, cutting, dividing, halving. The rest is marked `gpu`."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from indexer.backends.batching import LARGEST
from indexer.backends.cuda_tower import DataParallelTower, Replica, on_every_gpu
from indexer.encoder import load_encoder
from indexer.errors import ModelTooLarge
from tests.checkpoints import IMAGE_SIZE, make_checkpoint

SIZE = (4, 6)


class Sums(torch.nn.Module):
    """Each picture becomes its sum and its first byte. Remembers its batches; has room for `room` pictures."""

    def __init__(self, room: int = LARGEST) -> None:
        super().__init__()
        self.batches: list[int] = []
        self.room = room

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        self.batches.append(len(pixels))
        if len(pixels) > self.room:
            raise torch.OutOfMemoryError("CUDA out of memory")
        flat = pixels.to(torch.float32).flatten(1)
        return torch.stack([flat.sum(1), flat[:, 0]], dim=1)


def pictures(count: int) -> NDArray[np.uint8]:
    return np.random.default_rng(count).integers(0, 256, (count, *SIZE, 3), dtype=np.uint8)


def expected(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    return np.stack([flat.sum(1), flat[:, 0]], axis=1)


def replica(tower: torch.nn.Module) -> Replica:
    return Replica(tower, SIZE, torch.device("cpu"))


def test_a_tail_is_padded_and_cut_off_again() -> None:
    tower = Sums()
    for count in (1, 5, 8, 20):
        np.testing.assert_array_equal(replica(tower)(pictures(count)).numpy(), expected(pictures(count)))
    assert tower.batches == [8, 8, 8, 32]


def test_a_short_memory_halves_the_batch_for_good() -> None:
    tower = Sums(room=16)
    small = replica(tower)
    pixels = pictures(40)
    np.testing.assert_array_equal(small(pixels).numpy(), expected(pixels))
    assert max(size for size in tower.batches[-3:]) == 16
    tower.batches.clear()
    np.testing.assert_array_equal(small(pixels).numpy(), expected(pixels))
    assert tower.batches == [16, 16, 8]


def test_a_memory_for_not_even_one_fails() -> None:
    with pytest.raises(torch.OutOfMemoryError):
        replica(Sums(room=0))(pictures(3))


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_devices_share_a_batch_in_order(count: int) -> None:
    towers = [Sums(), Sums(), Sums()]
    together = DataParallelTower([replica(tower) for tower in towers])
    np.testing.assert_array_equal(together(pictures(count)).numpy(), expected(pictures(count)))
    assert sum(bool(tower.batches) for tower in towers) == min(count, 3)
    assert together.most == 3 * LARGEST


def test_devices_work_at_the_same_time() -> None:
    """Each waits for the other inside the tower: one after the other would never end."""
    meeting = threading.Barrier(2, timeout=20)

    class Waiting(Sums):
        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            meeting.wait()
            return super().forward(pixels)

    together = DataParallelTower([replica(Waiting()), replica(Waiting())])
    np.testing.assert_array_equal(together(pictures(4)).numpy(), expected(pictures(4)))


def test_many_threads_get_what_one_gets() -> None:
    together = DataParallelTower([replica(Sums()), replica(Sums())])
    with ThreadPoolExecutor(8) as pool:
        for count, rows in zip(range(1, 40), pool.map(lambda n: together(pictures(n)), range(1, 40)), strict=True):
            np.testing.assert_array_equal(rows.numpy(), expected(pictures(count)))


def test_the_fastest_batch_is_found_once_and_counts_every_device() -> None:
    towers = [Sums(room=64), Sums(room=64)]
    together = DataParallelTower([replica(tower) for tower in towers])
    best = together.batch_size
    assert best in (64, 128)  # 32 or 64 a device: this processor's own speed decides
    tried = len(towers[0].batches)
    assert together.batch_size == best
    assert len(towers[0].batches) == tried


@pytest.mark.gpu
@pytest.mark.parametrize("count", [1, 7, 64, 100])
def test_graphs_compute_what_the_tower_computes(count: int) -> None:
    tower = torch.nn.Sequential(torch.nn.Flatten(), _Float(), torch.nn.Linear(SIZE[0] * SIZE[1] * 3, 16)).cuda().eval()
    together = on_every_gpu(tower, SIZE)
    pixels = pictures(count)
    with torch.no_grad():
        want = tower(torch.from_numpy(pixels).cuda()).cpu()
    for _ in range(2):  # captured, then replayed
        torch.testing.assert_close(together(pixels), want, rtol=1e-4, atol=1e-2)


class _Float(torch.nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels.to(torch.float32)


def test_a_model_that_fits_nowhere_is_an_error_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = load_encoder(str(make_checkpoint(tmp_path / "model")), device="cpu", precision="float32")
    monkeypatch.setattr(encoder, "_tower", DataParallelTower([replica(Sums(room=0))]))
    with pytest.raises(ModelTooLarge, match="CUDA out of memory"):
        encoder.encode_images(np.zeros((2, IMAGE_SIZE, IMAGE_SIZE, 3), np.uint8))
