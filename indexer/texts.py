"""What is said of an image beside its pixels: captions, keywords, a title, a rating."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

TextKind = Literal["caption", "keyword", "title"]

MAX_TEXTS = 200
"""Texts kept of one image."""
MAX_CHARACTERS = 4000
"""Of one text; what is longer is cut."""


@dataclass(frozen=True, slots=True)
class ImageText:
    kind: TextKind
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """All that is said of one image."""

    texts: tuple[ImageText, ...] = ()
    rating: int | None = None
    """0 to 5 stars."""
    sidecars: str = ""
    """`SourceFile.sidecar_mark` of the side-cars that it was read with."""


def description(
    *,
    captions: Iterable[str],
    keywords: Iterable[str],
    titles: Iterable[str],
    rating: int | None,
    sidecars: str,
) -> Description:
    """Each text once, in the order given, without the white space around it; of titles the first."""
    found = [ImageText("title", text) for text in list(_clean(titles))[:1]]
    found += [ImageText("caption", text) for text in _clean(captions)]
    found += [ImageText("keyword", text) for text in _clean(keywords)]
    return Description(tuple(found[:MAX_TEXTS]), rating, sidecars)


def of_kind(texts: Iterable[ImageText], kind: TextKind) -> list[str]:
    return [text.text for text in texts if text.kind == kind]


def _clean(texts: Iterable[str]) -> Iterator[str]:
    """NUL has no place in a database's texts, and lone surrogates none in UTF-8."""
    seen: set[str] = set()
    for text in texts:
        whole = text.replace("\0", "").encode("utf-8", "replace").decode("utf-8").strip()[:MAX_CHARACTERS]
        if whole and whole not in seen:
            seen.add(whole)
            yield whole
