"""JPEG bytes -> pixels no larger than needed: libjpeg scales while it decodes, by eighths."""

from __future__ import annotations

import re

from PIL import Image, JpegImagePlugin

from indexer.geometry import Size


def load_jpeg(opened: JpegImagePlugin.JpegImageFile, data: bytes, least: Size) -> Image.Image:
    """The smallest scale whose sides are at least `least`, both in stored orientation; never enlarged.

    simplejpeg is faster than Pillow, knows all eighths where Pillow knows halves, and tells when the data is damaged.
    What it cannot read (odd subsampling) or merely warns about (stray bytes between segments, which some cameras
    write) goes to Pillow. Damage raises what the library raises.
    """
    import simplejpeg

    least = min(least[0], opened.width), min(least[1], opened.height)
    try:
        return Image.fromarray(simplejpeg.decode_jpeg(data, "RGB", min_width=least[0], min_height=least[1]))
    except ValueError as error:
        if _PIXELS_LOST.search(str(error)):
            raise
    opened.draft(None, least)
    opened.load()
    return opened


_PIXELS_LOST = re.compile(r"premature end|bad huffman|bad arithmetic|instead of RST", re.IGNORECASE)
"""libjpeg's warnings after which the rest of the picture is grey or garbage."""
