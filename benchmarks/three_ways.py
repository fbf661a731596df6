"""Recall@K three ways, which must agree: by `sightline benchmark`, by the NumPy script that docs/evaluation.md shows,
and by CLIP_benchmark's own function.

The command encodes for itself; the other two get embeddings made once more, by the same decoder and model. Where a
wrong answer scores exactly as the right one, torch's top-k leaves the order open, so that CLIP_benchmark's figure may
lie anywhere between ours with ties against and in favour; elsewhere all three must be the same. Exit code 1 if not.

    python benchmarks/three_ways.py flickr8k-dev.tar
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "evaluation.md"
KS = (1, 5, 10)
BATCH = 64
SAME = 1e-4
"""Percent: CLIP_benchmark's figure is a float32 mean."""
WAYS = {"text_to_image": ("text->image", "image_retrieval"), "image_to_text": ("image->text", "text_retrieval")}
"""Our directions by the names of the script and of CLIP_benchmark."""


def command(dataset: Path, model: str) -> dict[str, Any]:
    arguments = ["benchmark", "--dataset", str(dataset), "--model", model, "--json"]
    finished = subprocess.run([sys.executable, "-m", "web.cli", *arguments], stdout=subprocess.PIPE, check=True)
    return json.loads(finished.stdout)


def encode(dataset: Path, model: str, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from indexer.config import load_settings
    from indexer.encoder import load_encoder
    from search.benchmark.corpus import Reading, encoded_set
    from search.benchmark.encoding import Batching, encode_captions
    from search.datasets import load_dataset

    settings = load_settings()
    encoder = load_encoder(model, **settings.encoding())
    batching = Batching(settings.limits, settings.batch_size, settings.threads)
    corpus = encoded_set(load_dataset(dataset, kind="captions"), encoder, Reading(str(dataset), batching, False, None))
    captions, _ = encode_captions(corpus.captions, encoder)
    arrays = {"images": corpus.vectors, "captions": captions, "image_of_caption": corpus.image_of_caption}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    return corpus.vectors, captions, corpus.image_of_caption


def by_script(folder: Path) -> dict[str, float]:
    """`text->image R@1` and the rest, run as it stands on the page."""
    script = next(block for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.S) if "np.load" in block)
    ran = subprocess.run([sys.executable, "-c", script], cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    found = {}
    for line in ran.stdout.splitlines():
        way, *words = line.split()
        found |= {f"{way} {name}": float(value) for name, value in zip(words[::2], words[1::2], strict=True)}
    return found


class Identity:
    """A model whose embeddings are its input, so that CLIP_benchmark's function runs unchanged."""

    def encode_image(self, batch: Any) -> Any:
        return batch

    def encode_text(self, batch: Any) -> Any:
        return batch


def by_clip_benchmark(images: np.ndarray, captions: np.ndarray, owner: np.ndarray) -> dict[str, float]:
    import torch
    from clip_benchmark.metrics import zeroshot_retrieval

    texts: list[list[int]] = [[] for _ in images]
    for caption, image in enumerate(owner.tolist()):
        texts[image].append(caption)

    def batches() -> Iterator[tuple[Any, list[list[int]]]]:
        for start in range(0, len(images), BATCH):
            yield torch.from_numpy(images[start : start + BATCH]), texts[start : start + BATCH]

    rows = torch.from_numpy(captions)
    found = zeroshot_retrieval.evaluate(
        Identity(), batches(), lambda chosen: rows[chosen], "cpu", amp=False, recall_k_list=list(KS)
    )
    return {name: 100 * value for name, value in found.items()}


def main(
    dataset: Annotated[Path | None, typer.Argument(help="A set of captioned pictures, or SIGHTLINE_DATA.")] = None,
    model: Annotated[str, typer.Option(help="The model to measure.")] = "mini",
) -> None:
    path = dataset or Path(os.environ["SIGHTLINE_DATA"])
    ours = command(path, model)
    with tempfile.TemporaryDirectory() as scratch:
        arrays = encode(path, model, Path(scratch))
        script = by_script(Path(scratch))
    peer = by_clip_benchmark(*arrays)
    print(f"{ours['dataset']['name']} {ours['dataset']['split']}, {model}, {ours['model']['precision']}")
    print(f"{'':18}{'sightline':>10}{'NumPy':>10}{'CLIP_benchmark':>16}{'any order of ties':>22}")
    agree = True
    for way, (arrow, name) in WAYS.items():
        for figure in (f"R@{k}" for k in KS):
            found = ours[way][figure]
            least, most = ours[way]["against"][figure], ours[way]["in_favour"][figure]
            numpys, theirs = script[f"{arrow} {figure}"], peer[f"{name}_recall@{figure[2:]}"]
            # The script prints two decimals.
            same = abs(numpys - found) <= 0.005 + SAME and least - SAME <= theirs <= most + SAME
            agree &= same
            ties = f"{least:.2f} to {most:.2f}"
            print(f"{arrow} {figure:<6}{found:11.2f}{numpys:10.2f}{theirs:16.2f}{ties:>22}{'' if same else '  !'}")
    print("they agree" if agree else "they do NOT agree")
    raise typer.Exit(not agree)


if __name__ == "__main__":
    typer.run(main)
