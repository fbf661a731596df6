"""SIGKILL at any moment of indexing: the next run continues, nothing is lost, nothing is there twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.sources.address import TAR_SUFFIXES
from indexer.sources.archives import ArchiveSource
from indexer.sources.tar import TarArchive
from tests.palette import PaletteEncoder
from tests.pictures import photo, write

IMAGES = 150
KILLS = 6

INDEX_SLOWLY = """
import sys, time
from pathlib import Path
from indexer.collection import Collection
from indexer.config import Settings
from indexer.pipeline import sync
from indexer.sources.naming import named_sources
from tests.palette import PaletteEncoder

class Slow(PaletteEncoder):
    def encode_images(self, pixels):
        print("batch", flush=True)
        time.sleep(0.03)
        return super().encode_images(pixels)

encoder = Slow()
with Collection.open_or_create(Path(sys.argv[1]), encoder.manifest) as collection:
    source = named_sources([sys.argv[2]])[0].open(Settings())
    sync(collection, encoder, source, batch_size=8, threads=2)
    print("done", flush=True)
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("pictures")
    for number in range(IMAGES):
        write(root / f"{number % 7}/{number:03}.jpg", photo(64, 48, seed=number))
    return root


def indexed(library: Path) -> dict[str, tuple[int, NDArray[np.float32]]]:
    """path -> id and vector, after checking that rows and vectors are one to one and that every vector is found."""
    with Collection.open(library) as collection:
        catalog = collection.catalog
        changes = list(catalog.changes_since(0))
        ids = [int(id_) for change in changes for id_ in change.put_ids]
        records = catalog.get_many(ids)
        assert len(ids) == len(set(ids)) == len(records) == catalog.count()
        assert len({record.path for record in records.values()}) == len(records)
        found = {record.path: (id_, collection.vector(id_)) for id_, record in records.items()}
        assert all(collection.search(vector[None], 1)[0].scores[0] > 0.999 for _, vector in found.values())
        return found


def start(library: Path, pictures: Path) -> subprocess.Popen[str]:
    project = Path(__file__).parents[2]
    command = [sys.executable, "-c", INDEX_SLOWLY, str(library), str(pictures)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=project)


def kill_in_batch(library: Path, pictures: Path, number: int, seconds: float) -> None:
    """Kills the indexer that long after it began to encode its `number`-th batch; the one before is committed then."""
    with start(library, pictures) as process:
        assert process.stdout is not None
        for _ in range(number):
            assert process.stdout.readline() == "batch\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        assert "done" not in process.stdout.read(), "the kill came too late to prove anything"


def test_killed_again_and_again_it_ends_where_an_uninterrupted_run_does(tmp_path: Path, pictures: Path) -> None:
    library = tmp_path / "library"
    rng = np.random.default_rng(20)
    before: dict[str, tuple[int, NDArray[np.float32]]] = {}
    for _ in range(KILLS):
        kill_in_batch(library, pictures, int(rng.integers(1, 4)), float(rng.uniform(0, 0.06)))
        now = indexed(library)
        for path, (id_, vector) in before.items():  # what was committed stays, with its id and its vector
            assert now[path][0] == id_
            assert np.array_equal(now[path][1], vector)
        before = now
    assert 0 < len(before) < IMAGES

    encoder = PaletteEncoder()
    with Collection.open_or_create(library, encoder.manifest) as collection:
        report = sync(collection, encoder, FolderSource(pictures), threads=2)
    assert (report.unchanged, report.added, report.failed) == (len(before), IMAGES - len(before), 0)
    assert sum(encoder.image_batches) == IMAGES - len(before)

    with Collection.open_or_create(tmp_path / "uninterrupted", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(pictures), threads=2)
    want, got = indexed(tmp_path / "uninterrupted"), indexed(library)
    assert got.keys() == want.keys()
    assert len(got) == IMAGES
    assert all(np.array_equal(got[path][1], want[path][1]) for path in want)


def test_killed_inside_a_shard(tmp_path: Path, pictures: Path) -> None:
    """What was committed of it is not read again."""
    shard, library = str(tmp_path / "0.tar"), tmp_path / "library"
    with tarfile.open(shard, "w") as tar:
        tar.add(pictures, "all")
    kill_in_batch(library, Path(shard), 6, 0.01)
    before = indexed(library)
    assert 0 < len(before) < IMAGES

    class Counting(ArchiveSource):
        def read(self, path: str) -> bytes:
            assert path not in before
            return super().read(path)

    encoder = PaletteEncoder()
    source = Counting("tar", TarArchive, [shard], TAR_SUFFIXES)
    with Collection.open_or_create(library, encoder.manifest) as collection:
        report = sync(collection, encoder, source, threads=2)
    assert (report.unchanged, report.added, report.failed) == (len(before), IMAGES - len(before), 0)
    after = indexed(library)
    assert len(after) == IMAGES
    assert all(after[path][0] == id_ for path, (id_, _) in before.items())


def test_killed_while_files_move(tmp_path: Path, pictures: Path) -> None:
    """Ids survive a kill in the middle of following a renamed folder."""
    root, library = tmp_path / "root", tmp_path / "library"
    for number in range(40):
        write(root / f"a/{number:02}.jpg", photo(64, 48, seed=number))
    encoder = PaletteEncoder()
    with Collection.open_or_create(library, encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(root), threads=2)
    ids = {os.path.basename(path): id_ for path, (id_, _) in indexed(library).items()}
    os.rename(root / "a", root / "b")
    for number in range(40, 120):
        write(root / f"b/{number:02}.jpg", photo(64, 48, seed=number))
    for seconds in (0.0, 0.02, 0.04):
        kill_in_batch(library, root, 1, seconds)
    with Collection.open_or_create(library, encoder.manifest) as collection:
        report = sync(collection, encoder, FolderSource(root), threads=2)
    assert report.removed == report.failed == 0
    after = {os.path.basename(path): id_ for path, (id_, _) in indexed(library).items()}
    assert len(after) == 120
    assert after.items() >= ids.items()
