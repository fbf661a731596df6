"""What words are known about an image, field by field, and how names are taken apart: `beachTrip` has two words.

The text of a field is made for the index alone: names stand in it apart and whole, and texts that do not belong
together have a mark between them, so that no phrase reaches from one into the next.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal
from urllib.parse import unquote

from indexer.sources.address import is_remote, parse
from indexer.texts import ImageText, of_kind

Field = Literal["name", "folder", "title", "caption", "keyword"]
PLACES: Final[tuple[Field, ...]] = ("name", "folder")
"""Words that say where a picture lies, and only by chance what it shows."""
SAID: Final[tuple[Field, ...]] = ("title", "caption", "keyword")
FIELDS: Final[tuple[Field, ...]] = (*PLACES, *SAID)

APART: Final = " \ue000 "
"""Of private use: the index takes it for a word, and no question holds it."""

_WORD: Final = re.compile(r"[^\W_]+")
_BOUNDARY: Final = re.compile(
    r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)


@dataclass(frozen=True, slots=True)
class Word:
    text: str
    start: int
    """Where it stands, in characters."""
    end: int


def words(text: str) -> Iterator[Word]:
    """Letters and digits in a row."""
    for found in _WORD.finditer(text):
        yield Word(found[0], found.start(), found.end())


def parts(word: Word) -> list[Word]:
    """Of `beachTrip2019`: `beach`, `Trip`, `2019`; a plain word is its own only part."""
    cuts = [0, *(found.start() for found in _BOUNDARY.finditer(word.text)), len(word.text)]
    return [Word(word.text[start:end], word.start + start, word.start + end) for start, end in pairwise(cuts)]


def folded(text: str) -> str:
    """As the index compares words: without case and accents."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if not unicodedata.combining(character))


def taken_apart(text: str) -> str:
    """With a space wherever a part of a word ends."""
    return " ".join(_WORD.findall(_BOUNDARY.sub(" ", text)))


def place_of(path: str) -> tuple[list[str], str]:
    """The folders that a picture lies in, from the root on, and its own name; of a frame, its video's."""
    address = parse(path)
    inner = "" if address.kind == "video" else address.inner
    if is_remote(inner):
        inner = unquote(inner.partition("?")[0])
    *folders, name = [
        part for part in f"{address.container}/{inner}".split("/") if part and not part.endswith(":")
    ] or [""]
    return folders, name


def field_texts(path: str, texts: Sequence[ImageText]) -> dict[Field, str]:
    """For the index, empty where nothing is known."""
    folders, name = place_of(path)
    said: dict[Field, Iterable[str]] = {
        "name": _both_ways([name]),
        "folder": _both_ways(folders),
        "title": of_kind(texts, "title"),
        "caption": of_kind(texts, "caption"),
        "keyword": of_kind(texts, "keyword"),
    }
    return {field: APART.join(storable(text) for text in said[field]) for field in FIELDS}


def _both_ways(names: Sequence[str]) -> list[str]:
    """Each name taken apart; then, as they were, the words that had more than one part."""
    stored = [storable(name) for name in names]
    whole = [word for name in stored for word in _WORD.findall(name) if _BOUNDARY.search(word)]
    return [taken_apart(name) for name in stored] + whole


def storable(text: str) -> str:
    """What is no UTF-8 becomes `?`, and a letter with its accent one character."""
    return text if text.isascii() else unicodedata.normalize("NFC", text.encode("utf-8", "replace").decode("utf-8"))
