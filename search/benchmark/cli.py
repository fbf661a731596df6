"""The command that measures: `benchmark`."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from indexer.config import Settings, load_settings
from indexer.errors import InvalidReport, InvalidRequest
from indexer.models import DEFAULT_MODEL
from indexer.options import Backend, BatchSize, Device, Json, Model, Precision

if TYPE_CHECKING:
    from search.benchmark.encoding import Stage
    from search.benchmark.report import BenchmarkReport
    from search.benchmark.run import Task
    from search.datasets import Dataset

Kind = Literal["captions", "labels"]


def register(app: typer.Typer) -> None:
    app.command()(benchmark)


def benchmark(
    dataset: Annotated[
        Path | None,
        typer.Option("--dataset", help="File, shard or folder; docs/benchmark.md lists the forms.", show_default=False),
    ] = None,
    model: Model = None,
    index: Annotated[
        str,
        typer.Option(
            "--index",
            help="Index kind: exact, pq, rabitq, ivf, hnsw, or to be measured only faiss:HNSW32, faiss:IVF64,Flat...",
        ),
    ] = "exact",
    prompt: Annotated[
        list[str] | None,
        typer.Option("--prompt", help='Put captions or classes into it: "a photo of {}". May be repeated.'),
    ] = None,
    split: Annotated[str | None, typer.Option(help="test, val...", show_default="the form's own")] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures.", show_default="the usual places beside the captions")
    ] = None,
    kind: Annotated[
        Kind | None, typer.Option(help="What to take where shards hold both captions and labels.", show_default=False)
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Measure an incomplete set; every result is marked as partial.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(help="Only so many images, to try something out; marked as partial.")
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            help="Measure your own collection: its pictures, with captions of --dataset or from files beside them.",
            show_default=False,
        ),
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", help="Also write it to this .html, .md or .json file. May be repeated."),
    ] = None,
    as_json: Json = False,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    batch_size: BatchSize = None,
    threads: Annotated[int | None, typer.Option(help="Threads that decode.", show_default=False)] = None,
) -> None:
    """Measure how well a model finds pictures: Recall@K both ways, as papers report it, and how fast.

    Examples: `sightline benchmark --dataset dataset_flickr30k.json --images flickr30k-images --model ViT-B-32/openai`,
    `sightline benchmark --dataset shards/ --index faiss:HNSW32 --report out.html --report out.json`,
    `sightline benchmark --library ~/photos-library`.
    """
    if dataset is None and library is None:
        raise InvalidRequest("nothing to measure on; give --dataset PATH, or --library FOLDER for your own collection")
    settings = load_settings(
        library=library,
        model=model,
        backend=backend,
        device=device,
        precision=precision,
        batch_size=batch_size,
        threads=threads,
    )
    reports = report or []
    _check_reports(reports)
    asked = _Asked(dataset, images, split, kind, allow_partial, own=library is not None)
    with _progress(enabled=not as_json and sys.stderr.isatty()) as stage:
        found = _run(settings, asked, _Choices(tuple(prompt or ()), index, limit, bool(reports)), stage)
    for path in reports:
        _write(found, path)
    if as_json:
        sys.stdout.write(found.to_json())
    else:
        _print(found, reports)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What to measure on."""

    path: Path | None
    images: Path | None
    split: str | None
    kind: Kind | None
    allow_partial: bool
    own: bool
    """Whether the pictures are a collection's."""

    def load(self) -> Dataset | None:
        from search.datasets import load_dataset

        if self.path is None:
            return None
        return load_dataset(
            self.path, images=self.images, split=self.split, kind=self.kind, allow_partial=self.allow_partial
        )


@dataclass(frozen=True, slots=True)
class _Choices:
    prompts: tuple[str, ...]
    index: str
    limit: int | None
    thumbnails: bool


def _run(settings: Settings, asked: _Asked, choices: _Choices, stage: Stage | None) -> BenchmarkReport:
    """Compose set, encoder and, where asked for, collection. The set is looked at first: its mistakes cost seconds."""
    from indexer.collection import Collection
    from search.benchmark.index_recall import check_kind
    from search.benchmark.run import benchmark, benchmark_collection

    check_kind(choices.index)
    dataset = asked.load()
    if not asked.own:
        assert dataset is not None
        with _task(settings, settings.model or DEFAULT_MODEL, asked, choices, stage) as task:
            return benchmark(dataset, task)
    with (
        Collection.open(settings.library) as collection,
        _task(settings, settings.model or collection.manifest.model, asked, choices, stage) as task,
    ):
        return benchmark_collection(collection, dataset, task)


@contextmanager
def _task(settings: Settings, model: str, asked: _Asked, choices: _Choices, stage: Stage | None) -> Iterator[Task]:
    """With the encoder loaded; running out of memory in it is `ModelTooLarge`."""
    from indexer.encoder import load_encoder
    from search.benchmark.encoding import Batching, check_room, fitting
    from search.benchmark.run import Task

    device = _device(settings)
    check_room(model, on_gpu=device == "cuda")
    with fitting(model):
        encoder = load_encoder(model, **settings.encoding())
        yield Task(
            encoder=encoder,
            device=device,
            batching=Batching(settings.limits, settings.fixed_batch_size or encoder.batch_size, settings.threads),
            path=str(asked.path or settings.library),
            prompts=choices.prompts,
            index=choices.index,
            allow_partial=asked.allow_partial,
            limit=choices.limit,
            thumbnails=choices.thumbnails,
            command=shlex.join(["sightline", *sys.argv[1:]]),
            stage=stage,
        )


def _device(settings: Settings) -> str:
    """What `load_encoder` will take."""
    import torch

    return "cuda" if settings.device != "cpu" and torch.cuda.is_available() else "cpu"


def _check_reports(paths: Sequence[Path]) -> None:
    """Before hours of work rather than after. Raises `InvalidReport`."""
    if not paths:
        return
    from search.benchmark import render

    for path in paths:
        render.check(path)
        if not path.absolute().parent.is_dir():
            raise InvalidReport(str(path), "there is no such folder to write it to")


def _write(found: BenchmarkReport, path: Path) -> None:
    from search.benchmark import render

    render.write(found, path)


def _print(found: BenchmarkReport, reports: Sequence[Path]) -> None:
    from rich.console import Console
    from rich.markup import escape

    from search.benchmark import tables, terminal

    console = Console(highlight=False)
    partial = "PARTIAL " if found.dataset.partial else ""
    console.print(f"[bold]{partial}{escape(tables.title(found))}[/bold]")
    counts = f"{found.dataset.images:,} images, {found.dataset.captions:,} captions"
    model = found.model
    console.print(escape(f"{counts}; {found.dataset.format}; {model.precision} on {model.device}"))
    for line in tables.warnings(found):
        typer.echo(f"warning: {line}", err=True)
    for table in tables.of(found):
        console.print(terminal.rendered(table))
    for path in reports:
        typer.echo(f"written to {path}")


@contextmanager
def _progress(*, enabled: bool) -> Iterator[Stage | None]:
    """A bar on stderr for the images and one for the captions, while the context lasts; None when disabled."""
    if not enabled:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (TextColumn("encoding {task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, TaskID] = {}

        def step(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bar.add_task(name, total=total)
            bar.update(tasks[name], completed=done, total=total)

        yield step
