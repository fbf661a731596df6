"""The benchmark of syncs makes what it says, and holds one run against the other."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from benchmarks import sync


def test_no_two_pictures_are_alike(tmp_path: Path) -> None:
    sync.make_pictures(tmp_path, 205)
    files = sorted(tmp_path.rglob("*.jpg"))
    assert len({hashlib.sha256(file.read_bytes()).digest() for file in files}) == 205
    assert [len(list(folder.iterdir())) for folder in sorted(tmp_path.iterdir())] == [100, 100, 5]


def test_lines_and_goals(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(folder: Path, library: Path) -> dict[str, float]:
        first = library not in seen
        seen.append(library)
        files = 20 if folder.name == "all" else 4
        counts = {"added": files if first else 0, "unchanged": 0 if first else files}
        return {"seconds": 10.0 if first else 0.1, "peak": 100.0 + files, **counts}

    seen: list[Path] = []
    monkeypatch.setattr(sync, "index", run)
    lines = {line.name: line for line in sync.measure(20, 3)}
    assert lines["sync, nothing changed: times faster than the first indexing"].value == pytest.approx(100)
    assert lines["sync, nothing changed: times faster than the first indexing"].met
    growth = lines["sync, nothing changed: peak memory over that of a fifth of the files"]
    assert (growth.value, growth.met) == (pytest.approx(120 / 104), False)
