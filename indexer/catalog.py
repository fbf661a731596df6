"""The catalog: image rows and their embeddings, committed together. It is the truth; vector indexes are its caches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from indexer import database, statements
from indexer.catalog_reader import UNIT_TOLERANCE, CatalogReader, is_unit
from indexer.duplicates.library import Duplicates
from indexer.duplicates.store import DuplicateStore
from indexer.failures import Failures
from indexer.jobs.shards import Shards
from indexer.jobs.store import Jobs
from indexer.looks.look import Look
from indexer.manifest import Manifest
from indexer.model_shelf import ModelShelf
from indexer.records import Changes, FileState, ImageRecord, NewImage, StoredModel
from indexer.roots import Roots
from indexer.schema import image
from indexer.tags.concept_store import Concepts
from indexer.tags.store import Tags
from indexer.texts import Description
from indexer.words import table as words
from indexer.words.store import Words

__all__ = ["Catalog", "Changes", "FileState", "ImageRecord", "NewImage", "StoredModel"]


class Catalog(CatalogReader):
    """The images, and their embeddings by one of the collection's models. Made by `create`, `open` or `of_model`.

    Every writing method is one transaction: after a crash all of it is there or nothing.
    """

    def __init__(self, engine: sa.Engine, library: Path, model_id: int | None = None) -> None:
        """Of the model that serves, unless another one's number is given."""
        super().__init__(engine, library, model_id)
        self._writer = database.writer(engine)

    @classmethod
    def create(cls, library: Path, manifest: Manifest) -> Catalog:
        """A new, empty catalog in `library` (made if needed), which must not hold one; it appears whole or not at all.

        The caller sees to it that nobody else creates one there at the same time.
        """
        library = library.absolute()
        path = library / database.FILE_NAME
        if path.exists():
            raise ValueError(f"{path} is there already")
        fresh = path.with_name(f"{database.FILE_NAME}.new")
        with database.translated(library):
            library.mkdir(parents=True, exist_ok=True)
            database.make_file(fresh)
            engine = database.open_engine(fresh)
            try:
                database.migrate(engine, library)
                with database.writer(engine).begin() as connection:
                    statements.write_first_rows(connection, manifest)
            finally:
                engine.dispose()
            database.publish(fresh, path)
        return cls.open(library)

    @classmethod
    def open(cls, library: Path) -> Catalog:
        """The catalog in `library`, migrated if an older Sightline made it.

        Raises CollectionNotFound, ForeignCollection, CollectionTooNew, CollectionDamaged, CollectionUnavailable.
        """
        library = library.absolute()
        engine = database.open_engine(database.check_file(library))
        try:
            with database.translated(library):
                database.migrate(engine, library)
            return cls(engine, library)
        except BaseException:
            engine.dispose()
            raise

    def of_model(self, model_id: int) -> Catalog:
        """The same images with the embeddings of another model. It shares the connections. Raises ModelNotFound."""
        return Catalog(self._engine, self.library, model_id)

    @property
    def models(self) -> ModelShelf:
        """The models that this catalog has embeddings of."""
        return ModelShelf(self._engine, self.library)

    @property
    def jobs(self) -> Jobs:
        """The long work that was begun on this collection."""
        return Jobs(self._engine, self.library)

    @property
    def roots(self) -> Roots:
        """Where the images come from."""
        return Roots(self._engine, self.library)

    @property
    def failures(self) -> Failures:
        """What could not be indexed."""
        return Failures(self._engine, self.library)

    @property
    def duplicates(self) -> Duplicates:
        """The groups of duplicates that the last run found, and what people decided of them."""
        return Duplicates(self._engine, self.library)

    @property
    def duplicate_store(self) -> DuplicateStore:
        """What the run writes that finds them."""
        return DuplicateStore(self._engine, self.library, self.model_id)

    @property
    def tags(self) -> Tags:
        """The lists of labels, and what images are labelled with."""
        return Tags(self._engine, self.library)

    @property
    def concepts(self) -> Concepts:
        """What people taught by marks."""
        return Concepts(self._engine, self.library)

    @property
    def words(self) -> Words:
        """Which images have which words."""
        return Words(self._engine, self.library)

    def shards(self, job_id: int) -> Shards:
        """The parts of a job that its workers share out."""
        return Shards(self._engine, self.library, job_id)

    # Writing

    def put(
        self,
        images: Sequence[NewImage],
        vectors: NDArray[np.float16],
        descriptions: Sequence[Description] | None = None,
    ) -> list[int]:
        """Commit images with their unit vectors, `(len(images), dimension)`; returns their ids, in order.

        Without `descriptions`, one for each, the texts of known images stay, and the next sync reads those of new ones.
        A path that is known keeps its id and is replaced. Of a path given twice the last counts, and both places
        get its id. Raises ValueError for vectors of another shape, not finite, or not of unit length.
        """
        rows = self._checked(vectors, len(images))
        last = {new.path: place for place, new in enumerate(images)}
        if not last:
            return []
        with self._writing() as connection:
            revision = statements.next_revision(connection, self.model_id)
            ids = statements.ids_of_paths(connection, list(last))
            known = [path for path in last if path in ids]
            fresh = [path for path in last if path not in ids]
            now = datetime.now(UTC)
            statements.update_images(connection, [(ids[path], images[last[path]]) for path in known], now)
            ids |= statements.insert_images(connection, [images[last[path]] for path in fresh], now)
            blobs = {
                path: {"image_id": ids[path], "vector": rows[place].tobytes(), "revision": revision}
                for path, place in last.items()
            }
            statements.put_vectors(connection, self._tables.embedding, [blobs[path] for path in known])
            statements.insert_vectors(connection, self._tables.embedding, [blobs[path] for path in fresh])
            self._outdate(connection, [ids[path] for path in known])
            if descriptions is not None:
                statements.describe(connection, {ids[path]: descriptions[place] for path, place in last.items()})
            words.refresh(connection, [ids[path] for path in (fresh if descriptions is None else last)])
        return [ids[new.path] for new in images]

    def touch(self, updates: Sequence[tuple[int, int, int]]) -> None:
        """`(id, size, mtime_ns)` of files whose content is the same. Readers need not know: the revision stays."""
        if not updates:
            return
        statement = statements.update_by_id("size", "mtime_ns")
        with self._writing() as connection:
            connection.execute(
                statement, [{"row": int(id_), "size": size, "mtime_ns": mtime} for id_, size, mtime in updates]
            )

    def describe(self, descriptions: Mapping[int, Description]) -> None:
        """What is said of images now, by id, in place of what was said before; unknown ids are ignored."""
        if not descriptions:
            return
        with self._writing() as connection:
            changed = statements.told_anew(connection, descriptions)
            known = statements.hashes_of(connection, list(descriptions))
            statements.describe(connection, {id_: descriptions[id_] for id_ in known})
            if changed:
                words.refresh(connection, changed)
                self._count_up(connection)

    def look(self, looks: Mapping[int, Look]) -> None:
        """How images look, by id; unknown ids are ignored."""
        if not looks:
            return
        with self._writing() as connection:
            self._count_up(connection)
            statements.look(connection, looks)

    def move(self, moves: Sequence[tuple[int, str, int, int]]) -> None:
        """`(id, path, size, mtime_ns)` of files that are now elsewhere, in any order, also in a chain or a ring.

        Raises ValueError if a new path belongs to an image that does not move away.
        """
        if not moves:
            return
        paths = [path for _, path, _, _ in moves]
        moving = {int(id_) for id_, _, _, _ in moves}
        with self._writing() as connection:
            self._count_up(connection)
            for path, holder in statements.ids_of_paths(connection, paths).items():
                if holder not in moving:
                    raise ValueError(f"{path!r} belongs to image {holder}; remove that before moving another there")
            # First out of each other's way: no file system has a path with a NUL byte.
            connection.execute(statements.update_by_id("path"), [{"row": id_, "path": f"\0{id_}"} for id_ in moving])
            connection.execute(
                statements.update_by_id("path", "size", "mtime_ns"),
                [{"row": int(id_), "path": path, "size": size, "mtime_ns": mtime} for id_, path, size, mtime in moves],
            )
            words.refresh(connection, sorted(moving))

    def remove(self, ids: Sequence[int]) -> None:
        """Take images and their vectors out, also what is there of one without the other; unknown ids are ignored."""
        wanted = sorted({int(id_) for id_ in ids})
        if not wanted:
            return
        with self._writing() as connection:
            found = statements.known_ids(connection, self._tables.embedding, wanted)
            if not found:
                return
            for number in statements.model_ids(connection):
                statements.remove_vectors(connection, number, found)
            connection.execute(sa.delete(image).where(image.c.id == sa.bindparam("row")), [{"row": i} for i in found])
            words.forget(connection, found)

    def fill(self, files: Sequence[FileState], vectors: NDArray[np.float16]) -> int:
        """Commit this model's embeddings, `(len(files), dimension)`, of images that are there; returns how many.

        Left out is what has been removed, or has another content, since those files were listed. Raises as `put`.
        """
        rows = self._checked(vectors, len(files))
        with self._writing() as connection:
            now = statements.hashes_of(connection, [file.id for file in files])
            places = [place for place, file in enumerate(files) if now.get(file.id) == file.content_hash]
            if not places:
                return 0
            revision = statements.next_revision(connection, self.model_id)
            blobs = [
                {"image_id": files[place].id, "vector": rows[place].tobytes(), "revision": revision} for place in places
            ]
            statements.unbury(connection, self._tables.tombstone, [blob["image_id"] for blob in blobs])
            statements.put_vectors(connection, self._tables.embedding, blobs)
        return len(places)

    # Inside

    def _count_up(self, connection: sa.Connection) -> None:
        """Readers of every model keep what passes a filter until its revision changes."""
        for number in statements.model_ids(connection):
            statements.next_revision(connection, number)

    def _outdate(self, connection: sa.Connection, ids: Sequence[int]) -> None:
        """What other models said of images that have another content now."""
        for number in statements.model_ids(connection) if ids else ():
            if number != self.model_id:
                statements.remove_vectors(connection, number, ids)

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with database.translated(self.library), self._writer.begin() as connection:
            yield connection

    def _checked(self, vectors: NDArray[Any], number: int) -> NDArray[np.float16]:
        wanted = (number, self.manifest.dimension)
        if vectors.shape != wanted:
            raise ValueError(f"vectors of shape {vectors.shape}, not {wanted}")
        if not is_unit(vectors).all():
            raise ValueError(f"vectors must be finite and of unit length within {UNIT_TOLERANCE}")
        return np.ascontiguousarray(vectors, "<f2")
