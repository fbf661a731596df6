"""What the routes work with: opened once when the service starts, closed when it ends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from anyio import CapacityLimiter

from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import Encoder, load_encoder
from indexer.library_folder import QUERIES
from indexer.originals import Originals
from search.serving import Serving
from web.last_map import LastMap
from web.thumbnails import Thumbnails
from web.uploads import QueryImages

SEARCHES_AT_ONCE: Final = 32
"""Texts that come while others are encoded are encoded together, so that more at once answer more a second."""
UPLOADS_AT_ONCE: Final = 4
"""A picture of the size that is allowed takes half a gigabyte while it is decoded."""


@dataclass(frozen=True, slots=True)
class Services:
    settings: Settings
    serving: Serving
    originals: Originals
    thumbnails: Thumbnails
    query_images: QueryImages
    last_map: LastMap
    search_slots: CapacityLimiter
    upload_slots: CapacityLimiter
    """For searches that bring a picture."""
    name: str | None = None
    """Of the collection, where several are served: links to its images carry it."""

    @property
    def collection(self) -> Collection:
        return self.serving.collection


@contextmanager
def open_services(
    settings: Settings, encoder: Encoder | None = None, load: Callable[[str], Encoder] | None = None
) -> Iterator[Services]:
    """Open the collection and load its model. Raises `CollectionError` and `ModelError`; closes the collection at exit.

    An `encoder` that is given is used as it is, instead of the settings' or the collection's own model; models are
    loaded by `load`, if that is given.
    """
    load = load or partial(load_encoder, **settings.encoding())
    if encoder is None and settings.model is not None:
        encoder = load(settings.model)
    originals = Originals(settings.limits)
    with Serving.open(settings.library, load, settings.upload_limits, encoder=encoder) as serving:
        yield Services(
            settings=settings,
            serving=serving,
            originals=originals,
            thumbnails=Thumbnails(
                settings.library, originals, settings.limits, workers=max(2, min(8, os.cpu_count() or 2))
            ),
            query_images=QueryImages(settings.library / QUERIES, settings.upload_limits),
            last_map=LastMap(),
            search_slots=CapacityLimiter(SEARCHES_AT_ONCE),
            upload_slots=CapacityLimiter(UPLOADS_AT_ONCE),
        )
