"""The command `train`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.config import load_settings
from indexer.training.recipe import Recipe
from indexer.training.request import TrainingRequest

if TYPE_CHECKING:
    from indexer.training.finetune import TrainingProgress, TrainingReport
    from indexer.training.heldout import HeldOutRecall

_R = Recipe()


def register(app: typer.Typer) -> None:
    app.command()(train)


def train(
    data: Annotated[
        list[Path],
        typer.Argument(
            help="Captioned pictures: shards (.tar), a CSV or JSON-lines table, a folder of either, or a collection."
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder to write the model into; a new one.")],
    model: Annotated[str, typer.Option(help="What to begin with, as for `sightline index`.")] = "mini",
    images: Annotated[
        Path | None, typer.Option(help="Folder of the pictures that tables name.", show_default="beside the table")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(help="Captioned pictures to measure recall with, instead of --held-out.")
    ] = None,
    held_out: Annotated[float, typer.Option(help="Share held out to measure, 1,000 at most.")] = _R.held_out,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out captions whose picture is not there.")
    ] = False,
    loss: Annotated[str, typer.Option(help="softmax (CLIP) or sigmoid (SigLIP).")] = _R.loss,
    moving: Annotated[
        str,
        typer.Option(
            "--train",
            help="What moves: all; text, that tower alone (LiT); adapter, a linear map on top of both towers; lora, "
            "low-rank updates of their layers.",
        ),
    ] = _R.train,
    lora_rank: Annotated[
        int | None, typer.Option(help="Of the updates of --train lora.", show_default="16")
    ] = _R.lora_rank,
    lora_alpha: Annotated[
        float | None, typer.Option(help="They count by this over the rank.", show_default="twice the rank")
    ] = _R.lora_alpha,
    train_batch_norm: Annotated[
        bool, typer.Option("--train-batch-norm", help="Let the statistics of batch norms follow the batches.")
    ] = False,
    epochs: Annotated[int, typer.Option(help="Times every picture is shown, at most.")] = _R.epochs,
    patience: Annotated[int, typer.Option(help="Epochs without better recall before it stops.")] = _R.patience,
    batch_size: Annotated[int, typer.Option(help="Pairs told apart at once.")] = _R.batch_size,
    chunk: Annotated[
        int | None,
        typer.Option(help="Pairs in memory at once, with the gradient of all.", show_default="the whole batch"),
    ] = _R.chunk,
    accumulate: Annotated[int, typer.Option(help="Batches in a step.")] = _R.accumulate,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="The highest, after the warm-up.", show_default="0.0001; adapter and lora 0.001"),
    ] = _R.learning_rate,
    weight_decay: Annotated[float, typer.Option(help="Of matrices.")] = _R.weight_decay,
    warm_up: Annotated[float, typer.Option(help="Share of the steps.")] = _R.warm_up,
    clip_norm: Annotated[float, typer.Option(help="Longest gradient.")] = _R.clip_norm,
    smallest_crop: Annotated[float, typer.Option(help="Share of a picture kept at least; 1: whole.")] = (
        _R.smallest_crop
    ),
    no_mirror: Annotated[bool, typer.Option("--no-mirror", help="Mirror no pictures.")] = False,
    seed: Annotated[int, typer.Option(help="The same seed gives the same training.")] = _R.seed,
    precision: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = _R.precision,
    save_memory: Annotated[
        bool, typer.Option("--save-memory", help="Compute activations twice instead of keeping them.")
    ] = False,
    weights: Annotated[str, typer.Option(help="As what to store: float16, bfloat16 or float32.")] = "float16",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(help="Threads that decode.", show_default=False)] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            help="A collection that keeps account of it as a job.",
            show_default="the one that it trains on, if it is one",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted training in --out.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Train a model on your own captions, and write one that `--model local-dir:FOLDER` takes.

    Recall is measured on pictures held out before training and after every epoch; the best epoch is kept. Interrupt it
    at any time: --resume goes on after the last whole epoch. On a collection, or with --library, it is a job of that:
    `sightline jobs` shows, pauses and resumes it.
    """
    recipe = Recipe(
        loss=loss,  # type: ignore[arg-type]  # the recipe checks it
        train=moving,  # type: ignore[arg-type]
        lora_rank=lora_rank,
        lora_alpha=lora_alpha,
        freeze_batch_norm=not train_batch_norm,
        epochs=epochs,
        batch_size=batch_size,
        chunk=chunk,
        accumulate=accumulate,
        learning_rate=learning_rate,
        weight_decay=weight_decay,
        warm_up=warm_up,
        clip_norm=clip_norm,
        smallest_crop=smallest_crop,
        mirror=not no_mirror,
        patience=patience,
        held_out=held_out,
        seed=seed,
        precision=precision,  # type: ignore[arg-type]
        save_memory=save_memory,
    )
    request = TrainingRequest(
        out=_absolute(out),
        model=model,
        data=tuple(map(_absolute, data)),
        recipe=recipe,
        images=images and _absolute(images),
        validation=validation and _absolute(validation),
        skip_missing=skip_missing,
        weights=weights,  # type: ignore[arg-type]  # the request checks it
        device=device,  # type: ignore[arg-type]
        threads=threads,
    )
    report = _train(request, library or request.library, resume=resume, quiet=as_json)
    if report is None:
        return
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2, default=str))
    else:
        _print_report(report)


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path.expanduser()))  # noqa: PTH100 - resolve() would also replace links by their targets


