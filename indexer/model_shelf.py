"""The models that a collection has embeddings of, and which of them answers the searches.

Several can be filled beside the one that serves. To promote one is to change a number in a row, and only if every
image has an embedding of it: a reader finds all of the old model or all of the new one.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from indexer import database, statements
from indexer.errors import CollectionDamaged, ModelInUse, ModelNotFound, NoPreviousModel, NotReady
from indexer.images import of_thumbnails
from indexer.manifest import Manifest
from indexer.records import StoredModel
from indexer.schema import collection, image, model, tables_of
from indexer.transactions import Transactions


class ModelShelf(Transactions):
    """Of one catalog. Every writing method is one transaction."""

    def all(self) -> list[StoredModel]:
        """In the order they came."""
        with database.translated(self._library), self._engine.connect() as connection:
            row = connection.execute(sa.select(collection)).one()
            return [
                StoredModel(
                    id=found.id,
                    manifest=parse_manifest(found.manifest, self._library),
                    embeddings=_count(connection, tables_of(found.id).embedding),
                    serving=found.id == row.serving,
                    previous=found.id == row.previous,
                    created_at=found.created_at,
                )
                for found in connection.execute(sa.select(model).order_by(model.c.id))
            ]

    def serving(self) -> int:
        """The number of the model that answers the searches now."""
        with database.translated(self._library), self._engine.connect() as connection:
            return int(connection.scalars(sa.select(collection.c.serving)).one())

    def find(self, name: str) -> StoredModel:
        """By its number, its name, or its folder; of several of one name the newest. Raises ModelNotFound."""
        folder = f"local-dir:{os.path.abspath(name)}"  # noqa: PTH100  (as the name was made)
        for stored in reversed(self.all()):
            if name == str(stored.id) or stored.manifest.model in (name, folder):
                return stored
        raise ModelNotFound(str(self._library), name)

    def previous(self) -> StoredModel:
        """The one that answered the searches before the one that does. Raises NoPreviousModel."""
        for stored in self.all():
            if stored.previous:
                return stored
        raise NoPreviousModel(str(self._library))

    def add(self, manifest: Manifest) -> int:
        """The number of the model with that manifest: one that is there, or a new one without embeddings.

        One that is there remembers from now on if embeddings of thumbnails are added to it.
        """
        with self._writing() as connection:
            for row in connection.execute(sa.select(model).order_by(model.c.id)).all():
                stored = parse_manifest(row.manifest, self._library)
                if stored.difference(manifest) is None:
                    if manifest.has_thumbnails and not stored.has_thumbnails:
                        noted = replace(stored, decode_policy=of_thumbnails(stored.decode_policy))
                        connection.execute(
                            sa.update(model).where(model.c.id == row.id).values(manifest=noted.to_json())
                        )
                    return int(row.id)
            return statements.write_model(connection, manifest)

    def promote(self, model_id: int) -> None:
        """From now on it answers the searches, and the one that did is the previous one.

        Raises ModelNotFound, and NotReady if an image lacks an embedding of it. Nothing happens if it does already.
        """
        with self._writing() as connection:
            manifest = self._manifest(connection, model_id)
            serving = connection.scalars(sa.select(collection.c.serving)).one()
            if serving == model_id:
                return
            missing = _count(connection, image) - _count(connection, tables_of(model_id).embedding)
            if missing:
                raise NotReady(manifest.model, missing)
            connection.execute(sa.update(collection).values(serving=model_id, previous=serving))

    def drop(self, model_id: int) -> None:
        """Forget its embeddings. Raises ModelNotFound, and ModelInUse for the one that serves."""
        with self._writing() as connection:
            manifest = self._manifest(connection, model_id)
            if model_id == connection.scalars(sa.select(collection.c.serving)).one():
                raise ModelInUse(manifest.model)
            connection.execute(sa.update(collection).where(collection.c.previous == model_id).values(previous=None))
            statements.drop_model(connection, model_id)

    def _manifest(self, connection: sa.Connection, model_id: int) -> Manifest:
        body = connection.scalar(sa.select(model.c.manifest).where(model.c.id == model_id))
        if body is None:
            raise ModelNotFound(str(self._library), str(model_id))
        return parse_manifest(body, self._library)


def parse_manifest(body: str | None, library: Path) -> Manifest:
    """Raises CollectionDamaged."""
    if body is None:
        raise CollectionDamaged(str(library), "it has no manifest")
    try:
        return Manifest.from_json(body)
    except (ValueError, KeyError, TypeError) as error:
        raise CollectionDamaged(str(library), f"its manifest: {error}") from error


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
