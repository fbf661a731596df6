"""Where a picture goes in the frame that a model takes: open_clip's geometry, rounding included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from indexer.images import Preprocessing

Size = tuple[int, int]
"""Width, height."""

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
"""All of a picture, in fractions of it."""


@dataclass(frozen=True, slots=True)
class Fit:
    """Where a picture goes: the `box` of it, resized to `size`, lies at `offset` in the model's frame."""

    resized: Size
    """The whole picture at the model's scale, before it is cropped."""
    box: Box
    """As fractions of the picture."""
    size: Size
    offset: Size = (0, 0)

    @property
    def corner(self) -> Size:
        """Left and top of what is kept of the resized picture."""
        return round(self.box[0] * self.resized[0]), round(self.box[1] * self.resized[1])


def fit(preprocessing: Preprocessing, full: Size) -> Fit:
    """open_clip's geometry for a picture of the size `full`, rounding included.

    The centre crop is a box of the source, so that only what is kept is ever resized: a strip of 1 x 60,000 px
    would be 224 x 13,440,000 before its crop.
    """
    frame = width, height = preprocessing.width, preprocessing.height
    if preprocessing.resize_mode == "squash":
        return Fit(frame, WHOLE, frame)
    if preprocessing.resize_mode == "longest":
        ratio = max(full[0] / width, full[1] / height)
        resized = max(1, round(full[0] / ratio)), max(1, round(full[1] / ratio))
        return Fit(resized, WHOLE, resized, ((width - resized[0]) // 2, (height - resized[1]) // 2))
    if width == height:  # torchvision's Resize, which rounds the longer side down
        resized = width * full[0] // min(full), height * full[1] // min(full)
    else:
        ratio = min(full[0] / width, full[1] / height)
        resized = max(width, round(full[0] / ratio)), max(height, round(full[1] / ratio))
    left, top = round((resized[0] - width) / 2), round((resized[1] - height) / 2)
    box = left / resized[0], top / resized[1], (left + width) / resized[0], (top + height) / resized[1]
    return Fit(resized, box, frame)


def thumbnail_size(full: Size, max_side: int) -> Size:
    """A picture's size with its longer side at most `max_side` px: never larger than it is, never without a pixel."""
    scale = min(1.0, max_side / max(full))
    return max(1, round(full[0] * scale)), max(1, round(full[1] * scale))


def within(extent: Box, box: Box) -> Box:
    """Fractions of the extent -> pixels; clipped, since Pillow refuses a box that rounding carried outside."""
    left, top, right, bottom = extent
    width, height = right - left, bottom - top
    return (
        left + box[0] * width,
        top + box[1] * height,
        min(left + box[2] * width, right),
        min(top + box[3] * height, bottom),
    )
