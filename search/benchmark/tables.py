"""A benchmark report as titled tables of words: what the Markdown and the HTML both print, each in its own way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Literal

from markupsafe import Markup

from search.benchmark import charts
from search.benchmark.report import BenchmarkReport, Direction, Figures, PublishedFigure, SearchTimes

DASH = "–"
"""Stands for what is not known."""
DIRECTIONS = {"text_to_image": "text → image", "image_to_text": "image → text", "image_to_class": "image → class"}
SHOWN_KS = ("R@1", "R@5", "R@10")
Tone = Literal["", "good", "bad"]
Ends = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    bar: Markup | None = None
    """A drawing of the same number, for pages."""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: tuple[str, ...]
    """The first names the row; the others are numbers unless they are in `wordy`."""
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    wordy: frozenset[str] = frozenset()


def of(report: BenchmarkReport) -> list[Table]:
    """All tables that this report has something for, in the order to read them."""
    made = (
        *(direction_table(report, name, one) for name, one in directions(report)),
        zero_shot_table(report),
        instances_table(report),
        published_table(report),
        length_table(report),
        prompt_table(report),
        index_table(report),
        curve_table(report),
        speed_table(report),
    )
    return [table for table in made if table.rows]


def directions(report: BenchmarkReport) -> Iterator[tuple[str, Direction]]:
    for name, direction in (("text_to_image", report.text_to_image), ("image_to_text", report.image_to_text)):
        if direction is not None:
            yield name, direction


def title(report: BenchmarkReport) -> str:
    return " ".join(filter(None, (f"{report.model.name} on {report.dataset.name}", report.dataset.split)))


def warnings(report: BenchmarkReport) -> list[str]:
    """What a reader must know before any number: partial first, then the set's own lines."""
    found = []
    if report.dataset.partial:
        found.append("something is missing from this data set: these are not results on the whole of it")
    if report.dataset.standard is None and not report.dataset.warnings:
        found.append("not a known standard split: no published figure compares")
    if report.prompt is not None:
        found.append(f"captions were put into the prompt “{report.prompt}”; published figures are for raw captions")
    return [*found, *report.dataset.warnings]


def direction_table(report: BenchmarkReport, name: str, direction: Direction) -> Table:
    rows = tuple(
        row_of_figure(label, figure, direction.figures.get(figure), direction.intervals.get(figure))
        for label, figure in _shown(direction.figures)
    )
    return Table(DIRECTIONS[name], ("figure", "measured", "95 % interval"), rows, note=ties_note(direction))


def row_of_figure(label: str, figure: str, value: float | None, ends: Ends | None) -> tuple[Cell, ...]:
    low, high = ends or (None, None)
    is_share = "@" in figure
    bar = charts.interval_bar(*map(nan_for_none, (value, low, high))) if is_share else None
    return Cell(label), Cell(percent(value) if is_share else rank(value), bar), Cell(interval(low, high))


def ties_note(direction: Direction) -> str:
    if not direction.tied:
        return f"{direction.queries:,} queries; no right answer ties with a wrong one."
    ends = {k: (direction.against.get(k), direction.in_favour.get(k)) for k in SHOWN_KS}
    spans = ", ".join(
        f"{k} {number(low, 1)} to {percent(high)}"
        for k, (low, high) in ends.items()
        if low != high and None not in (low, high)
    )
    return f"{direction.queries:,} queries. In {direction.tied:,} a wrong answer ties with the right one" + (
        f"; by the order of ties that is {spans}." if spans else "."
    )


def zero_shot_table(report: BenchmarkReport) -> Table:
    found = report.zero_shot
    if found is None:
        return Table("Zero-shot classification", (), ())
    given = (("top-1", "top1", found.top1), ("top-5", "top5", found.top5))
    rows = [
        (Cell(label), Cell(percent(value), _bar(value, *found.intervals.get(key, _NONE))), _ends(found.intervals, key))
        for label, key, value in given
        if value is not None
    ]
    rows.append((Cell("mean of classes, top-1"), Cell(percent(found.mean_per_class)), Cell(DASH)))
    prompts = ", ".join(f"“{template}”" for template in found.templates)
    mean = f"each the mean of {len(found.templates):,} prompts" if len(found.templates) > 1 else "in the prompt"
    note = f"{found.classes:,} classes, {mean}: {prompts}"
    return Table("Zero-shot classification", ("figure", "measured", "95 % interval"), tuple(rows), note)


