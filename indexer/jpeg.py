"""JPEG bytes -> pixels not much larger than needed: libjpeg scales while it decodes."""

from __future__ import annotations

import re

import numpy as np
from PIL import Image, JpegImagePlugin

from indexer.geometry import Size

_EIGHTHS = (1, 2, 4, 8)
"""libjpeg scales to any number of eighths, but has vector instructions for halves only: 7/8 of a photo take 1.8 times
as long as all of it, 3/8 1.1 times as long as 4/8."""


def load_jpeg(opened: JpegImagePlugin.JpegImageFile, data: bytes, least: Size) -> Image.Image | np.ndarray:
    """The smallest of the full size, its half, quarter and eighth with sides of `least` or more; never enlarged.

    In stored orientation; an array is RGB. simplejpeg is faster than Pillow and tells when the data is damaged. What it
    cannot read (odd subsampling) or merely warns about (stray bytes between segments, which some cameras write) goes
    to Pillow. Damage raises what the library raises.
    """
    import simplejpeg

    width, height = scaled(opened.size, least)
    try:
        pixels: np.ndarray = simplejpeg.decode_jpeg(data, "RGB", min_width=width, min_height=height)
        return pixels
    except ValueError as error:
        if _PIXELS_LOST.search(str(error)):
            raise
    opened.draft(None, (width, height))
    opened.load()
    return opened


def scaled(full: Size, least: Size) -> Size:
    """What a JPEG of that size is decoded to. libjpeg rounds a fraction of a pixel up."""
    sizes = ((-(-full[0] * eighths // 8), -(-full[1] * eighths // 8)) for eighths in _EIGHTHS)
    return next((size for size in sizes if size[0] >= least[0] and size[1] >= least[1]), full)


_PIXELS_LOST = re.compile(r"premature end|bad huffman|bad arithmetic|instead of RST", re.IGNORECASE)
"""libjpeg's warnings after which the rest of the picture is grey or garbage."""
