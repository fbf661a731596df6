"""WebDataset shards: tar files in which the parts of an example share a name.

Ours: `000000.jpg` beside `000000.json` with `{"captions": [...], "label": ..., "file_name": ...}`. CLIP_benchmark's:
`s0000000.webp` beside `s0000000.txt` with a caption a line, or `s0000000.cls` with a class number, in
`test/0.tar`, `test/1.tar`, ... with `test/nshards.txt`, and `classnames.txt` and
`zeroshot_classification_templates.txt` one level up.

Pictures are not read here: a tar is no more than its files one after the other, so their places are noted.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from indexer.errors import InvalidDataset
from indexer.sources import IMAGE_SUFFIXES
from search.datasets.assembly import Entry, Request, captioned, labelled
from search.datasets.files import read_text, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.standard import split_in
from search.datasets.types import CaptionedDataset, LabelledDataset, StoredImage

_TEXTS = frozenset({"json", "txt", "cls"})
_MAX_TEXT_BYTES = 1 << 20
_END_MARK = 512
"""A whole tar ends with zeroed blocks of 512 bytes: at least one must follow the last member."""
DEFAULT_SPLIT = "test"


@dataclass(slots=True)
class Example:
    key: str
    image: StoredImage | None = None
    texts: dict[str, bytes] = field(default_factory=dict)


def find(request: Request) -> list[Path]:
    """The shards at a path: itself, or those of a folder, in the order of their numbers; empty if there are none."""
    path = request.path
    if path.is_file():
        return [path] if path.suffix == ".tar" else []
    split = path / (request.split or DEFAULT_SPLIT)
    folder = split if split.is_dir() and any(split.glob("*.tar")) else path
    return sorted(folder.glob("*.tar"), key=lambda shard: (len(shard.stem), shard.stem))


def read_captions(request: Request, shards: list[Path]) -> CaptionedDataset:
    problems = Problems()
    _check_number(shards, problems)
    entries = (Entry(example.key, _captions(example, problems), example.image) for example in _all(shards, problems))
    return captioned(
        request,
        entries,
        problems,
        name=_name(request, shards),
        split=_split(request, shards),
        form="WebDataset shards",
        hashes=_hashes(shards),
    )


def read_labels(request: Request, shards: list[Path]) -> LabelledDataset:
    """Classes are those of `classnames.txt` by number, or else the labels found, sorted."""
    problems = Problems()
    _check_number(shards, problems)
    names, templates = (
        _lines_above(shards[0], "classnames.txt"),
        _lines_above(shards[0], "zeroshot_classification_templates.txt"),
    )
    entries = []
    for example in _all(shards, problems):
        label = _label(example, names)
        if label is None:
            problems.add(Problem.NO_CLASS, example.key)
        elif example.image is not None:
            entries.append((example.key, label, example.image))
    return labelled(
        request,
        entries,
        problems,
        classes=names or tuple(sorted({label for _, label, _ in entries})),
        templates=templates,
        name=_name(request, shards),
        form="WebDataset shards",
        hashes=_hashes(shards),
    )


def has_captions(shards: list[Path]) -> bool:
    """Whether the first example has captions; if not, it should have a label."""
    for example in _examples(shards[0], shards[0].name, Problems()):
        return bool(_captions(example, Problems()))
    return True


def _all(shards: list[Path], problems: Problems) -> Iterator[Example]:
    """Keys stand once within a shard; with several shards they are told apart by the shard's name."""
    for shard in shards:
        prefix = f"{shard.stem}/" if len(shards) > 1 else ""
        for example in _examples(shard, shard.name, problems):
            example.key = prefix + example.key
            if example.image is None:
                problems.add(Problem.MISSING_IMAGE, example.key)
            yield example


def _examples(shard: Path, name: str, problems: Problems) -> Iterator[Example]:
    """Neighbouring members of the same name up to its first dot, as WebDataset groups them."""
    example: Example | None = None
    for member, content in _members(shard, name, problems):
        path = PurePosixPath(member.name)
        stem, _, extension = path.name.partition(".")
        extension = extension.lower()
        if extension not in IMAGE_SUFFIXES and extension not in _TEXTS:
            continue
        key = str(path.with_name(stem))
        if example is None or example.key != key:
            if example is not None:
                yield example
            example = Example(key)
        if extension in IMAGE_SUFFIXES:
            example.image = StoredImage(shard, member.offset_data, member.size)
        else:
            example.texts[extension] = content
    if example is not None:
        yield example


