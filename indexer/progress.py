"""The progress bar of a sync: rate, counts and time left, on stderr."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bar
from rich.text import Text

from indexer.pipeline import Progress


class _Rate(ProgressColumn):
    """Images a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.0f} images/s" if task.speed else "", style="progress.data.speed")


@contextmanager
def progress_bar(*, enabled: bool) -> Iterator[Callable[[Progress], None] | None]:
    """A callback for `sync` that draws a bar while the context lasts; None when disabled."""
    if not enabled:
        yield None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("indexing"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("index", total=None)
        yield lambda progress: bar.update(task, completed=progress.done, total=progress.total)


@contextmanager
def counting_bar(what: str, *, enabled: bool) -> Iterator[Callable[[int, int | None], None] | None]:
    """A callback for `(done, total)` that draws a bar while the context lasts; None when disabled."""
    if not enabled:
        yield None
        return
    columns = (SpinnerColumn(), TextColumn(what), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
