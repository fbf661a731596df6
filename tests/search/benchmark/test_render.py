"""Reports as files: whole, with holes, hostile, and of every kind."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from indexer.errors import InvalidReport
from search.benchmark import html, markdown, render, tables
from search.benchmark.report import BenchmarkReport, Direction
from tests.search.benchmark.reports import bare, examples, instances, ranks, report, thumbnail, zero_shot

VOID = {"meta", "img", "br"}


class Reader(HTMLParser):
    """Collects tags, attributes and text; fails on elements that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(found == tag for found, _ in self.tags)


def read(one: BenchmarkReport) -> Reader:
    return Reader(html.of_report(one))


@pytest.mark.parametrize("one", [report(), bare(), zero_shot(), instances()], ids=["captions", "bare", "zero", "same"])
def test_a_page_is_well_formed_and_asks_nothing_of_the_world(one: BenchmarkReport) -> None:
    page = read(one)
    assert page.count("script") == page.count("link") == page.count("iframe") == 0
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("src") or "data:").startswith("data:image/jpeg;base64,") or tag != "img"
        assert "href" not in attributes
    assert "url(" not in html.of_report(one)


def test_what_others_wrote_stays_text() -> None:
    page = read(report())
    assert "a dog | on <i>grass</i>" in page.text
    assert "Two <b>dogs</b> run" in page.text
    assert page.count("i") == page.count("b") == 0


def test_figures_intervals_and_verdicts_are_there() -> None:
    text = read(report()).text
    for words in ("12.5 %", "10.0 to 15.0", "45.2 %", "agrees", "other weights", "98.25 %", "−0.5 points", "0.800 ms"):
        assert words in text, words
    assert "In 2 a wrong answer ties with the right one; by the order of ties that is R@1 11.0 to 14.0 %" in text


def test_what_is_not_known_is_a_dash() -> None:
    text = read(report(text_to_image=direction_without_numbers())).text
    assert "nan" not in text.lower().split()
    assert "None" not in text
    assert text.count(tables.DASH) > 10


def direction_without_numbers() -> Direction:
    figures = {"R@1": None, "R@5": float("nan"), "R@10": float("inf"), "median_rank": None}
    return Direction(figures=figures, queries=0, tied=0)


def test_a_partial_set_is_called_so_before_any_number() -> None:
    dataset = replace(report().dataset, partial=True, standard=None, warnings=("3 images are missing",))
    for text in (read(report(dataset=dataset)).text, markdown.of_report(report(dataset=dataset))):
        assert text.index("not results on the whole") < text.index("3 images are missing") < text.index("12.5 %")
    assert "warning" not in {c for _, attributes in read(report()).tags if (c := attributes.get("class"))}


def test_pictures_are_shown_once_they_are_pictures_and_named_otherwise() -> None:
    given = {"0.jpg": thumbnail(), "1.jpg": "not base64!", "2.jpg": "bm90IGEgcGljdHVyZQ=="}
    page = read(report(thumbnails=given))
    assert page.count("img") == 1
    assert {"1.jpg", "3.jpg"} <= set(page.words)


def test_large_pictures_are_made_small() -> None:
    found = html.embedded({"a": thumbnail(600)}, ["a"])["a"]
    assert (found.width, found.height) == (160, 120)


def test_pictures_end_where_the_room_does(monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(html.embedded({"a": thumbnail()}, ["a"])["a"].source)
    monkeypatch.setattr(html, "MAX_PICTURE_CHARS", 2 * size)
    assert list(html.embedded(dict.fromkeys("abc", thumbnail()), ["a", "b", "c"])) == ["a", "b"]


def test_the_right_picture_is_shown_beside_only_where_it_did_not_come() -> None:
    page = html.of_report(report(image_to_text=None))
    assert page.count("right, at rank 40") == 1
    assert "right, at rank 1<" not in page
    assert page.count("asked with</span>") == 1


def test_many_examples_are_cut() -> None:
    worst = examples().worst[:1] * 50
    page = html.of_report(report(examples=replace(examples(), worst=worst, best=())))
    assert page.count('class="look"') == html.MAX_EXAMPLES


def test_recall_for_every_k() -> None:
    assert html.recall_points((1, 3, 3, 200), 1000)[:4] == ((1, 25), (2, 25), (3, 75), (4, 75))
    assert len(html.recall_points((1, 3, 3, 200), 1000)) == html.CURVE_TO
    assert html.recall_points((1, 2), 2) == ((1, 50), (2, 100))
    assert html.recall_points((), 5) == ()


def test_zero_shot_and_instances_have_their_tables() -> None:
    assert "14.6 %" in read(zero_shot()).text
    assert "1,000 classes" in read(zero_shot()).text
    assert "55.5 %" in read(instances()).text
    assert "medium" in markdown.of_report(instances())


def test_markdown_has_the_same_tables_as_the_page() -> None:
    text = markdown.of_report(report())
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        *(table.title for table in tables.of(report())),
        "Hardest queries",
        "Easiest queries",
        "How to repeat it",
    ]
    rows = [line for line in text.splitlines() if line.startswith("| R@1 ")]
    assert rows[0] == "| R@1 | 12.5 % | 10.0 to 15.0 |"


def test_markdown_rows_have_a_cell_for_each_column() -> None:
    plain = re.sub(r"\\.", "", markdown.of_report(report()))
    tables_found = re.findall(r"(?:^\|.*\|\n)+", plain, re.MULTILINE)
    assert len(tables_found) >= 8
    for table in tables_found:
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


def test_markdown_means_nothing_but_itself() -> None:
    text = markdown.of_report(report())
    assert r"a dog \| on \<i\>grass\</i\>" in text
    assert markdown.escape("two\nlines *") == r"two lines \*"


@pytest.mark.parametrize("suffix", [".json", ".md", ".html", ".HTML"])
def test_the_suffix_decides(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"report{suffix}"
    render.write(report(), path)
    start = {".json": "{", ".md": "# mini on", ".html": "<!doctype html>"}[suffix.lower()]
    assert path.read_text(encoding="utf-8").startswith(start)


def test_json_is_read_back(tmp_path: Path) -> None:
    given = {"0.jpg": thumbnail()}
    render.write(report(), tmp_path / "a.json", thumbnails=given)
    assert BenchmarkReport.read(tmp_path / "a.json") == report(thumbnails=given)


def test_other_suffixes_and_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidReport, match=r"must end in \.json, \.md or \.html"):
        render.write(report(), tmp_path / "report.pdf")
    with pytest.raises(InvalidReport, match="cannot be written"):
        render.write(report(), tmp_path / "nowhere" / "report.md")
    assert list(tmp_path.iterdir()) == []


def test_a_full_page_stays_under_a_megabyte() -> None:
    many = {"text_to_image": ranks(tuple(range(1, 5001)), images=[f"{row}.jpg" for row in range(5000)])}
    assert len(html.of_report(report(queries=many))) < 100_000
