"""An encoder that is loaded when there is something to encode, and not before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.backends.tower import CPU_BATCH
from indexer.encoder import Embeddings, Encoder
from indexer.manifest import Manifest


class LazyEncoder:
    """Stands for the encoder that made a collection and is described by its manifest.

    A sync that finds nothing new then takes half a second instead of the five that a model takes to load. Not for use
    from several threads. The first encoding raises what `load` raises, and what `check` raises of the model loaded.
    """

    def __init__(
        self,
        manifest: Manifest,
        load: Callable[[], Encoder],
        check: Callable[[Manifest], None],
        expected_batch_size: int = CPU_BATCH,
    ) -> None:
        self.manifest = manifest
        self._load = load
        self._check = check
        self._expected_batch_size = expected_batch_size
        self._loaded: Encoder | None = None

    @property
    def batch_size(self) -> int:
        """The model's own once it is loaded; before that, what the device that it will run on most likely wants."""
        return self._loaded.batch_size if self._loaded else self._expected_batch_size

    def encode_images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        return self._encoder().encode_images(pixels)

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        return self._encoder().encode_texts(texts)

    def _encoder(self) -> Encoder:
        if self._loaded is None:
            loaded = self._load()
            self._check(loaded.manifest)
            self._loaded = loaded
        return self._loaded
