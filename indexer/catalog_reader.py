"""What can be asked of a catalog: images, embeddings by one of its models, and what has changed."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from indexer import database, schema, statements
from indexer.errors import CollectionDamaged, ImageNotFound, ModelNotFound
from indexer.model_shelf import parse_manifest
from indexer.records import Changes, FileState, ImageRecord
from indexer.schema import image, tables_of
from indexer.texts import ImageText
from indexer.vectors import Ids

UNIT_TOLERANCE = 1e-2
"""How far from 1 a stored vector's length may be; float16 rounding alone moves it by less than 1e-3."""

_PAGE = 1000  # rows a page of `files_under`
_BATCH = 4096  # vectors a batch of `changes_since`: 4 MB at 512 dimensions


class CatalogReader:
    """The images, and their embeddings by one model. Any number of threads and processes may read while one writes."""

    def __init__(self, engine: sa.Engine, library: Path, model_id: int | None = None) -> None:
        """Of the model that serves, unless another one's number is given."""
        self.library = library
        self._engine = engine
        with self._reading() as connection:
            row = connection.execute(sa.select(schema.collection)).first()
            if row is None:
                raise CollectionDamaged(str(library), "it has no manifest")
            self.model_id: int = row.serving if model_id is None else model_id
            manifest = connection.scalar(sa.select(schema.model.c.manifest).where(schema.model.c.id == self.model_id))
        if manifest is None and model_id is not None:
            raise ModelNotFound(str(library), str(model_id))
        self.manifest = parse_manifest(manifest, library)
        self.uid: str = row.uid
        """Random, made with the catalog: caches of another catalog carry another."""
        self.created_at: datetime = row.created_at
        self._tables = tables_of(self.model_id)

    def close(self) -> None:
        """Give the connections back; may be called twice."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def missing(self, limit: int, after_id: int = 0, up_to_id: int | None = None) -> list[FileState]:
        """The first `limit` images above `after_id` that have no embedding of this model, ascending by id."""
        embedding = self._tables.embedding
        query = (
            statements.STATES.outerjoin_from(image, embedding, embedding.c.image_id == image.c.id)
            .where(image.c.id > after_id, embedding.c.image_id.is_(None))
            .order_by(image.c.id)
            .limit(limit)
        )
        if up_to_id is not None:
            query = query.where(image.c.id <= up_to_id)
        with self._reading() as connection:
            return [FileState(*row) for row in connection.execute(query)]

    def revision(self) -> int:
        """Grows with every change of images or of this model's vectors; 0 in a new catalog."""
        with self._reading() as connection:
            return statements.current_revision(connection, self.model_id)

    def changes_since(self, revision: int) -> Generator[Changes, None, None]:
        """What happened after `revision`, as one consistent picture in batches; from 0, everything there is.

        The first batch carries the removed ids, no id is put twice, and nothing is yielded if nothing happened. The
        read transaction lasts until the iterator is exhausted or closed.
        """
        with self._reading() as connection:
            now = statements.current_revision(connection, self.model_id)
            if now == revision:
                return
            removed, tombstone = [], self._tables.tombstone
            if revision > 0:
                removed = list(
                    connection.scalars(
                        sa.select(tombstone.c.image_id)
                        .where(tombstone.c.revision > revision)
                        .order_by(tombstone.c.image_id)
                    )
                )
            yield Changes(now, *self._arrays([]), np.array(removed, np.int64))
            result = connection.execution_options(yield_per=_BATCH).execute(
                statements.vectors_after(self._tables.embedding, revision)
            )
            for rows in result.partitions():
                yield Changes(now, *self._arrays(rows), np.empty(0, np.int64))

    def ids(self) -> Ids:
        """Of all images that have a vector, ascending."""
        with self._reading() as connection:
            return np.fromiter(connection.scalars(statements.ids_of(self._tables.embedding)), np.int64)

    def contents(self) -> Generator[tuple[list[ImageRecord], NDArray[np.float16]], None, None]:
        """All images and their vectors by ascending id, as one consistent picture in batches.

        The read transaction lasts until the iterator is exhausted or closed.
        """
        with self._reading() as connection:
            result = connection.execution_options(yield_per=_BATCH).execute(
                statements.contents_of(self._tables.embedding)
            )
            for rows in result.partitions():
                _, vectors = self._arrays([(row[0], row[-1]) for row in rows])
                yield [ImageRecord(*row[:-1]) for row in rows], vectors

    def damage(self, *, quick: bool = False) -> list[str]:
        """See `database.damage`."""
        with database.translated(self.library):
            return database.damage(self._engine, quick=quick)

    def unpaired(self) -> tuple[list[int], list[int]]:
        """Ids of images without a vector, and of vectors without an image: none unless another program wrote."""
        with self._reading() as connection:
            return tuple(list(connection.scalars(query)) for query in statements.unpaired(self._tables.embedding))  # type: ignore[return-value]

    def unsound(self) -> list[int]:
        """Ids of vectors that are not finite, not of unit length, or have another number of bytes than they should."""
        found: list[int] = []
        with self._reading() as connection:
            result = connection.execution_options(yield_per=_BATCH).execute(
                statements.vectors_after(self._tables.embedding, 0)
            )
            for rows in result.partitions():
                whole = [row for row in rows if len(row[1]) == 2 * self.manifest.dimension]
                found += {row[0] for row in rows} - {row[0] for row in whole}
                ids, vectors = self._arrays(whole)
                found += ids[~is_unit(vectors)].tolist()
        return sorted(found)

    def count(self, since: int = 0) -> int:
        """How many images have an embedding of this model; with `since`, those that were put after that revision.

        Of the model that serves, that is all images.
        """
        embedding = self._tables.embedding  # the index on the revision is the smallest thing there is to count
        query = sa.select(sa.func.count()).select_from(embedding)
        return self._number(query.where(embedding.c.revision > since) if since > 0 else query)

    def removed(self) -> int:
        """How many images that are gone are still noted, so that readers with an older index learn of it."""
        return self._number(sa.select(sa.func.count()).select_from(self._tables.tombstone))

    def total_bytes(self) -> int:
        """Size of all indexed files together."""
        return self._number(sa.select(sa.func.coalesce(sa.func.sum(image.c.size), 0)))

    def formats(self) -> dict[str, int]:
        """How many images there are of each format, most first."""
        number = sa.func.count()
        query = sa.select(image.c.format, number).group_by(image.c.format).order_by(number.desc(), image.c.format)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def get(self, id: int) -> ImageRecord:
        """Raises ImageNotFound."""
        found = self.get_many([id])
        if not found:
            raise ImageNotFound(int(id))
        return found[int(id)]

    def get_many(self, ids: Iterable[int]) -> dict[int, ImageRecord]:
        """Those that are there, by id."""
        wanted = [int(id_) for id_ in ids]  # no database driver knows NumPy's
        found: dict[int, ImageRecord] = {}
        with self._reading() as connection:
            for chunk in statements.chunks(wanted, statements.IN_LIST):
                for row in connection.execute(statements.RECORDS.where(image.c.id.in_(chunk))):
                    found[row.id] = ImageRecord(*row)
        return found

    def latest(self, limit: int, before_id: int | None = None, offset: int = 0) -> list[ImageRecord]:
        """The `limit` images that came last, newest first; with `before_id`, those that came before that one.

        The first `offset` of them are passed over.
        """
        query = statements.RECORDS.order_by(image.c.id.desc()).limit(limit).offset(offset)
        if before_id is not None:
            query = query.where(image.c.id < int(before_id))
        with self._reading() as connection:
            return [ImageRecord(*row) for row in connection.execute(query)]

    def ids_where(
        self, clause: sa.ColumnElement[bool], order: Sequence[sa.ColumnElement[Any]] = (), limit: int | None = None
    ) -> Ids:
        """Of the images for whose row in `schema.image` the clause is true: ascending, or the first in that order."""
        with self._reading() as connection:
            if order:
                query = sa.select(image.c.id).where(clause).order_by(*order, image.c.id).limit(limit)
                # The driver's own rows: through SQLAlchemy's, half a million ids took twice as long.
                rows: Any = connection.execute(query).cursor
                return np.fromiter((row[0] for row in rows), np.int64)
            # One text of all of them, since making a row of each took 2.5 times as long as the rest together.
            joined = sa.func.aggregate_strings(sa.cast(image.c.id, sa.String), ",")
            text = connection.scalar(sa.select(joined).where(clause))
        return np.sort(np.fromstring(text or "", np.int64, sep=","))  # they came in the order of some index

    def counts_by(
        self, columns: Sequence[sa.ColumnElement[Any]], clause: sa.ColumnElement[bool], *, scan: bool = False
    ) -> list[tuple[Any, ...]]:
        """How many images there are of each combination of the columns' values, last in each row.

        `scan`, where many images are meant and no index holds the columns: all rows are read in their order.
        """
        query = sa.select(*columns, sa.func.count()).select_from(image).where(clause).group_by(*columns)
        query = query.with_hint(image, "NOT INDEXED", "sqlite") if scan else query
        with self._reading() as connection:
            return [tuple(row) for row in connection.execute(query)]

    def counts_of(self, columns: Sequence[sa.ColumnElement[bool]], clause: sa.ColumnElement[bool]) -> list[int]:
        """Of the images for which the clause is true: how many there are for which each of the columns is, too."""
        query = sa.select(*(sa.func.count().filter(column) for column in columns)).select_from(image).where(clause)
        with self._reading() as connection:
            return list(connection.execute(query).one())

    def first_and_last_path(self, clause: sa.ColumnElement[bool], *, scan: bool = False) -> tuple[str, str] | None:
        """In byte order, of the images for which the clause is true; None if there is none. `scan` as in `counts_by`"""
        query = sa.select(sa.func.min(image.c.path), sa.func.max(image.c.path)).where(clause)
        query = query.with_hint(image, "NOT INDEXED", "sqlite") if scan else query
        with self._reading() as connection:
            first, last = connection.execute(query).one()
        return None if first is None else (first, last)

    def files_under(self, root: str) -> Iterator[FileState]:
        """Files below the folder `root`, ascending by `os.fsencode(path)`.

        Read a page at a time, so that no transaction stays open while the caller works; files that the caller puts
        or moves meanwhile may or may not appear.
        """
        start = os.fsdecode(os.fsencode(root).rstrip(b"/") + b"/")
        end = os.fsdecode(os.fsencode(start)[:-1] + b"0")  # the byte after "/": above all that begins with `start`
        while True:
            query = (
                statements.STATES.where(image.c.path > start, image.c.path < end).order_by(image.c.path).limit(_PAGE)
            )
            with self._reading() as connection:
                page = [FileState(*row) for row in connection.execute(query)]
            yield from page
            if len(page) < _PAGE:
                return
            start = page[-1].path

    def states_of(self, paths: Sequence[str]) -> dict[str, FileState]:
        """Those that are there, by path."""
        found: dict[str, FileState] = {}
        with self._reading() as connection:
            for chunk in statements.chunks(paths, statements.IN_LIST):
                for row in connection.execute(statements.STATES.where(image.c.path.in_(chunk))):
                    found[row.path] = FileState(*row)
        return found

    def files_at(self, path: str) -> Iterator[FileState]:
        """The file of that path, if it is known, and those below it, in the order of `files_under`."""
        yield from self.states_of([path]).values()
        yield from self.files_under(path)

    def texts(self, ids: Iterable[int]) -> dict[int, tuple[ImageText, ...]]:
        """What is said of each: title, captions, keywords, in that order; without those of which nothing is said."""
        with self._reading() as connection:
            return statements.texts_of(connection, [int(id_) for id_ in ids])

    def with_hash(self, content_hash: str) -> list[FileState]:
        """Files of that content, oldest id first."""
        query = statements.STATES.where(image.c.content_hash == content_hash).order_by(image.c.id)
        with self._reading() as connection:
            return [FileState(*row) for row in connection.execute(query)]

    def vector(self, id: int) -> NDArray[np.float16]:
        """`(dimension,)`, unit length but for rounding. Raises ImageNotFound."""
        embedding = self._tables.embedding
        query = sa.select(embedding.c.image_id, embedding.c.vector).where(embedding.c.image_id == int(id))
        with self._reading() as connection:
            rows = connection.execute(query).all()
        if not rows:
            raise ImageNotFound(int(id))
        vector: NDArray[np.float16] = self._arrays(rows)[1][0]
        return vector

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with database.translated(self.library), self._engine.connect() as connection:
                yield connection
        except ValueError as error:  # a stored value that is none of its type
            raise CollectionDamaged(str(self.library), str(error)) from error

    def _number(self, query: sa.Select[int]) -> int:
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def _arrays(self, rows: Sequence[Any]) -> tuple[Ids, NDArray[np.float16]]:
        """`(id, vector bytes)` rows -> ids and `(n, dimension)` vectors."""
        dimension = self.manifest.dimension
        for id_, vector in rows:
            if len(vector) != 2 * dimension:
                reason = f"the vector of image {id_} has {len(vector)} bytes, not {2 * dimension}"
                raise CollectionDamaged(str(self.library), reason)
        ids = np.array([row[0] for row in rows], np.int64)
        vectors = np.frombuffer(b"".join(row[1] for row in rows), "<f2").reshape(len(rows), dimension)
        return ids, vectors.astype(np.float16, copy=False)


def is_unit(vectors: NDArray[Any]) -> NDArray[np.bool_]:
    """`(n,)`, false also for NaN and infinity."""
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1)
    return np.asarray(np.abs(lengths - 1) <= UNIT_TOLERANCE)
