"""Two runs compared: figures by hand, refusals, the command."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from indexer.errors import InvalidReport
from search.benchmark import compare_cli, comparison_report
from search.benchmark.comparison import compare
from search.benchmark.report import BenchmarkReport
from tests.search.benchmark.reports import bare, ranks, report, zero_shot

A = (1, 3, 12, 1, 2, 40, 1, 7)
B = (1, 1, 8, 2, 2, 80, 1, 1)


def run(found: tuple[int, ...], **changes: object) -> BenchmarkReport:
    return report(queries={"text_to_image": ranks(found)}, **changes)


def test_differences_by_hand() -> None:
    found = compare(run(A), run(B)).directions["text_to_image"]
    by_name = {one.figure: one for one in found.differences}
    assert (by_name["R@1"].a, by_name["R@1"].b, by_name["R@1"].difference) == (37.5, 50, 12.5)
    assert (by_name["R@5"].a, by_name["R@5"].b) == (62.5, 75)
    assert (by_name["R@10"].a, by_name["R@10"].b) == (75, 87.5)
    assert by_name["mean_rank"].difference == pytest.approx((sum(B) - sum(A)) / 8)
    assert by_name["MRR"].a == pytest.approx(100 / 8 * (1 + 1 / 3 + 1 / 12 + 1 + 1 / 2 + 1 / 40 + 1 + 1 / 7))
    mcnemar = by_name["R@1"].mcnemar
    assert mcnemar is not None
    assert (mcnemar.only_a, mcnemar.only_b, mcnemar.p_value) == (1, 2, 1.0)
    assert by_name["MRR"].mcnemar is None
    assert all(one.low <= one.difference <= one.high for one in found.differences)
    assert (found.queries, found.gained, found.lost) == (8, 3, 2)


def test_gains_and_losses_are_ordered_by_the_ratio_of_ranks() -> None:
    found = compare(run(A), run(B)).directions["text_to_image"]
    assert [(change.rank_a, change.rank_b) for change in found.gains] == [(7, 1), (3, 1), (12, 8)]
    assert [(change.rank_a, change.rank_b) for change in found.losses] == [(1, 2), (40, 80)]
    assert found.gains[0].text == "caption 7 of 3.jpg"
    assert len(compare(run(A), run(B), top=1).directions["text_to_image"].gains) == 1


def test_a_run_does_not_differ_from_itself() -> None:
    found = compare(run(A), run(A)).directions["text_to_image"]
    assert (found.gained, found.lost, found.gains, found.losses) == (0, 0, (), ())
    assert {(one.difference, one.p_value) for one in found.differences} == {(0.0, 1.0)}


def test_queries_are_matched_by_key_not_by_place() -> None:
    b = ranks(B)
    turned = replace(b, rank=b.rank[::-1], key=b.key[::-1], image=b.image[::-1], text=b.text[::-1])
    mixed = report(queries={"text_to_image": turned})
    assert compare(run(A), mixed).directions == compare(run(A), run(B)).directions


def test_images_are_resampled_with_all_their_captions() -> None:
    """Eight queries of one image are one draw, and one draw tells nothing."""
    one_image = replace(ranks(A), image=("0.jpg",) * 8)
    other = replace(one_image, rank=B)
    found = compare(report(queries={"text_to_image": one_image}), report(queries={"text_to_image": other}))
    first = found.directions["text_to_image"].differences[0]
    assert first.low != first.low
    assert first.p_value == 1
    assert "null" in json.dumps(found.to_dict(), allow_nan=False)
    assert comparison_report.of_markdown(found).count("–") > 3


def test_other_data_is_refused() -> None:
    other = replace(report().dataset, sha256={"set.tar": "ff" * 32})
    with pytest.raises(InvalidReport, match=r"'B'.*it measured Flickr8k test \(set.tar ffffffffffff\), but 'A'"):
        compare(run(A), run(B, dataset=other))
    with pytest.raises(InvalidReport, match="same files and split"):
        compare(run(A), run(B, dataset=replace(report().dataset, split="val")))
    renamed = replace(report().dataset, sha256={"renamed.tar": report().dataset.sha256["set.tar"]})
    assert compare(run(A), run(B, dataset=renamed)).directions


def test_other_queries_are_refused() -> None:
    with pytest.raises(InvalidReport, match=r"8 queries of text_to_image, but 'A' 6, and '3.jpg#0' is not in both"):
        compare(run(A[:6]), run(B))
    with pytest.raises(InvalidReport, match="no query in common"):
        compare(run(A), bare())
    with pytest.raises(InvalidReport, match="no query in common"):
        compare(run(A), zero_shot())


def test_class_sets_compare_too() -> None:
    found = compare(zero_shot(), zero_shot())
    assert list(found.directions) == ["image_to_class"]
    assert "image → class" in comparison_report.of_markdown(found)


def program() -> typer.Typer:
    app = typer.Typer()
    app.callback()(lambda: None)
    compare_cli.register(app)
    return app


def files(folder: Path) -> tuple[str, str]:
    run(A).write(folder / "a.json")
    run(B).write(folder / "b.json")
    return str(folder / "a.json"), str(folder / "b.json")


def test_the_command_prints_json(tmp_path: Path) -> None:
    found = CliRunner().invoke(program(), ["compare", *files(tmp_path), "--json"], catch_exceptions=False)
    assert found.exit_code == 0
    printed = json.loads(found.stdout)
    assert printed["a"]["model"] == "mini"
    assert printed["directions"]["text_to_image"]["differences"][0]["difference"] == 12.5
    assert printed["directions"]["text_to_image"]["gains"][0]["rank_b"] == 1


@pytest.mark.parametrize("suffix", ["html", "md", "json"])
def test_the_command_writes_a_report(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"difference.{suffix}"
    arguments = ["compare", *files(tmp_path), "--report", str(path), "--top", "1"]
    found = CliRunner().invoke(program(), arguments, catch_exceptions=False)
    assert "+12.5" in found.stdout
    text = path.read_text(encoding="utf-8")
    assert "caption 7 of 3.jpg" in text
    assert "caption 1 of 0.jpg" not in text


def test_the_command_refuses_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(InvalidReport, match="must end in"):
        CliRunner().invoke(program(), ["compare", "a", "b", "--report", "x.txt"], catch_exceptions=False)
    with pytest.raises(InvalidReport, match="cannot be read"):
        CliRunner().invoke(program(), ["compare", str(tmp_path / "no"), "b"], catch_exceptions=False)


def test_the_page_names_both_runs_and_says_how_sure() -> None:
    page = comparison_report.of_html(compare(run(A), run(B, prompt="a photo of {}")))
    assert "mini, prompt “a photo of {}” against mini" in page
    assert "which chance alone could make" in page
    assert "<script" not in page


def test_warnings_of_one_run_name_it_and_those_of_both_stand_once() -> None:
    dataset = replace(report().dataset, warnings=("3 images are missing",))
    found = comparison_report.warnings(compare(run(A, dataset=dataset), run(B, dataset=dataset, prompt="a {}")))
    assert found[0] == "3 images are missing"
    assert [line[:3] for line in found[1:]] == ["B: "]