def _members(shard: Path, name: str, problems: Problems) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """The plain files, with the content of the texts. A tar that breaks off is noted, and read as far as it goes."""
    size, end = shard.stat().st_size, 0
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                end = member.offset_data + member.size
                if end > size:
                    break
                if member.isreg() and "." in PurePosixPath(member.name).name:
                    yield member, _text(tar, member)
    except (tarfile.TarError, EOFError, OSError) as error:
        if not end:
            raise InvalidDataset(str(shard), f"it is not a tar file ({error}); unpack .tar.gz to .tar") from error
        problems.add(Problem.CUT_SHORT, name)
        return
    if size < -(-end // 512) * 512 + _END_MARK:
        problems.add(Problem.CUT_SHORT, name)


def _text(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    if PurePosixPath(member.name).suffix[1:].lower() not in _TEXTS or member.size > _MAX_TEXT_BYTES:
        return b""
    file = tar.extractfile(member)
    return file.read() if file else b""


def _captions(example: Example, problems: Problems) -> tuple[str, ...]:
    """The JSON's `captions` or `caption`, else the lines of the text."""
    fields = _fields(example, problems)
    found = fields.get("captions", fields.get("caption"))
    if isinstance(found, str):
        return (found,)
    if isinstance(found, list) and all(isinstance(caption, str) for caption in found):
        return tuple(found)
    return tuple(_decoded(example.texts.get("txt", b""), example.key, problems).splitlines())


def _label(example: Example, names: tuple[str, ...]) -> str | None:
    number = example.texts.get("cls", b"").decode("ascii", "replace").strip()
    if number.isdecimal():
        if not names:
            return number
        return names[int(number)] if int(number) < len(names) else None
    label = _fields(example, Problems()).get("label")
    return label if isinstance(label, str) and label.strip() else None


def _fields(example: Example, problems: Problems) -> dict[str, object]:
    if "json" not in example.texts:
        return {}
    try:
        fields = json.loads(example.texts["json"])
        if isinstance(fields, dict):
            return fields
    except (ValueError, RecursionError):
        pass
    problems.add(Problem.DAMAGED, f"{example.key}.json")
    return {}


def _decoded(content: bytes, key: str, problems: Problems) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        problems.add(Problem.DAMAGED, f"{key}.txt")
        return ""


def _check_number(shards: list[Path], problems: Problems) -> None:
    """CLIP_benchmark writes beside its shards how many there should be: `0.tar` to `N-1.tar`."""
    counted = shards[0].parent / "nshards.txt"
    if not counted.is_file():
        return
    number = read_text(counted).strip()
    if not number.isdecimal():
        raise InvalidDataset(str(counted), f"it should hold the number of shards, not {number[:40]!r}")
    there = {shard.name for shard in shards}
    for index in range(int(number)):
        if f"{index}.tar" not in there:
            problems.add(Problem.MISSING_SHARD, f"{index}.tar")


def _lines_above(shard: Path, name: str) -> tuple[str, ...]:
    """The lines of a file beside the shard or one level up; empty if there is none."""
    for folder in (shard.parent, shard.parent.parent):
        if (folder / name).is_file():
            return tuple(line.strip() for line in read_text(folder / name).split("\n") if line.strip())
    return ()


def _name(request: Request, shards: list[Path]) -> str:
    return shards[0].stem if len(shards) == 1 and request.path.is_file() else request.path.resolve().name


def _split(request: Request, shards: list[Path]) -> str | None:
    names = (shards[0].stem if len(shards) == 1 else "", shards[0].parent.name, request.path.name)
    return request.split or next((split for name in names if (split := split_in(name))), None)


def _hashes(shards: list[Path]) -> dict[str, str]:
    return {shard.name: sha256(shard) for shard in shards}
