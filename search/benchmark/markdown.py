"""A benchmark report, or a comparison of two, as GitHub-flavoured Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from search.benchmark import tables
from search.benchmark.report import BenchmarkReport, Example
from search.benchmark.tables import DIRECTIONS, Table

_MEANT = str.maketrans({char: f"\\{char}" for char in r"\`*_[]<>|#"})


def of_report(report: BenchmarkReport) -> str:
    parts = [f"# {escape(tables.title(report))}", f"{tables.counts(report)}; {tables.date(report)}"]
    parts += ["\n".join(f"> **Note:** {escape(line)}" for line in tables.warnings(report))]
    parts += [of_table(table) for table in tables.of(report)]
    parts += [_examples("Hardest queries", report.examples.worst), _examples("Easiest queries", report.examples.best)]
    parts += [f"## How to repeat it\n\n{facts(tables.provenance(report))}"]
    return join(parts)


def of_table(table: Table) -> str:
    """A heading, the table and its note."""
    lines = [_row(table.columns), _rule(table)]
    lines += [_row([cell.text for cell in row]) for row in table.rows]
    return join([f"## {escape(table.title)}", "\n".join(lines), escape(table.note)]).rstrip("\n")


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"- {escape(name)}: `{_code(value)}`" for name, value in pairs)


def join(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def escape(text: str) -> str:
    """On one line, and meaning nothing but itself."""
    return " ".join(text.split()).translate(_MEANT)


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


def _rule(table: Table) -> str:
    left = {table.columns[0], *table.wordy}
    return "|" + "|".join("---" if column in left else "---:" for column in table.columns) + "|"


def _examples(title: str, examples: Sequence[Example]) -> str:
    if not examples:
        return ""
    lines = [
        f"{number}. {DIRECTIONS[one.direction]}: {escape(one.query)} (right: {escape(one.answer)}, rank {one.rank:,}; "
        f"first came: {escape(_first(one))})"
        for number, one in enumerate(examples, 1)
    ]
    return f"## {title}\n\n" + "\n".join(lines)


def _first(example: Example) -> str:
    if not example.returned:
        return tables.DASH
    first = example.returned[0]
    return f"{first.text or first.key}, {first.score:.3f}"
