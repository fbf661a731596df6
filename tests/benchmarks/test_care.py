from __future__ import annotations

from pathlib import Path

from benchmarks.care import BACKUPS, make_collection, measure
from indexer.moving.export import FORMATS


def test_every_way_is_timed_and_weighed(tmp_path: Path) -> None:
    with make_collection(tmp_path / "library", 300, 32) as collection:
        lines = {line.name: line.value for line in measure(collection, tmp_path / "made", rounds=2)}
        assert collection.catalog.count() == 300
    assert all(float(value) > 0 for value in lines.values())
    assert {f"{name}: seconds" for name in (*BACKUPS, "copy: VACUUM INTO", "doctor: self-recall")} < lines.keys()
    assert {f"{name}: MB" for name in FORMATS} < lines.keys()
    assert lines["backup.tar.zst: MB"] < lines["backup.tar: MB"]
