from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from indexer.errors import IncompleteDataset, InvalidDataset
from search.datasets import InstanceDataset, load_dataset
from tests.search.datasets.making import pictures, write_json


def lists() -> dict[str, Any]:
    return {
        "imlist": ["a", "b", "c", "d"],
        "qimlist": ["q0", "q1"],
        "gnd": [
            {"bbx": [1, 2, 3.5, 4], "easy": [0], "hard": [2], "junk": [3]},
            {"easy": [1, 3], "hard": [], "junk": []},
        ],
    }


def loaded(folder: Path, data: dict[str, Any], **options: Any) -> InstanceDataset:
    found = load_dataset(write_json(folder / "gnd_roxford5k.json", data), **options)
    assert isinstance(found, InstanceDataset)
    return found


def test_revisited_lists(tmp_path: Path) -> None:
    pictures(tmp_path / "jpg", [f"{name}.jpg" for name in ("a", "b", "c", "d", "q0", "q1")])
    found = loaded(tmp_path, lists())
    assert [key for key, _ in found.gallery] == ["a", "b", "c", "d"]
    assert found.queries[0].box == (1, 2, 3.5, 4)
    assert found.queries[1].box is None
    assert found.judged("easy") == ([(0,), (1, 3)], [(3, 2), ()])
    assert found.judged("medium") == ([(0, 2), (1, 3)], [(3,), ()])
    assert found.judged("hard") == ([(2,), ()], [(3, 0), (1, 3)])
    with pytest.raises(ValueError, match="it has easy, medium, hard"):
        found.judged("classic")
    assert found.origin.name == "ROxford5k"
    assert "has 4,993 images and 70 queries: this has 4 and 2" in found.origin.standing.note


def test_lists_of_2007(tmp_path: Path) -> None:
    pictures(tmp_path / "jpg", [f"{name}.jpg" for name in ("a", "b", "q0")])
    data = {"imlist": ["a", "b"], "qimlist": ["q0"], "gnd": [{"bbx": [0, 0, 1, 1], "ok": [1], "junk": [0]}]}
    assert loaded(tmp_path, data).judged("classic") == ([(1,)], [(0,)])


def test_a_missing_gallery_picture_leaves_every_list(tmp_path: Path) -> None:
    pictures(tmp_path / "jpg", [f"{name}.jpg" for name in ("a", "c", "d", "q0", "q1")])
    with pytest.raises(IncompleteDataset, match=r"1 missing image \('b.jpg'\)"):
        loaded(tmp_path, lists())
    found = loaded(tmp_path, lists(), allow_partial=True)
    assert [key for key, _ in found.gallery] == ["a", "c", "d"]
    assert found.judged("medium") == ([(0, 1), (2,)], [(2,), ()])
    assert found.origin.partial


def test_lists_that_contradict_themselves(tmp_path: Path) -> None:
    pictures(tmp_path / "jpg", [f"{name}.jpg" for name in ("a", "b", "c", "d", "q0", "q1")])
    data = lists()
    data["gnd"][0]["junk"] = [0]
    data["gnd"][1]["easy"] = ["x"]
    with pytest.raises(IncompleteDataset, match=r"1 duplicate id \('judgements of q0'\); 1 entry .*\('q1'\)"):
        loaded(tmp_path, data)
    with pytest.raises(InvalidDataset, match="2 queries but 1 judgements"):
        loaded(tmp_path, lists() | {"gnd": lists()["gnd"][:1]})
    with pytest.raises(IncompleteDataset, match=r"1 duplicate id \('a \(2 times\)'\)"):
        loaded(tmp_path, lists() | {"imlist": ["a", "b", "c", "a"]})


def test_a_row_beyond_the_gallery_is_not_passed_over(tmp_path: Path) -> None:
    pictures(tmp_path / "jpg", [f"{name}.jpg" for name in ("a", "b", "c", "d", "q0", "q1")])
    data = lists()
    data["gnd"][0]["hard"] = [4]
    with pytest.raises(IncompleteDataset, match=r"1 entry that cannot be read \('q0'\)"):
        loaded(tmp_path, data)
