"""Tables, page and picture."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from benchmarks.vector_search import report
from benchmarks.vector_search.claims import Measured
from benchmarks.vector_search.comparison import Point
from benchmarks.vector_search.filters import Filtered
from benchmarks.vector_search.timing import Timing
from search.benchmark.charts import Line
from tests.benchmarks.test_claims import LARGE, SMALL, engines, row


def test_a_row_for_each_engine_also_for_those_that_are_missing() -> None:
    rows = engines(row("Sightline rabitq", ms=0.84, batch=6.4), row("numpy", ms=20)) | {"usearch": "not installed"}
    lines = report.tables(Measured({SMALL: rows})).splitlines()
    assert lines[0] == "### 100,000 x 512, one thread"
    assert "| Sightline rabitq |  | 1.0 | 80 | 1.000 / 1.000 | 1.000 / 1.000 | 0.84 | 0.84 (1) | 0.1 |" in lines
    assert any(line.startswith("| usearch | not installed |") for line in lines)
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_filters_have_a_table() -> None:
    one = Filtered(0.001, "random", 1000, 1.0, 10, Timing(((0.002,),)), Timing(((0.2,),)))
    assert "| 0.1% | random | 1.0000 | 2 | 2 | 200 | 100 |" in report.tables(Measured(filtered={LARGE: [one]}))


def test_only_what_stands_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# Words\n\n{report.BEGIN}\nold\n{report.END}\n\nMore words.\n")
    report.into_page(page, "new")
    report.into_page(page, "newer")
    assert page.read_text() == f"# Words\n\n{report.BEGIN}\n\nnewer\n\n{report.END}\n\nMore words.\n"
    report.into_page(tmp_path / "none.md", "new")
    assert (tmp_path / "none.md").read_text() == f"{report.BEGIN}\n\nnew\n\n{report.END}\n"


def test_a_page_without_marks_is_not_overwritten(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Words\n")
    report.into_page(page, "new")
    assert page.read_text() == f"# Words\n\n{report.BEGIN}\n\nnew\n\n{report.END}\n"


def test_the_picture_has_a_line_an_engine() -> None:
    points = (Point(8, 0.95, 0.9, 0.0001), Point(16, 0.99, 0.98, 0.0002), Point(1, 0.3, 0.2, 0.00001))
    curve = report.curves(engines(row("numpy", ms=20)))
    assert curve == [Line("numpy", ((20.0, 100.0),))]
    lines = [*curve, Line("a < b", tuple((1000 * p.seconds, 100 * p.recall) for p in points))]
    picture = ElementTree.fromstring(report.picture("Recall", lines))
    space = "{http://www.w3.org/2000/svg}"
    assert len(picture.findall(f"{space}polyline")) == 2
    assert len(picture.findall(f"{space}circle")) == 2 + 1 + 2  # one each in the legend; 0.3 is below the picture
    assert "a < b" in [text.text for text in picture.iter(f"{space}text")]
