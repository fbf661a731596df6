"""What a command that fills a collection works with: the collection, and the encoder that belongs to it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from indexer.config import Settings

if TYPE_CHECKING:
    from indexer.collection import Collection
    from indexer.encoder import Encoder
    from indexer.sources import ImageSource

_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
_GPU_BATCH = 256
"""For a GPU whose own batch is not known yet. It divides what it is given, so this only must not be small."""


def say_what_encodes() -> None:
    """One line on stderr when a model is loaded: with what, in what format, and why."""
    for name in ("indexer.encoder", "indexer.backends"):
        logging.getLogger(name).setLevel(logging.INFO)


@contextmanager
def collection_and_encoder(settings: Settings, source: ImageSource) -> Iterator[tuple[Collection, Encoder]]:
    """The collection that is there, or a new one. Its own model is loaded only when something has to be encoded.

    `source` is where pictures come from should int8 have to prove itself.
    """
    from indexer.collection import Collection
    from indexer.errors import CollectionNotFound
    from indexer.images import CAREFUL, FAST
    from indexer.models import DEFAULT_MODEL

    try:
        there = Collection.open(settings.library)
    except CollectionNotFound:
        encoder = _load(settings.model or DEFAULT_MODEL, settings, source)
        manifest = replace(encoder.manifest, decode_policy=(FAST if settings.fast_decode else CAREFUL).name)
        with Collection.open_or_create(settings.library, manifest) as new:
            yield new, encoder
        return
    with there:
        if settings.model in (None, there.manifest.model):
            yield there, own_encoder(there, settings, source)
        else:
            yield there, _load(settings.model, settings, source)


def own_encoder(collection: Collection, settings: Settings, source: ImageSource) -> Encoder:
    """The encoder that made the collection, to be loaded when there is something to encode. Raises ModelMismatch."""
    from indexer.backends.tower import CPU_BATCH
    from indexer.lazy_encoder import LazyEncoder

    _check_weights(collection)
    batch_size = _GPU_BATCH if settings.device != "cpu" and _NVIDIA_DRIVER.exists() else CPU_BATCH
    load = partial(_load, collection.manifest.model, settings, source)
    return LazyEncoder(collection.manifest, load, collection.check_model, batch_size)


def _load(model: str, settings: Settings, source: ImageSource) -> Encoder:
    from indexer.backends.samples import samples_of
    from indexer.encoder import load_encoder

    return load_encoder(model, **settings.encoding(samples_of(source, settings.limits)))


def _check_weights(collection: Collection) -> None:
    """That the model is still the one that made the collection, by its weights' hash: without loading it.

    Raises `ModelMismatch`. Weights that are not at hand are looked for only when something has to be encoded.
    """
    from indexer.checkpoints import find_checkpoint, sha256_of

    if weights := find_checkpoint(collection.manifest.model).weights():
        collection.check_model(replace(collection.manifest, weights_hash=sha256_of(weights)))
