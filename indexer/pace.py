"""How fast a sync or a reindex went, and which of its stations the others waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import TracebackType
from typing import Literal

Limit = Literal["decoding", "encoding", "catalog"]


_STATIONS: dict[Limit, str] = {
    "decoding": "reading and decoding",
    "encoding": "the encoder",
    "catalog": "writing the catalog",
}


def limited(images_per_second: float, limit: Limit) -> str:
    """A pace in words, for people."""
    return f"{images_per_second:,.0f} images/s; {_STATIONS[limit]} was the limit"


class Stopwatch:
    """Adds up the seconds spent inside its context. For one thread."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds += time.monotonic() - self._started


@dataclass(frozen=True, slots=True)
class Pace:
    """All but the first and the last in seconds."""

    images_per_second: float
    """Pictures encoded, over the time from the first name listed to the last commit."""
    encoder_waited: float
    """For pictures to be read and decoded."""
    decoders_waited: float
    """For the encoder to take pictures that were ready; the threads go on meanwhile until their look-ahead is full."""
    encoder_waited_for_catalog: float
    limit: Limit
    """The one that was waited for longest: were it faster, the run would have been shorter."""

    @classmethod
    def of(
        cls,
        images_per_second: float,
        *,
        encoder_waited: float,
        decoders_waited: float,
        encoder_waited_for_catalog: float,
    ) -> Pace:
        waits: dict[Limit, float] = {
            "encoding": decoders_waited,
            "decoding": encoder_waited,
            "catalog": encoder_waited_for_catalog,
        }
        limit = max(waits, key=lambda name: waits[name])
        return cls(images_per_second, encoder_waited, decoders_waited, encoder_waited_for_catalog, limit)


class Waits:
    """Who is waited for, while it happens."""

    def __init__(self) -> None:
        self.pictures, self.encoder, self.catalog = Stopwatch(), Stopwatch(), Stopwatch()

    def pace(self, images: int, seconds: float, *, encoder_idle: float) -> Pace:
        """`encoder_idle` are the seconds that the encoder had nothing to do, for whatever reason."""
        return Pace.of(
            images / seconds,
            encoder_waited=min(encoder_idle, self.pictures.seconds),  # a long walk is not the decoders' doing
            decoders_waited=max(0.0, self.encoder.seconds - self.catalog.seconds),  # it was waiting itself
            encoder_waited_for_catalog=self.catalog.seconds,
        )
