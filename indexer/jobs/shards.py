"""Parts of a job that several workers share out among them: ranges of image ids, each held by a lease."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from indexer import database
from indexer.jobs.leases import is_held, now
from indexer.schema import shard
from indexer.transactions import Transactions


@dataclass(frozen=True, slots=True)
class Shard:
    number: int
    first_id: int
    last_id: int
    """Inclusive."""


class Shards(Transactions):
    """Of one job. Every method is one transaction."""

    def __init__(self, engine: sa.Engine, library: Path, job_id: int) -> None:
        super().__init__(engine, library)
        self._job_id = job_id
        self._mine = shard.c.job_id == job_id

    def cover(self, last_id: int, size: int) -> None:
        """See to it that all ids up to the last are in a shard of that size; those that are there stay."""
        with self._writing() as connection:
            query = sa.select(sa.func.count(), sa.func.max(shard.c.last_id)).where(self._mine)
            number, covered = connection.execute(query).one()
            rows = [
                {"job_id": self._job_id, "number": number + i, "first_id": first, "last_id": first + size - 1}
                for i, first in enumerate(range((covered or 0) + 1, last_id + 1, size))
            ]
            if rows:
                connection.execute(sa.insert(shard).values(finished=False), rows)

    def claim(self, owner: str) -> Shard | None:
        """One that nobody works on, held by that worker from now on; None if there is none."""
        with self._writing() as connection:
            query = sa.select(shard).where(self._mine, shard.c.finished.is_(False)).order_by(shard.c.number)
            for row in connection.execute(query):
                if not is_held(row.owner, row.beat_at):
                    found = sa.update(shard).where(self._mine, shard.c.number == row.number)
                    connection.execute(found.values(owner=owner, beat_at=now()))
                    return Shard(row.number, row.first_id, row.last_id)
        return None

    def renew(self, owner: str) -> int:
        """Go on holding what that worker holds; returns how many shards still were its own."""
        return self._change(shard.c.owner == owner, beat_at=now())

    def finish(self, number: int, owner: str) -> bool:
        """All of it is done; whether it still was this worker's."""
        own = sa.and_(shard.c.number == number, shard.c.owner == owner)
        return self._change(own, finished=True, owner=None, beat_at=None) > 0

    def release(self, owner: str) -> None:
        """Give back undone what that worker holds."""
        self._change(shard.c.owner == owner, owner=None, beat_at=None)

    def left(self) -> int:
        """How many are not finished, whoever works on them."""
        query = sa.select(sa.func.count()).where(self._mine, shard.c.finished.is_(False))
        with database.translated(self._library), self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def _change(self, which: sa.ColumnElement[bool], **values: object) -> int:
        """Returns how many shards of the job these were."""
        with self._writing() as connection:
            return connection.execute(sa.update(shard).where(self._mine, which).values(**values)).rowcount
