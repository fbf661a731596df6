"""One line of a goals table, the form of every file in `results`: what was measured, the goal, whether it was met."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

RESULTS = Path(__file__).parent / "results"
DOCS = Path(__file__).parents[1] / "docs"
INDEXING, MODELS = DOCS / "indexing.md", DOCS / "models.md"

Value = float | str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    value: Value
    """A number, or the reason why there is none."""
    goal: float | None = None
    met: bool | None = None
    """None where there is no goal, or nothing was measured."""
    bound: Literal["at least", "at most"] | None = None


def plain(name: str, value: Value) -> Line:
    """A figure without a goal."""
    return Line(name, value)


def at_least(name: str, value: Value, goal: float, *, provided: bool = True) -> Line:
    """`provided`: what has to hold besides, such as a recall without which a speed counts for nothing."""
    return Line(name, value, goal, None if isinstance(value, str) else bool(value >= goal and provided), "at least")


def at_most(name: str, value: Value, goal: float, *, provided: bool = True) -> Line:
    return Line(name, value, goal, None if isinstance(value, str) else bool(value <= goal and provided), "at most")


def table(lines: Iterable[Line]) -> str:
    """Markdown."""
    rows = ["| what | measured | goal | met |", "|---|---|---|---|"]
    for line in lines:
        measured = line.value if isinstance(line.value, str) else f"{line.value:,.4g}"
        goal = "" if line.goal is None else f"{line.bound or ''} {line.goal:g}".strip()
        rows.append(f"| {line.name} | {measured} | {goal} | {({None: '', True: 'yes', False: 'no'})[line.met]} |")
    return "\n".join(rows)


def write(lines: Sequence[Line], path: Path, command: str) -> None:
    """A JSON list of `{name, value, goal, bound, met, command, machine, date}`."""
    about = {"command": command, "machine": machine(), "date": datetime.now(UTC).date().isoformat()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([_entry(line) | about for line in lines], indent=2) + "\n", encoding="utf-8")


def publish(lines: Sequence[Line], name: str, command: str, output: Path | None, page: Path = INDEXING) -> None:
    """Print the table; write `results/NAME.json` and what the page has between the marks NAME, or `output`."""
    print(table(lines))
    write(lines, output or RESULTS / f"{name}.json", command)
    if output is None:
        measured = f"{machine()}, {datetime.now(UTC).date()}, by `{command}`:\n\n{table(lines)}"
        page.write_text(with_part(page.read_text(encoding="utf-8"), name, measured), encoding="utf-8")


def with_part(page: str, name: str, text: str) -> str:
    """The page with other text between its marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, _, rest = page.partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(f"the page has no marks {begin} and {end}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def _entry(line: Line) -> dict[str, Any]:
    value = line.value if isinstance(line.value, str) else round(float(line.value), 5)
    return {"name": line.name, "value": value, "goal": line.goal, "bound": line.bound, "met": line.met}


def machine() -> str:
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), model)
    threads = os.environ.get("OMP_NUM_THREADS", "default")
    return f"{model}, {os.cpu_count()} cores, OMP_NUM_THREADS {threads}, Python {platform.python_version()}"
