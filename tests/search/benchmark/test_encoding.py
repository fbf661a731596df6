"""Pictures and captions through the encoder: order, batches, bounded look-ahead, what is said when memory runs out."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.errors import ModelLoadFailed, ModelTooLarge, UndecodableImage, UnreadableImage
from indexer.images import Limits
from search.benchmark.encoding import (
    Batching,
    CroppedImage,
    check_room,
    encode_captions,
    encode_pictures,
    fitting,
)
from search.datasets import StoredImage
from tests.palette import COLOURS, PaletteEncoder
from tests.pictures import encoded, exif, plain, quadrants, write

BATCHING = Batching(Limits(), batch_size=3, threads=2)


def _colours(folder: Path) -> list[StoredImage]:
    return [StoredImage(Path(write(folder / f"{name}.png", plain(name)))) for name in COLOURS]


def test_rows_are_in_the_order_of_the_pictures(tmp_path: Path) -> None:
    encoder, steps = PaletteEncoder(), []
    found = encode_pictures(
        _colours(tmp_path), encoder, BATCHING, stage=lambda name, done, total: steps.append((name, done, total))
    )
    texts, seconds = encode_captions(list(COLOURS), encoder)
    assert (found.embeddings @ texts.T).argmax(axis=1).tolist() == list(range(10))
    assert encoder.image_batches == [3, 3, 3, 1]
    assert steps == [("images", done, 10) for done in range(1, 11)]
    assert found.kept == tuple(range(10))
    assert found.per_second
    assert seconds > 0


def test_what_cannot_be_read_is_left_out_and_named(tmp_path: Path) -> None:
    pictures = _colours(tmp_path)
    (tmp_path / "white.png").write_bytes(b"")
    (tmp_path / "gray.png").unlink()
    seen: list[int] = []

    def note(place: int, error: UnreadableImage) -> None:
        seen.append(place)

    found = encode_pictures(pictures, PaletteEncoder(), BATCHING, on_failure=note)
    assert [place for place, _ in found.failures] == seen == [1, 8]
    assert found.kept == (0, 2, 3, 4, 5, 6, 7, 9)
    assert len(found.embeddings) == 8
    texts, _ = encode_captions([name for name in COLOURS if name not in ("white", "gray")], PaletteEncoder())
    assert (found.embeddings @ texts.T).argmax(axis=1).tolist() == list(range(8))


def test_nothing_at_all(tmp_path: Path) -> None:
    found = encode_pictures([], PaletteEncoder(), BATCHING)
    assert found.embeddings.shape == (0, 64)
    assert found.per_second is None
    assert encode_captions([], PaletteEncoder())[0].shape == (0, 64)


class _Counting:
    """A picture that counts how often any of its kind has been read."""

    def __init__(self, data: bytes, read: list[int]) -> None:
        self._data, self._read = data, read

    def read(self, limits: Limits | None = None) -> bytes:
        self._read.append(1)
        return self._data


def test_reading_runs_ahead_only_so_far() -> None:
    read: list[int] = []
    data, ahead = encoded(plain("red"), "PNG"), []

    class Watching(PaletteEncoder):
        def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            ahead.append(len(read) - sum(self.image_batches))
            return super().encode_images(pixels)

    encode_pictures([_Counting(data, read) for _ in range(60)], Watching(), BATCHING)
    assert max(ahead) <= 3 + 3 + 2 + 1  # the batch, one ahead, and a file for each thread
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("decode")]


def test_the_query_of_instance_retrieval_is_the_box_of_the_upright_picture(tmp_path: Path) -> None:
    stored = StoredImage(Path(write(tmp_path / "q.png", quadrants(64, 48))))
    box = encode_pictures([CroppedImage(stored, (40.0, 2.0, 60.0, 20.0))], PaletteEncoder(), BATCHING)
    green, _ = encode_captions(["green"], PaletteEncoder())
    assert float((box.embeddings @ green.T)[0, 0]) > 0.99
    turned = write(tmp_path / "t.jpg", encoded(quadrants(64, 48), exif=exif(orientation=3), quality=95))
    box = encode_pictures([CroppedImage(StoredImage(Path(turned)), (2.0, 2.0, 28.0, 20.0))], PaletteEncoder(), BATCHING)
    yellow, _ = encode_captions(["yellow"], PaletteEncoder())
    assert float((box.embeddings @ yellow.T)[0, 0]) > 0.95


@pytest.mark.parametrize("box", [(5.0, 5.0, 5.0, 9.0), (100.0, 0.0, 120.0, 10.0), (9.0, 9.0, 3.0, 3.0)])
def test_a_box_without_pixels_is_refused(tmp_path: Path, box: tuple[float, float, float, float]) -> None:
    stored = StoredImage(Path(write(tmp_path / "q.png", plain("red"))))
    with pytest.raises(UndecodableImage, match="outside the picture"):
        CroppedImage(stored, box).read()


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 9.00 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    ],
)
def test_running_out_of_memory_is_one_line_that_says_what_to_do(error: Exception) -> None:
    with pytest.raises(ModelTooLarge, match=r"'huge' does not fit into memory .*--batch-size 1"), fitting("huge"):
        raise error
    failed = ModelLoadFailed("huge", "reason")
    failed.__cause__ = error
    with pytest.raises(ModelTooLarge), fitting("huge"):
        raise failed


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="shapes"), fitting("huge"):
        raise RuntimeError("shapes do not go together")
    with pytest.raises(ModelLoadFailed), fitting("huge"):
        raise ModelLoadFailed("huge", "its weights are damaged")


def test_weights_that_cannot_fit_are_refused_before_they_are_loaded() -> None:
    with pytest.raises(ModelTooLarge, match=r"weights take 3,944 MB, 1,000 MB are free"):
        check_room("ViT-H-14-quickgelu/dfn5b", on_gpu=False, available=10**9)
    check_room("ViT-H-14-quickgelu/dfn5b", on_gpu=False, available=10**10)
    check_room("ViT-H-14-quickgelu/dfn5b", on_gpu=True, available=10**9)
    check_room("hf-hub:someone/something", on_gpu=False, available=1)
    check_room("mini", on_gpu=False)
