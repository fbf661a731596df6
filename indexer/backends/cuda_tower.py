"""An image tower on GPUs: one graph a batch size, captured once and replayed; the batch divided among the devices."""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from indexer.backends.batching import LARGEST, fastest_batch, halved_until_it_fits, padded, padded_size, shares

if TYPE_CHECKING:
    import torch

_WARM_UP: Final = 3
"""Runs before a capture: cuDNN and cuBLAS choose kernels and allocate in the first."""
_log = logging.getLogger(__name__)


class DataParallelTower:
    """The same tower on every device, each with its share of the batch, in a thread of its own."""

    def __init__(self, replicas: Sequence[Replica]) -> None:
        self.most = LARGEST * len(replicas)
        self._replicas = replicas
        self._pool = ThreadPoolExecutor(len(replicas), thread_name_prefix="gpu")

    @cached_property
    def batch_size(self) -> int:
        """Found by trying, on the first device: they are taken to be alike."""
        return self._replicas[0].fastest_batch() * len(self._replicas)

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        parts = [pixels[share] for share in shares(len(pixels), len(self._replicas))]
        if len(parts) == 1:
            return self._replicas[0](parts[0])
        return torch.cat(list(self._pool.map(lambda replica, part: replica(part), self._replicas, parts)))


def on_every_gpu(tower: torch.nn.Module, size: tuple[int, int]) -> DataParallelTower:
    """`tower`, which is on the first GPU, and a copy on each other one. `size`: height and width of its pictures."""
    import torch

    devices = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    # Copied before the first replica is used: a tower that was captured holds what cannot be copied.
    towers = [tower, *(copy.deepcopy(tower).to(device) for device in devices[1:])]
    return DataParallelTower([Replica(each, size, device) for each, device in zip(towers, devices, strict=True)])


class Replica:
    """A tower on one device. On a CPU, for tests, it does all but the graphs."""

    def __init__(self, tower: torch.nn.Module, size: tuple[int, int], device: torch.device) -> None:
        import torch

        self._tower, self._size, self._device = tower, size, device
        self._largest = LARGEST
        self._captures = device.type == "cuda"
        self._graphs: dict[int, _Graph] = {}
        self._lock = threading.Lock()  # a graph has one input and one output
        if self._captures:
            # Convolutions on tensor cores want it; a transformer has one, and is indifferent.
            tower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        """`(n, height, width, 3)` uint8 -> `(n, dimension)` float32 on the CPU. Short memory halves batches."""
        with self._lock:
            rows, self._largest = halved_until_it_fits(
                lambda largest: self._in_batches(pixels, largest), self._largest, self._release
            )
            return rows

    def fastest_batch(self) -> int:
        """See `batching.fastest_batch`; what a batch costs there and back is counted."""

        def seconds(count: int) -> float:
            pixels = np.zeros((count, *self._size, 3), np.uint8)
            self._in_batches(pixels, count)  # captured, warm
            started = time.perf_counter()
            self._in_batches(pixels, count)
            return time.perf_counter() - started

        with self._lock:
            best = fastest_batch(seconds)
            self._release()  # the graphs of sizes that were only tried
            return best

    def _in_batches(self, pixels: NDArray[np.uint8], largest: int) -> torch.Tensor:
        import torch

        starts = range(0, len(pixels), largest) or [0]
        return torch.cat([self._batch(pixels[start : start + largest], largest) for start in starts])

    def _batch(self, pixels: NDArray[np.uint8], largest: int) -> torch.Tensor:
        """A batch of at most `largest`, padded to a size that there is, or will be, a graph of."""
        import torch

        size = padded_size(len(pixels), largest)
        with torch.no_grad():
            if self._captures and size not in self._graphs:
                self._capture(size)
            if size in self._graphs:
                features = self._replayed(pixels, self._graphs[size])
            else:
                batch = torch.from_numpy(np.require(padded(pixels, size), requirements=["C", "W"]))
                features = self._tower(batch.to(self._device))
            return features[: len(pixels)].to("cpu", torch.float32)

    def _replayed(self, pixels: NDArray[np.uint8], graph: _Graph) -> torch.Tensor:
        """What is behind the pictures in its input is of an earlier batch, and its output is cut off."""
        import torch

        # Pinned memory is written by the CPU and read by the GPU without another copy. The output is fetched before
        # the next batch is written, so that neither overtakes the other.
        graph.pinned[: len(pixels)].copy_(torch.from_numpy(np.require(pixels, requirements=["C", "W"])))
        with torch.cuda.device(self._device):
            graph.input.copy_(graph.pinned, non_blocking=True)
            graph.graph.replay()
        return graph.output

    def _capture(self, size: int) -> None:
        """A network of small kernels spends its time on launching them; a graph launches them all at once.

        What cannot be captured runs without, and that is logged.
        """
        import torch

        pinned = torch.zeros((size, *self._size, 3), dtype=torch.uint8, pin_memory=True)
        pixels = pinned.to(self._device)
        stream, graph = torch.cuda.Stream(self._device), torch.cuda.CUDAGraph()  # type: ignore[no-untyped-call]
        try:
            with torch.cuda.device(self._device):
                stream.wait_stream(torch.cuda.current_stream())
                with torch.cuda.stream(stream):
                    for _ in range(_WARM_UP):
                        self._tower(pixels)
                torch.cuda.current_stream().wait_stream(stream)
                # Other threads, such as one that encodes a text, may use the GPU meanwhile.
                with torch.cuda.graph(graph, capture_error_mode="thread_local"):
                    output = self._tower(pixels)
        except torch.OutOfMemoryError:
            raise
        except RuntimeError as error:
            self._captures = False
            _log.warning("this model runs without CUDA graphs: %s", error)
            return
        self._graphs[size] = _Graph(graph, pinned, pixels, output)

    def _release(self) -> None:
        import torch

        self._graphs.clear()
        if self._device.type == "cuda":
            with torch.cuda.device(self._device):
                torch.cuda.empty_cache()


@dataclass(frozen=True, slots=True)
class _Graph:
    graph: Any
    pinned: torch.Tensor
    """On the CPU."""
    input: torch.Tensor
    output: torch.Tensor
    """Both where the graph reads and writes, at each replay."""
