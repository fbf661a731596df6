"""The streaming rank counter against tables worked out by hand and against the plain counting kernel."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.recall import count_group_ranks, count_ranks
from search import ranks
from search.ranks import nearest, pair_scores, rank_both, rank_right


def unit(rng: np.random.Generator, rows: int, dimension: int) -> NDArray[np.float32]:
    vectors = rng.standard_normal((rows, dimension), dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a small set has many blocks, and uneven last ones."""
    monkeypatch.setattr(ranks, "QUERY_BLOCK", 7)
    monkeypatch.setattr(ranks, "ITEM_BLOCK", 13)
    monkeypatch.setattr(ranks, "_PAIRS", 5)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dimension", [1, 3, 64, 512])
def test_agrees_with_the_plain_kernel_on_exact_scores(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    images, captions = unit(rng, 40, dimension), unit(rng, 130, dimension)
    owner = np.concatenate([np.arange(40), rng.integers(0, 40, 90)])
    scores = np.stack([pair_scores(captions, images, np.full(40, c), np.arange(40)) for c in range(130)])
    by_text, by_image = rank_both(images, captions, owner)
    expected = count_ranks(scores, owner)
    assert by_text.wrong.best.tolist() == expected.best.tolist()
    assert by_text.wrong.worst.tolist() == expected.worst.tolist()
    expected = count_group_ranks(scores.T, owner)
    assert by_image.first().wrong.best.tolist() == expected.best.tolist()
    assert by_image.first().wrong.worst.tolist() == expected.worst.tolist()


def test_does_not_depend_on_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    images, captions = unit(rng, 90, 48), unit(rng, 300, 48)
    images[50:70] = images[3]  # twenty copies: in any block, at any place, they must tie
    captions[100:140] = captions[1]
    owner = np.arange(300) % 90
    found = []
    for rows, columns in ((1024, 2048), (64, 32), (1, 300), (300, 1), (17, 5)):
        monkeypatch.setattr(ranks, "QUERY_BLOCK", rows)
        monkeypatch.setattr(ranks, "ITEM_BLOCK", columns)
        both = rank_both(images, captions, owner)
        parts = [(r.query, r.item, r.score, r.wrong.best, r.wrong.worst, r.in_order) for r in both]
        found.append([part.tolist() for direction in parts for part in direction])
    assert all(other == found[0] for other in found[1:])


def test_copies_of_the_right_image_tie_and_nothing_else_does() -> None:
    rng = np.random.default_rng(2)
    images = unit(rng, 50, 512)
    images[[10, 20, 30]] = images[0]
    captions = images + np.float32(0.05) * unit(rng, 50, 512)
    by_text, _ = rank_both(images, captions, np.arange(50))
    ties = by_text.wrong.worst - by_text.wrong.best
    assert set(np.flatnonzero(ties)) == {0, 10, 20, 30}
    assert ties[[0, 10, 20, 30]].tolist() == [3, 3, 3, 3]


def test_scores_closer_than_float32_can_tell_are_told_apart() -> None:
    # 1 + 2^-30 and 1 are the same in float32: only the exact score knows which is above.
    query = np.array([[1.0, 2.0**-15]], dtype=np.float32)
    gallery = np.array([[1.0, 0.0], [1.0, 2.0**-15]], dtype=np.float32)
    assert rank_right(query, gallery, np.array([0]), np.array([0])).wrong.best.tolist() == [1]
    assert rank_right(query, gallery, np.array([0]), np.array([1])).wrong.worst.tolist() == [0]


@pytest.mark.parametrize("dimension", [1, 2, 7, 8, 9, 127, 129, 512, 1153])
def test_equal_rows_score_equal_wherever_they_stand(dimension: int) -> None:
    rng = np.random.default_rng(3)
    left, right = rng.standard_normal((2, dimension)).astype(np.float32)
    many = rng.standard_normal((1300, dimension)).astype(np.float32)
    places = np.array([0, 1, 511, 512, 700, 1299])
    many[places] = right
    together = pair_scores(left[None], many, np.zeros(1300, np.int64), np.arange(1300))[places]
    alone = pair_scores(right[None], left[None], np.array([0]), np.array([0]))
    assert set(together.tolist()) == set(alone.tolist())


def test_a_model_that_gives_everything_one_vector() -> None:
    images, captions = np.ones((300, 64), np.float32), np.ones((1500, 64), np.float32)
    by_text, by_image = rank_both(images, captions, np.arange(1500) % 300)
    assert set(by_text.wrong.best) == {0}
    assert set(by_text.wrong.worst) == {299}
    assert set(by_image.wrong.best) == {0}
    assert set(by_image.wrong.worst) == {1495}


def test_own_right_answers_are_not_counted_against_each_other() -> None:
    gallery = np.array([[4.0], [3.0], [3.0], [2.0], [3.0]], dtype=np.float32)
    right = rank_right(np.ones((1, 1), np.float32), gallery, np.array([0, 0, 0]), np.array([3, 1, 2]))
    assert right.item.tolist() == [1, 2, 3]
    assert right.place.tolist() == [0, 1, 2]
    assert right.wrong.best.tolist() == [1, 1, 2]
    assert right.wrong.worst.tolist() == [2, 2, 2]


@pytest.mark.usefixtures("small_blocks")
def test_in_order_is_what_a_stable_sort_gives() -> None:
    rng = np.random.default_rng(6)
    images, captions = (rng.integers(-1, 2, (rows, 3)).astype(np.float32) for rows in (30, 100))
    owner = np.sort(np.concatenate([np.arange(30), rng.integers(0, 30, 70)]))
    by_text, by_image = rank_both(images, captions, owner)
    order = np.argsort(-(captions @ images.T), axis=1, kind="stable")
    assert by_text.in_order.tolist() == (order == owner[:, None]).argmax(axis=1).tolist()
    owners = owner[np.argsort(-(images @ captions.T), axis=1, kind="stable")]
    positions = [np.flatnonzero(row == image) for image, row in enumerate(owners)]
    assert (by_image.in_order + by_image.place).tolist() == np.concatenate(positions).tolist()


def test_junk_is_neither_right_nor_wrong() -> None:
    gallery = np.array([[5.0], [4.0], [3.0], [2.0], [2.0], [1.0]], dtype=np.float32)
    junk = (np.array([0, 0]), np.array([0, 4]))
    right = rank_right(np.ones((1, 1), np.float32), gallery, np.array([0, 0]), np.array([1, 3]), junk=junk)
    assert right.item.tolist() == [1, 3]
    assert right.wrong.best.tolist() == [0, 1]
    assert right.wrong.worst.tolist() == [0, 1]


def test_queries_without_a_right_answer_have_no_entry() -> None:
    images = np.eye(3, dtype=np.float32)
    by_text, by_image = rank_both(images, images[[2]], np.array([2]))
    assert by_text.query.tolist() == [0]
    assert by_image.query.tolist() == [2]


def test_no_queries_and_no_items() -> None:
    none = np.zeros((0, 4), np.float32)
    assert len(rank_both(none, none, np.zeros(0, np.int64))[0]) == 0
    by_text, by_image = rank_both(np.ones((2, 4), np.float32), none, np.zeros(0, np.int64))
    assert len(by_text) == len(by_image) == len(by_image.first()) == 0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_float_and_a_file(dtype: type[np.floating], tmp_path) -> None:
    rng = np.random.default_rng(4)
    stored = np.lib.format.open_memmap(tmp_path / "v.npy", mode="w+", dtype=dtype, shape=(30, 16))
    stored[:] = unit(rng, 30, 16)
    by_text, _ = rank_both(stored, stored, np.arange(30))
    assert by_text.wrong.worst.tolist() == [0] * 30


@pytest.mark.usefixtures("small_blocks")
def test_nearest_is_the_exact_order_with_ties_as_they_lie() -> None:
    rng = np.random.default_rng(5)
    gallery, queries = unit(rng, 60, 24), unit(rng, 9, 24)
    gallery[[12, 40]] = gallery[33]
    exact = np.stack([pair_scores(queries, gallery, np.full(60, q), np.arange(60)) for q in range(9)])
    order = np.argsort(-exact, axis=1, kind="stable")
    rows, scores = nearest(queries, gallery, 60)
    assert rows.tolist() == order.tolist()
    assert scores.tolist() == np.take_along_axis(exact, order, axis=1).tolist()
    assert nearest(queries, gallery, 5)[0].tolist() == order[:, :5].tolist()
    assert nearest(queries, gallery[:0], 5)[0].shape == (9, 0)


@pytest.mark.parametrize(
    ("images", "captions", "owner", "match"),
    [
        (np.zeros((2, 3)), np.zeros((2, 4)), [0, 1], "shape"),
        (np.zeros((2, 0)), np.zeros((2, 0)), [0, 1], "shape"),
        (np.zeros(3), np.zeros((2, 3)), [0, 1], "shape"),
        (np.zeros((2, 3)), np.zeros((2, 3)), [0], "one item for each"),
        (np.zeros((2, 3)), np.zeros((2, 3)), [0, 2], "out of range"),
        (np.zeros((2, 3)), np.zeros((2, 3)), [-1, 0], "out of range"),
        (np.array([[1.0], [np.nan]]), np.ones((1, 1)), [0], "row 1 .* not finite"),
        (np.array([[np.inf]]), np.ones((1, 1)), [0], "not finite"),
        (np.array([[1e30]]), np.ones((1, 1)), [0], "too long"),
    ],
)
def test_what_cannot_be_ranked_is_refused(
    images: NDArray[np.floating], captions: NDArray[np.floating], owner: list[int], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        rank_both(images, captions, np.array(owner))


def test_a_pair_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        rank_right(
            np.ones((1, 1)),
            np.ones((2, 1)),
            np.array([0]),
            np.array([1]),
            junk=(np.array([0]), np.array([1])),
        )
