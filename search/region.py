"""A part of a picture to search by: a box in fractions of it, which means the same at every size."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import BytesIO

from indexer.errors import InvalidQuery
from indexer.images import Limits, thumbnail

_ROUNDING = 1e-6
"""How far over the edge a box may reach: 0.7 + 0.3 is more than 1 in many languages."""


@dataclass(frozen=True, slots=True)
class Region:
    """A box of an upright picture: its upper left corner and its size, all in fractions of the picture, 0 to 1.

    Raises `InvalidQuery` for a box without an area, or one that reaches outside the picture.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        numbers = (self.x, self.y, self.width, self.height)
        if not all(math.isfinite(number) for number in numbers) or min(self.width, self.height) <= 0:
            raise InvalidQuery(f"the region {self} has no area; give x,y,width,height as fractions such as 0.2,0,0.5,1")
        right, bottom = self.x + self.width, self.y + self.height
        if min(self.x, self.y) < 0 or max(right, bottom) > 1 + _ROUNDING:
            raise InvalidQuery(
                f"the region {self} reaches outside the picture, which is 0 to 1 wide and high whatever its pixels; "
                "give x,y,width,height as fractions such as 0.2,0,0.5,1"
            )

    def __str__(self) -> str:
        return ",".join(f"{number:g}" for number in (self.x, self.y, self.width, self.height))

    @classmethod
    def parse(cls, text: str) -> Region:
        """`x,y,width,height`. Raises `InvalidQuery`."""
        try:
            x, y, width, height = (float(number) for number in text.split(","))
        except ValueError as error:
            raise InvalidQuery(
                f"{text!r} is no region; give x,y,width,height as fractions of the picture, such as 0.2,0,0.5,1"
            ) from error
        return cls(x, y, width, height)

    def cut(self, data: bytes, limits: Limits | None = None) -> bytes:
        """That part of a picture file, upright, as PNG, which loses nothing: a pixel at least.

        Raises `UnreadableImage`.
        """
        limits = limits or Limits()
        whole = thumbnail(data, limits.max_pixels, limits)
        left, top = min(int(self.x * whole.width), whole.width - 1), min(int(self.y * whole.height), whole.height - 1)
        right = min(max(left + 1, round((self.x + self.width) * whole.width)), whole.width)
        bottom = min(max(top + 1, round((self.y + self.height) * whole.height)), whole.height)
        buffer = BytesIO()
        whole.crop((left, top, right, bottom)).save(buffer, "PNG", compress_level=1)
        return buffer.getvalue()
