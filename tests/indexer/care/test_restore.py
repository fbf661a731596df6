from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.care.backup import back_up
from indexer.care.restore import restore
from indexer.collection import Collection
from indexer.errors import CollectionTooNew, InvalidBackup
from tests.indexer.samples import put


@pytest.fixture
def backup(collection: Collection, tmp_path: Path) -> Path:
    """In a folder."""
    put(collection, "/a", "/b")
    back_up(collection.library, tmp_path / "backup")
    return tmp_path / "backup"


def say(backup: Path, **fields: Any) -> None:
    said = json.loads((backup / "backup.json").read_text())
    (backup / "backup.json").write_text(json.dumps({**said, **fields}))


def flip_a_byte(backup: Path) -> None:
    content = bytearray((backup / "catalog.db").read_bytes())
    content[len(content) // 2] ^= 1
    (backup / "catalog.db").write_bytes(content)


def cut(backup: Path) -> None:
    content = (backup / "catalog.db").read_bytes()
    (backup / "catalog.db").write_bytes(content[:-8192])


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (flip_a_byte, "catalog.db is damaged"),
        (cut, "catalog.db is damaged"),
        (lambda backup: (backup / "catalog.db").unlink(), "catalog.db is missing"),
        (lambda backup: (backup / "backup.json").unlink(), "backup.json' cannot be read"),
        (lambda backup: (backup / "backup.json").write_text("{"), "cannot use backup"),
        (lambda backup: (backup / "backup.json").write_text('{"format": 1}'), "backup.json is damaged"),
        (lambda backup: (backup / "more.txt").write_text("more"), "holds 'more.txt'"),
        (lambda backup: say(backup, members=[]), "does not name"),
        (
            lambda backup: say(backup, members=[{"name": "../catalog.db", "size": 1, "blake3": ""}]),
            "no backup of ours holds",
        ),
    ],
)
def test_a_damaged_backup_is_refused_and_nothing_appears(
    backup: Path, tmp_path: Path, harm: Callable[[Path], object], message: str
) -> None:
    harm(backup)
    with pytest.raises(InvalidBackup, match=message):
        restore(backup, tmp_path / "restored")
    assert not list(tmp_path.glob("restored*"))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.zst"])
@pytest.mark.parametrize("place", [0, 0.3, 0.6, 0.9])
def test_every_damage_to_an_archive_is_noticed(collection: Collection, tmp_path: Path, name: str, place: float) -> None:
    put(collection, "/a", "/b")
    back_up(collection.library, tmp_path / name)
    content = (tmp_path / name).read_bytes()
    flipped, harmed_at = bytearray(content), int(place * len(content)) or 1600  # in the list of contents
    flipped[harmed_at] ^= 0xFF
    for harmed in (bytes(flipped), content[:harmed_at]):
        (tmp_path / name).write_bytes(harmed)
        with pytest.raises((InvalidBackup, CollectionTooNew)):
            restore(tmp_path / name, tmp_path / "restored")
        assert not list(tmp_path.glob("restored*"))


def test_a_member_given_twice_is_refused(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "twice.tar", "w") as tar:
        for name in ("backup.json", "catalog.db", "catalog.db"):
            tar.add(backup / name, name)
    with pytest.raises(InvalidBackup, match="or twice"):
        restore(tmp_path / "twice.tar", tmp_path / "restored")


def test_links_in_an_archive_are_refused(backup: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link.tar", "w") as tar:
        tar.add(backup / "backup.json", "backup.json")
        link = tarfile.TarInfo("catalog.db")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link, io.BytesIO())
    with pytest.raises(InvalidBackup):
        restore(tmp_path / "link.tar", tmp_path / "restored")


@pytest.mark.parametrize("newer", [{"schema": "9999"}, {"format": 2, "members": "elsewhere"}])
def test_a_backup_of_a_newer_sightline_is_refused_kindly(backup: Path, tmp_path: Path, newer: dict[str, Any]) -> None:
    say(backup, **newer)
    with pytest.raises(CollectionTooNew, match="upgrade Sightline"):
        restore(backup, tmp_path / "restored")
    assert not list(tmp_path.glob("restored*"))


def test_a_folder_in_use_is_left_alone(backup: Path, tmp_path: Path, collection: Collection) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.jpg").write_bytes(b"precious")
    for library in (tmp_path / "photos", tmp_path / "photos" / "a.jpg", collection.library):
        with pytest.raises(InvalidBackup, match="in use"):
            restore(backup, library)
    assert (tmp_path / "photos" / "a.jpg").read_bytes() == b"precious"


def test_what_is_no_backup_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_bytes(b"Dear diary")
    with pytest.raises(InvalidBackup, match="no backup"):
        restore(tmp_path / "text.tar", tmp_path / "restored")
    with pytest.raises(InvalidBackup, match="cannot be read"):
        restore(tmp_path / "nothing.tar", tmp_path / "restored")


def test_progress_reaches_its_end(backup: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    restore(backup, tmp_path / "restored", progress=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] > 0
