"""Flickr8k's and Flickr30k's own text files.

`Flickr8k.token.txt`, `results_20130124.token`: `1000268201_693b08cb0e.jpg#0<TAB>A child in a pink dress ...`
`captions.txt`, `results.csv`: a header, then `image,caption` or `image_name| comment_number| comment`
`Flickr_8k.testImages.txt`: the file names of a split, one a line
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from indexer.errors import InvalidDataset
from search.datasets.assembly import Entry, Request, captioned
from search.datasets.files import ImageFolder, read_text, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.standard import split_in, split_name
from search.datasets.types import CaptionedDataset

_TOKEN = re.compile(r"^([^\t#]+)#(\d+)\t(.*)$")
_IMAGE_COLUMNS = frozenset({"image", "image_name", "file_name", "filename", "filepath", "path"})
_TEXT_COLUMNS = frozenset({"caption", "comment", "title", "text"})
Captions = dict[str, list[str]]


def fits_token(first_line: str) -> bool:
    return _TOKEN.match(first_line) is not None


def fits_table(first_line: str) -> bool:
    return _columns(first_line) is not None


def read_token(request: Request) -> CaptionedDataset:
    problems = Problems()
    found: Captions = {}
    seen: set[str] = set()
    for number, line in enumerate(read_text(request.path).split("\n"), start=1):
        match = _TOKEN.match(line)
        if match is None:
            if line.strip():
                problems.add(Problem.DAMAGED, f"line {number}")
            continue
        caption_id = f"{match[1]}#{match[2]}"
        if caption_id in seen:
            problems.add(Problem.DUPLICATE, caption_id)
            continue
        seen.add(caption_id)
        found.setdefault(match[1], []).append(match[3])
    return _of_split(request, found, problems, "Flickr token file")


def read_table(request: Request) -> CaptionedDataset:
    problems = Problems()
    text = read_text(request.path)
    columns = _columns(text.partition("\n")[0])
    if columns is None:
        raise InvalidDataset(str(request.path), "its first line names no column 'image' and 'caption'")
    found: Captions = {}
    for number, image, caption in _rows(text, *columns, problems):
        if not image:
            problems.add(Problem.DAMAGED, f"line {number}")
        else:
            found.setdefault(image, []).append(caption)
    return _of_split(request, found, problems, "captions table")


def _columns(header: str) -> tuple[str, int, int] | None:
    """The delimiter, and which columns hold the image's name and the caption."""
    for delimiter in ("|", "\t", ","):
        names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
        image = next((place for place, name in enumerate(names) if name in _IMAGE_COLUMNS), None)
        text = next((place for place, name in enumerate(names) if name in _TEXT_COLUMNS), None)
        if image is not None and text is not None:
            return delimiter, image, text
    return None


def _rows(text: str, delimiter: str, image: int, caption: int, problems: Problems) -> Iterator[tuple[int, str, str]]:
    """Line, image's name, caption. Commas that a last column has without quotes belong to it."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=delimiter == "|")
    width = len(next(reader))
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problems.add(Problem.DAMAGED, f"line {reader.line_num}")
            continue
        if not row:
            continue
        if len(row) < width or (len(row) > width and caption != width - 1):
            problems.add(Problem.DAMAGED, f"line {reader.line_num}")
            continue
        last = delimiter.join(row[caption:]) if caption == width - 1 else row[caption]
        yield reader.line_num, row[image].strip(), last


def _of_split(request: Request, captions: Captions, problems: Problems, form: str) -> CaptionedDataset:
    hashes = {request.path.name: sha256(request.path)}
    split = request.split
    names = list(captions)
    if split is not None:
        listed = _split_list(request.path, split)
        split = split_in(listed.stem) or split
        names = [line.strip() for line in read_text(listed).splitlines() if line.strip()]
        hashes[listed.name] = sha256(listed)
    folder = ImageFolder(request.path, request.images, problems)
    return captioned(
        request,
        (Entry(name, tuple(captions.get(name, ())), folder.find(name)) for name in names),
        problems,
        name=request.path.stem if "flickr" in request.path.stem.lower() else request.path.resolve().parent.name,
        split=split or split_in(request.path.stem),
        form=form,
        hashes=hashes,
    )


def _split_list(captions: Path, split: str) -> Path:
    """The file that lists a split's images: itself, or the one beside the captions that is named after the split."""
    if Path(split).is_file():
        return Path(split)
    wanted = split_name(split)
    beside = [path for path in sorted(captions.parent.glob("*.txt")) if path != captions]
    fitting = [path for path in beside if split_in(path.stem) == wanted]
    if len(fitting) == 1:
        return fitting[0]
    reason = "several files list" if fitting else "no file beside it lists"
    raise InvalidDataset(
        str(captions),
        f"{reason} the images of split {split!r}; give the list itself, as --split Flickr_8k.testImages.txt",
    )
