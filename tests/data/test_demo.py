from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from data import demo
from data.photos import PHOTOS

ROOT = Path(__file__).parents[2]


def test_makes_photos_and_painted_pictures(tmp_path: Path) -> None:
    made = demo.make(tmp_path, count=6)
    assert made == demo.Demo(collected=len(PHOTOS), missing=(), painted=6, fresh=True)
    assert len(list((tmp_path / "photos").iterdir())) == len(PHOTOS)
    lines = (tmp_path / "painted" / "captions.jsonl").read_text().splitlines()
    assert all((tmp_path / "painted" / json.loads(line)["file"]).is_file() for line in lines)


def test_a_second_run_paints_nothing(tmp_path: Path) -> None:
    demo.make(tmp_path, count=4)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "painted").iterdir()}
    assert not demo.make(tmp_path, count=4).fresh
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "painted").iterdir()} == before


def test_a_lost_file_or_another_count_paints_again(tmp_path: Path) -> None:
    demo.make(tmp_path, count=4)
    next((tmp_path / "painted").glob("0002-*")).unlink()
    assert demo.make(tmp_path, count=4).fresh
    assert demo.make(tmp_path, count=3).fresh
    assert len(list((tmp_path / "painted").glob("0*"))) == 3


def test_changed_painters_paint_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    demo.make(tmp_path, count=2)
    monkeypatch.setattr(demo, "_PAINTERS", demo._PAINTERS[:-1])
    assert demo.make(tmp_path, count=2).fresh


def test_the_recipe_covers_every_module_that_paints() -> None:
    script = "import sys, data.render; print(*(name for name in sys.modules if name.startswith('data.')))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {f"{name.removeprefix('data.')}.py" for name in loaded.split()} == set(demo._PAINTERS)
