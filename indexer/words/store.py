"""Which images have which words: what a search asks of the catalog's full-text index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from indexer.schema import image
from indexer.tags.tables import concept, image_tag, label, own_tag
from indexer.transactions import Transactions
from indexer.vectors import Ids
from indexer.words import table
from indexer.words.fields import FIELDS, Field


class Words(Transactions):
    """Of one catalog. What images are known by is written by the catalog itself, together with the images."""

    def images_with(self, words: Sequence[str], fields: Sequence[Field] = FIELDS, most: int = -1) -> list[Ids]:
        """Of each word, ids of those that have it in one of these fields, ascending; the first `most` of them."""
        with self._reading() as connection:
            driver: Any = connection.connection.driver_connection  # SQLAlchemy would take as long for each as SQLite
            asked = [(table.word_expression(word, fields), most) for word in words]
            return [np.fromiter((row[0] for row in driver.execute(table.IDS_WITH, one)), np.int64) for one in asked]

    def tagged_by_people(self, names: Sequence[str]) -> dict[str, Ids]:
        """Ids of the images that have those tags, ascending, by tag: such as were given by hand, and concepts.

        What other lists give is left out: it is read out of the vectors, and vectors are searched anyway.
        """
        by_hand = sa.select(own_tag.c.name, image.c.id).join(image, image.c.content_hash == own_tag.c.content_hash)
        taught = sa.select(label.c.name, image_tag.c.image_id).join(image_tag, image_tag.c.label_id == label.c.id)
        concepts = sa.select(concept.c.name).where(concept.c.name.in_(names))
        query = sa.union(
            by_hand.where(own_tag.c.name.in_(names), own_tag.c.wanted), taught.where(label.c.name.in_(concepts))
        )
        found: dict[str, list[int]] = {}
        with self._reading() as connection:
            for name, id_ in connection.execute(query):
                found.setdefault(name, []).append(id_)
        return {name: np.unique(np.array(ids, np.int64)) for name, ids in found.items()}

    def gaps(self) -> tuple[list[int], list[int]]:
        """Ids of images without words, and of words without an image: none unless another program wrote."""
        with self._reading() as connection:
            return list(connection.scalars(table.missing())), list(connection.scalars(table.orphaned()))

    def mend(self) -> int:
        """Close the gaps; returns how many there were."""
        missing, orphaned = self.gaps()
        with self._writing() as connection:
            table.forget(connection, orphaned)
            table.refresh(connection, missing)
        return len(missing) + len(orphaned)
