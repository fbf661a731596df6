"""How a text and a picture become one query: ways of putting the two together, on photos with captions.

    python benchmarks/composed.py DATA/flickr8k-train.tar DATA/flickr8k-dev.tar

A photo is to be found by half of its first caption, and by a part of it: a box of 30 or 50 % of its width and height,
somewhere. Neither is enough. Recall@1 and @10 among the whole photos of the shard. A way is chosen on the first shard;
the second shows whether the choice holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.captioned_photos import Photos, read_photos
from benchmarks.goals import Line, plain, table, write
from indexer.encoder import Embeddings, Encoder, load_encoder
from search.region import Region

SIDES = (0.3, 0.5)
RESULTS = Path(__file__).parent / "results" / "composed.json"

Way = Callable[[Embeddings, Embeddings, Embeddings], Embeddings]
"""Unit rows of the texts, of the parts of pictures, and of the gallery -> rows to search with."""


def unit(rows: Embeddings) -> Embeddings:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def summed(weight: float) -> Way:
    """Of the text, against 1 of the picture."""
    return lambda texts, parts, gallery: weight * texts + parts


def centred(texts: Embeddings, parts: Embeddings, gallery: Embeddings) -> Embeddings:
    """Each kind as seen from its own mean."""
    return unit(texts - texts.mean(axis=0)) + unit(parts - gallery.mean(axis=0))


def equally_loud(texts: Embeddings, parts: Embeddings, gallery: Embeddings) -> Embeddings:
    """Each divided by how much its cosines to the gallery differ."""
    return texts / (texts @ gallery.T).std(axis=1)[:, None] + parts / (parts @ gallery.T).std(axis=1)[:, None]


def along_the_arc(share: float) -> Way:
    """SLERP: that share of the way from the picture to the text. Half of it is the direction of the sum."""

    def query(texts: Embeddings, parts: Embeddings, gallery: Embeddings) -> Embeddings:
        angle = np.arccos((texts * parts).sum(axis=1, keepdims=True))
        return np.asarray(np.sin(share * angle) * texts + np.sin((1 - share) * angle) * parts)

    return query


WAYS: dict[str, Way] = {
    "text alone": lambda texts, parts, gallery: texts,
    "picture alone": lambda texts, parts, gallery: parts,
    **{f"sum, text x {weight}": summed(weight) for weight in (0.5, 1.0, 2.0)},
    "SLERP, 0.3 of the way to the text": along_the_arc(0.3),
    "SLERP, 0.5": along_the_arc(0.5),
    "SLERP, 0.7": along_the_arc(0.7),
    "centred kinds, sum": centred,
    "divided by the spread of their cosines, sum": equally_loud,
}


def half(caption: str) -> str:
    words = caption.split()
    return " ".join(words[: max(2, len(words) // 2)])


def recall(queries: Embeddings, gallery: Embeddings, k: int) -> float:
    """Per cent of the queries whose own row of the gallery is among the best k."""
    scores = queries @ gallery.T
    return 100 * float(((scores > np.diag(scores)[:, None]).sum(axis=1) < k).mean())


def measure(photos: Photos, encoder: Encoder) -> list[Line]:
    texts = encoder.encode_texts([half(example.captions[0]) for example in photos.examples])
    lines = []
    for side in SIDES:
        random = np.random.default_rng(0)

        def part(jpeg: bytes, side: float = side, random: np.random.Generator = random) -> bytes:
            x, y = random.random(2) * (1 - side)
            return Region(float(x), float(y), side, side).cut(jpeg)

        parts = photos.encoded(encoder, part)
        for name, way in WAYS.items():
            found = way(texts, parts, photos.vectors)
            for k in (1, 10):
                label = f"{photos.name}, box of {side:.0%}, {name}: R@{k}"
                lines.append(plain(label, recall(found, photos.vectors, k)))
    return lines


def main(
    chosen_on: Annotated[Path, typer.Argument(help="A shard of photos with captions, to choose on.")],
    reported_on: Annotated[Path, typer.Argument(help="Another one, to report on.")],
    model: Annotated[str, typer.Option(help="The model that encodes.")] = "mini",
    photos: Annotated[int, typer.Option(help="Photos of each shard.")] = 1000,
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    encoder = load_encoder(model)
    lines = [
        line for shard in (chosen_on, reported_on) for line in measure(read_photos(shard, photos, encoder), encoder)
    ]
    print(table(lines))
    write(lines, output, f"python benchmarks/composed.py {chosen_on.name} {reported_on.name} --model {model}")


if __name__ == "__main__":
    typer.run(main)
