from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.projection import making
from indexer.projection.making import current_map, make_map
from indexer.projection.picture_map import SIDE, read
from tests.indexer.samples import an_image
from tests.palette import COLOURS, PaletteEncoder

ENCODER = PaletteEncoder()


def _add(collection: Collection, count: int, name: str = "picture", seed: int = 0) -> list[int]:
    """Pictures of four colours in turn, each a little different."""
    colours = ENCODER.encode_texts(list(COLOURS)[:4])
    noise = np.random.default_rng(seed).standard_normal((count, colours.shape[1])) * 0.02
    vectors = np.resize(colours, (count, colours.shape[1])) + noise
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    images = [an_image(f"/{name}-{number}.jpg") for number in range(count)]
    return collection.catalog.put(images, vectors.astype(np.float16))


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    made = Collection.open_or_create(tmp_path / "library", ENCODER.manifest)
    _add(made, 80)
    return made


def _make(collection: Collection) -> None:
    make_map(collection, ENCODER, lambda done, total: None, threads=1)


def test_every_picture_has_a_place_and_regions_have_names(collection: Collection) -> None:
    assert current_map(collection) is None
    report = make_map(collection, ENCODER, lambda done, total: None, threads=1)
    found = current_map(collection)
    assert found is not None
    assert (report.images, report.shown, report.regions) == (80, 80, len(found.regions))
    assert found.ids.tolist() == collection.catalog.ids().tolist()
    assert found.places.min() >= 0
    assert max(found.places.max(axis=0) - found.places.min(axis=0).astype(int)) == SIDE
    assert found.regions
    assert (found.images, found.newer, found.stale) == (80, 0, False)


def test_new_pictures_lie_beside_their_neighbours_and_gone_ones_are_gone(collection: Collection) -> None:
    _make(collection)
    before = current_map(collection)
    assert before is not None
    gone = collection.catalog.ids()[:2].tolist()
    collection.catalog.remove(gone)
    [newer] = _add(collection, 1, "newer", seed=1)
    found = current_map(collection)
    assert found is not None
    assert (found.newer, found.stale, len(found.ids)) == (1, False, 79)
    assert not set(gone) & set(found.ids.tolist())
    place = found.places[found.ids.tolist().index(newer)].astype(int)
    of_its_colour = before.places[::4].astype(int)  # the first colour, as the new one
    others = before.places[1::4].astype(int)
    assert np.abs(of_its_colour - place).sum(axis=1).min() < np.abs(others - place).sum(axis=1).min()
    _add(collection, 12, "many")
    assert (again := current_map(collection)) is not None
    assert again.stale


def test_of_many_pictures_some_are_drawn(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MOST", 30)
    _make(collection)
    _add(collection, 1, "newer")
    found = current_map(collection)
    assert found is not None
    assert (found.images, len(found.ids), found.newer) == (81, 30, 0)


def test_a_damaged_map_is_none(collection: Collection) -> None:
    _make(collection)
    collection.map_file.write_bytes(collection.map_file.read_bytes()[:100])
    assert read(collection.map_file) is None
