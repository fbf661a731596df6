"""Indexing: a whole run beside three ordinary loops, beside its own decoder and encoder alone, and its memory.

    python benchmarks/indexing.py flickr8k-dev.tar

The shard is a tar of photos; they are enlarged to 0.3 and 2 megapixels, given a camera's grain and put into a folder.
Every loop reads that folder, embeds it with the same model and keeps names and vectors:

- *naive*: one photo after the other with Pillow and open_clip's transform, batches of 32, float32, NumPy file;
- *rclip-like*: threads decode with Pillow a batch ahead, batches of 8, float32, SQLite, a commit a batch;
- *clip-retrieval-like*: a `DataLoader` with processes that collates float32 tensors, batches of 32, `.cpu()` each
  batch, NumPy file;
- *Sightline*: `sync` into a new collection, with the back end and in the precision that `sightline index` takes here;
  beside its own parts in torch.

Loops take turns in one process; ratios are medians over the rounds. Where the encoder is compared with itself alone,
torch and the decoders have one thread each, so that each has a core of its own; else torch has `--threads`, too.
Memory is the peak resident set of a process that indexes small photos with an encoder that does next to nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

if __name__ in ("__main__", "__mp_main__"):  # run by its path, this folder would come first and hide `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.evaluation import status_megabytes
from benchmarks.goals import Line, at_least, at_most, plain, publish
from benchmarks.indexing_loops import LOOPS, Reference
from benchmarks.photos import files
from indexer.collection import Collection
from indexer.config import load_settings
from indexer.encoder import Encoder, load_encoder
from indexer.images import FAST, Preprocessing
from indexer.manifest import Manifest
from indexer.pipeline import sync
from indexer.sources import FolderSource, SourceFile

GOALS = {"naive": 3.8, "rclip-like": 3.5}
MEMORY_SIZES = (2_000, 20_000)


def end_to_end(shard: Path, scratch: Path, model: str, count: int, threads: int, rounds: int) -> list[Line]:
    """Photos of 2 MP: Sightline beside the loops, and with --fast-decode."""
    import torch

    torch.set_num_threads(threads)
    folder = _folder(scratch / "2mp", files(shard, 2.0, count))
    encoder, reference = load_encoder(model, **load_settings().encoding()), Reference.load(model)
    runs: dict[str, Callable[[], Spent]] = {
        "Sightline": lambda: _index(encoder, folder, scratch, threads),
        "Sightline --fast-decode": lambda: _index(encoder, folder, scratch, threads, FAST.name),
        **{
            name: (lambda loop=loop: _spent(lambda: loop(folder, scratch, reference, threads)))
            for name, loop in LOOPS.items()
        },
    }
    speeds = _speeds(_by_turns(runs, rounds), count)
    ours = speeds["Sightline"]
    lines = [plain(f"2 MP, {name}: images a second", float(np.median(found))) for name, found in speeds.items()]
    for name in LOOPS:
        ratio = float(np.median(np.divide(ours, speeds[name])))
        about = f"2 MP, Sightline over the {name} loop"
        lines.append(at_least(about, ratio, GOALS[name]) if name in GOALS else plain(about, ratio))
    faster = float(np.median(np.divide(speeds["Sightline --fast-decode"], ours)))
    return [*lines, plain("2 MP, --fast-decode over Sightline", faster)]


def beside_itself(shard: Path, scratch: Path, model: str, count: int, rounds: int) -> list[Line]:
    """The whole run over the encoder alone, on small photos, and over the slower of decoder and encoder at 0.3 MP."""
    import torch

    torch.set_num_threads(1)
    encoder = load_encoder(model)
    lines = []
    for name, megapixels, goal in (("photos of the shard's own size", None, 0.95), ("0.3 MP", 0.3, 0.9)):
        photos = files(shard, megapixels, count)
        folder = _folder(scratch / name.replace(" ", "-"), photos)
        pixels = np.stack([encoder.manifest.decode(photo).pixels for photo in photos])
        runs: dict[str, Callable[[], Spent]] = {
            "whole": lambda folder=folder: _index(encoder, folder, scratch, 1),
            "encoder": lambda pixels=pixels: _spent(lambda: _encode(encoder, pixels)),
            "decoder": lambda folder=folder: _spent(lambda: _decode(encoder, folder)),
        }
        found = _by_turns(runs, rounds)
        speeds = _speeds(found, count)
        alone = speeds["encoder"] if megapixels is None else np.minimum(speeds["encoder"], speeds["decoder"])
        what = "the encoder alone" if megapixels is None else "the slower of decoder and encoder alone"
        lines += [plain(f"{name}, {part}: images a second", float(np.median(speeds[part]))) for part in speeds]
        lines.append(at_least(f"{name}, whole run over {what}", float(np.median(speeds["whole"] / alone)), goal))
        whole, *parts = (np.median([spent.processor for spent in found[part]]) for part in runs)
        lines.append(
            plain(f"{name}, processor time of the whole run over that of its parts", float(whole / sum(parts)))
        )
    return lines


def thread_counts(shard: Path, scratch: Path, model: str, count: int, cores: int, rounds: int) -> list[Line]:
    """Decode threads beside torch's own, at 0.3 MP, over one decode thread."""
    import torch

    torch.set_num_threads(cores)
    encoder = load_encoder(model)
    folder = _folder(scratch / "threads", files(shard, 0.3, count))
    numbers = sorted({1, cores, 2 * cores})
    runs = {str(n): (lambda n=n: _index(encoder, folder, scratch, n)) for n in numbers}
    speeds = _speeds(_by_turns(runs, rounds), count)
    return [
        plain(
            f"0.3 MP, {n} decode threads beside {cores} of torch, over one",
            float(np.median(speeds[str(n)] / speeds["1"])),
        )
        for n in numbers[1:]
    ]


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: float
    processor: float
    """Seconds of all threads: tells what a hand-over costs also on a machine that others use."""


