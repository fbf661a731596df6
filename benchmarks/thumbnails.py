"""Reindexing from thumbnails: what it gains in speed and costs in likeness, beside the files themselves.

    python benchmarks/thumbnails.py flickr8k-dev.tar

The shard is a tar of photos with captions, which are smaller than a thumbnail: they are enlarged and given a camera's
grain, and thumbnails are made of them as the page makes them. Recall is measured at 0.3 megapixels, where a thumbnail
of 1280 px is the whole picture compressed once more, and one of 320 px hardly larger than the model takes; cosine and
speed at 2 and 12, too. Reading and decoding are the program's own: of a file, that it is the one that was indexed is
part of it. Ways take turns in one process; ratios are medians over the rounds, of the processor time of one thread,
which a busy machine changes least.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])
    os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import typer

from benchmarks.goals import MODELS, Line, at_least, plain, publish
from benchmarks.photos import as_file, captioned, enlarged
from indexer.encoder import Encoder, load_encoder
from indexer.recall import count_ranks
from indexer.records import FileState
from indexer.stored_pictures import Files, StoredPictures, ThumbnailsFirst
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail
from indexer.training.shards import Example

RECALL_AT = 0.3
SIZES = {RECALL_AT: None, 2.0: 100, 12.0: 12}
"""Megapixels: photos whose cosine is measured; None as many as are asked for."""
GOAL = 0.999
"""Cosine to the file's embedding, the lowest, that would let thumbnails be taken unasked."""
_TIMED, _ROUNDS, _BATCH = 8, 5, 32


class Photos:
    """Photos of one size as files, each with its thumbnails, of one side a library."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        libraries = {side: folder / str(int(side)) for side in Side}
        self._thumbnails = {side: ThumbnailFolder(library) for side, library in libraries.items()}
        self.ways: dict[str, StoredPictures] = {"the file": Files()}
        self.ways |= {f"{side:d} px": ThumbnailsFirst(library, margin=0) for side, library in libraries.items()}

    def add(self, jpeg: bytes, megapixels: float, number: int) -> FileState:
        data = as_file(enlarged(jpeg, megapixels, number))
        path = self._folder / f"{number:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        state = FileState(number, str(path), len(data), 0, hashlib.sha256(data).hexdigest())
        for side, folder in self._thumbnails.items():
            place = folder.path(state.content_hash, side)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(make_thumbnail(data, side))
        return state


def likeness(scratch: Path, examples: Sequence[Example], megapixels: float, encoder: Encoder) -> list[Line]:
    """Cosine of each way to the file's; text-to-image recall where it is asked for."""
    photos = Photos(scratch / f"{megapixels:g}")
    embedded: dict[str, list[np.ndarray]] = {name: [] for name in photos.ways}
    for start in range(0, len(examples), _BATCH):
        some = examples[start : start + _BATCH]
        states = [photos.add(example.jpeg, megapixels, start + place) for place, example in enumerate(some)]
        for name, way in photos.ways.items():
            pixels = np.stack([way.get(state, encoder.manifest).pixels for state in states])
            embedded[name].append(encoder.encode_images(pixels))
    rows = {name: np.concatenate(parts) for name, parts in embedded.items()}
    lines = []
    for name, images in rows.items():
        about = f"{megapixels:g} MP, {len(examples):,} photos, {name}"
        if name != "the file":
            cosine = (images * rows["the file"]).sum(axis=1)
            lines.append(at_least(f"{about}: cosine to the file's, the lowest", float(cosine.min()), GOAL))
            lines.append(plain(f"{about}: cosine, the lowest hundredth", float(np.quantile(cosine, 0.01))))
            lines.append(plain(f"{about}: cosine, median", float(np.median(cosine))))
        if megapixels == RECALL_AT:
            lines += _recall(about, images, examples, encoder)
    return lines


def _recall(about: str, images: np.ndarray, examples: Sequence[Example], encoder: Encoder) -> list[Line]:
    right = np.array([row for row, example in enumerate(examples) for _ in example.captions])
    texts = encoder.encode_texts([caption for example in examples for caption in example.captions])
    ranks = count_ranks(texts @ images.T, right).worst
    return [plain(f"{about}: text->image R@{k}, %", 100 * float(np.mean(ranks < k))) for k in (1, 10)]


def speed(scratch: Path, examples: Sequence[Example], megapixels: float, encoder: Encoder) -> list[Line]:
    """Reading and decoding, of each way over the file."""
    photos = Photos(scratch / f"timed-{megapixels:g}")
    states = [photos.add(example.jpeg, megapixels, number) for number, example in enumerate(examples[:_TIMED])]
    seconds: dict[str, list[float]] = {name: [] for name in photos.ways}
    for _ in range(_ROUNDS + 1):
        for name, way in photos.ways.items():
            started = time.thread_time()
            for state in states:
                way.get(state, encoder.manifest)
            seconds[name].append(time.thread_time() - started)
    found = {name: np.array(spent[1:]) / len(states) for name, spent in seconds.items()}
    lines = [
        plain(f"{megapixels:g} MP, {name}: pictures a second", 1 / float(np.median(found[name]))) for name in found
    ]
    for name in list(found)[1:]:
        faster = float(np.median(found["the file"] / found[name]))
        lines.append(plain(f"{megapixels:g} MP, {name}: times faster than the file", faster))
    return lines


def measure(shard: Path, encoder: Encoder, photos: int, scratch: Path) -> list[Line]:
    examples = list(islice(captioned(shard), photos))
    lines: list[Line] = []
    for megapixels, count in SIZES.items():
        lines += likeness(scratch, examples[:count], megapixels, encoder)
        lines += speed(scratch, examples, megapixels, encoder)
    return lines


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")],
    model: Annotated[str, typer.Option(help="The model that embeds.")] = "mini",
    photos: Annotated[int, typer.Option(help="Photos whose recall is measured.")] = 500,
    output: Annotated[Path | None, typer.Option(help="A file for the results, in place of the project's.")] = None,
) -> None:
    encoder = load_encoder(model, precision="float32")
    with tempfile.TemporaryDirectory() as scratch:
        lines = measure(shard, encoder, photos, Path(scratch))
    command = f"python benchmarks/thumbnails.py {shard.name} --model {model} --photos {photos}"
    publish(lines, "thumbnails", command, output, MODELS)


if __name__ == "__main__":
    typer.run(main)
