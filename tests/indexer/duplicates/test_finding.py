from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from indexer.collection import Collection
from indexer.duplicates.finding import find_duplicates, is_current
from indexer.duplicates.kinds import Kind
from indexer.thumbnails import Side, ThumbnailFolder
from tests.indexer.duplicates.conftest import index, run
from tests.pictures import photo, write


def _groups(collection: Collection, level: Kind) -> list[set[str]]:
    found = collection.catalog.duplicates.all_groups(level)
    return [{Path(member.image.path).stem for member in group.members} for group in found]


def shapes(squares: str, background: str) -> Image.Image:
    picture = Image.new("RGB", (160, 120), background)
    for left in (20, 90):
        ImageDraw.Draw(picture).rectangle((left, 40, left + 45, 85), squares)
    return picture


SAME = {"0", "0-copy", "0-webp", "0-small", "0-bright"}


def test_every_kind_is_found_and_others_are_left_alone(library: Path) -> None:
    with Collection.open(library) as collection:
        report = run(collection)
        assert (report.images, report.fingerprints, report.copies, report.failures) == (13, 12, 1, ())
        assert _groups(collection, "identical") == [{"0", "0-copy"}]
        assert SAME in _groups(collection, "same")
        assert SAME | {"0-part"} in _groups(collection, "crop")
        together = _groups(collection, "burst")
        assert {"frame-0", "frame-1"} in together
        assert not {"1", "2", "3", "4", "5"} & {name for group in together for name in group}
        kinds = {group.kind: group.confidence for group in collection.catalog.duplicates.all_groups("crop")}
        assert 0.9 < kinds["crop"] < 1


def test_two_moments_are_a_burst_and_not_one_picture(library: Path) -> None:
    with Collection.open(library) as collection:
        assert run(collection).links["burst"] == 1
        assert not {"frame-0", "frame-1"} & {name for group in _groups(collection, "crop") for name in group}


def test_the_next_run_makes_only_what_is_missing(library: Path, tmp_path: Path) -> None:
    with Collection.open(library) as collection:
        first = run(collection)
        assert run(collection).fingerprints == 0
        shutil.rmtree(tmp_path / "photos")
        again = run(collection)
        assert (again.fingerprints, again.links, again.failures) == (0, first.links, ())
    write(tmp_path / "more" / "2-small.jpg", photo(160, 120, seed=2).resize((100, 75)))
    index(tmp_path / "more", library)
    with Collection.open(library) as collection:
        assert run(collection).fingerprints == 1
        assert {"2", "2-small"} in _groups(collection, "same")


def test_fingerprints_of_an_older_version_are_made_anew(library: Path) -> None:
    with Collection.open(library) as collection:
        first = run(collection)
    with closing(sqlite3.connect(library / "catalog.db")) as connection:
        older = "UPDATE fingerprint SET version = 1, grey = substr(grey, 1, 1024) WHERE content_hash < '8'"
        changed = connection.execute(older).rowcount
        connection.commit()
    assert 0 < changed < 12
    with Collection.open(library) as collection:
        again = run(collection)
    assert (again.fingerprints, again.links) == (changed, first.links)


def test_it_is_stopped_between_batches_and_keeps_what_it_has(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("indexer.duplicates.finding._BATCH", 4)

    def stop(done: int, total: int, doing: str) -> None:
        if done >= 8:
            raise KeyboardInterrupt

    with Collection.open(library) as collection:
        with pytest.raises(KeyboardInterrupt):
            find_duplicates(collection, stop)
        assert list(collection.catalog.duplicates.all_groups()) == []
        assert 0 < run(collection).fingerprints < 12


def test_files_that_are_gone_or_changed_are_named_and_their_thumbnails_will_do(library: Path, tmp_path: Path) -> None:
    (tmp_path / "photos" / "3.jpg").unlink()
    write(tmp_path / "photos" / "4.jpg", photo(160, 120, seed=99))
    shutil.copy(tmp_path / "photos" / "5.jpg", tmp_path / "five.jpg")
    (tmp_path / "photos" / "5.jpg").unlink()
    (tmp_path / "photos" / "0-copy.jpg").unlink()  # there is a copy, with a later id
    with Collection.open(library) as collection:
        five = next(file for file in collection.catalog.files_under("/") if file.path.endswith("/5.jpg"))
        small = ThumbnailFolder(library).path(five.content_hash, Side.TILE)
        small.parent.mkdir(parents=True)
        Image.open(tmp_path / "five.jpg").save(small)
        report = run(collection)
        reasons = {Path(failure.path).name: failure.reason for failure in report.failures}
        assert set(reasons) == {"0-copy.jpg", "3.jpg", "4.jpg"}
        assert "has changed" in reasons["4.jpg"]
        assert report.fingerprints == 10
        assert SAME in _groups(collection, "same")


def test_the_same_layout_in_other_colours_is_another_picture(library: Path, tmp_path: Path) -> None:
    painted = {
        "red": shapes("red", "yellow"),
        "blue": shapes("blue", "white"),
        "purple": shapes("purple", "green"),
        "grey": shapes("red", "yellow").convert("L"),
    }
    for name, picture in painted.items():
        write(tmp_path / "painted" / f"{name}.png", picture)
    write(tmp_path / "painted" / "red-small.jpg", painted["red"].resize((80, 60)))
    index(tmp_path / "painted", library)
    with Collection.open(library) as collection:
        run(collection)
        groups = [group for group in _groups(collection, "crop") if group & painted.keys()]
    coloured = [group - {"grey"} for group in groups if len(group - {"grey"}) > 1]
    assert coloured == [{"red", "red-small"}]
    assert sum("grey" in group for group in groups) == 1


def test_an_empty_collection(library: Path) -> None:
    with Collection.open(library) as collection:
        collection.catalog.remove(collection.catalog.ids().tolist())
        assert (run(collection).images, list(collection.catalog.duplicates.all_groups())) == (0, [])


def test_whether_anything_is_new(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Collection.open(library) as collection:
        assert not is_current(collection)
        jobs = collection.catalog.jobs
        job = jobs.add("deduplicate", {})
        jobs.claim(job.id, "elsewhere:1:abc")
        report = run(collection)
        result = {"model_id": report.model_id, "revision": report.revision, "rules": report.rules}
        jobs.end(job.id, "elsewhere:1:abc", "done", "", result)
        assert is_current(collection)
        monkeypatch.setattr("indexer.duplicates.finding.RULES", report.rules + 1)
        assert not is_current(collection)
        monkeypatch.undo()
        collection.catalog.remove([1])
        assert not is_current(collection)
