"""A benchmark report, or a comparison of two, as one HTML file that needs nothing else: no script, no request."""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from indexer.errors import UnreadableImage
from indexer.images import read_info, thumbnail
from search.benchmark import charts, tables
from search.benchmark.charts import Line
from search.benchmark.report import BenchmarkReport, Direction, Example

if TYPE_CHECKING:
    from jinja2 import Environment

MAX_SIDE = 160
"""Of a picture in the report, in pixels."""
MAX_PICTURE_CHARS = 800_000
"""Of all pictures together, so that the file stays under 1 MB; the ones after that are named only."""
MAX_EXAMPLES = 12
"""Of the worst, and of the best."""
MAX_RETURNED = 6
CURVE_TO = 100
"""The largest K of the recall curve."""


@dataclass(frozen=True, slots=True)
class Picture:
    source: str
    """A `data:` URI."""
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    drawing: Markup
    note: str


def of_report(report: BenchmarkReport, *, thumbnails: Mapping[str, str] | None = None) -> str:
    """`thumbnails` are pictures in base64 by key, the report's own unless given."""
    worst, best = chosen(report.examples.worst), chosen(report.examples.best)
    return _page(
        "report.html",
        report=report,
        title=tables.title(report),
        lead=lead(report),
        warnings=tables.warnings(report),
        cards=[_card(report, name, direction) for name, direction in tables.directions(report)],
        tables={table.title: table for table in tables.of(report)},
        curves=[chart for chart in (recall_chart(report),) if chart],
        speed_charts=[chart for chart in (index_chart(report), latency_chart(report)) if chart],
        looks=(("Hardest queries", worst), ("Easiest queries", best)),
        pictures=embedded(report.thumbnails if thumbnails is None else thumbnails, wanted(worst + best)),
        provenance=tables.provenance(report),
        max_returned=MAX_RETURNED,
    )


def of_comparison(**parts: Any) -> str:
    """The page of a comparison; `comparison.py` knows what is on it."""
    return _page("comparison.html", **parts)


def lead(report: BenchmarkReport) -> str:
    """The result as a sentence."""
    found = report.text_to_image
    if found is not None and found.figures.get("R@1") is not None and found.figures.get("R@10") is not None:
        first, ten = tables.percent(found.figures["R@1"]), tables.percent(found.figures["R@10"])
        return (
            f"For {first} of the {found.queries:,} captions the right one of {report.dataset.images:,} pictures came "
            f"first, for {ten} it was among the first ten."
        )
    if report.zero_shot is not None:
        return (
            f"{tables.percent(report.zero_shot.top1)} of the {report.dataset.images:,} pictures got the right one of "
            f"{report.zero_shot.classes:,} class names, which the model was only told in words."
        )
    if report.instances:
        best = max(report.instances.values(), key=lambda one: one.queries)
        return f"{best.queries:,} pictures looked for others of the same thing among {report.dataset.images:,}."
    return tables.counts(report)


def recall_chart(report: BenchmarkReport) -> Chart | None:
    lines = [
        Line(tables.DIRECTIONS.get(name, name), recall_points(ranks.rank, report.dataset.images))
        for name, ranks in report.queries.items()
    ]
    drawing = charts.recall_curve(lines)
    note = "The share of the queries whose right answer is among the first K."
    return Chart("Recall by K", drawing, note) if drawing else None


def recall_points(ranks: Sequence[int], gallery: int) -> tuple[tuple[float, float], ...]:
    """`(K, Recall@K)` for every K up to `CURVE_TO`, as far as the gallery goes."""
    if not ranks:
        return ()
    most = max(2, min(CURVE_TO, gallery))
    counted = np.bincount(np.minimum(ranks, most + 1), minlength=most + 2)[1 : most + 1]
    recall = 100 * np.cumsum(counted) / len(ranks)
    return tuple((float(k), float(value)) for k, value in enumerate(recall, 1))


def latency_chart(report: BenchmarkReport) -> Chart | None:
    times = report.speed.search_ms
    if times is None:
        return None
    marks = {"p50": times.p50, "p99": times.p99}
    drawing = charts.histogram(times.histogram.edges, times.histogram.counts, label="milliseconds", marks=marks)
    note = f"{sum(times.histogram.counts):,} single searches, one after the other, their queries already embedded."
    return Chart("Time of a search", drawing, note) if drawing else None


def index_chart(report: BenchmarkReport) -> Chart | None:
    index = report.index
    if index is None or len(index.curve) < 2:  # one point is no curve
        return None
    k = next((k for k in ("10", *index.recall) if k in index.recall), "10")
    points = [(p.p50_ms, tables.nan_for_none(p.recall.get(k)), p.setting) for p in index.curve]
    chosen = next((i for i, p in enumerate(index.curve) if p.setting == index.setting), None)
    drawing = charts.index_curve(points, x_label="milliseconds a search (p50)", chosen=chosen)
    note = f"{index.kind}: how much of the exact top {k} it returns, and what that takes. Filled: the setting measured."
    return Chart("Index recall", drawing, note) if drawing else None


def chosen(examples: Sequence[Example]) -> tuple[Example, ...]:
    """At most `MAX_EXAMPLES`, as many of each direction, directions one after the other."""
    names = list(dict.fromkeys(example.direction for example in examples))
    of_each = [[example for example in examples if example.direction == name] for name in names]
    return tuple(example for some in of_each for example in some[: MAX_EXAMPLES // len(names)])


def wanted(examples: Sequence[Example]) -> list[str]:
    """Keys of the pictures that the examples show, first those of the hardest; each once."""
    keys: dict[str, None] = {}
    for example in examples:
        keys[example.image] = None
        if example.direction == "text_to_image":
            keys |= dict.fromkeys(returned.key for returned in example.returned[:MAX_RETURNED])
    return list(keys)


def embedded(thumbnails: Mapping[str, str], keys: Sequence[str]) -> dict[str, Picture]:
    """Those of the keys that are there and are pictures, as far as `MAX_PICTURE_CHARS` goes."""
    found: dict[str, Picture] = {}
    room = MAX_PICTURE_CHARS
    for key in keys:
        picture = _picture(thumbnails[key]) if key in thumbnails else None
        if picture is not None and len(picture.source) <= room:
            found[key] = picture
            room -= len(picture.source)
    return found


def _picture(encoded: str) -> Picture | None:
    """None for what is no picture: a report may come from anywhere."""
    try:
        data = base64.b64decode(encoded, validate=True)
        info = read_info(data)
        if info.format != "JPEG" or max(info.width, info.height) > MAX_SIDE:
            data, info = _shrunk(data)
    except (binascii.Error, ValueError, UnreadableImage):
        return None
    source = "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")
    return Picture(source, info.width, info.height)


def _shrunk(data: bytes) -> tuple[bytes, Any]:
    buffer = io.BytesIO()
    thumbnail(data, MAX_SIDE).save(buffer, "JPEG", quality=75, optimize=True)
    return buffer.getvalue(), read_info(buffer.getvalue())


def _card(report: BenchmarkReport, name: str, direction: Direction) -> dict[str, Any]:
    """One direction: its recalls large, with their bars and intervals, and the table of everything."""
    table = tables.direction_table(report, name, direction)
    large = [row for row in table.rows if row[0].text in tables.SHOWN_KS]
    rest = [tuple(replace(cell, bar=None) for cell in row) for row in table.rows if row not in large]
    return {"title": table.title, "large": large, "rest": rest, "of": table}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)
