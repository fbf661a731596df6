"""What careless typing costs: text-to-image Recall@K with captions as they are, and changed but for their meaning.

    python benchmarks/robustness.py flickr8k-dev.tar

The shard is a tar of `NNNNNN.jpg` beside `NNNNNN.json` with a list `captions`. A slip exchanges, loses, doubles or
replaces one letter of a word of four letters or more, its first letter included. The same seed gives the same slips.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from indexer.encoder import Encoder, load_encoder
from indexer.images import Limits, decode
from indexer.recall import count_ranks
from indexer.training.shards import Example, read_shard

KS = (1, 5, 10)
_BATCH = 64


def slip(text: str, rng: random.Random) -> str:
    words = text.split()
    long = [place for place, word in enumerate(words) if len(word) > 3]
    if not long:
        return text
    chosen = rng.choice(long)
    word, at = words[chosen], rng.randrange(len(words[chosen]) - 1)
    before, letter, following, rest = word[:at], word[at], word[at + 1], word[at + 2 :]
    words[chosen] = rng.choice(
        [
            before + following + letter + rest,
            before + following + rest,
            before + letter + letter + following + rest,
            before + rng.choice(string.ascii_lowercase) + following + rest,
        ]
    )
    return " ".join(words)


def other_number(text: str, rng: random.Random) -> str:
    """One word of four letters or more with an `s` more or less."""
    words = text.rstrip(" .").split()
    long = [place for place, word in enumerate(words) if len(word) > 3 and not word.endswith("ss")]
    if long:
        chosen = rng.choice(long)
        words[chosen] = words[chosen][:-1] if words[chosen].endswith("s") else words[chosen] + "s"
    return " ".join(words)


CHANGES: dict[str, Callable[[str, random.Random], str]] = {
    "as it is": lambda text, rng: text,
    "upper case": lambda text, rng: text.upper(),
    "no punctuation": lambda text, rng: "".join(letter for letter in text if letter not in string.punctuation),
    "no articles": lambda text, rng: " ".join(w for w in text.split() if w.lower() not in ("a", "an", "the")),
    "one word in the other number": other_number,
    "one slip": slip,
    "two slips": lambda text, rng: slip(slip(text, rng), rng),
}


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")],
    model: Annotated[str, typer.Option(help="The model to measure.")] = "mini",
    seed: Annotated[int, typer.Option(help="Of the slips.")] = 0,
) -> None:
    encoder = load_encoder(model, precision="float32")
    examples = [example for example in read_shard(shard) if example.captions]
    images = _embedded(examples, encoder)
    right = np.array([row for row, example in enumerate(examples) for _ in example.captions])
    captions = [caption for example in examples for caption in example.captions]
    print(f"{shard.name}, {model}: {len(examples):,} photos, {len(captions):,} captions, text->image\n")
    print("| captions | R@1 | R@5 | R@10 |\n|---|---|---|---|")
    for name, change in CHANGES.items():
        rng = random.Random(seed)
        texts = encoder.encode_texts([change(caption, rng) for caption in captions])
        ranks = count_ranks(texts @ images.T, right).worst
        print(f"| {name} | " + " | ".join(f"{100 * np.mean(ranks < k):.1f}" for k in KS) + " |")


def _embedded(examples: list[Example], encoder: Encoder) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    limits, preprocessing, rows = Limits(), encoder.manifest.preprocessing, []
    for start in range(0, len(examples), _BATCH):
        some = examples[start : start + _BATCH]
        pixels = np.stack([decode(example.jpeg, preprocessing, limits).pixels for example in some])
        rows.append(encoder.encode_images(pixels))
    return np.concatenate(rows)


if __name__ == "__main__":
    typer.run(main)
