"""Every model whose weights are at hand on every data set at hand -> `docs/leaderboard.md`.

One JSON report for each model, hash of its weights and hash of the set: what is there is not measured again, so an
interrupted run goes on where it stopped, and a new model or set costs only its own time. Training splits are left out:
recall on what a model has seen says nothing. A set that cannot be used is named on the page, not passed over.

    python benchmarks/leaderboard.py DATA            # a folder of data sets, or single ones; else $SIGHTLINE_DATA
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import typer

from indexer.checkpoints import sha256_of
from indexer.errors import SightlineError
from indexer.models import KNOWN_MODELS, weights_here
from search.benchmark import markdown, tables
from search.benchmark.report import BenchmarkReport
from search.benchmark.tables import Cell, Table
from search.datasets import load_dataset

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "leaderboard"
PAGE = HERE.parent / "docs" / "leaderboard.md"
COMMAND = "make leaderboard DATA=FOLDER"


@dataclass(frozen=True, slots=True)
class Weights:
    model: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Set:
    path: Path
    name: str
    sha256: str
    """Of all its files' hashes, joined in order: one word for what was measured."""


Measure = Callable[[Weights, Set, Path], None]
"""Writes the report of a model on a set to a JSON file."""


def models_here() -> list[Weights]:
    """Hashing a large model takes seconds; measuring with it minutes."""
    found = ((known.name, weights_here(known.name)) for known in KNOWN_MODELS)
    return [Weights(name, sha256_of(path)) for name, path in found if path is not None]


def sets_in(paths: Iterable[Path]) -> tuple[list[Set], list[str]]:
    """The sets of each path (itself, or those in the folder), and a line for each that cannot be used."""
    sets, refused = [], []
    for path in paths:
        for entry in _entries(path):
            try:
                origin = load_dataset(entry).origin
            except SightlineError as error:
                refused.append(str(error).replace(str(entry), entry.name))
                continue
            if origin.split == "train":
                refused.append(f"{entry.name} is a training split; models may have seen it")
                continue
            name = " ".join(filter(None, (origin.name, origin.split)))
            sets.append(Set(entry, name, _joined(origin.hashes.values())))
    return sets, refused


def _entries(path: Path) -> Iterator[Path]:
    """What may be a set: a file, a folder of numbered shards, or else each entry of the folder, readme files aside."""
    if not path.is_dir() or any(shard.stem.isdecimal() for shard in path.glob("*.tar")):
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.suffix != ".md" and not entry.name.startswith("."):
            yield entry


def _joined(hashes: Iterable[str]) -> str:
    return hashlib.sha256("".join(sorted(hashes)).encode()).hexdigest()


def result_path(folder: Path, weights: Weights, data: Set) -> Path:
    model, name = (re.sub(r"[^A-Za-z0-9.-]+", "-", word) for word in (weights.model, data.name))
    return folder / f"{model}.{weights.sha256[:12]}.{name}.{data.sha256[:12]}.json"


def run(weights: Weights, data: Set, path: Path) -> None:
    """In a process of its own, through the command that anybody would use; float32, so that others get the same."""
    command = [sys.executable, "-m", "web.cli", "benchmark", "--dataset", str(data.path), "--model", weights.model]
    subprocess.run([*command, "--precision", "float32", "--report", str(path)], check=True, stdout=subprocess.DEVNULL)


def measure_all(
    models: Sequence[Weights], sets: Sequence[Set], folder: Path, measure: Measure = run
) -> tuple[list[BenchmarkReport], list[str]]:
    """The reports, old and new, and a line for each that could not be made."""
    folder.mkdir(parents=True, exist_ok=True)
    reports, failed = [], []
    for weights in models:
        for data in sets:
            path = result_path(folder, weights, data)
            try:
                reports.append(_measured(weights, data, path, measure))
            except (SightlineError, subprocess.CalledProcessError) as error:
                failed.append(f"{weights.model} on {data.name}: {error}")
    return reports, failed


def _measured(weights: Weights, data: Set, path: Path, measure: Measure) -> BenchmarkReport:
    """The report that is there and whole, or a new one. It gets its name only when it is complete."""
    if path.exists():
        try:
            return BenchmarkReport.read(path)
        except SightlineError:
            print(f"{path.name} cannot be read and is measured again")
    print(f"{weights.model} on {data.name} ...", flush=True)
    unfinished = path.with_name(f"unfinished.{path.name}")
    measure(weights, data, unfinished)
    report = BenchmarkReport.read(unfinished)
    unfinished.replace(path)
    return report


