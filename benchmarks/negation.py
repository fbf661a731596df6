"""What keeps something out of the hits: ways of asking for one thing and not for another, on photos with captions.

    python benchmarks/negation.py DATA/flickr8k-train.tar DATA/flickr8k-dev.tar

The way and its strength are chosen on the first shard; the second is reported on. A pair of words, such as *dog* and
not *grass*, is asked where many photos of the one show the other as well. Of the best 20 hits: *unwanted* is the share
that has the unwanted word in one of its five captions, *wanted* the share with the wanted one, *clean* the share with
that alone. Captions leave out much that is to be seen, so nothing reaches 0 or 1. With `--labelled`, a shard of photos
of one kind, each with a label: all of them are wanted but those of one label.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from numpy.typing import NDArray

from benchmarks.captioned_photos import Photos, read_photos
from benchmarks.goals import Line, plain, table, write
from indexer.encoder import Embeddings, load_encoder
from search.combination import combined

TOP = 20
WANTED = [
    "dog",
    "man",
    "woman",
    "boy",
    "girl",
    "child",
    "people",
    "ball",
    "water",
    "snow",
    "grass",
    "beach",
    "street",
    "bike",
    "car",
]
UNWANTED = [
    "dog",
    "grass",
    "water",
    "snow",
    "man",
    "woman",
    "child",
    "boy",
    "girl",
    "ball",
    "beach",
    "street",
    "red",
    "blue",
    "black",
    "white",
    "shirt",
    "bike",
    "people",
    "mountain",
    "tree",
    "ocean",
    "car",
    "crowd",
    "bench",
]
FORMS = {
    "man": {"men"},
    "woman": {"women"},
    "child": {"children", "kid", "kids"},
    "people": {"person", "persons"},
    "bike": {"bicycle", "bicycles", "biker"},
}
"""Other words for the same, beside plurals."""
RESULTS = Path(__file__).parent / "results" / "negation.json"

Text = Callable[[str], NDArray[np.float32]]
Way = Callable[[Embeddings, Text, str, str], NDArray[np.float32]]
"""Photos, texts' vectors, what is wanted, what is not -> a score for each photo."""


def subtracted(weight: float) -> Way:
    """As `search.combination` does."""

    def score(photos: Embeddings, text: Text, wanted: str, unwanted: str) -> NDArray[np.float32]:
        terms = np.stack([text(wanted), text(unwanted)])
        parts = combined(terms, np.array([1, -weight], np.float32), np.ones(2, np.bool_))
        return np.asarray(photos @ parts.sum(axis=0))

    return score


def penalised(deviations: float, strength: float) -> Way:
    """Less by what is above the usual cosine to the unwanted: its mean over the photos and some standard deviations."""

    def score(photos: Embeddings, text: Text, wanted: str, unwanted: str) -> NDArray[np.float32]:
        cosines = photos @ text(unwanted)
        above = np.maximum(0, cosines - cosines.mean() - deviations * cosines.std())
        return np.asarray(photos @ text(wanted) - strength * above)

    return score


def without(photos: Embeddings, text: Text, wanted: str, unwanted: str) -> NDArray[np.float32]:
    return np.asarray(photos @ text(f"{wanted} without {unwanted}"))


def orthogonal(photos: Embeddings, text: Text, wanted: str, unwanted: str) -> NDArray[np.float32]:
    direction = text(wanted) - (text(wanted) @ text(unwanted)) * text(unwanted)
    return np.asarray(photos @ direction)


WAYS: dict[str, Way] = {
    "no NOT": lambda photos, text, wanted, unwanted: photos @ text(wanted),
    'the text "A without B"': without,
    **{f"sum, weight -{weight}": subtracted(weight) for weight in (0.25, 0.5, 0.75, 1.0)},
    **{f"penalty above the usual, {strength} x": penalised(0.0, strength) for strength in (0.5, 1.0, 2.0)},
    **{f"left out above {z} deviations": penalised(z, 1e3) for z in (0.0, 0.5, 1.0, 1.5)},
    "orthogonal to the unwanted": orthogonal,
}


def having(photos: Photos, words: Iterable[str]) -> dict[str, NDArray[np.bool_]]:
    """For each word, which photos have it, or another form of it, in a caption."""
    found = photos.words()
    forms = {word: {word, f"{word}s", f"{word}es"} | FORMS.get(word, set()) for word in words}
    return {word: np.array([bool(forms[word] & said) for said in found]) for word in forms}


def pairs(has: dict[str, NDArray[np.bool_]]) -> list[tuple[str, str]]:
    """Where at least 12 % of the photos of the one, and 15 of them, show the other, and 30 do not."""
    asked = []
    for wanted in WANTED:
        for unwanted in UNWANTED:
            both = int((has[wanted] & has[unwanted]).sum())
            alone = int(has[wanted].sum()) - both
            if wanted != unwanted and both >= max(15, 0.12 * (both + alone)) and alone >= 30:
                asked.append((wanted, unwanted))
    return asked


def captioned(photos: Photos, text: Text) -> list[Line]:
    has = having(photos, {*WANTED, *UNWANTED})
    asked = pairs(has)
    lines = [plain(f"{photos.name}: pairs asked", len(asked))]
    for name, way in WAYS.items():
        shares = []
        for wanted, unwanted in asked:
            best = np.argsort(-way(photos.vectors, text, wanted, unwanted), kind="stable")[:TOP]
            good, bad = has[wanted][best], has[unwanted][best]
            shares.append((bad.mean(), good.mean(), (good & ~bad).mean()))
        for kind, share in zip(("unwanted", "wanted", "clean"), np.mean(shares, axis=0), strict=True):
            lines.append(plain(f"{photos.name}, {name}: {kind}", float(share)))
    return lines


def labelled(photos: Photos, text: Text, everything: str) -> list[Line]:
    labels = np.array([example.label for example in photos.examples])
    lines = [plain(f"{photos.name}: labels", len(set(labels)))]
    for name, way in WAYS.items():
        unwanted = []
        for label in sorted(set(labels)):
            best = np.argsort(-way(photos.vectors, text, everything, str(label).lower()), kind="stable")[:TOP]
            unwanted.append((labels[best] == label).mean())
        lines.append(plain(f"{photos.name}, {name}: unwanted", float(np.mean(unwanted))))
    return lines


def main(
    chosen_on: Annotated[Path, typer.Argument(help="A shard of photos with captions, to choose on.")],
    reported_on: Annotated[Path, typer.Argument(help="Another one, to report on.")],
    label_shard: Annotated[Path | None, typer.Option("--labelled", help="A shard of photos of one kind.")] = None,
    everything: Annotated[str, typer.Option(help="What they all are.")] = "a piece of clothing",
    model: Annotated[str, typer.Option(help="The model that encodes.")] = "mini",
    photos: Annotated[int, typer.Option(help="Photos of each shard.")] = 1500,
    output: Annotated[Path, typer.Option(help="A file for the results.")] = RESULTS,
) -> None:
    encoder = load_encoder(model)
    known: dict[str, NDArray[np.float32]] = {}

    def text(words: str) -> NDArray[np.float32]:
        if words not in known:
            known[words] = encoder.encode_texts([words])[0]
        return known[words]

    lines = [
        line for shard in (chosen_on, reported_on) for line in captioned(read_photos(shard, photos, encoder), text)
    ]
    if label_shard:
        lines += labelled(read_photos(label_shard, photos, encoder), text, everything)
    print(table(lines))
    write(lines, output, f"python benchmarks/negation.py {chosen_on.name} {reported_on.name} --model {model}")


if __name__ == "__main__":
    typer.run(main)
