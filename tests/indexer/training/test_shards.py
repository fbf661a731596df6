"""Shards as WebDataset writes them, and those that are damaged."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from indexer.errors import InvalidDataset, SourceNotFound
from indexer.training.shards import Example, read_shard
from tests.indexer.training.madeup import add, add_example


def test_shard_gives_its_examples_in_order(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add_example(tar, "000001", ["a dog", " "], picture=b"one")
        add_example(tar, "000000", [], "cat", picture=b"two")
    assert list(read_shard(tmp_path / "s.tar")) == [
        Example("000001", b"one", ("a dog",), None),
        Example("000000", b"two", (), "cat"),
    ]


def test_bad_members_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add(tar, "lonely.jpg", b"x")
        add(tar, "text.json", b"{}")
        add(tar, "broken.jpg", b"x")
        add(tar, "broken.json", b"{not json")
        add_example(tar, "shape", "not a list")
        add_example(tar, "number", ["a"], 3)
        add_example(tar, "silent", [], None)
        add(tar, "latin.jpg", b"x")
        add(tar, "latin.json", b'{"captions": ["\xff"], "label": null}')
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        add_example(tar, "good", ["a dog"])
    assert [example.key for example in read_shard(tmp_path / "s.tar")] == ["good"]
    for name in ("lonely", "text", "broken", "shape", "number", "silent", "latin"):
        assert f"left out {name}:" in caplog.text


def test_shard_that_breaks_off_or_is_not_there(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add_example(tar, "a", ["a dog"], picture=bytes(4000))
    (tmp_path / "s.tar").write_bytes((tmp_path / "s.tar").read_bytes()[:2000])
    with pytest.raises(InvalidDataset, match=r"s\.tar"):
        list(read_shard(tmp_path / "s.tar"))
    with pytest.raises(SourceNotFound, match=r"none\.tar"):
        list(read_shard(tmp_path / "none.tar"))
