"""A comparison of two runs as tables, Markdown and HTML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from search.benchmark import charts, html, markdown, tables
from search.benchmark.comparison import Change, Difference, DirectionComparison, RunComparison
from search.benchmark.render import write_as
from search.benchmark.report import BenchmarkReport
from search.benchmark.tables import DIRECTIONS, Cell, Table, Tone

COLUMNS = ("figure", "A", "B", "B − A", "95 % interval", "p", "only A right", "only B right")
NOTE = (
    "Interval and p (permutation test) are paired, and take an image with all its captions as one. McNemar's p of the "
    "queries that only one run gets right: "
)


def write(comparison: RunComparison, path: Path) -> None:
    """By suffix, `.json`, `.md` or `.html`. Raises `InvalidReport` as `render.write`."""
    write_as(
        path,
        {
            ".json": lambda: json.dumps(comparison.to_dict(), indent=2, allow_nan=False) + "\n",
            ".md": lambda: of_markdown(comparison),
            ".html": lambda: of_html(comparison),
        },
    )


def title(comparison: RunComparison) -> str:
    a, b = run_name(comparison.a), run_name(comparison.b)
    if a == b:
        b = f"{b} ({comparison.b.model.weights_hash[:8]}, {tables.date(comparison.b)})"
    return f"{b} against {a}"


def run_name(report: BenchmarkReport) -> str:
    """The model, and what else was chosen."""
    return report.model.name + (f", prompt “{report.prompt}”" if report.prompt else "")


def lead(comparison: RunComparison) -> str:
    """The first recall of the first direction as a sentence."""
    name, direction = next(iter(comparison.directions.items()))
    if not direction.gained and not direction.lost:
        return f"B ranks each of the {direction.queries:,} queries, {DIRECTIONS.get(name, name)}, as A does."
    first = direction.differences[0]
    size = f"{tables.signed(first.difference)} points of {first.figure}, {DIRECTIONS.get(name, name)}"
    sure = "a difference that chance alone would hardly make" if first.significant else "which chance alone could make"
    return f"B against A on the same {direction.queries:,} queries: {size} (p = {p_value(first.p_value)}), {sure}."


def warnings(comparison: RunComparison) -> list[str]:
    a, b = comparison.a, comparison.b
    of_a, of_b = tables.warnings(a), tables.warnings(b)
    found = [line for line in of_a if line in of_b]
    found += [f"{letter}: {line}" for letter, own in (("A", of_a), ("B", of_b)) for line in own if line not in found]
    if a.model.weights_hash == b.model.weights_hash and a.model.precision != b.model.precision:
        found.append(f"the same weights, once in {a.model.precision} (A) and once in {b.model.precision} (B)")
    return found


def tables_of(comparison: RunComparison) -> list[Table]:
    """For each direction the figures, then what B gained and lost most."""
    made = []
    for name, direction in comparison.directions.items():
        made += [
            difference_table(name, direction),
            change_table(name, direction.gains, "Largest gains"),
            change_table(name, direction.losses, "Largest losses"),
        ]
    return [table for table in made if table.rows]


def difference_table(name: str, direction: DirectionComparison) -> Table:
    shares = [abs(end) for one in direction.differences if one.is_share for end in (one.low, one.high)]
    limit = max((end for end in shares if end == end), default=0.0)  # NaN is not itself
    rows = tuple(_row(one, limit) for one in direction.differences)
    exact = ", ".join(f"{one.figure} {p_value(one.mcnemar.p_value)}" for one in direction.differences if one.mcnemar)
    changed = f"{direction.gained:,} of {direction.queries:,} queries rank higher in B, {direction.lost:,} lower."
    return Table(DIRECTIONS.get(name, name), COLUMNS, rows, f"{changed} {NOTE}{exact}.")


def _row(one: Difference, limit: float) -> tuple[Cell, ...]:
    shown = tables.percent if one.is_share else tables.rank
    bar = charts.difference_bar(one.difference, one.low, one.high, limit=limit) if one.is_share else None
    return (
        Cell(one.figure.replace("_", " ")),
        Cell(shown(one.a)),
        Cell(shown(one.b)),
        Cell(tables.signed(one.difference), bar, tone_of(one)),
        Cell(_interval(one)),
        Cell(p_value(one.p_value)),
        Cell(f"{one.mcnemar.only_a:,}" if one.mcnemar else tables.DASH),
        Cell(f"{one.mcnemar.only_b:,}" if one.mcnemar else tables.DASH),
    )


def tone_of(one: Difference) -> Tone:
    """A mean rank is better when it is smaller."""
    if not one.significant or not one.difference:
        return ""
    better = one.difference > 0 if one.is_share else one.difference < 0
    return "good" if better else "bad"


def _interval(one: Difference) -> str:
    ends = tables.signed(one.low), tables.signed(one.high)
    return tables.DASH if tables.DASH in ends else f"{ends[0]} to {ends[1]}"


def p_value(p: float) -> str:
    return "under 0.001" if p < 0.001 else f"{p:.3f}"


def change_table(name: str, changes: Sequence[Change], what: str) -> Table:
    rows = tuple(
        (Cell(one.text or one.image), Cell(f"{one.rank_a:,}"), Cell(f"{one.rank_b:,}"), Cell(one.image))
        for one in changes
    )
    heading = f"{what}, {DIRECTIONS.get(name, name)}"
    return Table(heading, ("query", "rank in A", "rank in B", "image"), rows, wordy=frozenset({"image"}))


def of_markdown(comparison: RunComparison) -> str:
    parts = [f"# {markdown.escape(title(comparison))}", markdown.escape(lead(comparison))]
    parts += ["\n".join(f"> **Note:** {markdown.escape(line)}" for line in warnings(comparison))]
    parts += [markdown.of_table(table) for table in tables_of(comparison)]
    for letter, run in (("A", comparison.a), ("B", comparison.b)):
        parts += [f"## Run {letter}\n\n{markdown.facts(tables.provenance(run))}"]
    return markdown.join(parts)


def of_html(comparison: RunComparison) -> str:
    directions = comparison.directions.values()
    changes = [change for direction in directions for change in (*direction.gains, *direction.losses)]
    thumbnails = {**comparison.a.thumbnails, **comparison.b.thumbnails}
    return html.of_comparison(
        title=title(comparison),
        lead=lead(comparison),
        warnings=warnings(comparison),
        parts=[
            {
                "table": difference_table(name, direction),
                "listed": [("Largest gains", direction.gains), ("Largest losses", direction.losses)],
            }
            for name, direction in comparison.directions.items()
        ],
        pictures=html.embedded(thumbnails, list(dict.fromkeys(change.image for change in changes))),
        runs=[("Run A", tables.provenance(comparison.a)), ("Run B", tables.provenance(comparison.b))],
    )
