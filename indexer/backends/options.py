"""How a model is run, as commands hand it to `load_encoder`."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import platformdirs

from indexer.backends.choice import BackendChoice, DeviceChoice
from indexer.backends.samples import Quantising
from indexer.precision import PrecisionChoice


class EncoderOptions(TypedDict, total=False):
    backend: BackendChoice
    device: DeviceChoice
    precision: PrecisionChoice
    cache: Path
    quantising: Quantising | None


def default_cache() -> Path:
    """The folder of the user for what programs can make again."""
    return platformdirs.user_cache_path("sightline", appauthor=False)
