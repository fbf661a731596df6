"""A training as a job: how far it is, what each epoch brought, and where it may stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from indexer.jobs.running import JobRun
from indexer.training.finetune import TrainingProgress, TrainingReport, Watch
from indexer.training.heldout import HeldOutRecall
from indexer.training.request import TrainingRequest


def train(run: JobRun, request: TrainingRequest, watch: Watch, *, resume: bool) -> TrainingReport:
    """Its progress is in steps. A pause waits for the checkpoint at the epoch's end; a cancel does not."""
    epoch = -1
    measured: HeldOutRecall | None = None

    def progress(seen: TrainingProgress) -> None:
        nonlocal epoch, measured
        watch(seen)
        if resume and epoch < 0:
            measured = seen.recall  # of the last epoch before: it is in the log
        if seen.recall is not None and seen.recall is not measured:  # another object whenever it is measured
            measured = seen.recall
            run.write_lines([line(seen)])
        # The checkpoint of an epoch is written before the first step of the next one.
        after_checkpoint, epoch = seen.epoch > epoch, seen.epoch
        loss = "" if seen.loss is None else f", loss {seen.loss:.3f}"
        run.progress(seen.step, seen.steps, f"epoch {seen.epoch}{loss}", may_pause=after_checkpoint)

    return request.run(progress, resume=resume)


def line(progress: TrainingProgress) -> str:
    """What an epoch brought."""
    loss = "" if progress.loss is None else f"loss {progress.loss:.3f}, "
    recall = "" if progress.recall is None else f"R@10 {at_10(progress.recall)}"
    return f"epoch {progress.epoch}: {loss}{recall}"


def at_10(recall: HeldOutRecall) -> str:
    """Percent, text to image and image to text."""
    return f"{100 * recall.text_to_image[2]:.1f} / {100 * recall.image_to_text[2]:.1f}"


def summary(report: TrainingReport) -> Mapping[str, Any]:
    """As a job's result: `model` is what `--model` takes."""
    out = str(report.out)
    return {**asdict(report), "out": out, "model": f"local-dir:{out}"}
