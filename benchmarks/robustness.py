"""What careless typing costs: text-to-image Recall@K with captions as they are, and changed but for their meaning.

    python benchmarks/robustness.py flickr8k-dev.tar

The shard is a tar of `NNNNNN.jpg` beside `NNNNNN.json` with a list `captions`. A slip exchanges, loses, doubles or
replaces one letter of a word of four letters or more, its first letter included. The same seed gives the same slips.
"""

from __future__ import annotations

import random
import string
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import Line, plain, table, write
from indexer.encoder import Encoder, load_encoder
from indexer.images import Limits, decode
from indexer.recall import count_ranks
from indexer.training.misspelling import with_slip, without_articles
from indexer.training.shards import Example, read_shard

KS = (1, 5, 10)
RESULTS = Path(__file__).parent / "results" / "robustness.json"
_BATCH = 64


def other_number(text: str, rng: random.Random) -> str:
    """One word of four letters or more with an `s` more or less."""
    words = text.rstrip(" .").split()
    long = [place for place, word in enumerate(words) if len(word) > 3 and not word.endswith("ss")]
    if long:
        chosen = rng.choice(long)
        words[chosen] = words[chosen][:-1] if words[chosen].endswith("s") else words[chosen] + "s"
    return " ".join(words)


def _slip(text: str, rng: random.Random) -> str:
    return with_slip(text, rng, first_letter_too=True)


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "as they are": lambda text, rng: text,
    "in upper case": lambda text, rng: text.upper(),
    "without punctuation": lambda text, rng: "".join(letter for letter in text if letter not in string.punctuation),
    "without articles": lambda text, rng: without_articles(text.lower()),
    "with one word in the other number": other_number,
    "with one slip": _slip,
    "with two slips": lambda text, rng: _slip(_slip(text, rng), rng),
}


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")],
    model: Annotated[str, typer.Option(help="The model to measure.")] = "mini",
    seed: Annotated[int, typer.Option(help="Of the slips.")] = 0,
    output: Annotated[
        Path, typer.Option(help="File for the results.", show_default="results/robustness.json")
    ] = RESULTS,
) -> None:
    lines = measure(shard, load_encoder(model, precision="float32"), seed)
    print(table(lines))
    write(lines, output, f"python benchmarks/robustness.py {shard.name} --model {model} --seed {seed}")


def measure(shard: Path, encoder: Encoder, seed: int) -> list[Line]:
    """Percent of the captions whose photo is among the first K, for each change and K."""
    examples = [example for example in read_shard(shard) if example.captions]
    images = _embedded(examples, encoder)
    right = np.array([row for row, example in enumerate(examples) for _ in example.captions])
    captions = [caption for example in examples for caption in example.captions]
    lines = []
    for name, change in CHANGES.items():
        rng = random.Random(seed)
        texts = encoder.encode_texts([change(caption, rng) for caption in captions])
        ranks = count_ranks(texts @ images.T, right).worst
        about = f"{shard.name}, {len(captions):,} captions {name}: text->image"
        lines += [plain(f"{about} R@{k}, %", 100 * float(np.mean(ranks < k))) for k in KS]
    return lines


def _embedded(examples: list[Example], encoder: Encoder) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    limits, preprocessing, rows = Limits(), encoder.manifest.preprocessing, []
    for start in range(0, len(examples), _BATCH):
        some = examples[start : start + _BATCH]
        pixels = np.stack([decode(example.jpeg, preprocessing, limits).pixels for example in some])
        rows.append(encoder.encode_images(pixels))
    return np.concatenate(rows)


if __name__ == "__main__":
    typer.run(main)
