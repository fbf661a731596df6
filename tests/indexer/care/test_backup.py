from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from indexer.care.backup import back_up
from indexer.care.restore import restore
from indexer.collection import Collection
from indexer.errors import CollectionDamaged, CollectionNotFound, CollectionTooNew, InvalidBackup
from indexer.vectors.planning import IndexPlan
from tests.indexer.samples import MANIFEST, an_image, expected, found, put, unit_rows

KILLS = 2


@pytest.mark.parametrize("name", ["a.tar", "a.tar.zst", "a-folder"])
def test_what_is_restored_is_what_was_backed_up(collection: Collection, tmp_path: Path, name: str) -> None:
    put(collection, "/a", "/b", "/c")
    collection.catalog.remove([2])
    collection.choose(IndexPlan("exact", 0.9))
    before = found(collection)
    report = back_up(collection.library, tmp_path / "backups" / name)
    assert (report.images, report.members) == (2, 2)
    assert report.size > 0
    assert list((tmp_path / "backups").iterdir()) == [tmp_path / "backups" / name]
    restored = restore(tmp_path / "backups" / name, tmp_path / "restored")
    assert (restored.images, restored.model) == (2, "palette")
    with Collection.open(tmp_path / "restored") as again:
        assert found(again) == before
        assert again.plan == IndexPlan("exact", 0.9)
        assert again.catalog.get(3) == collection.catalog.get(3)
        assert put(again, "/d") == [4]  # no id is given twice, also after a restore


def test_derived_files_come_only_when_asked_for(collection: Collection, tmp_path: Path) -> None:
    put(collection, "/a")
    collection.fold(always=True)
    thumbnail = collection.library / "thumbnails" / "ab" / "abc-320.jpg"
    thumbnail.parent.mkdir(parents=True)
    thumbnail.write_bytes(b"small")
    back_up(collection.library, tmp_path / "small.tar")
    back_up(collection.library, tmp_path / "large.tar", with_cache=True)
    with tarfile.open(tmp_path / "small.tar") as small, tarfile.open(tmp_path / "large.tar") as large:
        assert small.getnames() == ["backup.json", "catalog.db"]
        assert {"vectors/cache.json", "thumbnails/ab/abc-320.jpg"} < set(large.getnames())
    restore(tmp_path / "large.tar", tmp_path / "restored")
    with Collection.open(tmp_path / "restored") as again:
        assert again.stats().index.base == 1
    assert (tmp_path / "restored" / "thumbnails" / "ab" / "abc-320.jpg").read_bytes() == b"small"


WRITER = """
import sys
from pathlib import Path
from indexer.collection import Collection
from tests.indexer.samples import an_image, unit_rows
with Collection.open(Path(sys.argv[1])) as collection, collection.writing():
    print("writing", flush=True)
    for batch in range(10_000):
        collection.catalog.put([an_image(f"/{batch}/{n}") for n in range(16)], unit_rows(16, seed=batch))
"""


