from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.errors import ModelMismatch
from indexer.lazy_encoder import LazyEncoder
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

PIXELS = np.full((1, 16, 16, 3), 200, np.uint8)


def _nothing(manifest: object) -> None:
    pass


def test_it_loads_once_and_not_before_it_is_needed() -> None:
    real, loads = PaletteEncoder(), []

    def load() -> PaletteEncoder:
        loads.append(1)
        return real

    lazy = LazyEncoder(real.manifest, load, _nothing, 256)
    assert lazy.manifest is real.manifest
    assert lazy.batch_size == 256
    assert loads == []
    assert np.array_equal(lazy.encode_images(PIXELS), real.encode_images(PIXELS))
    assert np.array_equal(lazy.encode_texts(["red"]), real.encode_texts(["red"]))
    assert loads == [1]
    assert lazy.batch_size == real.batch_size


def test_another_model_is_refused_before_anything_is_encoded(tmp_path: Path) -> None:
    other = PaletteEncoder(weights_hash="1" * 64)
    with Collection.open_or_create(tmp_path / "library", PaletteEncoder().manifest) as collection:
        lazy = LazyEncoder(collection.manifest, lambda: other, collection.check_model)
        for _ in range(2):
            with pytest.raises(ModelMismatch, match="weights hash"):
                lazy.encode_images(PIXELS)
    assert other.image_batches == []


def test_a_sync_that_finds_nothing_new_loads_no_torch(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(40, 30))
    arguments = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--model", "mini"]
    code = (
        "import sys\n"
        f"sys.argv = ['sightline', *{arguments!r}]\n"
        "from web.cli import main\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print('torch' in sys.modules)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True) for _ in range(2)]
    assert [run.stdout.split()[-1] for run in runs] == ["True", "False"]
