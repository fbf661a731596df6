"""Generated vectors: repeatable, and of the spread that is promised."""

from __future__ import annotations

import numpy as np

from benchmarks.vector_search import generator
from benchmarks.vector_search.generator import Spread, World

WORLD = World(4_000, 64)


def test_rows_are_unit_float32() -> None:
    for rows in (WORLD.pictures(500), WORLD.texts(500)):
        assert rows.dtype == np.float32
        assert rows.shape == (500, 64)
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)


def test_a_stream_repeats_and_others_differ() -> None:
    again = World(4_000, 64)
    np.testing.assert_array_equal(WORLD.pictures(50, stream=3), again.pictures(50, stream=3))
    assert not np.array_equal(WORLD.pictures(50, stream=3), WORLD.pictures(50, stream=4))
    assert not np.array_equal(WORLD.pictures(50), World(4_000, 64, seed=1).pictures(50))


def test_chunks_join_to_the_whole() -> None:
    parts = list(WORLD.chunks_of_pictures(generator.CHUNK + 10))
    assert [start for start, _ in parts] == [0, generator.CHUNK]
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in parts])[-10:], parts[1][1])
    np.testing.assert_array_equal(WORLD.pictures(generator.CHUNK + 10)[generator.CHUNK :], parts[1][1])


def test_a_few_topics_have_many_pictures() -> None:
    assert WORLD.topics == 50
    assert World(100, 64).topics == 20
    np.testing.assert_allclose(WORLD.shares.sum(), 1)
    assert WORLD.shares[0] / WORLD.shares[-1] > 5
    ratio = WORLD.shares[0] / WORLD.shares[10]
    np.testing.assert_allclose(ratio, (20 / 10) ** Spread().steepness)


def test_few_directions_carry_most_of_the_spread() -> None:
    flat = World(4_000, 64, spread=Spread(decay=0.0))
    assert participation(WORLD.pictures(4_000)) < 0.6 * participation(flat.pictures(4_000))


def test_no_direction_is_an_axis() -> None:
    """Else codes that quantise every axis by itself would have it easier than with a model's embeddings."""
    deviations = WORLD.pictures(4_000).std(axis=0)
    assert deviations.max() < 3 * deviations.min()


def test_pictures_have_neighbours_and_texts_lie_apart() -> None:
    pictures, queries, texts = WORLD.pictures(4_000), WORLD.pictures(100, stream=1), WORLD.texts(100, stream=2)
    near = (queries @ pictures.T).max(axis=1)
    far = (texts @ pictures.T).max(axis=1)
    among_all = np.median(queries @ pictures.T)
    assert np.median(near) > among_all + 0.3
    assert np.median(far) < np.median(near) - 0.1
    assert np.median(texts @ texts.T) > np.median(texts @ pictures.T) + 0.1  # a cone of their own


def test_a_text_is_about_its_picture() -> None:
    """With nothing of its own and all of its picture, only the cones part them."""
    world = World(4_000, 64, spread=Spread(shared=1.0, blur=0.0, cone=0.0))
    pictures, texts = world.pictures(20, stream=5), world.texts(20, stream=5)
    assert (np.argmax(texts @ world.texts(20, stream=5).T, axis=1) == np.arange(20)).all()
    assert (texts @ pictures.T).shape == (20, 20)


def participation(rows: np.ndarray) -> float:
    values = np.linalg.eigvalsh(np.cov(rows.T))
    return float(values.sum() ** 2 / (values**2).sum())
