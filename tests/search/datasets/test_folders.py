from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import IncompleteDataset, InvalidDataset
from search.datasets import LabelledDataset, load_dataset
from tests.search.datasets.making import jpeg, pictures


def test_a_class_is_a_folder(tmp_path: Path) -> None:
    pictures(tmp_path, ["guinea_pig/a.jpg", "cat/b.jpg", "cat/more/c.jpg", ".hidden/d.jpg"])
    (tmp_path / "empty class").mkdir()
    found = load_dataset(tmp_path)
    assert isinstance(found, LabelledDataset)
    assert found.classes == ("cat", "empty class", "guinea pig")
    assert {item.key: item.label for item in found.items} == {
        "cat/b.jpg": 0,
        "cat/more/c.jpg": 0,
        "guinea_pig/a.jpg": 2,
    }
    assert found.labels.tolist() == [item.label for item in found.items]
    assert found.items[-1].image.read() == jpeg(0)
    assert found.to_dict()["classes"] == 3


def test_a_split_is_a_folder_above_the_classes(tmp_path: Path) -> None:
    pictures(tmp_path, ["train/cat/a.jpg", "val/cat/b.jpg", "val/dog/c.jpg"])
    found = load_dataset(tmp_path, split="val")
    assert isinstance(found, LabelledDataset)
    assert (found.classes, found.origin.split) == (("cat", "dog"), "val")


def test_the_hash_tells_other_files_apart(tmp_path: Path) -> None:
    pictures(tmp_path, ["cat/a.jpg"])
    before = load_dataset(tmp_path).origin.hashes
    assert load_dataset(tmp_path).origin.hashes == before
    pictures(tmp_path, ["cat/b.jpg"])
    assert load_dataset(tmp_path).origin.hashes != before


def test_a_picture_in_no_class_is_told(tmp_path: Path) -> None:
    pictures(tmp_path, ["cat/a.jpg", "stray.jpg"])
    with pytest.raises(IncompleteDataset, match=r"1 image without a known class \('stray.jpg'\)"):
        load_dataset(tmp_path)


def test_two_folders_of_one_name_are_refused(tmp_path: Path) -> None:
    pictures(tmp_path, ["guinea_pig/a.jpg", "guinea pig/b.jpg"])
    with pytest.raises(InvalidDataset, match="but for underscores"):
        load_dataset(tmp_path)
