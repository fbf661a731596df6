from __future__ import annotations

import math
from pathlib import Path

import pytest

from benchmarks.duplicates import UNCHANGED, Count, Made, _interval, counted, lines_of, measure_edits
from benchmarks.duplicates_made_up import measure_size
from benchmarks.edits import FAMILIES
from indexer.duplicates.kinds import Link
from tests.indexer.training.madeup import write_shards
from tests.palette import PaletteEncoder

WHAT = {
    "a": Made(1, UNCHANGED),
    "b": Made(2, UNCHANGED),
    "c": Made(1, "PNG"),
    "d": Made(2, "PNG"),
    "e": Made(2, "gamma"),
}


def test_right_and_wrong_partners_of_an_edited_picture() -> None:
    found = [
        Link("a", "c", "same", 0.99),
        Link("b", "c", "crop", 0.93),  # a wrong one
        Link("b", "d", "look-alike", 0.9),  # says nothing
        Link("c", "d", "same", 0.9),  # of two edited pictures neither is the photo
        Link("b", "e", "crop", 0.9),
        Link("a", "b", "crop", 0.9),
    ]
    counts, unchanged = counted(found, WHAT)
    assert counts == {"PNG": Count(2, 1, 1, 1), "gamma": Count(1, 1, 0, 0)}
    assert unchanged == 1


def test_precision_and_recall_of_a_family() -> None:
    counts = {name: Count(10, 9, 1, 9) for edits in FAMILIES.values() for name in edits}
    lines = {line.name: line for line in lines_of(counts, 0)}
    assert lines["re-encoded: precision, %"].value == 90
    assert lines["re-encoded: recall, %"].met is False
    assert lines["cropped: recall, %"].met is True
    assert lines["lightly edited: recall, %"].goal is None


def test_the_interval_is_wilsons() -> None:
    assert _interval(90, 100) == "82.56 to 94.48"
    assert _interval(10, 10).endswith("to 100.00")
    assert _interval(0, 0) == "there was none"


def test_a_shard_is_measured(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards") / "flickr8k-train.tar"
    figures = {line.name: line.value for line in measure_edits(shard, PaletteEncoder(), 6, 5, 0, choose=True)}
    assert figures["images in the library"] == 6 + 5 * 4 + 3  # two of the five have no colour that could be another
    assert "crop 0.92: cropped, recall, %" in figures
    assert {f"{family}: recall, %" for family in FAMILIES} <= figures.keys()


def test_a_made_up_library() -> None:
    figures = {line.name.partition(": ")[2]: line.value for line in measure_size(300)}
    copies = figures["planted copies found, %"]
    assert isinstance(copies, float)
    assert copies > 95
    assert not math.isnan(float(figures["planted crops found, %"]))
    assert float(figures["groups"]) <= 30


@pytest.mark.parametrize("family", FAMILIES)
def test_families_share_no_edit(family: str) -> None:
    others = {name for other, edits in FAMILIES.items() if other != family for name in edits}
    assert not others & FAMILIES[family].keys()