def _spent(work: Callable[[], object]) -> Spent:
    started, processor = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - started, time.process_time() - processor)


def _by_turns(runs: dict[str, Callable[[], Spent]], rounds: int) -> dict[str, list[Spent]]:
    """What each round took, after one that does not count."""
    found: dict[str, list[Spent]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        for name, run in runs.items():
            found[name].append(run())
    return {name: spent[1:] for name, spent in found.items()}


def _speeds(found: dict[str, list[Spent]], count: int) -> dict[str, np.ndarray]:
    """Images a second of each round."""
    return {name: np.array([count / spent.seconds for spent in rounds]) for name, rounds in found.items()}


def _index(encoder: Encoder, folder: Path, scratch: Path, threads: int, policy: str | None = None) -> Spent:
    """From the first name listed to the last commit: making the collection and its index is not counted."""
    library = scratch / "library"
    manifest = replace(encoder.manifest, decode_policy=policy or encoder.manifest.decode_policy)
    processor = 0.0
    with Collection.open_or_create(library, manifest) as collection:
        fold = collection.fold

        def noted(*arguments: Any, **options: Any) -> bool:
            nonlocal processor
            processor = time.process_time() - started
            return fold(*arguments, **options)

        collection.fold = noted  # type: ignore[method-assign]
        started = time.process_time()
        report = sync(collection, encoder, FolderSource(folder), threads=threads)
    shutil.rmtree(library)
    assert report.failed == 0
    return Spent(report.seconds, processor)


def _encode(encoder: Encoder, pixels: np.ndarray, batch: int = 32) -> None:
    for start in range(0, len(pixels), batch):
        encoder.encode_images(pixels[start : start + batch])


def _decode(encoder: Encoder, folder: Path) -> None:
    """What one decode thread does to each file, and nothing besides."""
    for path in sorted(folder.iterdir()):
        encoder.manifest.decode(path.read_bytes())


def _folder(folder: Path, photos: list[bytes]) -> Path:
    folder.mkdir(parents=True)
    for number, photo in enumerate(photos):
        (folder / f"{number:05}.jpg").write_bytes(photo)
    return folder


class Repeated:
    """An `ImageSource` of any number of photos without a disk: the same few, told apart by bytes behind the picture."""

    root = "/repeated"
    kind = "repeated"

    def __init__(self, photos: list[bytes], number: int) -> None:
        self._photos, self._number = photos, number

    def walk(self) -> Iterator[SourceFile]:
        for i in range(self._number):
            yield SourceFile(f"{self.root}/{i:08}.jpg", 1 + i, i)

    def owns(self, path: str) -> bool:
        return True

    def count(self) -> int:
        return self._number

    def read(self, path: str) -> bytes:
        return self._photos[int(path[-12:-4]) % len(self._photos)] + path.encode()


class NearlyFree:
    """An encoder of 512 dimensions that costs next to nothing: a few pixels, and a bit of each picture's sum."""

    manifest = Manifest(
        model="nearly-free",
        weights_hash="0" * 64,
        dimension=512,
        preprocessing=Preprocessing(224, 224, "shortest", "bicubic", (0.5,) * 3, (0.5,) * 3),
        tokenizer="none",
        precision="float32",
    )
    batch_size = 32

    def encode_images(self, pixels: np.ndarray) -> np.ndarray:
        rows = pixels.reshape(len(pixels), -1)[:, :: pixels[0].size // 512][:, :512].astype(np.float32) + 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def encode_texts(self, texts: Any) -> np.ndarray:
        rows = np.ones((len(texts), 512), np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def memory(shard: Path) -> list[Line]:
    """Linux only: the peak resident set of a new process, in MB, when all is committed and when the index is built.

    The index is made of all vectors at once, so its share grows with their number.
    """
    peaks = []
    for number in MEMORY_SIZES:
        command = [sys.executable, __file__, str(shard), "--memory-of", str(number)]
        finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        peaks.append(json.loads(finished.stdout.splitlines()[-1]))
    few, many = MEMORY_SIZES
    lines = []
    for when, bound in (("all committed", at_most), ("and the index built", None)):
        small, large = (peak[when] for peak in peaks)
        lines += [plain(f"{n:,} images, {when}: peak MB", peak) for n, peak in ((few, small), (many, large))]
        about = f"peak memory of {many:,} images over that of {few:,}, {when}"
        lines.append(bound(about, large / small, 1.1) if bound else plain(about, large / small))
    return lines


def _peaks_of(shard: Path, number: int) -> dict[str, float]:
    """See `memory`."""
    encoder: Any = NearlyFree()
    source = Repeated(files(shard, None, 16), number)
    found: dict[str, float] = {}
    with (
        tempfile.TemporaryDirectory() as scratch,
        Collection.open_or_create(Path(scratch) / "library", encoder.manifest) as collection,
    ):
        fold = collection.fold

        def noted(*arguments: Any, **options: Any) -> bool:
            found["all committed"] = status_megabytes("VmHWM")
            return fold(*arguments, **options)

        collection.fold = noted  # type: ignore[method-assign]
        report = sync(collection, encoder, source, threads=2)
    assert report.added == number
    return found | {"and the index built": status_megabytes("VmHWM")}


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos.")],
    model: Annotated[str, typer.Option(help="The model that embeds.")] = "mini",
    threads: Annotated[int, typer.Option(help="Of torch and of the decoders, each.")] = os.cpu_count() or 1,
    photos: Annotated[int, typer.Option(help="Photos of 2 MP; four times as many of the smaller ones.")] = 64,
    rounds: Annotated[int, typer.Option(help="Turns of each.")] = 5,
    parts: Annotated[str, typer.Option(help="What to measure.")] = "end-to-end,beside-itself,threads,memory",
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
    memory_of: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    if memory_of is not None:
        print(json.dumps(_peaks_of(shard, memory_of)))
        return
    options = f"--model {model} --threads {threads} --photos {photos} --rounds {rounds} --parts {parts}"
    command = f"python benchmarks/indexing.py {shard.name} {options}"
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        measured: dict[str, Callable[[], list[Line]]] = {
            "end-to-end": lambda: end_to_end(shard, place, model, photos, threads, rounds),
            "beside-itself": lambda: beside_itself(shard, place, model, 4 * photos, rounds),
            "threads": lambda: thread_counts(shard, place, model, 2 * photos, threads, rounds),
            "memory": lambda: memory(shard),
        }
        for part in parts.split(","):
            print(f"{time.strftime('%H:%M:%S')} {part}", file=sys.stderr, flush=True)
            lines += measured[part]()
    publish(lines, "indexing", command, output)


if __name__ == "__main__":
    typer.run(main)
