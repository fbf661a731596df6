from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.errors import ImageTooLarge, SourceNotFound, UnreadableImage
from indexer.sources import FolderSource, SourceFile, SourceProblem, is_unchanged
from tests.pictures import write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    return tmp_path / "pictures"


def touch(root: Path, *names: str | bytes) -> None:
    for name in names:
        write(os.path.join(os.fsencode(root), os.fsencode(name)), b"x")


def names(root: Path) -> list[str]:
    """Paths below the root as the walk lists them; a problem is marked with an exclamation mark."""
    found = []
    for item in FolderSource(root).walk():
        mark = "!" if isinstance(item, SourceProblem) else ""
        found.append(mark + os.path.relpath(item.path, root))
    return found


def problems(root: Path) -> dict[str, str]:
    walked = FolderSource(root).walk()
    return {os.path.relpath(i.path, root): i.reason for i in walked if isinstance(i, SourceProblem)}


# --- listing


def test_candidates_are_told_by_their_suffix_in_any_case(root: Path) -> None:
    suffixes = ["jpg", "JPEG", "jpe", "jfif", "png", "WebP", "gif", "bmp", "dib", "tif", "TIFF", "avif", "heic", "HEIF"]
    pictures = [f"{number:02}.{suffix}" for number, suffix in enumerate(suffixes)]
    touch(root, *pictures, "notes.txt", "film.mp4", "jpg", "archive.jpg.zip", "no suffix")
    assert names(root) == pictures
    assert FolderSource(root).count() == len(pictures)


def test_a_file_comes_with_its_absolute_path_size_and_time(root: Path) -> None:
    path = write(root / "a.jpg", b"12345", mtime_ns=1_700_000_000_123_456_789)
    assert list(FolderSource(root).walk()) == [SourceFile(path, 5, 1_700_000_000_123_456_789)]
    assert os.path.isabs(path)


def test_the_order_is_the_byte_order_of_full_paths(root: Path) -> None:
    """`a.jpg` lies before what is in `a`, because `.` comes before `/`; capitals before small letters; UTF-8 last."""
    touch(
        root, "a/z.jpg", "a.jpg", "a/b/c.jpg", "a/b.jpg", "a-/y.jpg", "B.jpg", "ä.jpg", "a0.jpg", b"\xff.jpg", "~/x.jpg"
    )
    listed = [os.fsencode(item.path) for item in FolderSource(root).walk()]
    assert listed == sorted(listed)
    assert len(listed) == 10


def test_names_with_spaces_newlines_and_bytes_that_are_not_utf8(root: Path) -> None:
    odd = [
        b"two words.jpg",
        b"new\nline.jpg",
        b"\xff\xfe\x80.jpg",
        "ünïcode 猫.jpg".encode(),
        b"quote'\".jpg",
        b"-rf.jpg",
    ]
    touch(root, *odd)
    touch(root, b"dir\xff/in.jpg")
    source = FolderSource(root)
    listed = {os.path.relpath(os.fsencode(item.path), os.fsencode(root)): item for item in source.walk()}
    assert sorted(listed) == sorted([*odd, b"dir\xff/in.jpg"])
    assert all(source.read(item.path) == b"x" for item in listed.values())


def test_hidden_and_system_names_are_left_out(root: Path) -> None:
    touch(root, ".hidden.jpg", "._apple.jpg", ".git/a.jpg", "@eaDir/a.jpg/thumb.jpg", "lost+found/a.jpg", "seen.jpg")
    assert names(root) == ["seen.jpg"]
    assert FolderSource(root).count() == 1


def test_a_hidden_root_is_walked(root: Path) -> None:
    touch(root, ".hidden/a.jpg")
    assert names(root / ".hidden") == ["a.jpg"]


def test_a_collections_own_thumbnails_are_left_out(root: Path) -> None:
    touch(root, "library/catalog.db", "library/thumbnails/1.jpg", "library/queries/2.jpg", "library/mine.jpg")
    touch(root, "thumbnails/kept.jpg")
    assert names(root) == ["library/mine.jpg", "thumbnails/kept.jpg"]


