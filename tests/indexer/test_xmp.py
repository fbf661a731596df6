"""What photo managers write: packets as Lightroom, digiKam and darktable have them."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from indexer import xmp
from tests.pictures import encoded, plain

HEAD = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" {attributes}>"""
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"


def packet(body: str = "", attributes: str = "") -> bytes:
    return (HEAD.format(attributes=attributes) + body + TAIL).encode()


FULL = packet(
    """<dc:title><rdf:Alt><rdf:li xml:lang="de">Strand</rdf:li><rdf:li xml:lang="x-default">Beach</rdf:li></rdf:Alt>
    </dc:title><dc:description><rdf:Alt><rdf:li xml:lang="x-default">A dog &amp; the sea</rdf:li></rdf:Alt>
    </dc:description><dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li> </rdf:li><rdf:li>Zoë</rdf:li></rdf:Bag>
    </dc:subject><lr:hierarchicalSubject><rdf:Bag><rdf:li>Animals|dog</rdf:li></rdf:Bag></lr:hierarchicalSubject>""",
    'xmp:Rating="4"',
)


def test_all_that_is_read() -> None:
    found = xmp.parse(FULL)
    assert found.titles == ["Beach", "Strand"]
    assert found.captions == ["A dog & the sea"]
    assert found.keywords == ["dog", "Zoë", "Animals|dog"]
    assert found.rating == 4


@pytest.mark.parametrize(
    ("text", "rating"), [("0", 0), ("5", 5), ("3.0", 3), ("-1", None), ("6", None), ("x", None), ("", None)]
)
def test_ratings(text: str, rating: int | None) -> None:
    assert xmp.parse(packet(attributes=f'xmp:Rating="{text}"')).rating == rating
    assert xmp.parse(packet(f"<xmp:Rating>{text}</xmp:Rating>")).rating == rating


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + packet("<dc:title>&b;</dc:title>")


@pytest.mark.parametrize("data", [b"", b"no xml", FULL[:-20], BOMB, b"\xff\xfe\xfd", b" " * (xmp.MAX_BYTES + 1)])
def test_what_is_damaged_or_dangerous_is_refused(data: bytes) -> None:
    with pytest.raises(xmp.DamagedXmp):
        xmp.parse(data)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF"])
def test_it_is_found_in_every_format(format: str) -> None:
    if format == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", FULL.decode())
        data = encoded(plain("red"), format, pnginfo=info)
    elif format == "TIFF":
        data = encoded(plain("red"), format, tiffinfo={700: FULL})
    else:
        data = encoded(plain("red"), format, xmp=FULL)
    Image.open(BytesIO(data)).verify()
    assert xmp.embedded(data).keywords == ["dog", "Zoë", "Animals|dog"]


def test_pictures_without_any_or_with_a_damaged_one_say_nothing() -> None:
    assert xmp.embedded(encoded(plain("red"))) == xmp.Xmp()
    assert xmp.embedded(encoded(plain("red"), xmp=b"<x:xmpmeta><broken></x:xmpmeta>")) == xmp.Xmp()


def iptc(*fields: tuple[int, bytes]) -> bytes:
    """A JPEG with these datasets of IPTC's second record."""
    data = b"".join(b"\x1c\x02" + bytes([number]) + len(text).to_bytes(2, "big") + text for number, text in fields)
    resource = b"8BIM\x04\x04\0\0" + len(data).to_bytes(4, "big") + data + b"\0" * (len(data) % 2)
    body = b"Photoshop 3.0\0" + resource
    whole = encoded(plain("red"))
    return whole[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body + whole[2:]


def test_iptc() -> None:
    found = xmp.embedded_iptc(iptc((5, b"Beach"), (25, b"dog"), (25, "Zoë".encode()), (25, b"Zo\xeb"), (120, b"Sea")))
    assert (found.titles, found.captions, found.keywords) == (["Beach"], ["Sea"], ["dog", "Zoë", "Zoë"])
    assert xmp.embedded_iptc(iptc((25, b"dog"))[:60]) == xmp.Xmp()
    assert xmp.embedded_iptc(encoded(plain("red"))) == xmp.Xmp()
