"""The catalog's concepts: what people taught by marking images right and wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from indexer import database, statements
from indexer.errors import InvalidRequest
from indexer.schema import image
from indexer.tags.feedback import Boundary
from indexer.tags.store import CONCEPTS, tell
from indexer.tags.tables import concept, image_tag, label, label_list
from indexer.transactions import Transactions
from indexer.vectors import Vectors

THRESHOLD = 0.5
"""The score at a concept's boundary."""


@dataclass(frozen=True, slots=True)
class Concept:
    name: str
    query: str
    """Empty: by its marks alone."""
    right: tuple[str, ...]
    """Content hashes, so that files may move. Not empty."""
    wrong: tuple[str, ...]


class Concepts(Transactions):
    """Of one catalog. Every writing method is one transaction."""

    def all(self) -> list[Concept]:
        """By name."""
        with database.translated(self._library), self._engine.connect() as connection:
            rows = connection.execute(sa.select(concept).order_by(concept.c.name)).all()
        return [Concept(row.name, row.query, tuple(row.right), tuple(row.wrong)) for row in rows]

    def hashes(self, ids: Sequence[int]) -> dict[int, str]:
        """Of those images that are there."""
        with database.translated(self._library), self._engine.connect() as connection:
            return statements.hashes_of(connection, ids)

    def put(self, saved: Concept) -> int:
        """In the place of one of that name; returns the number of its label, which has no vector yet."""
        with self._writing() as connection:
            connection.execute(sa.delete(concept).where(concept.c.name == saved.name))
            marks = {"right": list(saved.right), "wrong": list(saved.wrong)}
            connection.execute(sa.insert(concept).values(name=saved.name, query=saved.query, **marks))
            found = connection.scalar(sa.select(label_list.c.id).where(label_list.c.name == CONCEPTS))
            if found is None:
                new = sa.insert(label_list).values(name=CONCEPTS, shown=True).returning(label_list.c.id)
                found = connection.execute(new).scalar_one()
            _delete_label(connection, saved.name)
            row = {"list_id": found, "name": saved.name, "texts": [], "threshold": THRESHOLD}
            return int(connection.execute(sa.insert(label).values(row).returning(label.c.id)).scalar_one())

    def get(self, name: str) -> Concept:
        """Raises `InvalidRequest`."""
        found = next((one for one in self.all() if one.name == name), None)
        if found is None:
            raise _no_concept(name)
        return found

    def ids(self, hashes: Sequence[str]) -> list[int]:
        """Of the images that have one of these contents, the oldest of each."""
        oldest = sa.select(first := sa.func.min(image.c.id)).group_by(image.c.content_hash).order_by(first)
        with self._reading() as connection:
            return [
                id_
                for chunk in statements.chunks(hashes, statements.IN_LIST)
                for id_ in connection.scalars(oldest.where(image.c.content_hash.in_(chunk)))
            ]

    def rename(self, name: str, other: str) -> None:
        """Images keep what they have of it. Raises `InvalidRequest` for one that is not there, or is there already."""
        if name == other:
            self.get(name)
            return
        with self._writing() as connection:
            if connection.scalar(sa.select(concept.c.name).where(concept.c.name == other)) is not None:
                raise InvalidRequest(f"there is a concept {other!r} already; forget that first, or choose another name")
            if not connection.execute(sa.update(concept).where(concept.c.name == name).values(name=other)).rowcount:
                raise _no_concept(name)
            own = sa.select(label_list.c.id).where(label_list.c.name == CONCEPTS).scalar_subquery()
            renamed = sa.update(label).where(label.c.list_id == own, label.c.name == name)
            connection.execute(renamed.values(name=other))
            tell(connection)

    def remove(self, name: str) -> None:
        """With the tags that images have of it. Raises `InvalidRequest`."""
        with self._writing() as connection:
            if not connection.execute(sa.delete(concept).where(concept.c.name == name)).rowcount:
                raise _no_concept(name)
            _delete_label(connection, name)
            tell(connection)

    def put_label(self, name: str, vector: Vectors, boundary: Boundary) -> None:
        """What scores it from now on."""
        own = sa.select(label_list.c.id).where(label_list.c.name == CONCEPTS).scalar_subquery()
        values = {
            "vector": vector.astype("<f4").tobytes(),
            "gain": boundary.gain,
            "tilt": 0.0,
            "bias": boundary.bias,
        }
        with self._writing() as connection:
            connection.execute(sa.update(label).where(label.c.list_id == own, label.c.name == name).values(values))

    def give(self, label_id: int, ids: Sequence[int], scores: Sequence[float]) -> None:
        """Images that have it."""
        rows = [{"image_id": i, "label_id": label_id, "score": s} for i, s in zip(ids, scores, strict=True)]
        with self._writing() as connection:
            known = statements.hashes_of(connection, ids)  # one may have been removed meanwhile
            if fresh := [row for row in rows if row["image_id"] in known]:
                connection.execute(sa.insert(image_tag), fresh)
            tell(connection)


def _no_concept(name: str) -> InvalidRequest:
    return InvalidRequest(f"there is no concept {name!r}; `sightline concepts list` names those there are")


def _delete_label(connection: sa.Connection, name: str) -> None:
    own = sa.select(label_list.c.id).where(label_list.c.name == CONCEPTS).scalar_subquery()
    connection.execute(sa.delete(label).where(label.c.list_id == own, label.c.name == name))
