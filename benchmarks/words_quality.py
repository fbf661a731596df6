"""Whether words that are known about photos help to find them, and whether they harm those of which nothing is known.

    python benchmarks/words_quality.py DATA/flickr8k-train.tar DATA/flickr8k-dev.tar

Two of the captions of every photo, or of every second one, are what is known about it; what is asked is never among
them. Sentences: another caption of each photo; Recall@1 and @10. Words: one or two that are in the other three captions
of 1 to 7 % of the photos; how many of the ten best hits are such photos. Everything goes through the search engine.
How much of the question an image has to have was chosen on the first shard; the second shows whether it holds.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Annotated
from unittest import mock

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.captioned_photos import Photos, read_photos
from benchmarks.goals import Line, plain, table, write
from indexer.catalog import NewImage
from indexer.collection import Collection
from indexer.encoder import Encoder, load_encoder
from indexer.texts import Description, ImageText
from search.engine import SearchEngine
from search.query import Query, TextTerm
from search.words import finding
from search.words.asked import asked_words

KNOWN, ASKED = 2, 3
"""The first so many captions are known; this one, counted from 0, is asked."""
SHARES = (1, 2)
"""Of every photo, of every second one."""
ENOUGH = (0.0, 0.5, 0.6, 0.7, 0.8, 1.0)
QUERIES = 300
RESULTS = Path(__file__).parent / "results" / "words_quality.json"


def fill(collection: Collection, photos: Photos, every: int) -> None:
    """Photo n gets id n + 1 and a name that says nothing."""
    images, said = [], []
    for number, example in enumerate(photos.examples):
        texts = example.captions[:KNOWN] if number % every == 0 else ()
        said.append(Description(tuple(ImageText("caption", text) for text in texts)))
        path = f"/photos/{number // 100:02}/IMG_{number:05}.jpg"
        images.append(NewImage(path, 1, 1, f"{number:064x}", 160, 160, "jpeg", None, None))
    collection.catalog.put(images, photos.vectors.astype(np.float16), said)


def found(engine: SearchEngine, texts: Sequence[str], words: bool) -> list[list[int]]:
    """Of each text the numbers of the ten best photos."""
    results = engine.search_many([Query((TextTerm(text),), k=10, words=words) for text in texts])
    return [[hit.image.id - 1 for hit in result.hits] for result in results]


def short_questions(photos: Photos, length: int) -> dict[str, set[int]]:
    """So many words, and the photos of whose other captions all of them are."""
    held_out = [set(asked_words(example.captions[KNOWN:])) for example in photos.examples]
    several = [tuple(sorted(word for word in words if len(word) > 2)) for words in held_out]
    counted = Counter(some for words in several for some in combinations(words, length))
    size = len(photos.examples)
    usual = sorted(some for some, number in counted.items() if size / 100 <= number <= size / 15)
    chosen = np.random.default_rng(0).permutation(len(usual))[:QUERIES]
    wanted = [usual[place] for place in chosen]
    return {
        " ".join(some): {number for number, words in enumerate(held_out) if words.issuperset(some)} for some in wanted
    }


def measure(photos: Photos, encoder: Encoder) -> list[Line]:
    lines = []
    for every in SHARES:
        with (
            tempfile.TemporaryDirectory() as folder,
            Collection.open_or_create(Path(folder) / "library", encoder.manifest) as collection,
        ):
            fill(collection, photos, every)
            known = "all" if every == 1 else f"1 of {every}"
            lines += compared(f"{photos.name}, texts of {known}", SearchEngine(collection, encoder), photos, every)
    return lines


def compared(label: str, engine: SearchEngine, photos: Photos, every: int) -> list[Line]:
    lines = of_way(f"{label}, meaning alone", engine, photos, every, words=False)
    for enough in ENOUGH:
        with mock.patch.object(finding, "ENOUGH", enough):
            lines += of_way(f"{label}, words from {enough:g} of the question", engine, photos, every, words=True)
    return lines


def of_way(label: str, engine: SearchEngine, photos: Photos, every: int, *, words: bool) -> list[Line]:
    hits = found(engine, [example.captions[ASKED] for example in photos.examples], words)
    lines = []
    for name, rest in (("with texts", 0), ("without", 1))[:every]:
        chosen = [(number, ten) for number, ten in enumerate(hits) if number % every == rest]
        for k in (1, 10):
            share = 100 * float(np.mean([number in ten[:k] for number, ten in chosen]))
            lines.append(plain(f"{label}: photos {name}, R@{k}", share))
    for length in (1, 2):
        questions = short_questions(photos, length)
        tens = found(engine, list(questions), words)
        right = [len(wanted.intersection(ten)) / 10 for wanted, ten in zip(questions.values(), tens, strict=True)]
        lines.append(plain(f"{label}: {length} words, precision@10", 100 * float(np.mean(right))))
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
    write(lines, output, f"python benchmarks/words_quality.py {chosen_on.name} {reported_on.name} --model {model}")


if __name__ == "__main__":
    typer.run(main)