def test_it_is_one_moment_of_a_collection_that_another_process_writes(collection: Collection, tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(collection.library)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        counts = []
        for number in range(3):
            report = back_up(collection.library, tmp_path / f"{number}")
            restore(tmp_path / f"{number}", tmp_path / f"restored-{number}")
            with Collection.open(tmp_path / f"restored-{number}") as again:
                assert again.catalog.count() == report.images == len(again.catalog.ids())
                assert report.images % 16 == 0  # a batch is there whole or not at all
                assert again.catalog.unpaired() == ([], [])
            counts.append(report.images)
        process.kill()
    assert counts == sorted(counts)


def test_nothing_is_replaced(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "photo.tar").write_bytes(b"precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_bytes(b"precious")
    (tmp_path / "folder.tar").mkdir()
    for name in ("photo.tar", "folder", "folder.tar"):
        with pytest.raises(InvalidBackup, match="choose another name"):
            back_up(collection.library, tmp_path / name)
    assert (tmp_path / "photo.tar").read_bytes() == b"precious"


def test_progress_reaches_its_end(collection: Collection, tmp_path: Path) -> None:
    put(collection, "/a")
    steps: list[tuple[int, int]] = []
    back_up(collection.library, tmp_path / "a.tar", progress=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] > 0


def test_a_damaged_catalog_is_not_backed_up_as_if_it_were_sound(collection: Collection, tmp_path: Path) -> None:
    for start in range(0, 2000, 500):
        collection.catalog.put([an_image(f"/{n}") for n in range(start, start + 500)], unit_rows(500, seed=start))
    collection.close()
    with (collection.library / "catalog.db").open("r+b") as file:
        for page in range(5, 20):
            file.seek(8192 * page)
            file.write(b"\xff" * 100)
    with pytest.raises(CollectionDamaged, match="restore it from a backup"):
        back_up(collection.library, tmp_path / "a.tar")
    assert not list(tmp_path.glob("a.tar*"))


def test_a_newer_collection_is_refused_kindly_and_named(collection: Collection, tmp_path: Path) -> None:
    with sqlite3.connect(collection.library / "catalog.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(CollectionTooNew, match="upgrade Sightline") as refused:
        back_up(collection.library, tmp_path / "a.tar")
    assert refused.value.library == str(collection.library)
    assert not list(tmp_path.glob("a.tar*"))


def test_there_must_be_a_collection(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound):
        back_up(tmp_path / "nothing", tmp_path / "a.tar")
    assert not list(tmp_path.iterdir())


BACK_UP = """
import sys
from pathlib import Path
from indexer.care.backup import back_up
from indexer.care.restore import restore
print("ready", flush=True)
for number in range(1000):
    if sys.argv[1] == "backup":
        back_up(Path(sys.argv[2]), Path(sys.argv[3]) / f"{number}.tar")
    else:
        restore(Path(sys.argv[2]), Path(sys.argv[3]) / f"{number}")
"""


def _kill(what: str, source: Path, into: Path, seconds: float) -> None:
    """Kill a process, that long after it began, that makes backups, or restores one, again and again."""
    into.mkdir(parents=True)
    command = [sys.executable, "-c", BACK_UP, what, str(source), str(into)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGKILL)


def assert_no_litter(made: Path) -> None:
    """Killed right after the renaming, an empty folder may stay beside what was made."""
    for folder in made.glob("*.partial"):
        assert folder.with_suffix("").exists()
        assert [path.name for path in folder.iterdir()] in ([], ["making.lock"])


def test_killed_at_any_moment_a_backup_and_a_restore_are_whole_or_not_there(
    collection: Collection, tmp_path: Path
) -> None:
    collection.catalog.put([an_image(f"/{n}") for n in range(500)], unit_rows(500))
    before = expected(collection, 20)
    rng = np.random.default_rng(5)
    whole = 0
    for kill in range(KILLS):
        made, restored = tmp_path / f"made-{kill}", tmp_path / f"restored-{kill}"
        _kill("backup", collection.library, made, float(rng.uniform(0.05, 0.3)))
        backups = sorted(made.glob("*.tar"), key=lambda path: int(path.stem))
        next_one = made / f"{len(backups)}.tar"
        back_up(collection.library, next_one)  # over what the killed one left
        assert_no_litter(made)
        for number, backup in enumerate([*backups[-1:], next_one]):
            restore(backup, made / f"checked-{number}")
        _kill("restore", next_one, restored, float(rng.uniform(0.05, 0.3)))
        done = [path for path in restored.iterdir() if path.suffix != ".partial"]
        restore(next_one, restored / f"{len(done)}")
        assert_no_litter(restored)
        for library in [*done[-1:], restored / f"{len(done)}"]:
            with Collection.open(library) as again:
                assert expected(again, 20) == before
        whole += len(backups) + len(done)
    assert whole > 0
    assert found(collection, 20) == before


def test_what_is_in_it_is_said(collection: Collection, tmp_path: Path) -> None:
    put(collection, "/a")
    back_up(collection.library, tmp_path / "a")
    said = json.loads((tmp_path / "a" / "backup.json").read_text())
    assert (said["format"], said["images"], said["model"]) == (1, 1, MANIFEST.model)
    assert [member["name"] for member in said["members"]] == ["catalog.db"]
