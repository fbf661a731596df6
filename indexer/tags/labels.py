"""Lists of labels, as people write them: one label a line, with other words for it and a threshold of its own.

# a comment
beach
dog: puppy, hound
gore: blood and wounds | 0.05
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Final

from indexer.errors import InvalidRequest

EVERYDAY: Final = "everyday"
"""The list that ships. It is also what the labels of other lists have to stand out from."""
MAX_LABELS = 10_000
MAX_NAME = 200
_MAX_LIST_NAME = 64
_MAX_BYTES = 4 << 20
_THRESHOLD = re.compile(r"(?P<words>.*)\|(?P<threshold>[^|]*)")


@dataclass(frozen=True, slots=True)
class Label:
    name: str
    """As `tag_name` makes it."""
    texts: tuple[str, ...]
    """What stands for it together: their mean embedding. Not empty."""
    threshold: float | None = None
    """0 to 1: the score from which on an image has it; None: the default."""


def tag_name(text: str) -> str:
    """A tag as it is stored: small letters, single spaces. Raises `InvalidRequest` for none and for too long ones."""
    name = " ".join(text.split()).casefold()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InvalidRequest(f"{text[:40]!r} is no tag; write 1 to {MAX_NAME} printable characters")
    return name


def list_name(text: str) -> str:
    """Of a list. Raises `InvalidRequest`."""
    name = tag_name(text)
    if len(name) > _MAX_LIST_NAME:
        raise InvalidRequest(
            f"the name {name[:40]!r} of the list has more than {_MAX_LIST_NAME} characters; shorten it"
        )
    return name


def read_labels(text: str) -> tuple[Label, ...]:
    """A label that is there again adds its words to the first. Raises `InvalidRequest`, which names the line."""
    labels: dict[str, Label] = {}
    for number, line in enumerate(text.splitlines(), 1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        label = _read_line(said, number)
        before = labels.get(label.name, label)
        if None not in (before.threshold, label.threshold) and before.threshold != label.threshold:
            raise InvalidRequest(f"line {number}: {label.name!r} has another threshold above; leave one of them out")
        threshold = before.threshold if label.threshold is None else label.threshold
        labels[label.name] = replace(
            label, texts=tuple(dict.fromkeys((*before.texts, *label.texts))), threshold=threshold
        )
    if not 1 <= len(labels) <= MAX_LABELS:
        raise InvalidRequest(f"the list has {len(labels):,} labels; it takes 1 to {MAX_LABELS:,}, one a line")
    return tuple(labels.values())


def write_labels(labels: Iterable[Label]) -> str:
    """What `read_labels` reads as these."""
    return "".join(f"{_line(label)}\n" for label in labels)


def _line(label: Label) -> str:
    words = f"{label.texts[0]}: {', '.join(label.texts[1:])}" if len(label.texts) > 1 else label.texts[0]
    return words if label.threshold is None else f"{words} | {label.threshold:g}"


def _read_line(said: str, number: int) -> Label:
    found = _THRESHOLD.fullmatch(said)
    words, threshold = (found["words"], _threshold(found["threshold"], number)) if found else (said, None)
    first, _, others = words.partition(":")
    try:
        name = tag_name(first)
    except InvalidRequest as error:
        raise InvalidRequest(f"line {number}: {error}") from error
    texts = (" ".join(text.split()) for text in (first, *others.split(",")))
    return Label(name, tuple(dict.fromkeys(text for text in texts if text)), threshold)


def _threshold(text: str, number: int) -> float:
    try:
        threshold = float(text)
    except ValueError:
        threshold = -1.0
    if not 0 < threshold < 1:
        raise InvalidRequest(f"line {number}: {text.strip()!r} is no threshold; write a number above 0 and below 1")
    return threshold


def shipped_labels() -> tuple[Label, ...]:
    return read_labels(resources.files("indexer.tags").joinpath("everyday.txt").read_text("utf-8"))


def labels_of_file(path: Path) -> tuple[Label, ...]:
    """Raises `InvalidRequest` for one that cannot be read, too."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise InvalidRequest(f"the list {str(path)!r} is over the limit of {_MAX_BYTES:,} bytes; shorten it")
        return read_labels(data.decode("utf-8-sig"))
    except OSError as error:
        raise InvalidRequest(f"the list {str(path)!r} cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"the list {str(path)!r} is no text in UTF-8; save it as that") from error
