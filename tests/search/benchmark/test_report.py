"""The report's JSON: what it looks like, that it reads back, and what is said of a file that is none."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import InvalidReport
from search.benchmark.report import (
    BenchmarkReport,
    CurvePoint,
    DatasetInfo,
    Direction,
    Example,
    Examples,
    Histogram,
    IndexFigures,
    InstanceFigures,
    Machine,
    Model,
    PromptFigures,
    PublishedFigure,
    QueryRanks,
    Returned,
    SearchTimes,
    Speed,
    ZeroShot,
)

DIRECTION = Direction(
    figures={"R@1": 50.0, "R@5": 75.5, "median_rank": None},
    queries=4,
    tied=1,
    against={"R@1": 25.0},
    in_favour={"R@1": 75.0},
    intervals={"R@1": (25.0, 75.0), "R@5": (None, None)},
)
TIMES = SearchTimes(p50=0.1, p99=2.5, histogram=Histogram((0.1, 1.0, 2.5), (3, 1)))


@pytest.fixture
def report() -> BenchmarkReport:
    """With something in every field."""
    return BenchmarkReport(
        format=1,
        sightline="0.1.0",
        date="2026-01-02T03:04:05+00:00",
        command="sightline benchmark --dataset x",
        machine=Machine(cpu="A processor", cores=2, memory_gb=8.0, gpu=None),
        versions={"numpy": "2.4.6"},
        model=Model("mini", "ab" * 32, 256, "float32", "cpu"),
        dataset=DatasetInfo("Flickr8k", "JSON lines", "test", 2, 4, {"a.jsonl": "cd" * 32}, None, True, ("half",)),
        prompt="a photo of {}",
        text_to_image=DIRECTION,
        image_to_text=DIRECTION,
        by_length={"1-5 words": {"queries": 4.0, "R@1": 50.0}},
        by_prompt={"a photo of {}": PromptFigures(DIRECTION, DIRECTION)},
        index=IndexFigures(
            kind="faiss:IVF4,Flat",
            setting="nprobe=2",
            recall={"10": 99.5, "100": None},
            curve=(CurvePoint("nprobe=1", {"10": 80.0, "100": None}, 0.1),),
            text_to_image={"R@1": 49.0},
            cost={"R@1": 1.0},
            build_seconds=0.5,
            vectors=2,
        ),
        speed=Speed(10.0, 20.0, TIMES, 1000.0, 512.0, None, TIMES),
        published=(
            PublishedFigure("mini", True, "COCO", "text_to_image", "R@1", 30.4, 30.5, 0.1, "same protocol", "a table"),
        ),
        zero_shot=ZeroShot(90.0, None, 89.0, 3, ("{c}",), {"top1": 91.0}, {"top1": (80.0, 95.0)}, {"top1": 90.0}),
        instances={"medium": InstanceFigures(60.0, 61.0, (50.0, 70.0), 12, 59.0)},
        queries={"text_to_image": QueryRanks((1, 3), ("a#0", "a#1"), ("a", "a"), ("one", "two"))},
        examples=Examples(
            worst=(Example("text_to_image", "two", "a#1", "a", "a", 3, (Returned("b", 0.5, right=False, text=None),)),)
        ),
        thumbnails={"a": "AAAA"},
    )


def test_it_reads_back_as_it_was_written(report: BenchmarkReport, tmp_path: Path) -> None:
    report.write(tmp_path / "report.json")
    assert BenchmarkReport.read(tmp_path / "report.json") == report


def test_the_json_has_the_figures_where_scripts_look_for_them(report: BenchmarkReport) -> None:
    found = json.loads(report.to_json())
    assert found["text_to_image"]["R@1"] == 50.0
    assert found["text_to_image"]["intervals"]["R@1"] == [25.0, 75.0]
    assert found["text_to_image"]["median_rank"] is None
    assert found["by_prompt"]["a photo of {}"]["image_to_text"]["R@5"] == 75.5
    assert found["speed"]["search_ms"]["histogram"] == {"edges": [0.1, 1.0, 2.5], "counts": [3, 1]}
    assert found["instances"]["medium"]["mAP"] == 60.0
    assert found["dataset"]["partial"] is True


def test_a_later_sightline_may_add_fields_but_not_another_format(report: BenchmarkReport) -> None:
    found = report.to_dict()
    assert BenchmarkReport.from_dict({**found, "new": 1}) == report
    with pytest.raises(InvalidReport, match="newer Sightline"):
        BenchmarkReport.from_dict({**found, "format": 2})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model": None}, "'model'"),
        ({"dataset": {"name": "x"}}, "'dataset.format'"),
        ({"queries": {"text_to_image": {"rank": "high"}}}, "'queries.text_to_image.rank'"),
    ],
)
def test_a_wrong_field_is_named(report: BenchmarkReport, change: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidReport, match=named):
        BenchmarkReport.from_dict({**report.to_dict(), **change}, path="a.json")


@pytest.mark.parametrize("content", ["", "[]", '{"R@1": 3}', "{", "\0"])
def test_a_file_that_is_no_report_is_one_line(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(InvalidReport, match=r"a\.json") as caught:
        BenchmarkReport.read(tmp_path / "a.json")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read_or_written_are_one_line(report: BenchmarkReport, tmp_path: Path) -> None:
    with pytest.raises(InvalidReport, match="cannot be read"):
        BenchmarkReport.read(tmp_path / "none.json")
    with pytest.raises(InvalidReport, match="cannot be written"):
        report.write(tmp_path / "no folder" / "a.json")
