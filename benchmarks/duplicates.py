"""How surely duplicates are found, on photos changed by known edits, and how long a million images take.

    python benchmarks/duplicates.py flickr8k-dev.tar                 # both
    python benchmarks/duplicates.py flickr8k-train.tar --part choose # other thresholds; report on another shard

Of most photos there are five more files, one of each family of `benchmarks/edits.py`, whose edits take turns; with all
unchanged ones they are indexed and compared as a library of somebody would be. Each edited picture is looked up: the
right answer is its photo, every other photo is a wrong one, though it may be a photo of the same scene. In other
colours it is another picture, as of the same shoe in another colour; of photos without much colour there is none. Of
painted pictures (`data/render.py`) two with different captions are different, however alike their layouts are. The
million is made up: noise of few frequencies, and vectors in clusters, with copies and crops among them.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer
from PIL import Image

from benchmarks.duplicates_made_up import measure_size
from benchmarks.edits import FAMILIES, RECOLOURED, coloured
from benchmarks.goals import Line, at_least, at_most, plain, table, write
from data.render import render
from indexer.collection import Collection
from indexer.duplicates.contents import Contents
from indexer.duplicates.finding import find_duplicates
from indexer.duplicates.kinds import Link, LinkKind
from indexer.duplicates.matching import THRESHOLDS, Evidence, examined, judged
from indexer.encoder import Encoder, load_encoder
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.training.shards import read_shard

RESULTS = Path(__file__).parent / "results" / "duplicates.json"
GOALS = {"re-encoded": (99.0, 95.0), "cropped": (90.0, 85.0)}
"""Precision and recall in percent."""
MOST_RECOLOURED = 1.0
"""Percent of the recoloured photos that may be linked with theirs."""
COPIES: tuple[LinkKind, ...] = ("same", "crop")
UNCHANGED = "unchanged"
_NONE = "there was none"


@dataclass(frozen=True, slots=True)
class Made:
    """A file of the library: which photo it shows, and what was done to it."""

    photo: int
    edit: str


@dataclass(slots=True)
class Count:
    """Of the pictures of one edit."""

    asked: int = 0
    found: int = 0
    """Linked with their own photo."""
    wrong: int = 0
    """Links with other photos."""
    as_same: int = 0
    """Of the found, by a link of kind `same`."""


def fill(folder: Path, shard: Path, photos: int, edited: int, seed: int) -> dict[str, Made]:
    """Write the files; what each of them is, by its name."""
    made = {}
    folder.mkdir()
    for number, example in enumerate(islice(read_shard(shard), photos)):
        files = {UNCHANGED: example.jpeg}
        if number < edited:
            picture, rng = Image.open(BytesIO(example.jpeg)).convert("RGB"), random.Random(f"{seed} {number}")
            for edits in FAMILIES.values():
                if edits is RECOLOURED and not coloured(picture):
                    continue
                name, edit = list(edits.items())[number % len(edits)]
                files[name] = edit(picture, rng)
        for place, (edit_name, data) in enumerate(files.items()):
            file = f"{number:05}-{place}.jpg"  # what it really is, its first bytes tell
            (folder / file).write_bytes(data)
            made[file] = Made(number, edit_name)
    return made


def counted(found: Sequence[Link], what: dict[str, Made]) -> tuple[dict[str, Count], int]:
    """For each edit how its pictures were found, and how many pairs of unchanged photos were linked.

    `what` says what each content is.
    """
    partners: defaultdict[str, dict[str, LinkKind]] = defaultdict(dict)
    for link in found:
        if link.kind in COPIES:
            partners[link.first][link.second] = partners[link.second][link.first] = link.kind
    counts: defaultdict[str, Count] = defaultdict(Count)
    for content, made in what.items():
        if made.edit == UNCHANGED:
            continue
        count = counts[made.edit]
        count.asked += 1
        for other, kind in partners[content].items():
            if what[other].edit == UNCHANGED:
                own = what[other].photo == made.photo
                count.found += own
                count.wrong += not own
                count.as_same += own and kind == "same"
    ends = ({what[link.first].edit, what[link.second].edit} for link in found if link.kind in COPIES)
    unchanged = sum(edits == {UNCHANGED} for edits in ends)
    return dict(counts), unchanged


def lines_of(counts: dict[str, Count], unchanged: int) -> Iterator[Line]:
    for family, edits in FAMILIES.items():
        total = sum_of(counts, edits)
        for name in edits:
            one = counts.get(name, Count())
            yield plain(f"{name}: recall, %", _percent(one.found, one.asked))
        right, asked, linked = total.found, total.asked, total.found + total.wrong
        precision, recall = GOALS.get(family, (None, None))
        yield _goal(f"{family}: precision, %", _percent(right, linked), precision)
        yield plain(f"{family}: precision, 95 % interval, %", _interval(right, linked))
        if edits is RECOLOURED:
            yield at_most(f"{family}: recall, %", _percent(right, asked), MOST_RECOLOURED)
        else:
            yield _goal(f"{family}: recall, %", _percent(right, asked), recall)
        yield plain(f"{family}: recall, 95 % interval, %", _interval(right, asked))
        yield plain(f"{family}: of the found, linked as the same picture, %", _percent(total.as_same, right))
    yield plain("pairs of unchanged photos that were linked", float(unchanged))


def _goal(name: str, value: float | str, goal: float | None) -> Line:
    return plain(name, value) if goal is None else at_least(name, value, goal)


def _percent(part: int, whole: int) -> float | str:
    return 100 * part / whole if whole else _NONE


def _interval(part: int, whole: int, z: float = 1.96) -> str:
    """Wilson's, which holds near 0 and 100 % too."""
    if not whole:
        return _NONE
    share = part / whole
    middle = (share + z * z / (2 * whole)) / (1 + z * z / whole)
    half = z / (1 + z * z / whole) * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    return f"{100 * (middle - half):.2f} to {100 * (middle + half):.2f}"


