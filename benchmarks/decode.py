"""Decoding: speed and likeness beside Pillow plain, threads beside processes, and what a faster way costs in recall.

    python benchmarks/decode.py flickr8k-dev.tar

The shard is a tar of `NNNNNN.jpg` beside `NNNNNN.json` with a list `captions`; its photos are enlarged to 0.3, 2 and
12 megapixels and given a camera's grain. "Pillow plain" decodes all of a JPEG and resizes that, as open_clip's own
transform does. Ways take turns; medians are compared round by round. Everything runs on one thread but where threads
are compared with processes, and there the processes need not hand their pictures back.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Annotated

if __name__ in ("__main__", "__mp_main__"):  # by its path; torch is told of its threads before it is imported
    sys.path[0] = str(Path(__file__).parents[1])
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import typer
from PIL import Image

from benchmarks.goals import Line, at_least, plain, publish
from benchmarks.photos import as_file, captioned, enlarged, files
from benchmarks.vector_search.timing import take_turns, times_faster
from indexer.encoder import Encoder, load_encoder
from indexer.images import FAST, Limits, Pixels, Preprocessing, decode
from indexer.recall import count_ranks

TARGET = Preprocessing(224, 224, "shortest", "bicubic", (0.5,) * 3, (0.5,) * 3)
SIZES = {0.3: (24, 0.95), 2.0: (12, 2.5), 12.0: (4, 4.4)}
"""Megapixels: photos, and how many times faster than Pillow plain is the goal."""
LEAST_PSNR = 50.0
FORMATS = (("JPEG", 0.3), ("JPEG", 2.0), ("PNG", 2.0), ("WEBP", 2.0))
WORKERS = 2
BATCH = 32

Way = Callable[[bytes], Pixels]


def pillow_plain(data: bytes, preprocessing: Preprocessing = TARGET) -> Pixels:
    """open_clip's transform, but for the normalisation."""
    picture = Image.open(BytesIO(data))
    frame = width, height = preprocessing.width, preprocessing.height
    if preprocessing.resize_mode == "squash":
        return np.asarray(picture.resize(frame, Image.Resampling.BICUBIC).convert("RGB"))
    short = min(picture.size)
    resized = picture.resize(
        (width * picture.width // short, height * picture.height // short), Image.Resampling.BICUBIC
    ).convert("RGB")
    left, top = round((resized.width - width) / 2), round((resized.height - height) / 2)
    return np.asarray(resized.crop((left, top, left + width, top + height)))


def sightline(data: bytes, preprocessing: Preprocessing = TARGET) -> Pixels:
    return decode(data, preprocessing).pixels


def fast(data: bytes, preprocessing: Preprocessing = TARGET) -> Pixels:
    return decode(data, preprocessing, Limits(), FAST).pixels


WAYS: dict[str, Callable[..., Pixels]] = {"Pillow plain": pillow_plain, "Sightline": sightline, "--fast-decode": fast}


def psnr(one: Pixels, other: Pixels) -> float:
    """dB; 99 where nothing differs."""
    error = float(np.mean((one.astype(np.float64) - other) ** 2))
    return min(99.0, 10 * float(np.log10(255**2 / max(error, 1e-9))))


def speed(shard: Path, megapixels: float, count: int, goal: float) -> list[Line]:
    """Of each way, on photos of one size, and how like their pixels are to Pillow plain's."""
    photos = files(shard, megapixels, count)
    runs = {name: (lambda i, way=way: way(photos[i])) for name, way in WAYS.items()}
    timed = take_turns(runs, count, rounds=5, block=(2, 24), warm=1)
    want = [pillow_plain(photo) for photo in photos]
    lines = [plain(f"{megapixels:g} MP, MB a file", sum(map(len, photos)) / count / 1e6)]
    for name, way in WAYS.items():
        lines.append(plain(f"{megapixels:g} MP, {name}: images a second", 1 / timed[name].median))
        if name == "Pillow plain":
            continue
        faster = times_faster(timed[name], timed["Pillow plain"])
        alike = [psnr(way(photo), pixels) for photo, pixels in zip(photos, want, strict=True)]
        about = f"{megapixels:g} MP, {name}: times faster than Pillow plain"
        reached = min(alike) >= LEAST_PSNR
        lines.append(at_least(about, faster, goal, provided=reached) if name == "Sightline" else plain(about, faster))
        lines.append(plain(f"{megapixels:g} MP, {name}: PSNR to Pillow plain, the worst photo, dB", min(alike)))
        lines.append(plain(f"{megapixels:g} MP, {name}: PSNR, median, dB", float(np.median(alike))))
    return lines


def _decoded(data: bytes) -> int:
    """What a process gives back: next to nothing, so that it is compared at its best."""
    return int(sightline(data)[0, 0, 0])


def workers(shard: Path, rounds: int, count: int) -> list[Line]:
    """Two threads, and two processes, over one thread, for every format."""
    lines = []
    context = multiprocessing.get_context("spawn")
    with ThreadPoolExecutor(WORKERS) as threads, ProcessPoolExecutor(WORKERS, context) as processes:
        for format, megapixels in FORMATS:
            photos = files(shard, megapixels, count, format)
            alone, together = [], dict[str, list[float]](threads=[], processes=[])
            for _ in range(rounds + 1):
                alone.append(_seconds(lambda photos=photos: [_decoded(photo) for photo in photos]))
                together["threads"].append(_seconds(partial(_all, threads, photos)))
                together["processes"].append(_seconds(partial(_all, processes, photos)))
            for name, seconds in together.items():
                ratio = float(np.median([one / both for one, both in zip(alone[1:], seconds[1:], strict=True)]))
                lines.append(plain(f"{format}, {megapixels:g} MP: {WORKERS} {name} over one thread", ratio))
    return lines


def _all(pool: Executor, photos: Sequence[bytes]) -> None:
    list(pool.map(_decoded, photos))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def beside_the_encoder(shard: Path, encoder: Encoder, rounds: int, count: int) -> list[Line]:
    """The encoder's own speed on one core while a thread, or a process, decodes without pause on the other."""
    photos = files(shard, 0.3, count)
    batch = np.stack([encoder.manifest.decode(photo).pixels for photo in photos])
    context = multiprocessing.get_context("spawn")
    speeds: dict[str, list[float]] = {"nobody": [], "a thread": [], "a process": []}
    with ThreadPoolExecutor(1) as threads, ProcessPoolExecutor(1, context) as processes:
        pools: dict[str, Executor | None] = {"nobody": None, "a thread": threads, "a process": processes}
        for _ in range(rounds + 1):
            for name, pool in pools.items():
                work = [pool.submit(_decoded, photo) for _ in range(40) for photo in photos] if pool else []
                time.sleep(0.05)  # until the process has begun
                speeds[name].append(len(batch) / _seconds(lambda: encoder.encode_images(batch)))
                for left in work:
                    left.cancel()
                for left in work:
                    left.cancelled() or left.result()
    return [
        plain(
            f"the encoder's speed beside {name} that decodes, over its speed alone",
            float(np.median(np.divide(speeds[name], speeds["nobody"])[1:])),
        )
        for name in ("a thread", "a process")
    ]


def accuracy(shard: Path, encoder: Encoder, megapixels: float, count: int) -> list[Line]:
    """Cosine to the embedding of Pillow plain's pixels, and text-to-image recall, of each way."""
    examples = [example for _, example in zip(range(count), captioned(shard), strict=False)]
    right = np.array([row for row, example in enumerate(examples) for _ in example.captions])
    texts = encoder.encode_texts([caption for example in examples for caption in example.captions])
    embedded: dict[str, list[np.ndarray]] = {name: [] for name in WAYS}
    for start in range(0, len(examples), BATCH):
        some = examples[start : start + BATCH]
        photos = [as_file(enlarged(example.jpeg, megapixels, start + i)) for i, example in enumerate(some)]
        for name, way in WAYS.items():
            pixels = np.stack([way(photo, encoder.manifest.preprocessing) for photo in photos])
            embedded[name].append(encoder.encode_images(pixels))
    rows = {name: np.concatenate(parts) for name, parts in embedded.items()}
    lines = []
    for name, images in rows.items():
        about = f"{shard.name} at {megapixels:g} MP, {len(examples):,} photos, {name}"
        if name != "Pillow plain":
            cosine = (images * rows["Pillow plain"]).sum(axis=1)
            lines.append(plain(f"{about}: cosine to Pillow plain, median", float(np.median(cosine))))
            lines.append(plain(f"{about}: cosine to Pillow plain, the lowest", float(cosine.min())))
        ranks = count_ranks(texts @ images.T, right).worst
        lines += [plain(f"{about}: text->image R@{k}, %", 100 * float(np.mean(ranks < k))) for k in (1, 10)]
    return lines


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")],
    model: Annotated[str, typer.Option(help="The model whose cosine and recall are measured.")] = "mini",
    rounds: Annotated[int, typer.Option(help="Turns of threads and processes.")] = 5,
    photos: Annotated[int, typer.Option(help="Photos whose recall is measured.")] = 1000,
    megapixels: Annotated[float, typer.Option(help="Their size.")] = 0.3,
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
) -> None:
    encoder = load_encoder(model, precision="float32")
    lines: list[Line] = []
    for size, (count, goal) in SIZES.items():
        lines += speed(shard, size, count, goal)
    lines += workers(shard, rounds, 12)
    lines += beside_the_encoder(shard, encoder, rounds, 16)
    lines += accuracy(shard, encoder, megapixels, photos)
    options = f"--model {model} --rounds {rounds} --photos {photos} --megapixels {megapixels:g}"
    publish(lines, "decode", f"python benchmarks/decode.py {shard.name} {options}", output)


if __name__ == "__main__":
    typer.run(main)
