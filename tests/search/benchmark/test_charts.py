"""Charts: where things are drawn, and that nothing given can break out of the drawing."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.benchmark import charts
from search.benchmark.charts import Line

NAN = float("nan")


def parsed(drawing: str) -> ElementTree.Element:
    return ElementTree.fromstring(drawing)


def of_class(drawing: str, name: str) -> list[ElementTree.Element]:
    return [element for element in parsed(drawing).iter() if name in element.get("class", "").split()]


def test_an_axis_goes_from_0_to_1() -> None:
    axis = charts.linear_axis(0, 100)
    assert (axis.at(0), axis.at(50), axis.at(100), axis.at(200), axis.at(-5)) == (0, 0.5, 1, 1, 0)
    log = charts.log_axis(1, 100)
    assert (log.at(1), log.at(10), log.at(100), log.at(0.1)) == (0, pytest.approx(0.5), 1, 0)
    assert log.ticks == (1, 2, 5, 10, 20, 50, 100)
    assert charts.log_axis(1, 1e6).ticks == tuple(10.0**e for e in range(7))


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_a_linear_axis_holds_what_it_is_for(low: float, span: float) -> None:
    axis = charts.linear_axis(low, low + span)
    slack = 1e-6 * span + 1e-9 * abs(low)
    assert axis.low <= low + slack
    assert axis.high >= low + span - slack
    assert 2 <= len(axis.ticks) <= 8
    assert all(a < b for a, b in pairwise(axis.ticks))


def test_a_recall_curve_has_its_lines_with_their_names() -> None:
    drawing = charts.recall_curve([Line("text → image", ((1, 20.0), (10, 60.0))), Line("<b>", ((1, 30.0), (10, 62.0)))])
    assert [len(of_class(drawing, f"line-{i}")) for i in (1, 2)] == [1, 1]
    assert [element.text for i in (1, 2) for element in of_class(drawing, f"name-{i}")] == ["text → image", "<b>"]
    first, second = (float(of_class(drawing, f"name-{i}")[0].get("y", "")) for i in (1, 2))
    assert second - first == charts.CLEARANCE
    assert "20.0 to 60.0 percent" in parsed(drawing).get("aria-label", "")


def test_a_point_lies_where_its_numbers_say() -> None:
    drawing = charts.recall_curve([Line("all", ((1, 0.0), (100, 100.0)))])
    path = of_class(drawing, "line-1")[0].get("d")
    right, bottom = charts.WIDTH - charts.RIGHT, charts.HEIGHT - charts.BOTTOM
    assert path == f"M{charts.LEFT:.1f} {bottom:.1f}L{right:.1f} {charts.TOP:.1f}"


def test_nothing_to_draw_is_nothing() -> None:
    assert charts.recall_curve([]) == ""
    assert charts.recall_curve([Line("a", ((1, NAN),))]) == ""
    assert charts.histogram((0, 1, 2), (0, 0), label="ms") == ""
    assert charts.histogram((0, 1), (1, 2), label="ms") == ""
    assert charts.index_curve([(NAN, 3.0, "a"), (0.0, 99.0, "b")], x_label="ms") == ""
    assert charts.interval_bar(NAN, 1, 2) == ""
    assert charts.difference_bar(1, 0, 2, limit=0) == ""


def test_a_histogram_has_a_column_for_each_count_and_its_marks() -> None:
    drawing = charts.histogram((0, 1, 2, 3), (5, 0, 10), label="milliseconds", marks={"p50": 0.7, "p99": 2.9, "x": NAN})
    low, high = of_class(drawing, "column")
    heights = [float(column.get("height", "")) for column in (low, high)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert [element.text for element in of_class(drawing, "of")] == ["p50 0.7", "p99 2.9"]
    assert len(of_class(drawing, "mark")) == 2


def test_the_rarest_count_can_be_seen() -> None:
    drawing = charts.histogram((1, 2, 3), (100_000, 1), label="ms")
    assert min(float(column.get("height", "")) for column in of_class(drawing, "column")) >= 1


def test_an_index_curve_fills_the_setting_measured() -> None:
    drawing = charts.index_curve([(0.1, 80.0, "nprobe=1"), (0.4, 99.0, 'nprobe="8"')], x_label="ms", chosen=1)
    assert (len(of_class(drawing, "ring-1")), len(of_class(drawing, "dot-1"))) == (1, 1)
    assert of_class(drawing, "dot-1")[0][0].text == 'nprobe="8": 99.00 % at 0.4'


def test_one_setting_alone_is_drawn() -> None:
    assert len(of_class(charts.index_curve([(0.4, 99.0, "a")], x_label="ms"), "ring-1")) == 1


def test_an_interval_bar_is_to_scale() -> None:
    drawing = charts.interval_bar(50, 40, 60, mark=75)
    interval, tick = of_class(drawing, "interval")[0], of_class(drawing, "tick")[0]
    scale = charts.BAR_WIDTH / 100
    assert float(interval.get("x", "")) == pytest.approx(40 * scale, abs=0.1)
    assert float(interval.get("width", "")) == pytest.approx(20 * scale, abs=0.1)
    assert float(tick.get("x", "")) == pytest.approx(75 * scale, abs=1)
    assert not of_class(charts.interval_bar(50, NAN, NAN), "interval")


@pytest.mark.parametrize(("low", "high", "name"), [(0.5, 2, "gain"), (-2, -0.5, "loss"), (-1, 1, "unsure")])
def test_a_difference_bar_says_whether_it_is_sure(low: float, high: float, name: str) -> None:
    drawing = charts.difference_bar((low + high) / 2, low, high, limit=2)
    assert len(of_class(drawing, name)) == 2
    circle = of_class(drawing, "strong")[0]
    assert float(circle.get("cx", "")) == pytest.approx(charts.BAR_WIDTH / 2 * (1 + (low + high) / 4))


@given(st.lists(st.tuples(st.integers(1, 1000), st.floats(allow_nan=True)), max_size=8), st.text(max_size=20))
def test_any_numbers_and_names_make_a_drawing_or_nothing(points: list[tuple[float, float]], name: str) -> None:
    printable = "".join(letter for letter in name if letter.isprintable())
    drawing = charts.recall_curve([Line(printable, tuple(points))])
    if drawing:
        assert of_class(drawing, "name-1")[0].text == (printable or None)