def page(reports: Sequence[BenchmarkReport], lines: Sequence[str]) -> str:
    """The documentation's page: a table a set, best first, with everything needed to repeat it."""
    of_set: dict[str, list[BenchmarkReport]] = {}
    for report in reports:
        of_set.setdefault(_set_name(report), []).append(report)
    parts = ["# Leaderboard", _preface(reports)]
    for name, found in of_set.items():
        parts += [markdown.of_table(_table(name, found))]
        parts += ["\n".join(f"> **Note:** {markdown.escape(line)}" for line in tables.warnings(found[0]))]
    if lines:
        parts += ["## Left out", "\n".join(f"- {markdown.escape(line)}" for line in lines)]
    return markdown.join(parts)


def _preface(reports: Sequence[BenchmarkReport]) -> str:
    days = sorted({report.date[:10] for report in reports})
    when = f"Measured {' to '.join(dict.fromkeys((days[0], days[-1])))}" if days else "Nothing measured yet"
    return (
        f"{when} by `{COMMAND}`, which measures what is not measured yet and writes this page: do not edit it. "
        "Percent; in brackets the 95 % interval, by bootstrap over images. [benchmark.md](benchmark.md) tells how. "
        "`mini` learned from Flickr8k's training split and from ImageNet's labels: on these two it is not zero-shot."
    )


def _set_name(report: BenchmarkReport) -> str:
    name = " ".join(filter(None, (report.dataset.name, report.dataset.split)))
    return f"{name}{' (partial)' if report.dataset.partial else ''}, {tables.counts(report)}"


def _table(name: str, reports: Sequence[BenchmarkReport]) -> Table:
    figures = list(dict.fromkeys(figure for report in reports for figure in scores(report)))
    columns = ("model", *figures, "date", "hardware", "versions", "weights")
    ordered = sorted(reports, key=lambda report: -next(iter(scores(report).values()), (0.0, ""))[0])
    rows = tuple(
        (
            Cell(report.model.name),
            *(Cell(scores(report).get(figure, (0.0, tables.DASH))[1]) for figure in figures),
            Cell(report.date[:10]),
            Cell(_hardware(report)),
            Cell(_versions(report)),
            Cell(report.model.weights_hash[:12]),
        )
        for report in ordered
    )
    hashes = ", ".join(f"{file} {digest[:12]}" for file, digest in reports[0].dataset.sha256.items())
    wordy = frozenset({"date", "hardware", "versions", "weights"})
    return Table(name, columns, rows, f"{reports[0].dataset.format}; sha256 of {hashes}", wordy)


def scores(report: BenchmarkReport) -> dict[str, tuple[float, str]]:
    """What a set is ranked and shown by: the number, and how it is printed. The first one decides."""
    found: dict[str, tuple[float, str]] = {}
    for name, direction in tables.directions(report):
        for k in tables.SHOWN_KS:
            found[f"{tables.DIRECTIONS[name]} {k}"] = _score(direction.figures.get(k), direction.intervals.get(k))
    if report.zero_shot is not None:
        for key, value in (("top1", report.zero_shot.top1), ("top5", report.zero_shot.top5)):
            found[f"{key[:3]}-{key[3:]}"] = _score(value, report.zero_shot.intervals.get(key))
    for protocol, one in (report.instances or {}).items():
        found[f"mAP {protocol}"] = _score(one.mAP, one.interval)
    return found


def _score(value: float | None, ends: tuple[float | None, float | None] | None) -> tuple[float, str]:
    shown = tables.number(value, 1)
    interval = tables.interval(*ends) if ends else tables.DASH
    return value or 0.0, shown if interval == tables.DASH else f"{shown} ({interval})"


def _hardware(report: BenchmarkReport) -> str:
    machine = report.machine
    where = machine.gpu if report.model.device == "cuda" and machine.gpu else f"{machine.cpu}, {machine.cores} cores"
    return f"{where}, {report.model.precision}"


def _versions(report: BenchmarkReport) -> str:
    wanted = ("torch", "open_clip_torch", "numpy")
    shown = {"Sightline": report.sightline, **{k: v for k, v in report.versions.items() if k in wanted}}
    return ", ".join(f"{name} {version}" for name, version in shown.items())


def main(
    data: Annotated[list[Path] | None, typer.Argument(help="Folders of data sets, or single ones.")] = None,
    results: Annotated[Path, typer.Option(help="Where the reports are kept.")] = RESULTS,
    out: Annotated[Path, typer.Option(help="The page to write.")] = PAGE,
) -> None:
    chosen = data or [Path(os.environ["SIGHTLINE_DATA"])] if data or os.environ.get("SIGHTLINE_DATA") else []
    if not chosen:
        raise typer.BadParameter("name a folder of data sets, or set SIGHTLINE_DATA")
    sets, refused = sets_in(chosen)
    reports, failed = measure_all(models_here(), sets, results)
    out.write_text(page(reports, [*refused, *failed]), encoding="utf-8")
    print(f"{len(reports)} results on {out}" + "".join(f"\nleft out: {line}" for line in (*refused, *failed)))
    if failed:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
