"""For all tests: models run in torch, and nothing is written into the home of whoever runs them."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="session")
def _plain_encoders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Commands run in processes of their own inherit it. Tests of the back ends name them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIGHTLINE_CACHE", str(tmp_path_factory.mktemp("cache")))
        if "SIGHTLINE_BACKEND" not in os.environ:
            patch.setenv("SIGHTLINE_BACKEND", "torch")
        yield
