"""The jobs of a collection, as rows of its catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import sqlalchemy as sa

from indexer.errors import JobBusy, JobEnded, JobNotFound
from indexer.jobs.leases import is_held, now
from indexer.schema import job, job_line
from indexer.transactions import Transactions

JobState = Literal["queued", "running", "interrupted", "paused", "done", "failed", "cancelled"]
"""`interrupted`: its process is gone, by a crash or a reboot. All but `done` and `cancelled` can be resumed."""
Wish = Literal["run", "pause", "cancel"]
ENDED: tuple[JobState, ...] = ("done", "cancelled")
RESUMABLE: tuple[JobState, ...] = ("queued", "interrupted", "paused", "failed")
KEPT = 1000


@dataclass(frozen=True, slots=True)
class Job:
    id: int
    kind: str
    arguments: dict[str, Any]
    state: JobState
    wish: Wish
    """What people want of it; a running job takes note at its next batch."""
    done: int
    """What it has dealt with, in its own unit, images mostly."""
    total: int | None
    rate: float | None
    """A second, since it was last started."""
    message: str
    """Its last line, or why it failed."""
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def seconds_left(self) -> float | None:
        """None unless it runs and says how much there is to do."""
        if self.state != "running" or self.total is None or not self.rate:
            return None
        return max(0, self.total - self.done) / self.rate


@dataclass(frozen=True, slots=True)
class JobLine:
    at: datetime
    text: str


class Jobs(Transactions):
    """Every method is one transaction."""

    def add(self, kind: str, arguments: Mapping[str, Any]) -> Job:
        """A new one, queued. Of those that are over the newest thousand are remembered."""
        with self._writing() as connection:
            return self._added(connection, kind, arguments)

    def begin(self, kind: str, arguments: Mapping[str, Any]) -> Job:
        """Ready to be run: the last one of that kind with those arguments if it can be resumed, else a new one.

        Raises JobBusy while one of that kind is running, whatever its arguments.
        """
        with self._writing() as connection:
            query = sa.select(*_COLUMNS).where(job.c.kind == kind).order_by(job.c.id.desc()).limit(KEPT)
            rows = connection.execute(query).all()
            for row in rows:
                if is_held(row.owner, row.beat_at):
                    raise JobBusy(row.id)
            last = next((row for row in rows if row.arguments == dict(arguments)), None)
            if last is None or last.state in ENDED:
                return self._added(connection, kind, arguments)
            return self._queued(connection, last.id)

    def unfinished(self, kind: str, arguments: Mapping[str, Any]) -> Job | None:
        """The last job of that kind with those arguments, if it can be resumed."""
        for found in self.all():
            if (found.kind, found.arguments) == (kind, dict(arguments)):
                return found if found.state in RESUMABLE else None
        return None

    def get(self, id: int) -> Job:
        """Raises JobNotFound."""
        with self._reading() as connection:
            return _job(_row(connection, id))

    def all(self, limit: int = 100) -> list[Job]:
        """The newest first."""
        with self._reading() as connection:
            query = sa.select(*_COLUMNS).order_by(job.c.id.desc()).limit(limit)
            return [_job(row) for row in connection.execute(query)]

    def log(self, id: int) -> list[JobLine]:
        """What it wrote down, oldest first. Raises JobNotFound."""
        with self._reading() as connection:
            _row(connection, id)
            query = sa.select(job_line.c.at, job_line.c.text).where(job_line.c.job_id == id).order_by(job_line.c.id)
            return [JobLine(row.at, row.text) for row in connection.execute(query)]

    def claim(self, id: int, owner: str) -> Job:
        """Run it from now on. Raises JobNotFound, JobBusy while another worker does, JobEnded."""
        with self._writing() as connection:
            row = _row(connection, id)
            if is_held(row.owner, row.beat_at):
                raise JobBusy(id)
            if row.state in ENDED:
                raise JobEnded(id, row.state)
            values = {"state": "running", "wish": "run", "owner": owner, "beat_at": now(), "ended_at": None}
            return self._changed(connection, id, values | {"started_at": now(), "message": "", "rate": None})

    def beat(self, id: int, owner: str, done: int, total: int | None, rate: float | None, message: str) -> Wish | None:
        """Say that it goes on, and how far it is; what people want, None if another worker has taken it over."""
        values = {"beat_at": now(), "done": done, "total": total, "rate": rate, "message": _storable(message)}
        with self._writing() as connection:
            row = _row(connection, id)
            if row.owner != owner:
                return None
            wish: Wish = self._changed(connection, id, values).wish
            return wish

    def end(self, id: int, owner: str, state: JobState, message: str, result: Mapping[str, Any] | None = None) -> Job:
        """Let go of it, in that state; what another worker has taken over stays as it is."""
        with self._writing() as connection:
            row = _row(connection, id)
            if row.owner != owner:
                return _job(row)
            values = {"state": state, "owner": None, "beat_at": None, "message": _storable(message), "ended_at": now()}
            return self._changed(connection, id, values | {"result": dict(result) if result is not None else None})

    def write_lines(self, id: int, texts: Sequence[str]) -> None:
        """Add them to its log."""
        if not texts:
            return
        rows = [{"job_id": id, "at": now(), "text": _storable(text)} for text in texts]
        with self._writing() as connection:
            connection.execute(sa.insert(job_line), rows)

    def pause(self, id: int) -> Job:
        """At its next batch, or at once if nobody runs it. Raises JobNotFound, JobEnded."""
        return self._wish(id, "pause", "paused")

    def cancel(self, id: int) -> Job:
        """Likewise, for good: what it has done so far is kept."""
        return self._wish(id, "cancel", "cancelled")

    def resume(self, id: int) -> Job:
        """Ready to be run again. Raises JobNotFound, JobEnded, and JobBusy if it is running."""
        with self._writing() as connection:
            row = _row(connection, id)
            if row.state in ENDED:
                raise JobEnded(id, row.state)
            if is_held(row.owner, row.beat_at):
                if row.wish != "pause":
                    raise JobBusy(id)
                return self._changed(connection, id, {"wish": "run"})
            return self._queued(connection, id)

    def _wish(self, id: int, wish: Wish, state: JobState) -> Job:
        with self._writing() as connection:
            row = _row(connection, id)
            if row.state in ENDED:
                raise JobEnded(id, row.state)
            if is_held(row.owner, row.beat_at):
                return self._changed(connection, id, {"wish": wish})
            return self._changed(connection, id, {"wish": wish, "state": state, "owner": None, "ended_at": now()})

    def _added(self, connection: sa.Connection, kind: str, arguments: Mapping[str, Any]) -> Job:
        row = {"kind": kind, "arguments": dict(arguments), "state": "queued", "wish": "run", "done": 0, "message": ""}
        statement = sa.insert(job).values(**row, created_at=now()).returning(*_COLUMNS)
        added = _job(connection.execute(statement).one())
        connection.execute(sa.delete(job).where(job.c.id <= added.id - KEPT, job.c.state.in_(ENDED)))
        return added

    def _queued(self, connection: sa.Connection, id: int) -> Job:
        return self._changed(connection, id, {"state": "queued", "wish": "run", "owner": None})

    def _changed(self, connection: sa.Connection, id: int, values: Mapping[str, Any]) -> Job:
        statement = sa.update(job).where(job.c.id == id).values(**values).returning(*_COLUMNS)
        return _job(connection.execute(statement).one())


_COLUMNS = (*(job.c[name] for name in Job.__dataclass_fields__), job.c.owner, job.c.beat_at)


def _storable(text: str) -> str:
    """With escapes for the bytes of paths that are not UTF-8, which no column of text takes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _row(connection: sa.Connection, id: int) -> sa.Row[Any]:
    row = connection.execute(sa.select(*_COLUMNS).where(job.c.id == id)).first()
    if row is None:
        raise JobNotFound(id)
    return row


def _job(row: sa.Row[Any]) -> Job:
    fields = {name: getattr(row, name) for name in Job.__dataclass_fields__}
    if row.state == "running" and not is_held(row.owner, row.beat_at):
        fields["state"] = "interrupted"
    return Job(**fields)
