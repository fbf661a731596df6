"""Charts as inline SVG: strings that need no script and no request. Colours are the page's, by class (style.css).

Every number a chart shows stands in a table too, so a chart carries one sentence as its label and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10

from markupsafe import Markup

WIDTH, HEIGHT = 360, 220
"""Of a chart, in its own units: one of them is a CSS pixel on a phone, so that its letters stay legible."""
LEFT, RIGHT, TOP, BOTTOM = 38, 14, 14, 34
BAR_WIDTH, BAR_HEIGHT = 128, 14
CLEARANCE = 15
"""From one line of type to the next."""


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    points: tuple[tuple[float, float], ...]
    """`(x, y)`; those that are not finite are left out."""

    def finite(self) -> list[tuple[float, float]]:
        return [(x, y) for x, y in self.points if isfinite(x) and isfinite(y)]


@dataclass(frozen=True, slots=True)
class Axis:
    low: float
    high: float
    ticks: tuple[float, ...]
    label: str = ""
    log: bool = False

    def at(self, value: float) -> float:
        """0 at the low end, 1 at the high one; beyond them held at the end."""
        low, high, value = (log10(v) if self.log else v for v in (self.low, self.high, max(value, self.low)))
        return min(1.0, (value - low) / (high - low)) if high > low else 0.0


def linear_axis(low: float, high: float, label: str = "") -> Axis:
    """From the round number at or under `low` to the one at or over `high`, with four to seven ticks."""
    step = _round_step((high - low) / 5 if high > low else 1.0)
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return Axis(first * step, last * step, tuple(i * step for i in range(first, last + 1)), label)


def log_axis(low: float, high: float, label: str = "") -> Axis:
    """`low` over 0; ticks at 1, 2 and 5 of each decade, or at 1 alone over more than three decades."""
    high = max(high, low * 2)
    steps = (1, 2, 5) if high / low <= 1000 else (1,)
    decades = range(floor(log10(low)), ceil(log10(high)) + 1)
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    return Axis(low, high, tuple(tick for tick in ticks if low * 0.999 <= tick <= high * 1.001), label, log=True)


def recall_curve(lines: Sequence[Line]) -> Markup:
    """Recall@K in percent over K on a logarithmic axis; empty without points."""
    drawn = [line for line in lines if line.finite()]
    if not drawn:
        return Markup()
    most = max(x for line in drawn for x, _ in line.finite())
    ends = ", ".join(f"{line.name} {line.finite()[0][1]:.1f} to {line.finite()[-1][1]:.1f} percent" for line in drawn)
    x, y = log_axis(1, most, "K"), linear_axis(0, 100)
    return _chart(f"Recall@K for K from 1 to {most:.0f}: {ends}.", x, y, _lines(drawn, x, y), y_unit=" %")


def index_curve(points: Sequence[tuple[float, float, str]], *, x_label: str, chosen: int | None = None) -> Markup:
    """Index recall in percent over what it costs: `(cost, recall, name)` from the least effort to the most, with the
    chosen setting filled."""
    usable = [(i, p) for i, p in enumerate(points) if isfinite(p[0]) and isfinite(p[1]) and p[0] > 0]
    if not usable:
        return Markup()
    costs, recalls = [p[0] for _, p in usable], [p[1] for _, p in usable]
    wide = max(costs) / min(costs) > 8
    x = log_axis(min(costs) * 0.8, max(costs) * 1.25, x_label) if wide else linear_axis(0, max(costs), x_label)
    y = linear_axis(min(90.0, min(recalls)), 100)
    line = Line("", tuple((cost, recall) for (_, (cost, recall, _)) in usable))
    inner = _path(line, x, y, "line-1") + Markup().join(
        _dot(x, y, cost, recall, name, "dot-1" if i == chosen else "ring-1") for i, (cost, recall, name) in usable
    )
    return _chart(
        f"Index recall over {x_label}: {len(usable)} settings, up to {max(recalls):.2f} percent.",
        x,
        y,
        inner,
        y_unit=" %",
    )


def histogram(
    edges: Sequence[float], counts: Sequence[float], *, label: str, marks: Mapping[str, float] | None = None
) -> Markup:
    """Counts between `len(counts) + 1` ascending edges, with named marks such as p50; empty without counts."""
    if len(edges) != len(counts) + 1 or not any(counts):
        return Markup()
    spread = edges[0] > 0 and edges[-1] / edges[0] > 20
    x = log_axis(edges[0], edges[-1], label) if spread else _exact_axis(edges[0], edges[-1], label)
    y = linear_axis(0, max(counts))
    bars = Markup().join(
        _bar_between(x, y, low, high, count) for low, high, count in zip(edges, edges[1:], counts, strict=False)
    )
    shown = {name: value for name, value in (marks or {}).items() if isfinite(value)}
    named = ", ".join(_mark_name(name, value) for name, value in shown.items())
    return _chart(f"Histogram of {label}: {named}.", x, y, bars + _marks(shown, x))


def interval_bar(value: float, low: float, high: float, *, mark: float | None = None) -> Markup:
    """A percentage as a bar from 0, its interval as a darker stretch, and a published figure as a tick."""
    if not isfinite(value):
        return Markup()
    scale = BAR_WIDTH / 100
    parts = [_rect(0, 4, BAR_WIDTH, 6, "track"), _rect(0, 4, value * scale, 6, "fill")]
    if isfinite(low) and isfinite(high):
        parts.append(_rect(low * scale, 2, max(2.0, (high - low) * scale), 10, "interval"))
    if mark is not None and isfinite(mark):
        parts.append(_rect(mark * scale - 0.75, 0, 1.5, BAR_HEIGHT, "tick"))
    return _small(parts)


def difference_bar(value: float, low: float, high: float, *, limit: float) -> Markup:
    """A difference and its interval on a scale of -limit to +limit around a line at 0."""
    if not isfinite(value) or not limit > 0:
        return Markup()

    def at(number: float) -> float:
        return BAR_WIDTH / 2 * (1 + max(-1.0, min(1.0, number / limit)))

    ends = (low, high) if isfinite(low) and isfinite(high) else (value, value)
    sure = "gain" if ends[0] > 0 else "loss" if ends[1] < 0 else "unsure"
    return _small(
        [
            _rect(0, 6, BAR_WIDTH, 2, "track"),
            _rect(at(ends[0]), 4, max(2.0, at(ends[1]) - at(ends[0])), 6, sure),
            _rect(BAR_WIDTH / 2 - 0.5, 0, 1, BAR_HEIGHT, "tick"),
            _tag("circle", cx=round(at(value), 1), cy=BAR_HEIGHT / 2, r=3, class_=f"{sure} strong"),
        ],
        "bar both",
    )


def _chart(label: str, x: Axis, y: Axis, inner: Markup, *, y_unit: str = "") -> Markup:
    axes = _grid(x, y, y_unit)
    return _tag(
        "svg", axes + inner, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="chart", role="img", **{"aria-label": label}
    )


def _grid(x: Axis, y: Axis, y_unit: str) -> Markup:
    parts = []
    for tick in y.ticks:
        height = _y(y, tick)
        parts.append(_tag("path", d=f"M{LEFT} {height:.1f}H{WIDTH - RIGHT}", class_="grid-line"))
        unit = y_unit if tick == y.ticks[-1] else ""
        parts.append(_text(LEFT - 6, height + 4, f"{tick:,g}{unit}", "end"))
    parts += [_text(_x(x, tick), HEIGHT - BOTTOM + 16, f"{tick:,g}", "middle") for tick in x.ticks]
    if x.label:
        parts.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 4, x.label, "middle", "axis-name"))
    return Markup().join(parts)


def _lines(lines: Sequence[Line], x: Axis, y: Axis) -> Markup:
    """The lines, and their names where rising lines leave room: under high ones, over low ones."""
    drawn = Markup().join(_path(line, x, y, f"line-{i}") for i, line in enumerate(lines, 1))
    lowest = min(line.finite()[-1][1] for line in lines)
    room = 45 + CLEARANCE * (len(lines) - 1)  # percent of the height, so that names do not touch the line above them
    first = HEIGHT - BOTTOM - 8 - CLEARANCE * (len(lines) - 1) if lowest > room else TOP + CLEARANCE
    side, anchor = (WIDTH - RIGHT - 4, "end") if lowest > room else (LEFT + 8, "start")
    names = Markup().join(
        _text(side, first + CLEARANCE * (i - 1), line.name, anchor, f"name-{i}") for i, line in enumerate(lines, 1)
    )
    return drawn + names


def _path(line: Line, x: Axis, y: Axis, name: str) -> Markup:
    places = "L".join(f"{_x(x, a):.1f} {_y(y, b):.1f}" for a, b in line.finite())
    return _tag("path", d=f"M{places}", class_=f"line {name}")


def _dot(x: Axis, y: Axis, a: float, b: float, name: str, kind: str) -> Markup:
    title = _tag("title", Markup.escape(f"{name}: {b:.2f} % at {a:.3g}"))
    return _tag("circle", title, cx=round(_x(x, a), 1), cy=round(_y(y, b), 1), r=4, class_=kind)


def _bar_between(x: Axis, y: Axis, low: float, high: float, count: float) -> Markup:
    left, right, top = _x(x, low), _x(x, high), _y(y, count)
    if not count:
        return Markup()
    top = min(top, HEIGHT - BOTTOM - 1)  # one query among thousands is still seen
    return _rect(left, top, max(0.5, right - left - 1), HEIGHT - BOTTOM - top, "column")


def _marks(marks: Mapping[str, float], x: Axis) -> Markup:
    """Upright lines with names; each name stands right of its line, or left of it where the chart ends."""
    parts = []
    for row, (name, value) in enumerate(marks.items()):
        place, height = _x(x, value), TOP + 8 + row * CLEARANCE
        parts.append(_tag("path", d=f"M{place:.1f} {TOP}V{HEIGHT - BOTTOM}", class_="mark"))
        room = place < WIDTH * 0.62
        parts.append(
            _text(place + (5 if room else -5), height, _mark_name(name, value), "start" if room else "end", "of")
        )
    return Markup().join(parts)


def _mark_name(name: str, value: float) -> str:
    return f"{name} {value:.2g}" if abs(value) < 10 else f"{name} {value:,.0f}"


def _exact_axis(low: float, high: float, label: str) -> Axis:
    """Begins and ends at the numbers given, so that a histogram fills it; ticks at round numbers between."""
    rounded = linear_axis(low, high, label)
    return Axis(low, high if high > low else low + 1, tuple(t for t in rounded.ticks if low <= t <= high), label)


def _round_step(rough: float) -> float:
    """1, 2 or 5 times a power of ten, at or over `rough`."""
    power = 10.0 ** floor(log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.at(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.at(value) * (HEIGHT - TOP - BOTTOM)


def _small(parts: Sequence[Markup], name: str = "bar") -> Markup:
    """Beside its number in a table, so nothing is said of it to those who listen."""
    hidden: dict[str, str] = {"aria-hidden": "true"}
    size = {"width": BAR_WIDTH, "height": BAR_HEIGHT, "viewBox": f"0 0 {BAR_WIDTH} {BAR_HEIGHT}"}
    return _tag("svg", Markup().join(parts), class_=name, **size, **hidden)


def _rect(x: float, y: float, width: float, height: float, name: str) -> Markup:
    left, top, wide, high = (round(side, 1) for side in (x, y, width, height))
    return _tag("rect", x=left, y=top, width=wide, height=high, class_=name)


def _text(x: float, y: float, words: str, anchor: str, name: str = "number") -> Markup:
    return _tag("text", Markup.escape(words), x=round(x, 1), y=round(y, 1), class_=name, **{"text-anchor": anchor})


def _tag(name: str, content: Markup | None = None, **attributes: object) -> Markup:
    """An element; `class_` is written `class`, and every value escaped."""
    escape: Callable[[object], Markup] = Markup.escape
    given = " ".join(f'{key.rstrip("_")}="{escape(value)}"' for key, value in attributes.items())
    return Markup(f"<{name} {given}>{content or ''}</{name}>")
