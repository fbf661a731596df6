"""XMP: what photo managers write of a picture, into the file or into one beside it. And IPTC, which came before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 1 << 20
"""Of one packet. Lightroom's longest, with the history of a thousand edits, are half of that."""

_RDF, _DC = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}", "{http://purl.org/dc/elements/1.1/}"
_LR, _XMP = "{http://ns.adobe.com/lightroom/1.0/}", "{http://ns.adobe.com/xap/1.0/}"
_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

_IPTC_TITLE, _IPTC_KEYWORD, _IPTC_CAPTION = (2, 5), (2, 25), (2, 120)
_PHOTOSHOP, _JPEG = b"Photoshop 3.0\0", b"\xff\xd8"
_HEAD = 1 << 19  # a JPEG's segments, 64 kB each at most, come before its pixels


class DamagedXmp(ValueError):
    """Not XMP, or not whole; the message says where."""


@dataclass(frozen=True, slots=True)
class Xmp:
    titles: list[str] = field(default_factory=list)
    captions: list[str] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    """dc:subject, then lr:hierarchicalSubject as it is written: `Animals|Dogs|Rex`."""
    rating: int | None = None


def parse(data: bytes) -> Xmp:
    """Raises DamagedXmp, also for what declares entities: XMP has no need of them, and they can fill any memory."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    if len(data) > MAX_BYTES:
        raise DamagedXmp(f"{len(data):,} bytes of XMP are over the limit of {MAX_BYTES:,}")
    try:
        tree = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise DamagedXmp(f"damaged XMP ({' '.join(str(error).split())})") from error
    return Xmp(
        titles=list(_items(tree, f"{_DC}title")),
        captions=list(_items(tree, f"{_DC}description")),
        keywords=[*_items(tree, f"{_DC}subject"), *_items(tree, f"{_LR}hierarchicalSubject")],
        rating=_rating(next(_items(tree, f"{_XMP}Rating"), None)),
    )


def embedded(data: bytes) -> Xmp:
    """The XMP in a picture file; an empty one where there is none. Never fails: the pixels are what counts.

    A packet is plain text in every format (that is its purpose), so it is looked for in the bytes: no decoder is asked.
    PNG's compressed kind is not found.
    """
    start = data.find(b"<x:xmpmeta", 0, _HEAD if data.startswith(_JPEG) else len(data))
    end = data.find(b"</x:xmpmeta>", start, start + MAX_BYTES) if start >= 0 else -1
    if end < 0:
        return Xmp()
    try:
        return parse(data[start : end + len(b"</x:xmpmeta>")])
    except DamagedXmp:
        return Xmp()


def embedded_iptc(data: bytes) -> Xmp:
    """Title, caption and keywords that a JPEG has as IPTC-IIM; an empty one where there is none. Never fails."""
    if not data.startswith(_JPEG) or data.find(_PHOTOSHOP, 0, _HEAD) < 0:
        return Xmp()
    from PIL import IptcImagePlugin, JpegImagePlugin

    try:
        fields: dict[tuple[int, int], Any] = (
            IptcImagePlugin.getiptcinfo(JpegImagePlugin.JpegImageFile(BytesIO(data))) or {}
        )
    except Exception:  # noqa: BLE001 - garbage in the header makes Pillow's parser raise anything
        return Xmp()
    return Xmp(
        titles=_iptc(fields.get(_IPTC_TITLE)),
        captions=_iptc(fields.get(_IPTC_CAPTION)),
        keywords=_iptc(fields.get(_IPTC_KEYWORD)),
    )


def _items(tree: Element, name: str) -> Iterator[str]:
    """A property's values: text, the items of a list, or an attribute of what is described."""
    for found in tree.iter(name):
        items = list(found.iter(f"{_RDF}li"))
        # The one that is in no particular language is for those who did not ask for one.
        items.sort(key=lambda item: item.get(_LANGUAGE, "x-default") != "x-default")
        for item in items or [found]:
            if item.text and item.text.strip():
                yield item.text
    for described in tree.iter(f"{_RDF}Description"):
        if value := described.get(name):
            yield value


def _rating(text: str | None) -> int | None:
    """Stars; -1, which some programs write for a rejected picture, is none."""
    match = re.fullmatch(r"\s*([0-5])(\.0*)?\s*", text or "")
    return int(match[1]) if match else None


def _iptc(value: bytes | list[bytes] | None) -> list[str]:
    values = [] if value is None else value if isinstance(value, list) else [value]
    return [_decoded(item) for item in values]


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
