"""Runs a job: says how far it is, keeps its lease, and stops where people want it to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from indexer.errors import SightlineError
from indexer.jobs.leases import BEAT_SECONDS, new_owner
from indexer.jobs.store import Job, Jobs, JobState

Work = Callable[["JobRun"], Mapping[str, Any]]
"""Does the job and returns its result, to be kept as JSON."""


class JobStopped(BaseException):
    """Somebody paused or cancelled the job, or another worker has taken it over. Not an error of the work's.

    A `BaseException`, so that what recovers from errors of single images lets it through.
    """

    def __init__(self, state: JobState | None) -> None:
        self.state = state
        """What the job becomes; None if it is somebody else's now."""
        super().__init__(state or "taken over")


class JobRun:
    """A job while it runs: for the work, which calls `progress` after every batch."""

    def __init__(self, jobs: Jobs, job: Job, owner: str, beat_seconds: float) -> None:
        self.job = job
        self._jobs, self._owner, self._beat_seconds = jobs, owner, beat_seconds
        self._first: tuple[float, int] | None = None
        self._done, self._total, self._message = job.done, job.total, ""
        self._stop: JobStopped | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat_on, name=f"sightline-job-{job.id}", daemon=True)

    def progress(self, done: int, total: int | None, message: str = "", *, may_pause: bool = True) -> None:
        """Say how far it is. Raises JobStopped if it is to end here: what has been committed is kept.

        Work that only some places can go on from says where it `may_pause`; cancelled it is anywhere.
        """
        if self._first is None:  # a model may have taken a while to load
            self._first = time.monotonic(), done
        self._done, self._total, self._message = done, total, message or self._message
        self.check(may_pause=may_pause)

    def check(self, *, may_pause: bool = True) -> None:
        """Raises JobStopped if it is to end here."""
        if self._stop is not None and (may_pause or self._stop.state != "paused"):
            raise self._stop

    def write_lines(self, texts: Sequence[str]) -> None:
        """In the job's log."""
        self._jobs.write_lines(self.job.id, texts)

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """The last word on how far it came."""
        self._over.set()
        self._thread.join()
        self._beat()

    def _beat_on(self) -> None:
        while not self._over.wait(self._beat_seconds):
            self._beat()

    def _beat(self) -> None:
        try:
            wish = self._jobs.beat(self.job.id, self._owner, self._done, self._total, self._rate(), self._message)
        except SightlineError:  # a catalog that is busy for a while; the lease is longer than that
            return
        if wish is None:
            self._stop = JobStopped(None)
        else:
            self._stop = {"run": None, "pause": JobStopped("paused"), "cancel": JobStopped("cancelled")}[wish]

    def _rate(self) -> float | None:
        if self._first is None:
            return None
        since, done = self._first
        seconds = time.monotonic() - since
        return (self._done - done) / seconds if seconds > 0 else None


def run_job(jobs: Jobs, id: int, work: Work, *, beat_seconds: float = BEAT_SECONDS) -> Job:
    """Do the job's work; what becomes of it is written down, whatever happens, and returned.

    Raises what `Jobs.claim` and the work raise. A job that somebody paused or cancelled is returned, not raised; one
    that Ctrl+C ended is paused.
    """
    owner = new_owner()
    run = JobRun(jobs, jobs.claim(id, owner), owner, beat_seconds)
    run.start()
    try:
        result = work(run)
    except JobStopped as stopped:
        run.finish()
        return jobs.end(id, owner, stopped.state, "") if stopped.state else jobs.get(id)
    except KeyboardInterrupt:
        run.finish()
        jobs.end(id, owner, "paused", "interrupted from the keyboard")
        raise
    except BaseException as error:
        run.finish()
        message = " ".join(str(error).split()) or type(error).__name__
        jobs.write_lines(id, [message])
        jobs.end(id, owner, "failed", message)
        raise
    run.finish()
    return jobs.end(id, owner, "done", "", result)
