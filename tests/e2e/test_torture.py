"""SIGKILL at random moments of a collection's life: nothing is lost, nothing is there twice, nothing needs mending.

A few kills by default; `make torture` has two hundred (SIGHTLINE_KILLS).
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from indexer.care.restore import restore
from indexer.collection import Collection
from tests.e2e import life
from tests.pictures import photo, write

KILLS = int(os.environ.get("SIGHTLINE_KILLS", "6"))
LONGEST = 0.6
"""Seconds after it began: by then it has done most things once."""


class Pictures:
    """A folder that changes between two kills, and what is to be known of it."""

    def __init__(self, root: Path, rng: random.Random) -> None:
        self.root, self._rng, self._number = root, rng, 0
        for _ in range(30):
            self.add()

    def add(self) -> None:
        write(self.root / f"{self._number % 3}/{self._number:04}.jpg", photo(48, 32, seed=self._number))
        self._number += 1

    def change(self) -> None:
        """Some come, one goes, one moves, one becomes another picture."""
        for _ in range(3):
            self.add()
        gone, moved, changed = self._rng.sample(sorted(self.root.rglob("*.jpg")), 3)
        gone.unlink()
        moved.rename(moved.with_name(f"moved-{self._number}.jpg"))
        write(changed, photo(40, 32, seed=10_000 + self._number))

    def paths(self) -> set[str]:
        return {str(path) for path in self.root.rglob("*.jpg")}

    def contents(self) -> set[str]:
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in self.root.rglob("*.jpg")}


def is_sound(library: Path) -> None:
    """By SQLite, row by row, and by searching: without a repair."""
    connection = sqlite3.connect(library / "catalog.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    with Collection.open(library) as collection:
        catalog = collection.catalog
        ids = [int(id_) for change in catalog.changes_since(0) for id_ in change.put_ids]
        records = catalog.get_many(ids)
        assert len(ids) == len(set(ids)) == len(records) == catalog.count() == len(catalog.latest(100_000))
        assert len({record.path for record in records.values()}) == len(records)
        vectors = np.stack([collection.vector(id_) for id_ in ids]) if ids else np.empty((0, 64), np.float32)
        for matches, vector in zip(collection.search(vectors, 1), vectors, strict=True):
            assert matches.scores[0] > 0.999
            assert np.dot(collection.vector(int(matches.ids[0])), vector) > 0.999  # or its twin's


def ids_by_content(library: Path) -> dict[str, int]:
    with Collection.open(library) as collection:
        return {record.content_hash: record.id for record in collection.catalog.latest(100_000)}


def paths_of(library: Path) -> set[str]:
    with Collection.open(library) as collection:
        return {record.path for record in collection.catalog.latest(100_000)}


def live_until_killed(library: Path, pictures: Path, seed: int, seconds: float) -> str:
    """What it was at when it was killed."""
    command = [sys.executable, "-m", "tests.e2e.life", str(library), str(pictures), str(seed)]
    project = Path(__file__).parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(seconds)
        assert process.poll() is None, process.stderr.read()
        process.send_signal(signal.SIGKILL)
        return (process.stdout.read().splitlines() or ["start"])[-1]


@pytest.mark.timeout(60 + 10 * KILLS)
def test_killed_at_any_moment_of_its_life(tmp_path: Path) -> None:
    rng = random.Random(7)
    pictures, library = Pictures(tmp_path / "pictures", rng), tmp_path / "library"
    life.index(library, pictures.root)
    known, killed_at, restored = ids_by_content(library), Counter[str](), 0
    for number in range(KILLS):
        killed_at[live_until_killed(library, pictures.root, number, rng.uniform(0, LONGEST))] += 1
        is_sound(library)
        restored += is_sound_if_there(life.backup_of(library), tmp_path / f"restored-{number}")
        now, there = ids_by_content(library), pictures.contents()
        # Whatever was known and is still in the folder, wherever it has moved to, is known by the same id.
        assert {content: now.get(content) for content in known if content in there} == {
            content: id_ for content, id_ in known.items() if content in there
        }
        known = now
        pictures.change()
    life.index(library, pictures.root)
    life.reindex(library, pictures.root)
    life.promote(library, pictures.root)
    is_sound(library)
    assert paths_of(library) == pictures.paths()
    says_what_its_model_says(library)
    counts = ", ".join(f"{number} at {what}" for what, number in killed_at.most_common())
    sys.stdout.write(f"{KILLS} kills: {counts}; {restored} backups restored; {len(pictures.paths())} pictures\n")


def is_sound_if_there(backup: Path, folder: Path) -> bool:
    """A backup is whole or not there."""
    if not backup.exists():
        return False
    restore(backup, folder)
    is_sound(folder)
    shutil.rmtree(folder)
    return True


def says_what_its_model_says(library: Path) -> None:
    """Every vector is what the serving model makes of the file: none is another image's or another model's."""
    with Collection.open(library) as collection:
        encoder = life.ENCODERS[collection.manifest.model]()
        for record in collection.catalog.latest(100_000):
            pixels = collection.manifest.decode(Path(record.path).read_bytes()).pixels
            [expected] = encoder.encode_images(pixels[None])
            assert np.dot(collection.vector(record.id), expected) > 0.9999, record.path
