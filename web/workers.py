"""Processes that run jobs: of their own, so that they go on when the service ends, and take no time from searches."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from indexer.config import Settings

_END_SECONDS = 20  # for a batch that is being encoded
_FORWARDED = ("backend", "device", "precision")


def start_worker(library: Path, job_id: int) -> None:
    """Runs `sightline jobs resume` in the background. What becomes of the job is in the catalog."""
    command = [sys.executable, "-m", "web.cli", "jobs", "--library", str(library), "resume", str(job_id), "--json"]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    threading.Thread(target=process.wait, name=f"sightline-job-{job_id}", daemon=True).start()  # no zombie stays


@contextmanager
def watching(settings: Settings) -> Iterator[None]:
    """Runs `sightline watch` while the context lasts, with the same settings; what it says is on our stderr."""
    command = [sys.executable, "-m", "web.cli", "watch", "--library", str(settings.library)]
    command += ["--parent", str(os.getpid())]
    for name in _FORWARDED:
        if name in settings.model_fields_set:
            command += [f"--{name}", str(getattr(settings, name))]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
