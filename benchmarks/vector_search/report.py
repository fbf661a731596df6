"""What was measured as Markdown tables, and recall against latency as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path

from markupsafe import escape

from benchmarks.vector_search.claims import Measured, Place
from benchmarks.vector_search.comparison import BATCH, Row
from benchmarks.vector_search.filters import Filtered
from search.benchmark.charts import Axis, Line, linear_axis, log_axis

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 420, 52, 190, 16, 46
COLOURS = (
    *("#0d5c63", "#e8590c", "#862e9c", "#c2255c", "#5c940d"),  # kinds of Sightline's, which stand first
    *("#1864ab", "#868e96", "#212529", "#b08900", "#4dabf7", "#a9744f", "#9775fa"),
)
LEAST = 90.0
"""Percent of recall at the foot of the picture: below, nobody would choose a setting."""


def engine_table(place: Place, rows: Mapping[str, Row | str]) -> str:
    threads = "one thread" if place.threads == 1 else f"{place.threads} threads"
    parts = [
        f"### {place.name}, {threads}",
        "",
        "| engine | effort | built, s | hot bytes a vector | recall@10 image / text | recall@100 image / text "
        f"| p50, ms | p99, ms (of queries) | batch of {BATCH}, ms a query |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        parts.append(f"| {name} | {row} |" + " |" * 7 if isinstance(row, str) else _engine_row(row))
    return "\n".join(parts)


def _engine_row(row: Row) -> str:
    recalls = [" / ".join(f"{row.recalls[kind, k]:.3f}" for kind in ("image", "text")) for k in (10, 100)]
    batch = f"{1000 * row.batch.median / BATCH:.3g}" if row.batch else ""
    cells = [
        row.engine,
        "" if row.effort is None else str(row.effort),
        f"{row.build_seconds:.1f}" if row.build_seconds >= 0.05 else "",
        f"{row.hot_bytes:,.0f}",
        *recalls,
        f"{1000 * row.single.median:.3g}",
        f"{1000 * row.single.p99:.3g} ({row.single.calls})",
        batch,
    ]
    return f"| {' | '.join(cells)} |"


def filter_table(place: Place, found: Sequence[Filtered]) -> str:
    parts = [
        f"### Filters, {place.name}, one thread",
        "",
        "| allowed | pattern | recall@10 | p50, ms | p99, ms | post-filtering p50, ms | times faster |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        figures = [1000 * one.ours.median, 1000 * one.ours.p99, 1000 * one.post_filter.median, one.faster]
        cells = [f"{one.share:.1%}", one.pattern, f"{one.recall:.4f}", *(f"{figure:.3g}" for figure in figures)]
        parts.append(f"| {' | '.join(cells)} |")
    return "\n".join(parts)


def tables(measured: Measured) -> str:
    parts = [engine_table(place, rows) for place, rows in measured.engines.items()]
    parts += [filter_table(place, found) for place, found in measured.filtered.items()]
    return "\n\n".join(parts)


def into_page(page: Path, measured: str) -> None:
    """Replace what stands between the marks; where there are none, they come at the end."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    if BEGIN not in text or END not in text:
        text = f"{text.rstrip()}\n\n{BEGIN}\n{END}\n".lstrip()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}\n\n{measured}\n\n{END}{after}", encoding="utf-8")


def curves(rows: Mapping[str, Row | str]) -> list[Line]:
    """By engine `(milliseconds, recall@10 in percent)`; one point where there is nothing to set."""
    return [
        Line(name, tuple((1000 * point.seconds, 100 * point.recall) for point in row.curve))
        for name, row in rows.items()
        if not isinstance(row, str)
    ]


def picture(title: str, lines: Sequence[Line]) -> str:
    """A standalone SVG: recall@10 over the median of a query, on a logarithmic axis."""
    costs = [x for line in lines for x, _ in line.points]
    x, y = log_axis(min(costs) * 0.8, max(costs) * 1.25, "median of a query, ms"), linear_axis(LEAST, 100.0)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        f'font-size="12"><title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        *_grid(x, y),
    ]
    for number, line in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        ours = line.name.startswith("Sightline")
        places = [(_x(x, cost), _y(y, recall)) for cost, recall in line.points if recall >= LEAST]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{3 if ours else 1.5}"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="{5 if ours else 3}" fill="{colour}"/>' for a, b in places]
        height = TOP + 12 + 20 * number
        parts.append(f'<circle cx="{WIDTH - RIGHT + 18}" cy="{height - 4}" r="{5 if ours else 3}" fill="{colour}"/>')
        weight = ' font-weight="bold"' if ours else ""
        parts.append(f'<text x="{WIDTH - RIGHT + 30}" y="{height}" fill="{colour}"{weight}>{escape(line.name)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _grid(x: Axis, y: Axis) -> list[str]:
    bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
    parts = []
    for tick in y.ticks:
        parts.append(f'<path d="M{LEFT} {_y(y, tick):.1f}H{right}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{_y(y, tick) + 4:.1f}" text-anchor="end">{tick:g}%</text>')
    for tick in x.ticks:
        # Where ticks are dense, 1 and 5 of each decade have numbers.
        named = len(x.ticks) <= 8 or round(tick / 10 ** int(log10(tick) // 1)) != 2
        parts.append(f'<path d="M{_x(x, tick):.1f} {TOP}V{bottom}" stroke="#eee"/>')
        if named:
            parts.append(f'<text x="{_x(x, tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>')
    label = f"{x.label} (logarithmic)"
    parts.append(f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>')
    parts.append(f'<text x="{LEFT + 4}" y="{TOP + 10}">recall@10</text>')
    return parts


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.at(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.at(value) * (HEIGHT - TOP - BOTTOM)
