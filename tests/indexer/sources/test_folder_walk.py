"""Parts of a folder keep to the rules of the whole."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.sources import FolderSource, Patterns, SourceFile, SourceProblem


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "a.jpg", "a.txt", "b.jpg", ".hidden/x.jpg", "raw/c.jpg", "other/d.jpg", "lib/catalog.db",
        "lib/thumbnails/t.jpg", "lib/e.jpg", "deep/er/f.jpg", "deep/er/f.jpg.XMP",
    ):  # fmt: skip
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_bytes(b"x")
    (tmp_path / "in/deep/loop").symlink_to(tmp_path / "in")
    return tmp_path / "in"


def looked_at(root: Path, *names: str) -> dict[str, list[str]]:
    """By part, what is there."""
    source = FolderSource(root, patterns=Patterns(exclude=["raw/"]), others=[str(root / "other")])
    parts = source.parts([os.path.normpath(root / name) for name in names])
    return {
        os.path.relpath(part.path, root): [
            os.path.relpath(found.path, root) for found in part.files if isinstance(found, SourceFile)
        ]
        for part in parts
    }


@pytest.mark.parametrize(
    ("names", "parts"),
    [
        (["b.jpg", "gone.jpg"], {"b.jpg": ["b.jpg"], "gone.jpg": []}),
        (["a.txt"], {"a.jpg": ["a.jpg"], "a.txt": []}),
        (["deep/er/f.jpg.XMP"], {"deep/er/f.jpg": ["deep/er/f.jpg"], "deep/er/f.jpg.XMP": []}),
        (["deep", "deep/er/f.jpg"], {"deep": ["deep/er/f.jpg"]}),
        (["deep/gone/er/x.jpg"], {"deep/gone": []}),
        ([".hidden/x.jpg", "raw/c.jpg", "lib/thumbnails/t.jpg"], {
            ".hidden/x.jpg": [], "lib/thumbnails/t.jpg": [], "raw/c.jpg": []
        }),
        (["other/d.jpg", "../elsewhere.jpg"], {}),
        (["."], {".": ["a.jpg", "b.jpg", "deep/er/f.jpg", "lib/e.jpg"]}),
    ],
)  # fmt: skip
def test_parts(root: Path, names: list[str], parts: dict[str, list[str]]) -> None:
    assert looked_at(root, *names) == parts


def test_the_whole_is_the_sum_of_its_parts(root: Path) -> None:
    source = FolderSource(root)
    names = [entry.path for entry in os.scandir(root)]
    whole = list(source.walk())
    assert [found for part in source.parts(names) for found in part.files] == whole
    assert [found.path for found in whole if isinstance(found, SourceProblem)] == [str(root / "deep/loop")]


def test_a_folder_called_as_if_it_were_an_archive_is_a_problem_in_parts_too(root: Path) -> None:
    (root / "x.zip!").mkdir()
    (root / "x.zip!/a.jpg").write_bytes(b"x")
    source = FolderSource(root)
    [part] = source.parts([str(root / "x.zip!/a.jpg")])
    assert [(found.path, type(found)) for found in part.files] == [(str(root / "x.zip!"), SourceProblem)]


def test_side_cars_make_the_mark(root: Path) -> None:
    def mark(name: str) -> str:
        [found] = [found for found in FolderSource(root).walk() if found.path == str(root / name)]
        assert isinstance(found, SourceFile)
        return found.sidecar_mark

    assert mark("b.jpg") == ""
    first = mark("a.jpg")
    os.utime(root / "a.txt", ns=(5, 5))
    second = mark("a.jpg")
    (root / "a.jpg.xmp").write_bytes(b"")
    assert len({"", first, second, mark("a.jpg"), mark("deep/er/f.jpg")}) == 5


def test_what_patterns_leave_out(root: Path) -> None:
    source = FolderSource(root, patterns=Patterns(include=["*.jpg"], exclude=["raw/", "!raw/c.jpg"]))
    assert source.excludes(str(root / "raw/c.jpg"))  # what is in a folder that is left out does not come back
    assert source.excludes(str(root / "a.txt"))
    assert not source.excludes(str(root / "deep/er/f.jpg"))
