"""Every figure that has a goal, from what the benchmarks wrote to `results`: met, missed, or not measured.

    python -m benchmarks.all_goals

Prints the table, and writes it to docs/goals.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

from benchmarks.goals import RESULTS, Line, table

PAGE = Path(__file__).parents[1] / "docs" / "goals.md"
HEAD = """# Goals, met and missed

What the benchmarks measured that has a goal, as `make bench` printed it last; written by
`python -m benchmarks.all_goals` from [benchmarks/results](../benchmarks/results), whose files also have the figures
without a goal, the machine, and the options of each run. Why a goal is missed stands on the page of its subject.
"""


def page(results: Path) -> str:
    """A table for each file of results that has goals, and how many are met of all."""
    parts, goals = [], []
    for file in sorted(results.glob("*.json")):
        entries = [entry for entry in json.loads(file.read_text(encoding="utf-8")) if entry["goal"] is not None]
        if not entries:
            continue
        goals += entries
        about = sorted({f"`{entry['command']}`, {entry['date']}" for entry in entries})
        parts.append(f"## {file.stem.replace('_', ' ')}\n\n{'; '.join(about)}\n\n{table(map(_line, entries))}\n")
    return "\n".join([HEAD, f"{_count(goals)}\n", *parts])


def _line(entry: dict[str, Any]) -> Line:
    return Line(entry["name"], entry["value"], entry["goal"], entry["met"], entry.get("bound"))


def _count(goals: Iterable[dict[str, Any]]) -> str:
    found = [entry["met"] for entry in goals]
    return (
        f"{found.count(True)} of {len(found)} are met, {found.count(False)} missed, {found.count(None)} not measured."
    )


if __name__ == "__main__":
    text = page(RESULTS)
    PAGE.write_text(text, encoding="utf-8")
    print(text)
