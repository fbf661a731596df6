"""Several models a collection: filled beside the one that serves, promoted whole, dropped at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.errors import (
    CollectionDamaged,
    CollectionLocked,
    ModelInUse,
    ModelNotFound,
    ModelReplaced,
    NoPreviousModel,
    NotReady,
)
from indexer.images import of_thumbnails
from tests.indexer.samples import MANIFEST, an_image, unit_rows

WIDER = dataclasses.replace(MANIFEST, model="wider", weights_hash="1" * 64, dimension=12)


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """Of five images."""
    with Collection.open_or_create(tmp_path / "library", MANIFEST) as collection:
        collection.catalog.put([an_image(f"/{name}") for name in "abcde"], unit_rows(5))
        yield collection


@pytest.fixture
def catalog(collection: Collection) -> Catalog:
    return collection.catalog


@pytest.fixture
def wider(catalog: Catalog) -> Catalog:
    """The same images by another model, which has seen none yet."""
    return catalog.of_model(catalog.models.add(WIDER))


def fill(catalog: Catalog, seed: int = 1) -> int:
    missing = catalog.missing(1000)
    return catalog.fill(missing, unit_rows(len(missing), catalog.manifest.dimension, seed=seed)) if missing else 0


def everything(catalog: Catalog, since: int = 0) -> tuple[list[int], list[int]]:
    """Ids that were put and ids that were removed."""
    changes = list(catalog.changes_since(since))
    return [int(i) for c in changes for i in c.put_ids], [int(i) for c in changes for i in c.removed_ids]


def test_a_new_collection_has_the_model_it_was_made_with(catalog: Catalog) -> None:
    [stored] = catalog.models.all()
    assert (stored.id, stored.manifest, stored.embeddings) == (catalog.model_id, MANIFEST, 5)
    assert (stored.serving, stored.previous) == (True, False)
    assert catalog.models.serving() == catalog.model_id


def test_another_model_begins_with_nothing_and_disturbs_nobody(catalog: Catalog, wider: Catalog) -> None:
    before = catalog.revision()
    assert (wider.manifest, wider.count(), everything(wider)) == (WIDER, 0, ([], []))
    assert [state.path for state in wider.missing(1000)] == ["/a", "/b", "/c", "/d", "/e"]
    assert fill(wider) == 5
    assert (wider.count(), wider.missing(1000)) == (5, [])
    assert wider.vector(3).shape == (12,)
    assert (catalog.revision(), catalog.count()) == (before, 5)
    assert (catalog.vector(3) == unit_rows(5)[2]).all()


def test_missing_images_by_parts(wider: Catalog) -> None:
    assert [state.id for state in wider.missing(2)] == [1, 2]
    assert [state.id for state in wider.missing(2, after_id=2)] == [3, 4]
    assert [state.id for state in wider.missing(9, after_id=1, up_to_id=3)] == [2, 3]


def test_a_model_that_is_there_is_not_added_again(catalog: Catalog, wider: Catalog) -> None:
    assert catalog.models.add(WIDER) == wider.model_id
    assert catalog.models.add(dataclasses.replace(WIDER, precision="bfloat16")) == wider.model_id
    assert catalog.models.add(MANIFEST) == catalog.model_id
    assert len(catalog.models.all()) == 2


def test_that_thumbnails_were_added_to_a_model_is_remembered(catalog: Catalog, wider: Catalog) -> None:
    noted = dataclasses.replace(WIDER, decode_policy=of_thumbnails(WIDER.decode_policy))
    for manifest in (noted, WIDER):  # files that come later do not make the thumbnails undone
        assert catalog.models.add(manifest) == wider.model_id
        assert [stored.manifest.has_thumbnails for stored in catalog.models.all()] == [False, True]
    assert catalog.of_model(wider.model_id).manifest == noted


def test_a_model_is_found_by_name_or_number(catalog: Catalog, wider: Catalog) -> None:
    assert catalog.models.find("wider").id == wider.model_id
    assert catalog.models.find(str(catalog.model_id)).manifest == MANIFEST
    with pytest.raises(ModelNotFound, match=r"no embeddings of model narrower; `sightline reindex"):
        catalog.models.find("narrower")
    with pytest.raises(ModelNotFound):
        catalog.of_model(99)


def test_what_changed_or_went_meanwhile_is_not_filled(catalog: Catalog, wider: Catalog) -> None:
    listed = wider.missing(1000)
    catalog.put([an_image("/b", content_hash="f" * 64)], unit_rows(1, seed=5))
    catalog.remove([4])
    assert wider.fill(listed, unit_rows(5, 12)) == 3
    assert [state.id for state in wider.missing(1000)] == [2]
    assert everything(wider)[0] == [1, 3, 5]


def test_another_content_outdates_every_model(catalog: Catalog, wider: Catalog) -> None:
    fill(wider)
    seen = wider.revision()
    catalog.put([an_image("/b", content_hash="f" * 64)], unit_rows(1, seed=5))
    assert everything(wider, seen) == ([], [2])
    assert [state.id for state in wider.missing(1000)] == [2]
    gone = wider.revision()
    fill(wider, seed=7)
    assert everything(wider, seen) == everything(wider, gone) == ([2], [])


def test_a_removed_image_goes_from_every_model(catalog: Catalog, wider: Catalog) -> None:
    fill(wider)
    revisions = catalog.revision(), wider.revision()
    catalog.remove([1, 5])
    assert everything(catalog, revisions[0]) == everything(wider, revisions[1]) == ([], [1, 5])
    assert (catalog.count(), wider.count()) == (3, 3)


def test_a_model_is_promoted_when_nothing_is_missing(collection: Collection, wider: Catalog) -> None:
    with pytest.raises(NotReady, match=r"5 images have no embedding of wider yet; `sightline reindex --model wider`"):
        collection.promote(wider.model_id)
    fill(wider)
    collection.promote(wider.model_id)
    with Collection.open(collection.library) as opened:
        assert opened.manifest == WIDER
        assert [(m.manifest.model, m.serving, m.previous) for m in opened.catalog.models.all()] == [
            (MANIFEST.model, False, True),
            ("wider", True, False),
        ]
        query = wider.vector(2).astype(np.float32)[None]
        assert opened.search(query, 1)[0].ids.tolist() == [2]
    # Who had it open goes on with all of the old model.
    query = collection.catalog.vector(2).astype(np.float32)[None]
    assert collection.search(query, 1)[0].ids.tolist() == [2]


def test_promoting_the_one_that_serves_changes_nothing(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    for _ in range(2):
        collection.promote(wider.model_id)
    assert [m.previous for m in collection.catalog.models.all()] == [True, False]


def test_going_back_is_promoting_the_previous_one(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    with pytest.raises(NoPreviousModel):
        collection.catalog.models.previous()
    collection.promote(wider.model_id)
    collection.promote(collection.catalog.models.previous().id)
    assert [(m.serving, m.previous) for m in collection.catalog.models.all()] == [(True, False), (False, True)]


def test_nobody_promotes_while_somebody_writes(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    with collection.writing(), Collection.open(collection.library) as other, pytest.raises(CollectionLocked):
        other.promote(wider.model_id)


def test_nobody_writes_for_a_model_that_serves_no_more(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    collection.promote(wider.model_id)
    with pytest.raises(ModelReplaced, match="another model was promoted; run the command again"), collection.writing():
        pass
    with collection.of_model(wider.model_id).writing():
        pass


def test_a_dropped_model_leaves_nothing(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    with pytest.raises(ModelInUse, match="promote another one before"):
        collection.drop(collection.catalog.model_id)
    other = collection.of_model(wider.model_id)
    other.fold(always=True)
    assert (collection.library / "vectors-2").is_dir()
    collection.drop(wider.model_id)
    assert not (collection.library / "vectors-2").exists()
    assert [m.id for m in collection.catalog.models.all()] == [1]
    with pytest.raises(ModelNotFound):
        collection.drop(wider.model_id)
    assert collection.catalog.models.add(WIDER) == 3  # a number of its own, as caches go by it
    with pytest.raises(CollectionDamaged):
        wider.count()


def test_dropping_the_previous_model_leaves_nothing_to_go_back_to(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    collection.promote(wider.model_id)
    collection.drop(collection.catalog.model_id)
    assert [(m.serving, m.previous) for m in wider.models.all()] == [(True, False)]


def test_each_model_has_a_cache_of_its_own(collection: Collection, wider: Catalog) -> None:
    fill(wider)
    other = collection.of_model(wider.model_id)
    assert collection.fold(always=True)
    assert other.fold(always=True)
    assert (other.stats().dimension, other.stats().index.base) == (12, 5)
    with Collection.open(collection.library) as opened:
        assert opened.stats().index.base == 5
        assert opened.search(unit_rows(5)[2].astype(np.float32)[None], 1)[0].ids.tolist() == [3]