def instances_table(report: BenchmarkReport) -> Table:
    rows = tuple(
        (
            Cell(protocol),
            Cell(percent(one.mAP), _bar(one.mAP, *one.interval)),
            Cell(interval(*one.interval)),
            Cell(f"{one.queries:,}"),
        )
        for protocol, one in (report.instances or {}).items()
    )
    return Table("Instance retrieval", ("protocol", "mAP", "95 % interval", "queries"), rows)


def published_table(report: BenchmarkReport) -> Table:
    """Same weights first: only those have a verdict."""
    ordered = sorted(report.published, key=lambda figure: not figure.same_weights)
    rows = tuple(_published_row(figure) for figure in ordered)
    columns = ("figure", "direction", "measured", "published", "difference", "verdict", "weights", "source")
    note = "Agrees: within 0.3 points, what one protocol allows. Near: within 1.5, what papers' protocols differ by."
    wordy = frozenset({"direction", "verdict", "weights", "source"})
    return Table("Beside published figures", columns, rows, note, wordy)


def _published_row(figure: PublishedFigure) -> tuple[Cell, ...]:
    bar = charts.interval_bar(figure.ours, float("nan"), float("nan"), mark=figure.published)
    words, tone = verdict(figure)
    return (
        Cell(figure.figure),
        Cell(DIRECTIONS[figure.direction]),
        Cell(percent(figure.ours), bar),
        Cell(percent(figure.published)),
        Cell(signed(figure.difference)),
        Cell(words, tone=tone),
        Cell(figure.model),
        Cell(figure.source),
    )


def verdict(figure: PublishedFigure) -> tuple[str, Tone]:
    if not figure.same_weights:
        return "other weights", ""
    if figure.within == "same protocol":
        return "agrees", "good"
    if figure.within == "paper":
        return "near", ""
    return "differs", "bad"


def length_table(report: BenchmarkReport) -> Table:
    rows = tuple(_figures_row(group, figures) for group, figures in report.by_length.items())
    note = "Each group is searched for among all pictures, so its figures compare with those of all captions."
    return Table("By length of the caption, text → image", ("caption", *_FIGURES), rows, note)


def prompt_table(report: BenchmarkReport) -> Table:
    if len(report.by_prompt) < 2:
        return Table("By prompt", (), ())
    rows = tuple(
        (Cell(prompt if prompt != "{}" else "raw caption"), *_shares(both.text_to_image), *_shares(both.image_to_text))
        for prompt, both in report.by_prompt.items()
    )
    columns = tuple(f"{short} {k}" for short in ("t→i", "i→t") for k in SHOWN_KS)
    return Table("By prompt", ("prompt", *columns), rows)


def index_table(report: BenchmarkReport) -> Table:
    index = report.index
    if index is None:
        return Table("Index against exact search", (), ())
    rows = [(Cell(f"index recall@{k}"), Cell(share(value))) for k, value in index.recall.items()]
    for k, value in index.text_to_image.items():
        lost = f"{signed(-cost)} points" if (cost := _known(index.cost.get(k))) is not None else DASH
        rows.append((Cell(f"{k}, text → image, through the index"), Cell(f"{percent(value)} ({lost})")))
    rows.append((Cell("built in"), Cell(f"{number(index.build_seconds, 2)} s for {index.vectors:,} vectors")))
    setting = f" at {index.setting}" if index.setting else ""
    note = f"{index.kind}{setting}. Index recall: the share of the exact top K that the index returns."
    return Table("Index against exact search", ("figure", "measured"), tuple(rows), note)


def curve_table(report: BenchmarkReport) -> Table:
    curve = report.index.curve if report.index and len(report.index.curve) > 1 else ()
    ks = tuple(dict.fromkeys(k for point in curve for k in point.recall))
    rows = tuple(
        (Cell(point.setting), *(Cell(share(point.recall.get(k))) for k in ks), Cell(f"{number(point.p50_ms, 3)} ms"))
        for point in curve
    )
    return Table("Index by search effort", ("setting", *(f"recall@{k}" for k in ks), "p50"), rows)


def speed_table(report: BenchmarkReport) -> Table:
    speed = report.speed
    given: tuple[tuple[str, float | None, str], ...] = (
        ("pictures read, decoded and encoded", speed.encode_images_per_second, "a second"),
        ("texts encoded", speed.encode_texts_per_second, "a second"),
        *_times("one search", speed.search_ms),
        *_times("one text query, embedded and searched", speed.query_ms),
        ("searches, batched", speed.queries_per_second, "a second"),
        ("peak memory of the process", speed.peak_memory_mb, "MB"),
        ("peak memory of the GPU", speed.peak_gpu_memory_mb, "MB"),
    )
    rows = tuple(
        (Cell(label), Cell(f"{significant(value)} {unit}")) for label, value, unit in given if _known(value) is not None
    )
    return Table("Speed", ("what", "measured"), rows, "A search alone does not count the embedding of its query.")