def _train(request: TrainingRequest, library: Path | None, *, resume: bool, quiet: bool) -> TrainingReport | None:
    """As a job of the collection, where there is one. No report if somebody paused or cancelled it."""
    if library is None:
        with _watch(quiet=quiet) as watch:
            return request.run(watch, resume=resume)
    from indexer.checkpoints import find_checkpoint
    from indexer.collection import Collection
    from indexer.jobs.running import JobRun, run_job
    from indexer.training import job as training_job

    # Whoever resumes it may be in another folder.
    request = replace(request, model=find_checkpoint(request.model).name)
    reports: list[TrainingReport] = []

    def work(run: JobRun) -> Mapping[str, Any]:
        reports.append(training_job.train(run, request, watch, resume=resume))
        return training_job.summary(reports[0])

    with Collection.open(load_settings(library=library).library) as collection, _watch(quiet=quiet) as watch:
        jobs, arguments = collection.catalog.jobs, request.arguments()
        known = jobs.unfinished("train", arguments) if resume else None
        job = run_job(jobs, (known or jobs.add("train", arguments)).id, work)
    if not reports:
        goes_on = f"`sightline jobs --library {library} resume {job.id}` goes on after its last whole epoch"
        typer.echo(f"{job.state}; {goes_on if job.state == 'paused' else 'its checkpoint is kept'}", err=True)
    return reports[0] if reports else None


@contextmanager
def _watch(*, quiet: bool) -> Iterator[Callable[[TrainingProgress], None]]:
    """On a terminal a bar with loss, recall and time left; elsewhere a line an epoch. Both on stderr."""
    if quiet:
        yield lambda progress: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _line_an_epoch()


@contextmanager
def _bar() -> Iterator[Callable[[TrainingProgress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    from indexer.training.job import at_10

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("measuring", total=None)

        def show(progress: TrainingProgress) -> None:
            loss = "" if progress.loss is None else f", loss {progress.loss:.3f}"
            recall = "" if progress.recall is None else f", R@10 {at_10(progress.recall)}"
            description = f"epoch {progress.epoch}{loss}{recall}"
            bar.update(task, completed=progress.step, total=progress.steps, description=description)

        yield show


def _line_an_epoch() -> Callable[[TrainingProgress], None]:
    from indexer.training.job import line

    shown: list[HeldOutRecall] = []

    def show(progress: TrainingProgress) -> None:
        # Recall is measured anew, as another object, once an epoch.
        if progress.recall is not None and not any(progress.recall is recall for recall in shown):
            shown.append(progress.recall)
            typer.echo(line(progress), err=True)

    return show


def _print_report(report: TrainingReport) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("held-out recall", "text->image R@1/5/10", "image->text R@1/5/10"):
        table.add_column(column, justify="left" if column == "held-out recall" else "right")
    kept = report.best_epoch
    for name, result in (("before", report.history[0]), (f"after epoch {kept}", report.history[kept])):
        both = (result.recall.text_to_image, result.recall.image_to_text)
        table.add_row(name, *(" / ".join(f"{100 * value:.1f}" for value in values) for values in both))
    Console().print(table)
    if not kept:
        typer.echo("no epoch was better than the model it began with; its weights were written unchanged", err=True)
    elif report.stopped_early:
        typer.echo(f"stopped after epoch {report.history[-1].epoch}: recall did not rise any more", err=True)
    typer.echo(f"the model is in {report.out}; use it with --model local-dir:{report.out}")
