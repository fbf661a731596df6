"""What every part of a catalog that has tables of its own shares: transactions that read, and such that write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from indexer import database


class Transactions:
    """Of one catalog. What its database raises becomes a `CollectionError`."""

    def __init__(self, engine: sa.Engine, library: Path) -> None:
        self._engine, self._writer, self._library = engine, database.writer(engine), library

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with database.translated(self._library), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with database.translated(self._library), self._writer.begin() as connection:
            yield connection
