"""The catalog's tags: lists and labels, what images have, and what people said by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from indexer import statements
from indexer.errors import InvalidRequest
from indexer.schema import ONLY_ROW, collection, image
from indexer.tags.labels import EVERYDAY, Label, tag_name
from indexer.tags.scoring import Lines
from indexer.tags.tables import image_tag, label, label_list, own_tag, tagging
from indexer.transactions import Transactions
from indexer.vectors import Vectors

CONCEPTS = "concepts"
"""The list of what people taught by marks: its labels have no words."""


@dataclass(frozen=True, slots=True)
class LabelList:
    id: int
    name: str
    shown: bool
    """If not, it is only what other labels have to stand out from."""
    labels: int


@dataclass(frozen=True, slots=True, eq=False)
class StoredLabel:
    id: int
    list: str
    shown: bool
    label: Label
    vector: Vectors | None
    """`(dimension,)`; None until it is made."""
    line: tuple[float, float, float] | None
    """Gain, tilt and bias of `Lines`; None until it is calibrated."""


@dataclass(frozen=True, slots=True)
class TagOfImage:
    name: str
    list: str | None
    """None: by hand."""
    score: float | None
    """0 to 1; None by hand."""


@dataclass(frozen=True, slots=True)
class Tagging:
    """What the tags that are there come from."""

    model_id: int
    revision: int
    images: int
    """How many there were when the labels were calibrated."""


class Tags(Transactions):
    """Of one catalog. Every writing method is one transaction; those that change what images have say so to readers."""

    # Lists

    def lists(self) -> list[LabelList]:
        """By name."""
        number = sa.select(sa.func.count()).where(label.c.list_id == label_list.c.id).scalar_subquery()
        query = sa.select(label_list.c.id, label_list.c.name, label_list.c.shown, number).order_by(label_list.c.name)
        with self._reading() as connection:
            return [LabelList(*row) for row in connection.execute(query)]

    def put_list(self, name: str, labels: Sequence[Label], *, shown: bool = True) -> None:
        """A list with those labels, in the place of one of that name. What stays the same keeps its embedding."""
        with self._writing() as connection:
            found = connection.scalar(sa.select(label_list.c.id).where(label_list.c.name == name))
            if found is None:
                found = connection.execute(
                    sa.insert(label_list).values(name=name, shown=shown).returning(label_list.c.id)
                ).scalar_one()
            else:
                connection.execute(sa.update(label_list).where(label_list.c.id == found).values(shown=shown))
            before = {
                row.name: row for row in connection.execute(sa.select(label).where(label.c.list_id == found)).all()
            }
            gone = [row.id for key, row in before.items() if key not in {one.name for one in labels}]
            for chunk in statements.chunks(gone, statements.IN_LIST):
                connection.execute(sa.delete(label).where(label.c.id.in_(chunk)))
            for one in labels:
                values = {"texts": list(one.texts), "threshold": one.threshold}
                if (row := before.get(one.name)) is None:
                    connection.execute(sa.insert(label).values(list_id=found, name=one.name, **values))
                elif (tuple(row.texts), row.threshold) != (one.texts, one.threshold):
                    fresh = {"vector": None} if tuple(row.texts) != one.texts else {}
                    connection.execute(
                        sa.update(label).where(label.c.id == row.id).values(**values, **fresh, gain=None)
                    )

    def labels_of(self, name: str) -> list[Label]:
        """Those of one list that is shown, as they were written. Raises `InvalidRequest`."""
        own = (label_list.c.name == name, label_list.c.shown)
        query = sa.select(label.c.name, label.c.texts, label.c.threshold).join(label_list).where(*own)
        with self._reading() as connection:
            if connection.scalar(sa.select(label_list.c.id).where(*own)) is None:
                raise _no_list(name)
            return [
                Label(row.name, tuple(row.texts), row.threshold)
                for row in connection.execute(query.order_by(label.c.id))
            ]

    def remove_list(self, name: str) -> None:
        """With what images got of it; the one that ships is only not shown any more. Raises `InvalidRequest`."""
        with self._writing() as connection:
            found = connection.scalar(sa.select(label_list.c.id).where(label_list.c.name == name))
            if found is None:
                raise _no_list(name)
            if name == EVERYDAY:
                connection.execute(sa.update(label_list).where(label_list.c.id == found).values(shown=False))
                own = sa.select(label.c.id).where(label.c.list_id == found)
                connection.execute(sa.delete(image_tag).where(image_tag.c.label_id.in_(own)))
            else:
                connection.execute(sa.delete(label_list).where(label_list.c.id == found))
            tell(connection)

    def labels(self) -> list[StoredLabel]:
        """Of all lists, by id."""
        query = sa.select(label, label_list.c.name.label("list"), label_list.c.shown).join(label_list)
        with self._reading() as connection:
            return [_stored(row) for row in connection.execute(query.order_by(label.c.id))]

    def knows(self, name: str) -> bool:
        """Whether a label, a list or a tag by hand is called that."""
        queries = (
            sa.select(label.c.id).join(label_list).where(label.c.name == name, label_list.c.shown),
            sa.select(label_list.c.id).where(label_list.c.name == name, label_list.c.shown),
            sa.select(own_tag.c.name).where(own_tag.c.name == name, own_tag.c.wanted),
        )
        with self._reading() as connection:
            return any(connection.execute(query.limit(1)).first() is not None for query in queries)

    # What images have

    def of_image(self, id: int) -> list[TagOfImage]:
        """Those by hand first, then the likeliest."""
        given = (
            sa.select(label.c.name, label_list.c.name.label("list"), image_tag.c.score)
            .select_from(image_tag)
            .join(label)
            .join(label_list)
            .where(image_tag.c.image_id == id, label_list.c.shown)
            .order_by(image_tag.c.score.desc(), label.c.name)
        )
        own = (
            sa.select(own_tag.c.name)
            .join(image, image.c.content_hash == own_tag.c.content_hash)
            .where(image.c.id == id, own_tag.c.wanted)
            .order_by(own_tag.c.name)
        )
        with self._reading() as connection:
            by_hand = [TagOfImage(name, None, None) for name in connection.scalars(own)]
            names = {tag.name for tag in by_hand}
            return by_hand + [TagOfImage(*row) for row in connection.execute(given) if row.name not in names]

    def best(self, name: str, most: int) -> list[int]:
        """Ids of the images that the tag fits best: by the score that a list gave, then those that have it by hand."""
        scored = (
            sa.select(image_tag.c.image_id)
            .select_from(image_tag)
            .join(label)
            .join(label_list)
            .where(label.c.name == name, label_list.c.shown)
            .order_by(image_tag.c.score.desc(), image_tag.c.image_id)
        )
        own = (
            sa.select(image.c.id)
            .join(own_tag, own_tag.c.content_hash == image.c.content_hash)
            .where(own_tag.c.name == name, own_tag.c.wanted)
            .order_by(image.c.id.desc())
        )
        with self._reading() as connection:
            found = [id_ for query in (scored, own) for id_ in connection.scalars(query.limit(most))]
        return list(dict.fromkeys(found))[:most]

    def counts(self, clause: sa.ColumnElement[bool] | None = None, most: int | None = None) -> list[tuple[str, int]]:
        """How many images have each tag, most first; with a clause, of the rows of `image` for which it is true."""
        tagged = image_tag.join(label).join(label_list)
        if clause is not None:
            tagged = tagged.join(image, image.c.id == image_tag.c.image_id)
        by_hand = image.join(own_tag, own_tag.c.content_hash == image.c.content_hash)
        passing = sa.true() if clause is None else clause
        given = sa.select(image_tag.c.image_id, label.c.name).select_from(tagged).where(label_list.c.shown, passing)
        own = sa.select(image.c.id, own_tag.c.name).select_from(by_hand).where(own_tag.c.wanted, passing)
        every = given.union(own).subquery()  # an image counts once, whoever says it
        name = every.c.name
        number = sa.func.count()
        query = sa.select(name, number).group_by(name).order_by(number.desc(), name).limit(most)
        with self._reading() as connection:
            return [(row[0], int(row[1])) for row in connection.execute(query)]

    def set_own(self, ids: Sequence[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
        """Say by hand what images show and what not; returns how many images that is, with their copies.

        What is removed no list gives to them again. Unknown ids are passed over. Raises `InvalidRequest` for what is
        no tag, and one that is both.
        """
        wanted = {tag_name(name): True for name in add}
        unwanted = {tag_name(name): False for name in remove}
        if both := sorted(wanted.keys() & unwanted.keys()):
            raise InvalidRequest(f"{both[0]!r} cannot be added and removed at once; leave it out of one")
        said = wanted | unwanted
        with self._writing() as connection:
            hashes = sorted(set(statements.hashes_of(connection, ids).values()))
            rows = [
                {"content_hash": content, "name": name, "wanted": flag}
                for content in hashes
                for name, flag in said.items()
            ]
            for chunk in statements.chunks(hashes, statements.IN_LIST):
                connection.execute(
                    sa.delete(own_tag).where(own_tag.c.content_hash.in_(chunk), own_tag.c.name.in_(list(said)))
                )
            if rows:
                connection.execute(sa.insert(own_tag), rows)
                _drop_unwanted(connection)
                tell(connection)
        return len(hashes)

    # Tagging

    def tagging(self) -> Tagging | None:
        """None before the first, and after one that was interrupted."""
        with self._reading() as connection:
            row = connection.execute(sa.select(tagging.c.model_id, tagging.c.revision, tagging.c.images)).first()
        return Tagging(*row) if row else None

    def begin(self) -> None:
        """All images are tagged anew: until that is finished the tags that are there come from nothing whole."""
        with self._writing() as connection:
            connection.execute(sa.delete(tagging))

    def forget_vectors(self) -> None:
        """Of labels: another model serves."""
        with self._writing() as connection:
            connection.execute(sa.update(label).values(vector=None, gain=None))

    def put_vectors(self, vectors: Mapping[int, Vectors]) -> None:
        """By label."""
        rows = [{"row": id_, "data": vector.astype("<f4").tobytes()} for id_, vector in vectors.items()]
        if not rows:
            return
        statement = sa.update(label).where(label.c.id == sa.bindparam("row")).values(vector=sa.bindparam("data"))
        with self._writing() as connection:
            connection.execute(statement, rows)

    def put_lines(self, ids: Sequence[int], lines: Lines) -> None:
        """Of the labels of those ids."""
        columns = (lines.gain.tolist(), lines.tilt.tolist(), lines.bias.tolist())
        rows = [dict(zip(("row", "g", "t", "b"), values, strict=True)) for values in zip(ids, *columns, strict=True)]
        if not rows:
            return
        values: dict[str, Any] = {"gain": sa.bindparam("g"), "tilt": sa.bindparam("t"), "bias": sa.bindparam("b")}
        with self._writing() as connection:
            connection.execute(sa.update(label).where(label.c.id == sa.bindparam("row")).values(values), rows)

    def replace(self, ids: NDArray[np.int64], rows: Sequence[Mapping[str, Any]], *, everything: bool) -> None:
        """What these images have now; with `everything` they are all there are from the first id to the last."""
        with self._writing() as connection:
            if everything and len(ids):
                between = image_tag.c.image_id.between(int(ids[0]), int(ids[-1]))
                connection.execute(sa.delete(image_tag).where(between))
            for chunk in () if everything else statements.chunks(ids.tolist(), statements.IN_LIST):
                connection.execute(sa.delete(image_tag).where(image_tag.c.image_id.in_(chunk)))
            if rows:
                connection.execute(sa.insert(image_tag), rows)

    def finish(self, model_id: int, images: int) -> None:
        """The tags are those of all embeddings of that model as they are now."""
        with self._writing() as connection:
            _drop_unwanted(connection)
            tell(connection)
            connection.execute(sa.delete(tagging))
            revision = statements.current_revision(connection, model_id)
            row = {"id": ONLY_ROW, "model_id": model_id, "revision": revision, "images": images}
            connection.execute(sa.insert(tagging).values(row))


def _no_list(name: str) -> InvalidRequest:
    return InvalidRequest(f"there is no list {name!r}; `sightline tags list` names those there are")


def _stored(row: Any) -> StoredLabel:
    vector = None if row.vector is None else np.frombuffer(row.vector, "<f4")
    line = None if row.gain is None else (row.gain, row.tilt, row.bias)
    return StoredLabel(row.id, row.list, row.shown, Label(row.name, tuple(row.texts), row.threshold), vector, line)


def tell(connection: sa.Connection) -> None:
    """Readers keep what passes a filter until the revision changes."""
    statements.next_revision(connection, connection.scalars(sa.select(collection.c.serving)).one())


def _drop_unwanted(connection: sa.Connection) -> None:
    """What people said that images do not show."""
    pairs = (
        sa.select(image.c.id, label.c.id)
        .select_from(own_tag)
        .join(image, image.c.content_hash == own_tag.c.content_hash)
        .join(label, label.c.name == own_tag.c.name)
        .where(~own_tag.c.wanted)
    )
    rows = [{"i": row[0], "l": row[1]} for row in connection.execute(pairs)]
    if rows:
        one = sa.and_(image_tag.c.image_id == sa.bindparam("i"), image_tag.c.label_id == sa.bindparam("l"))
        connection.execute(sa.delete(image_tag).where(one), rows)
