from __future__ import annotations

from pathlib import Path

import pytest

from indexer.staging import StagingBusy, is_free, publish, staged


def test_what_is_made_appears_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with staged(target) as folder:
        (folder / "whole" / "deep").mkdir(parents=True)
        (folder / "whole" / "deep" / "file").write_bytes(b"all of it")
        assert is_free(target)
        publish(folder / "whole", target)
    assert (target / "deep" / "file").read_bytes() == b"all of it"
    assert list(tmp_path.iterdir()) == [target]
    assert not is_free(target)


def test_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), staged(tmp_path / "made") as folder:
        (folder / "half").mkdir(exist_ok=(folder / "half").mkdir() is not None)
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    leftover = tmp_path / "made.partial" / "old"
    leftover.mkdir(parents=True)
    (leftover / "file").write_bytes(b"of a process that was killed")
    with staged(tmp_path / "made") as folder:
        assert not leftover.exists()
        assert folder == tmp_path / "made.partial"
    assert not list(tmp_path.iterdir())


def test_two_do_not_make_the_same(tmp_path: Path) -> None:
    with staged(tmp_path / "made") as folder:
        (folder / "mine").write_bytes(b"")
        with pytest.raises(StagingBusy), staged(tmp_path / "made"):
            pass
        assert (folder / "mine").exists()


def test_an_empty_folder_gives_way(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    assert is_free(tmp_path / "made")
    with staged(tmp_path / "made") as folder:
        (folder / "whole").mkdir()
        (folder / "whole" / "file").write_bytes(b"")
        publish(folder / "whole", tmp_path / "made")
    assert (tmp_path / "made" / "file").exists()


def test_a_file_and_a_dangling_link_are_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to("nowhere")
    assert not is_free(tmp_path / "file")
    assert not is_free(tmp_path / "link")