def test_a_very_deep_tree_is_walked(root: Path) -> None:
    """Deeper than Python's recursion limit; a path has at most 4,096 bytes."""
    folders = [os.path.join(root, *["d"] * depth) for depth in range(1, 1501)]
    for folder in folders:
        os.mkdir(folder)
    touch(root, os.path.join(folders[-1], "deep.jpg"))
    assert len(names(root)) == 1
    os.unlink(os.path.join(folders[-1], "deep.jpg"))
    for folder in reversed(folders):  # pytest's own clean-up would recurse
        os.rmdir(folder)


def test_the_root_is_made_absolute_and_its_links_are_kept(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    touch(root, "a.jpg")
    os.symlink(root, root.parent / "link")
    monkeypatch.chdir(root.parent)
    source = FolderSource("link/../link/")
    assert source.root == str(root.parent / "link")
    assert [item.path for item in source.walk()] == [str(root.parent / "link" / "a.jpg")]


def test_a_root_that_is_not_there_or_not_a_folder(root: Path) -> None:
    with pytest.raises(SourceNotFound, match="no such folder"):
        FolderSource(root / "nowhere")
    touch(root, "a.jpg")
    with pytest.raises(SourceNotFound, match="not a folder; give the folder"):
        FolderSource(root / "a.jpg")
    os.symlink(root / "nowhere", root / "dangling")
    with pytest.raises(SourceNotFound):
        FolderSource(root / "dangling")


def test_an_empty_folder(root: Path) -> None:
    assert names(root) == []
    assert FolderSource(root).count() == 0


# --- links


def test_links_are_followed_under_their_own_names(root: Path, tmp_path: Path) -> None:
    touch(tmp_path, "elsewhere/sub/b.jpg", "elsewhere/a.jpg")
    os.symlink(tmp_path / "elsewhere", root / "folder")
    os.symlink(tmp_path / "elsewhere/a.jpg", root / "file.jpg")
    os.symlink(tmp_path / "elsewhere/a.jpg", root / "not-called-so")
    assert names(root) == ["file.jpg", "folder/a.jpg", "folder/sub/b.jpg"]


def test_a_link_loop_is_a_problem_and_the_rest_is_listed(root: Path) -> None:
    touch(root, "a/b/c.jpg", "z.jpg")
    os.symlink(root / "a", root / "a/b/back")
    os.symlink(".", root / "self")
    assert names(root) == ["!a/b/back", "a/b/c.jpg", "!self", "z.jpg"]
    assert "link loop" in problems(root)["a/b/back"]
    assert str(root / "a") in problems(root)["a/b/back"]


def test_links_to_themselves(root: Path) -> None:
    os.symlink("a.jpg", root / "a.jpg")
    os.symlink("c", root / "b")
    os.symlink("b", root / "c")
    assert names(root) == ["!a.jpg", "!b", "!c"]
    assert "symbolic links" in problems(root)["b"]


def test_two_links_to_one_folder_are_no_loop(root: Path) -> None:
    touch(root, "a/x.jpg")
    os.symlink("a", root / "b")
    assert names(root) == ["a/x.jpg", "b/x.jpg"]


def test_a_dangling_link_is_a_problem_whatever_its_name(root: Path) -> None:
    """A folder of pictures may have been behind it, which is not to be taken as removed."""
    os.symlink("/nowhere/x.jpg", root / "a.jpg")
    os.symlink("/nowhere/disk", root / "disk")
    assert names(root) == ["!a.jpg", "!disk"]
    assert problems(root)["disk"] == "a dangling link: '/nowhere/disk' is not there"


# --- what cannot be listed


def test_pipes_sockets_and_devices_called_like_images_are_problems(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(root / "pipe.jpg")
    os.mkfifo(root / "pipe")
    os.symlink("/dev/zero", root / "zero.png")
    monkeypatch.chdir(root)  # a socket's path is limited to 108 bytes
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.jpg")
        assert names(root) == ["!pipe.jpg", "!socket.jpg", "!zero.png"]
    assert "pipe, socket or device" in problems(root)["pipe.jpg"]


def test_a_folder_that_vanishes_during_the_walk_is_a_problem(root: Path) -> None:
    touch(root, "a.jpg", "b/c.jpg", "d.jpg")
    walk = FolderSource(root).walk()
    first = next(walk)
    assert first.path.endswith("a.jpg")
    os.unlink(root / "b/c.jpg")
    os.rmdir(root / "b")
    rest = list(walk)
    assert [type(item) for item in rest] == [SourceProblem, SourceFile]
    assert rest[0].path == str(root / "b")


def test_a_file_that_vanishes_during_the_walk_is_just_not_there(root: Path) -> None:
    touch(root, "a.jpg", "b.jpg", "c.jpg")
    walk = FolderSource(root).walk()
    next(walk)
    os.unlink(root / "b.jpg")
    assert [item.path for item in walk] == [str(root / "c.jpg")]


def test_a_root_that_vanishes_is_a_problem(root: Path) -> None:
    source = FolderSource(root)
    root.rmdir()
    assert [(type(item), item.path) for item in source.walk()] == [(SourceProblem, str(root))]
    assert source.count() == 0


WALK_AS_NOBODY = """
import os, sys
from indexer.errors import UnreadableImage
from indexer.sources import FolderSource
os.setgroups([]); os.setgid(65534); os.setuid(65534)
source = FolderSource(sys.argv[1])
for item in source.walk():
    print(type(item).__name__, os.path.relpath(item.path, source.root), getattr(item, "reason", ""), sep="|")
try:
    source.read(os.path.join(source.root, "secret.jpg"))
except UnreadableImage as error:
    print(error)
"""


@pytest.fixture
def open_root() -> Iterator[Path]:
    """A folder that any user can reach: pytest's own are for one user alone."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in folder.iterdir():
        path.chmod(0o755)
    shutil.rmtree(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_unreadable_folders_and_files(open_root: Path) -> None:
    """Nothing is unreadable to root, so a process without its rights looks."""
    touch(open_root, "a.jpg", "closed/b.jpg", "secret.jpg", "z.jpg")
    (open_root / "closed").chmod(0o000)
    (open_root / "secret.jpg").chmod(0o000)
    command = [sys.executable, "-c", WALK_AS_NOBODY, str(open_root)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.splitlines() == [
        "SourceFile|a.jpg|",
        "SourceProblem|closed|the folder cannot be listed (permission denied)",
        "SourceFile|secret.jpg|",
        "SourceFile|z.jpg|",
        "cannot be read (permission denied)",
    ], done.stderr


# --- reading


def test_read_gives_the_bytes(root: Path) -> None:
    path = write(root / "a.jpg", bytes(range(256)) * 100)
    assert FolderSource(root).read(path) == bytes(range(256)) * 100


def test_a_file_that_vanished(root: Path) -> None:
    for path in ("a.jpg", "no/a.jpg"):
        with pytest.raises(UnreadableImage, match="vanished while being read"):
            FolderSource(root).read(str(root / path))


def test_a_pipe_that_took_the_files_place_is_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "a.jpg")
    with pytest.raises(UnreadableImage, match="not a regular file"):
        FolderSource(root).read(str(root / "a.jpg"))


def test_a_folder_is_not_read(root: Path) -> None:
    (root / "a.jpg").mkdir()
    with pytest.raises(UnreadableImage, match="directory"):
        FolderSource(root).read(str(root / "a.jpg"))


def test_a_file_over_the_limit_is_not_read(root: Path) -> None:
    path = root / "sparse.jpg"
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # a terabyte that takes no room on disk, and would not fit into memory
    with pytest.raises(ImageTooLarge, match=r"--max-file-mb"):
        FolderSource(root, max_bytes=1 << 20).read(str(path))
    write(root / "b.jpg", b"123")
    assert FolderSource(root, max_bytes=3).read(str(root / "b.jpg")) == b"123"


def test_an_empty_name_is_not_the_current_folder() -> None:
    """`sightline index "$PHOTOS"` with the variable unset."""
    with pytest.raises(SourceNotFound, match="no folder is named"):
        FolderSource("")


def test_a_file_is_unchanged_by_its_size_and_time(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jpg", b"12345", mtime_ns=1_700_000_000_000_000_001)
    assert is_unchanged(path, 5, 1_700_000_000_000_000_001)
    assert not is_unchanged(path, 4, 1_700_000_000_000_000_001)
    assert not is_unchanged(path, 5, 1_700_000_000_000_000_002)
    assert not is_unchanged(str(tmp_path / "gone.jpg"), 5, 0)
    assert not is_unchanged("/a\0b", 5, 0)