def measure_edits(shard: Path, encoder: Encoder, photos: int, edited: int, seed: int, choose: bool) -> Iterator[Line]:
    with tempfile.TemporaryDirectory() as place:
        made = fill(Path(place) / "photos", shard, photos, edited, seed)
        with Collection.open_or_create(Path(place) / "library", encoder.manifest) as collection:
            sync(collection, encoder, FolderSource(Path(place) / "photos"))
            report = find_duplicates(collection, lambda done, total, doing: None)
            again = find_duplicates(collection, lambda done, total, doing: None)
            yield from _costs(report.images, report.seconds, again.seconds)
            names = {state.content_hash: Path(state.path).name for state in collection.catalog.files_under("/")}
            what = {content: made[name] for content, name in names.items()}
            contents, evidence = evidence_of(collection)
            if choose:
                yield from _chosen(contents, evidence, what)
            yield from lines_of(*counted(judged(contents, evidence), what))


def measure_painted(encoder: Encoder, pictures: int, seed: int) -> Iterator[Line]:
    """Of painted pictures: how many pairs with different captions are linked, and what they were linked by."""
    with tempfile.TemporaryDirectory() as place:
        captions = {}
        (Path(place) / "painted").mkdir()
        for picture in render(pictures, seed):
            (Path(place) / "painted" / picture.name).write_bytes(picture.encoded())
            captions[picture.name] = picture.caption
        with Collection.open_or_create(Path(place) / "library", encoder.manifest) as collection:
            sync(collection, encoder, FolderSource(Path(place) / "painted"))
            find_duplicates(collection, lambda done, total, doing: None)
            contents, evidence = evidence_of(collection)
            files = collection.catalog.files_under("/")
            what = {state.content_hash: captions[Path(state.path).name] for state in files}
    for name, colour in (("", THRESHOLDS.colour), (", if colours were not compared", -1.0)):
        found = judged(contents, evidence, replace(THRESHOLDS, colour=colour))
        wrong = [link for link in found if link.kind in COPIES and what[link.first] != what[link.second]]
        yield plain(
            f"{pictures} painted pictures: pairs of different captions that were linked{name}", float(len(wrong))
        )


def evidence_of(collection: Collection) -> tuple[Contents, Evidence]:
    contents = collection.catalog.duplicate_store.contents()
    ids, vectors = collection.snapshot().contents()
    return contents, examined(contents, vectors[np.searchsorted(ids, contents.ids)], lambda doing: None)


def _costs(images: int, seconds: float, again: float) -> Iterator[Line]:
    yield plain("images in the library", float(images))
    yield plain("first run, wall time, ms an image", 1000 * seconds / images)
    yield plain("next run, fingerprints there, wall time, ms an image", 1000 * again / images)


def _chosen(contents: Contents, evidence: Evidence, what: dict[str, Made]) -> Iterator[Line]:
    """Precision and recall of the families at other thresholds."""
    tried = {"detail": (0.84, 0.88, 0.9, 0.91, 0.92, 0.93, 0.94), "same": (0.9, 0.96), "crop": (0.9, 0.92, 0.96)}
    tried |= {"colour": (-1.0, 0.5, 0.65, 0.85, 0.9)}
    for name, values in tried.items():
        for value in values:
            found = judged(contents, evidence, replace(THRESHOLDS, **{name: value}))
            counts, unchanged = counted(found, what)
            for family, edits in FAMILIES.items():
                total = sum_of(counts, edits)
                precision, recall = _percent(total.found, total.found + total.wrong), _percent(total.found, total.asked)
                yield plain(f"{name} {value}: {family}, precision, %", precision)
                yield plain(f"{name} {value}: {family}, recall, %", recall)
            yield plain(f"{name} {value}: pairs of unchanged photos", float(unchanged))


def sum_of(counts: dict[str, Count], edits: Iterable[str]) -> Count:
    return Count(*(sum(getattr(counts.get(edit, Count()), name) for edit in edits) for name in Count.__slots__))


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos.")],
    model: Annotated[str, typer.Option(help="Whose embeddings are compared.")] = "mini",
    photos: Annotated[int, typer.Option(help="Of the shard, from its first.")] = 1000,
    edited: Annotated[int, typer.Option(help="Of these, that are edited.")] = 800,
    painted: Annotated[int, typer.Option(help="Painted pictures, of other seeds where thresholds are chosen.")] = 300,
    seed: Annotated[int, typer.Option(help="Of the edits and painted pictures.")] = 0,
    sizes: Annotated[str, typer.Option(help="Images of the made-up libraries.")] = "100000,1000000",
    part: Annotated[str, typer.Option(help="edits, size, choose, or all: edits and size.")] = "all",
    output: Annotated[Path, typer.Option(help="File for the results.")] = RESULTS,
) -> None:
    """Measure, print a table, and write the results."""
    lines: list[Line] = []
    if part != "size":
        encoder = load_encoder(model)
        lines += measure_edits(shard, encoder, photos, edited, seed, part == "choose")
        lines += measure_painted(encoder, painted, seed + (part == "choose"))
    if part in ("size", "all"):
        for size in map(int, sizes.split(",")):
            lines += measure_size(size)
    print(table(lines))
    if part == "all":
        write(lines, output, f"python benchmarks/duplicates.py {shard.name} --model {model} --sizes {sizes}")


if __name__ == "__main__":
    typer.run(main)
