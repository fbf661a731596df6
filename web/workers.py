"""Processes that run jobs: of their own, so that they go on when the service ends, and take no time from searches."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path


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
