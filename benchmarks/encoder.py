"""The image encoder's back ends beside open_clip as it comes: speed, how near the machine's limit, and what it costs.

Every back end encodes the same batch in turn, round after round, in one process; speeds are ratios of neighbouring
measurements, with their range. Beside each stands how far its embeddings are from open_clip's in float32 on pictures
that int8 was not calibrated on, and, with a shard of captioned photos, the Recall@10 of `mini`.

    python benchmarks/encoder.py
    python benchmarks/encoder.py flickr8k-dev.tar

ViT-B-32 has seeded random weights: it is as fast as with any others, but its cosines flatter, as nothing was learnt
that rounding could spoil. The limit is the faster of torch's and NumPy's matrix product, measured in the same rounds.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.goals import Line, at_least, plain, table, write
from benchmarks.random_models import random_model
from data.demo import make
from indexer.backends.conversions import Conversions
from indexer.backends.openvino_tower import OpenVinoTower, converted
from indexer.backends.quantization import quantise, trial, unit_rows
from indexer.backends.samples import Sample
from indexer.encoder import OpenClipEncoder, load_encoder, load_parts
from indexer.images import Limits, decode
from indexer.recall import count_ranks, recall_at
from indexer.training.shards import read_shard

RESULTS = Path(__file__).parent / "results" / "encoder.json"
EAGER, MINI, VIT = "open_clip float32 eager", "mini", "ViT-B-32"
AMX_GOALS = {"torch bfloat16": 3.3, "OpenVINO bfloat16": 4.0, "OpenVINO int8": 5.5}
"""Of ViT-B-32, on a CPU with AMX."""
GEMM = 2048

Pixels = NDArray[np.uint8]
Tower = Callable[[Pixels], Any]


@dataclass
class Side:
    tower: Tower
    seconds: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Photo:
    data: bytes
    captions: tuple[str, ...] = ()


def photos(shard: Path | None, count: int, scratch: Path) -> list[Photo]:
    """Of the shard, or painted."""
    if shard:
        return [Photo(example.jpeg, tuple(example.captions)) for example in read_shard(shard)]
    make(scratch, count)
    return [Photo(path.read_bytes()) for path in sorted(scratch.rglob("*.jpg"))[:count]]


def sides(model: str, calibration: Sequence[Pixels], cache: Path) -> dict[str, Tower]:
    """Image towers, by what people would ask for; the first is what they are compared with."""
    parts = load_parts(model)
    network = converted(parts.model.eval(), parts.preprocessing, parts.weights_hash, Conversions(cache))
    found: dict[str, Tower] = {EAGER: eager(parts.model, parts.preprocessing)}
    for name in ("float32", "bfloat16"):
        found[f"torch {name}"] = load_encoder(model, device="cpu", precision=name)._tower  # type: ignore[arg-type]
        found[f"OpenVINO {name}"] = OpenVinoTower(network, name)  # type: ignore[arg-type]
    found["OpenVINO int8"] = OpenVinoTower(quantise(network, calibration), "bfloat16")
    return found


def eager(model: Any, preprocessing: Any) -> Tower:
    """As open_clip's README does it, but for the normalisation, which its transform does a picture at a time."""
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (preprocessing.mean, preprocessing.std))

    def encode(pixels: Pixels) -> torch.Tensor:
        with torch.inference_mode():
            planes = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous().to(torch.float32).div_(255)
            features: torch.Tensor = model.encode_image(planes.sub_(mean).div_(std))
            return features

    return encode


def gigaflops(encode: Tower, pixels: Pixels) -> float:
    """Multiplications and additions of one picture, counted by torch."""
    from torch.utils.flop_counter import FlopCounterMode

    torch.backends.mha.set_fastpath_enabled(False)  # it is one operation, which the counter does not know
    try:
        with FlopCounterMode(display=False) as counter:
            encode(pixels[:1])
    finally:
        torch.backends.mha.set_fastpath_enabled(True)
    return counter.get_total_flops() / 1e9


def matrix_products() -> dict[str, tuple[str, Callable[[], Any]]]:
    """Each with the number format whose limit it tells."""
    numbers = np.random.default_rng(0).standard_normal((GEMM, GEMM), dtype=np.float32)
    single = torch.from_numpy(numbers)
    half = single.to(torch.bfloat16)
    return {
        "torch sgemm": ("float32", lambda: single @ single),
        "NumPy sgemm": ("float32", lambda: numbers @ numbers),
        "torch bfloat16 gemm": ("bfloat16", lambda: half @ half),
    }


def timed(sides: dict[str, Side], pixels: Pixels, rounds: int) -> dict[str, float]:
    """Fills in each side's seconds a batch; returns the GFLOP/s of the best matrix product of each number format."""
    products = matrix_products()
    speeds: dict[str, list[float]] = {name: [] for name in products}
    for side in sides.values():
        side.tower(pixels)
    for _ in range(rounds):
        for side in sides.values():
            side.seconds.append(seconds(lambda tower=side.tower: tower(pixels)))  # type: ignore[misc]
        for name, (_, product) in products.items():
            speeds[name].append(2 * GEMM**3 / 1e9 / seconds(product))
    limits: dict[str, float] = {}
    for name, (number_format, _) in products.items():
        limits[number_format] = max(limits.get(number_format, 0), statistics.median(speeds[name]))
    return limits


def seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def speed_lines(model: str, found: dict[str, Side], batch: int, flops: float, limits: dict[str, float]) -> list[Line]:
    amx = bool(torch.cpu.get_capabilities().get("amx_bf16"))
    lines = []
    for name, side in found.items():
        ratios = [a / b for a, b in zip(found[EAGER].seconds, side.seconds, strict=True)]
        rate = batch / statistics.median(side.seconds)
        lines.append(plain(f"{model}, {name}: images a second", rate))
        if name != EAGER:
            about = f"{model}, {name}: times {EAGER}"
            goal = AMX_GOALS.get(name) if model == VIT else None
            value = statistics.median(ratios)
            lines.append(at_least(about, value, goal) if goal and amx else plain(about, value))
            lines += [
                plain(f"{about}, slowest round", min(ratios)),
                plain(f"{about}, fastest round", max(ratios)),
            ]
        number_format = name.split()[1] if name.split()[1] in limits else None
        lines.append(plain(f"{model}, {name}: GFLOP/s", rate * flops))
        if number_format:
            lines.append(plain(f"{model}, {name}: share of the gemm's GFLOP/s", rate * flops / limits[number_format]))
    return lines


def accuracy_lines(model: str, found: dict[str, Side], held_out: list[Sample]) -> list[Line]:
    lines = []
    exact = unit_rows(found[EAGER].tower, [sample.pixels for sample in held_out])
    for name, side in found.items():
        if name == EAGER:
            continue
        tried = trial(exact, side.tower, held_out, no_texts)
        about = f"{model}, {name}: against float32, {tried.pictures} pictures:"
        lines += [
            plain(f"{about} cosine, mean", tried.cosine),
            plain(f"{about} cosine, worst", tried.worst_cosine),
            plain(f"{about} ten nearest that stay", tried.overlap),
        ]
        if name == "OpenVINO int8":
            lines.append(plain(f"{model}, {name}: accepted", "yes" if tried.accepted else "no: bfloat16 is used"))
    return lines


def no_texts(texts: Sequence[str]) -> NDArray[np.float32]:
    raise ValueError("these samples have no captions")


def recall_lines(model: str, found: dict[str, Side], encoder: OpenClipEncoder, all_photos: list[Photo]) -> list[Line]:
    """Text to image, R@10 in percent, the words by torch in float32 for every side."""
    pixels = list(decoded(all_photos, encoder))
    right = np.repeat(np.arange(len(all_photos)), [len(photo.captions) for photo in all_photos])
    words = encoder.encode_texts([caption for photo in all_photos for caption in photo.captions])
    lines = []
    for name, side in found.items():
        ranks = count_ranks(words @ unit_rows(side.tower, pixels).T, right)
        recall = 100 * recall_at(10, ranks.worst)
        lines.append(plain(f"{model}, {name}: text->image R@10, %, {len(words):,} captions", recall))
    return lines


def decoded(some: Sequence[Photo], encoder: OpenClipEncoder) -> Pixels:
    shape, limits = encoder.manifest.preprocessing, Limits()
    return np.stack([decode(photo.data, shape, limits).pixels for photo in some])


def measure(model: str, name: str, all_photos: list[Photo], choices: Choices, cache: Path) -> list[Line]:
    exact = load_encoder(name, device="cpu", precision="float32")
    calibration = decoded(all_photos[: choices.calibration], exact)
    held_out = decoded(all_photos[choices.calibration : choices.calibration + choices.held_out], exact)
    found = {side: Side(tower) for side, tower in sides(name, list(calibration), cache).items()}
    limits = timed(found, held_out[: choices.batch], choices.rounds)
    flops = gigaflops(found[EAGER].tower, held_out)
    lines = [plain(f"{model}: GFLOP a picture", flops)]
    lines += [plain(f"gemm in {name}, beside {model}: GFLOP/s", value) for name, value in limits.items()]
    lines += speed_lines(model, found, choices.batch, flops, limits)
    lines += accuracy_lines(model, found, [Sample(pixels) for pixels in held_out])
    if model == MINI and any(photo.captions for photo in all_photos):
        lines += recall_lines(model, found, exact, all_photos)
    return lines


@dataclass(frozen=True)
class Choices:
    batch: int
    rounds: int
    calibration: int
    held_out: int


def main(
    shard: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")
    ] = None,
    models: Annotated[str, typer.Option(help="Which of them.")] = f"{MINI},{VIT}",
    threads: Annotated[int, typer.Option(help="In every library.")] = 1,
    batch: Annotated[int, typer.Option(help="Pictures at once.")] = 32,
    rounds: Annotated[int, typer.Option(help="Measurements of each.")] = 9,
    calibration: Annotated[int, typer.Option(help="Pictures that int8 is calibrated on.")] = 300,
    held_out: Annotated[int, typer.Option(help="Other pictures, for the cosines.")] = 200,
    output: Annotated[Path, typer.Option(help="Where the results go.")] = RESULTS,
) -> None:
    choices = Choices(batch, rounds, calibration, held_out)
    torch.set_num_threads(threads)  # OpenVINO takes as many
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(threads):
        scratch = Path(folder)
        all_photos = photos(shard, calibration + held_out, scratch / "painted")
        for model in models.split(","):
            name = MINI if model == MINI else random_model(scratch / model, model)
            lines += measure(model, name, all_photos, choices, scratch / "cache")
    given = {"models": models, "threads": threads, "batch": batch, "rounds": rounds, "calibration": calibration}
    about = " ".join(f"--{name} {value}" for name, value in (given | {"held-out": held_out}).items())
    write(lines, output, " ".join(["python benchmarks/encoder.py", *([shard.name] if shard else []), about]))
    print(table(lines))


if __name__ == "__main__":
    typer.run(main)