def _times(label: str, times: SearchTimes | None) -> tuple[tuple[str, float | None, str], ...]:
    return ((f"{label}, p50", times.p50, "ms"), (f"{label}, p99", times.p99, "ms")) if times else ()


def provenance(report: BenchmarkReport) -> list[tuple[str, str]]:
    """How to repeat it: command, data, model, machine, versions."""
    machine, model, data = report.machine, report.model, report.dataset
    memory = f"{number(machine.memory_gb, 0)} GB"
    return [
        ("command", report.command),
        ("date", date(report)),
        ("model", f"{model.name}, {model.dimension} dimensions, {model.precision} on {model.device}"),
        ("weights", f"sha256 {model.weights_hash}"),
        ("data set", f"{data.name}, {data.split or 'no split'}, {data.format}, {counts(report)}"),
        *([("standard", data.standard)] if data.standard else []),
        *((name, f"sha256 {digest}") for name, digest in data.sha256.items()),
        ("machine", ", ".join(filter(None, (machine.cpu, f"{machine.cores} cores", memory, machine.gpu)))),
        ("versions", ", ".join(f"{k} {v}" for k, v in {"Sightline": report.sightline, **report.versions}.items())),
    ]


def date(report: BenchmarkReport) -> str:
    """To the minute; as it is, if it is no date."""
    try:
        return datetime.fromisoformat(report.date).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    except ValueError:
        return report.date


def counts(report: BenchmarkReport) -> str:
    captions = f", {report.dataset.captions:,} captions" if report.dataset.captions else ""
    return f"{report.dataset.images:,} images{captions}"


def percent(value: float | None) -> str:
    return number(value, 1, " %")


def share(value: float | None) -> str:
    """Of an index: the difference between 99.9 and 100 matters."""
    return number(value, 2, " %")


def rank(value: float | None) -> str:
    return number(value, 1)


def signed(value: float | None) -> str:
    known = _known(value)
    if known is None:
        return DASH
    shown = f"{known:+.1f}".replace("-", "−")
    return "0.0" if shown in ("+0.0", "−0.0") else shown


def number(value: float | None, digits: int, unit: str = "") -> str:
    return DASH if (known := _known(value)) is None else f"{known:,.{digits}f}{unit}"


def significant(value: float | None) -> str:
    """Two or three digits, as timings deserve."""
    known = _known(value)
    digits = 0 if known is None else next((d for d, least in enumerate((100, 10, 1)) if abs(known) >= least), 3)
    return number(known, digits)


def interval(low: float | None, high: float | None) -> str:
    if _known(low) is None or _known(high) is None:
        return DASH
    return f"{number(low, 1)} to {number(high, 1)}"


_NONE: Ends = (None, None)
_FIGURES = ("queries", *SHOWN_KS, "median rank")


def _shown(figures: Figures) -> Iterable[tuple[str, str]]:
    """`(label, figure)`: recalls, then what of mAP and nDCG says more than the recalls, then ranks."""
    names = [name for name in figures if name.startswith("R@")]
    names += [name for name in ("mAP@10", "nDCG@10") if name in figures]
    return [
        *((name, name) for name in names),
        *((name.replace("_", " "), name) for name in ("median_rank", "mean_rank") if name in figures),
    ]


def _figures_row(name: str, figures: Figures) -> tuple[Cell, ...]:
    shares = (Cell(percent(figures.get(k)), _bar(figures.get(k), None, None)) for k in SHOWN_KS)
    return Cell(name), Cell(number(figures.get("queries"), 0)), *shares, Cell(rank(figures.get("median_rank")))


def _shares(direction: Direction) -> Sequence[Cell]:
    return [Cell(percent(direction.figures.get(k))) for k in SHOWN_KS]


def _ends(intervals: Mapping[str, Ends], key: str) -> Cell:
    return Cell(interval(*intervals.get(key, _NONE)))


def _bar(value: float | None, low: float | None, high: float | None) -> Markup:
    return charts.interval_bar(nan_for_none(value), nan_for_none(low), nan_for_none(high))


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def nan_for_none(value: float | None) -> float:
    return float("nan") if value is None else value
