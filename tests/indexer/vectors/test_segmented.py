from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.vectors import Matches, scoring, segmented
from indexer.vectors.segmented import SegmentedIndex, among, positions
from tests.indexer.samples import brute_force, unit_rows
from tests.indexer.vectors.readers import wrong_while_growing

NO_IDS = np.empty(0, np.int64)


def an_index(number: int, dimension: int = 8, *, seed: int = 0) -> tuple[SegmentedIndex, NDArray[np.float16]]:
    """Ids 1 to `number`."""
    vectors = unit_rows(number, dimension, seed=seed)
    return SegmentedIndex.build(np.arange(1, number + 1), vectors), vectors


def queries(number: int, dimension: int = 8) -> NDArray[np.float32]:
    rows = unit_rows(number, dimension, seed=99).astype(np.float32)
    unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def pairs(matches: Matches) -> tuple[list[int], list[float]]:
    return matches.ids.tolist(), matches.scores.tolist()


def test_finds_what_brute_force_finds() -> None:
    index, vectors = an_index(2000, 32)
    for query, matches in zip(queries(20, 32), index.search(queries(20, 32), 10), strict=True):
        assert pairs(matches) == brute_force(np.arange(1, 2001), vectors, query, 10)


def test_every_vector_finds_itself() -> None:
    index, vectors = an_index(500, 32)
    found = index.search(vectors.astype(np.float32), 1)
    assert [matches.ids[0] for matches in found] == list(range(1, 501))
    assert all(0.999 < matches.scores[0] <= 1 for matches in found)


def test_results_have_the_types_they_promise() -> None:
    index, _ = an_index(50)
    for allowed in (None, np.arange(1, 10)):
        [matches] = index.search(queries(1), 5, allowed)
        assert matches.ids.dtype == np.int64
        assert matches.scores.dtype == np.float32


def test_an_empty_index_finds_nothing() -> None:
    index = SegmentedIndex.build(NO_IDS, np.empty((0, 8), np.float16))
    assert len(index) == 0
    for matches in index.search(queries(3), 10) + index.search(queries(3), 10, np.array([1, 2])):
        assert len(matches.ids) == len(matches.scores) == 0
    grown = index.changed(np.array([7]), unit_rows(1), NO_IDS)
    assert grown.search(queries(1), 10)[0].ids.tolist() == [7]


def test_no_queries_have_no_results() -> None:
    assert an_index(10)[0].search(np.empty((0, 8), np.float32), 5) == []


@pytest.mark.parametrize("k", [0, -1])
def test_k_below_one_finds_nothing(k: int) -> None:
    assert len(an_index(10)[0].search(queries(1), k)[0].ids) == 0


def test_k_above_the_size_finds_everything_once() -> None:
    index, _ = an_index(10)
    index = index.changed(np.array([20]), unit_rows(1, seed=5), np.array([3]))
    assert sorted(index.search(queries(1), 1_000_000)[0].ids) == [1, 2, 4, 5, 6, 7, 8, 9, 10, 20]


@pytest.mark.parametrize("shape", [(8,), (2, 7), (1, 1, 8)])
def test_queries_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not \\(n, 8\\)"):
        an_index(10)[0].search(np.zeros(shape, np.float32), 5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_queries_that_are_not_finite_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        an_index(10)[0].search(np.full((1, 8), value, np.float32), 5)


@pytest.mark.parametrize("batch", [1, 4])
def test_equal_scores_come_by_ascending_id_wherever_they_are(batch: int) -> None:
    copies = np.repeat(unit_rows(1), 100, axis=0)
    ids = np.random.default_rng(0).permutation(np.arange(1, 101))
    index = SegmentedIndex.build(ids, copies).changed(np.array([0, 500]), copies[:2], np.array([1, 4]))
    for matches in index.search(queries(batch), 5):
        assert matches.ids.tolist() == [0, 2, 3, 5, 6]
    for matches in index.search(queries(batch), 5, np.arange(3, 600)):
        assert matches.ids.tolist() == [3, 5, 6, 7, 8]


@pytest.mark.parametrize("batch", [1, 8])
def test_scores_that_differ_by_rounding_alone_are_ordered_by_the_final_score(batch: int) -> None:
    # The same numbers in another order have the same sum but for rounding, which every way of summing does differently.
    rng = np.random.default_rng(0)
    vectors = np.stack([rng.permutation(unit_rows(1, 200)[0]) for _ in range(2000)])
    query = np.full((batch, 200), 200**-0.5, np.float32)
    ids = np.arange(1, 2001)
    for index in (
        SegmentedIndex.build(ids, vectors),
        SegmentedIndex.build(ids[:0], vectors[:0]).changed(ids, vectors, NO_IDS),
    ):
        for matches in index.search(query, 10):
            assert pairs(matches) == brute_force(ids, vectors, query[0], 10)


def test_a_result_of_ten_begins_a_result_of_a_hundred() -> None:
    index, _vectors = an_index(3000, 32)
    index = index.changed(np.arange(2900, 3300), unit_rows(400, 32, seed=7), np.arange(1, 200))
    shorter, longer = index.search(queries(8, 32), 10), index.search(queries(8, 32), 100)
    for short, long in zip(shorter, longer, strict=True):
        assert pairs(short) == (long.ids[:10].tolist(), long.scores[:10].tolist())


def test_scores_do_not_depend_on_the_batch() -> None:
    index, _ = an_index(3000, 32)
    together = index.search(queries(40, 32), 10)
    alone = [index.search(query[None], 10)[0] for query in queries(40, 32)]
    assert [pairs(matches) for matches in together] == [pairs(matches) for matches in alone]


def test_a_change_leaves_the_index_it_came_from() -> None:
    index, _ = an_index(10)
    before = pairs(index.search(queries(1), 20)[0])
    changed = index.changed(np.array([3, 11]), unit_rows(2, seed=3), np.array([1, 999]))
    assert (len(index), len(changed)) == (10, 10)
    assert pairs(index.search(queries(1), 20)[0]) == before
    assert sorted(changed.search(queries(1), 20)[0].ids) == [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]


def test_a_change_shares_the_base_and_says_when_it_is_outgrown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmented, "TAIL_LIMIT", 5)
    index, _ = an_index(40)
    small = index.changed(np.arange(100, 105), unit_rows(5, seed=1), NO_IDS)
    large = small.changed(np.array([105]), unit_rows(1, seed=2), NO_IDS)
    dead = index.changed(NO_IDS, np.empty((0, 8), np.float16), np.arange(1, 7))
    assert [version.outgrown() for version in (index, small, large, dead)] == [False, False, True, True]
    assert [version.tail_size for version in (index, small, large, dead)] == [0, 5, 6, 0]
    assert [version.dead_count for version in (index, small, large, dead)] == [0, 0, 0, 6]
    assert all(version.base is index.base for version in (small, large, dead))


def test_rows_that_died_in_the_tail_count_towards_outgrowing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segmented, "TAIL_LIMIT", 5)
    index, _ = an_index(40)
    for _ in range(6):  # the same image again and again: one row is alive, all six are scanned
        index = index.changed(np.array([100]), unit_rows(1, seed=1), NO_IDS)
    assert (index.tail_size, len(index), index.outgrown()) == (1, 41, True)


def test_versions_share_what_is_in_the_tail_and_branches_do_not_mix() -> None:
    index, _ = an_index(5)
    vectors = unit_rows(40, seed=5)
    first = index.changed(np.arange(100, 110), vectors[:10], NO_IDS)
    second = first.changed(np.arange(110, 120), vectors[10:20], NO_IDS)
    branch = first.changed(np.arange(200, 210), vectors[20:30], np.array([105]))
    assert second._tail.buffer is first._tail.buffer
    assert branch._tail.buffer is not first._tail.buffer
    assert sorted(first.search(queries(1), 99)[0].ids) == [*range(1, 6), *range(100, 110)]
    assert sorted(second.search(queries(1), 99)[0].ids) == [*range(1, 6), *range(100, 120)]
    assert sorted(branch.search(queries(1), 99)[0].ids) == [
        *range(1, 6),
        *range(100, 105),
        *range(106, 110),
        *range(200, 210),
    ]


def test_adding_a_few_at_a_time_copies_the_tail_a_few_times_only() -> None:
    index, _ = an_index(5)
    buffers = set()
    kept = []  # so that no address is used twice
    for start in range(0, 4000, 16):
        index = index.changed(np.arange(1000 + start, 1016 + start), unit_rows(16, seed=start), NO_IDS)
        kept.append(index)
        buffers.add(id(index._tail.buffer))
    assert len(buffers) <= 8
    assert index.tail_size == 4000


@pytest.mark.parametrize("ids", [np.arange(5, 25), np.arange(0, 60, 3), np.empty(0, np.int64)])
def test_positions_are_those_of_the_ids_that_are_there(ids: NDArray[np.int64]) -> None:
    wanted = np.array([-3, 0, 5, 6, 24, 25, 57, 58, 10**12])
    expected = [ids.tolist().index(one) for one in wanted.tolist() if one in ids.tolist()]
    assert positions(ids, wanted).tolist() == expected
    assert among(wanted, ids).tolist() == [one in ids.tolist() for one in wanted.tolist()]


def test_contents_are_exactly_what_was_put() -> None:
    index, vectors = an_index(50)
    newer = unit_rows(3, seed=4)
    ids, rows = index.changed(np.array([60, 7, 55]), newer, np.array([1, 50])).contents()
    assert ids.tolist() == [*range(2, 50), 55, 60]
    expected = {id_: vectors[id_ - 1] for id_ in range(2, 50)} | {60: newer[0], 7: newer[1], 55: newer[2]}
    assert rows.dtype == np.float16
    for id_, row in zip(ids, rows, strict=True):
        assert np.array_equal(row, expected[id_])


@pytest.mark.parametrize("selectivity", [0.001, 0.01, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("batch", [1, 16])
def test_a_filter_loses_nothing(selectivity: float, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "CHUNK", 700)
    vectors = unit_rows(6000, 32)
    index = SegmentedIndex.build(np.arange(5700), vectors[:5700]).changed(
        np.arange(5700, 6000), vectors[5700:], np.arange(0, 600, 3)
    )
    alive = np.setdiff1d(np.arange(6000), np.arange(0, 600, 3))
    allowed = np.sort(np.random.default_rng(1).choice(6000, int(6000 * selectivity), replace=False))
    rows = np.intersect1d(alive, allowed)
    for query, matches in zip(queries(batch, 32), index.search(queries(batch, 32), 20, allowed), strict=True):
        assert pairs(matches) == brute_force(rows, vectors[rows], query, 20)


def test_a_filter_of_unknown_repeated_or_no_ids() -> None:
    index, _ = an_index(10)
    assert len(index.search(queries(1), 5, NO_IDS)[0].ids) == 0
    assert len(index.search(queries(1), 5, np.array([-1, 0, 11, 10**12]))[0].ids) == 0
    assert sorted(index.search(queries(1), 5, np.array([2, 2, 3, 3]))[0].ids) == [2, 3]


def test_a_query_near_which_everything_is_dead_still_finds_k() -> None:
    index, vectors = an_index(3000)
    near = index.search(vectors[:1].astype(np.float32), 1000)[0].ids
    index = index.changed(NO_IDS, np.empty((0, 8), np.float16), near)
    alive = np.setdiff1d(np.arange(1, 3001), near)
    expected = brute_force(alive, vectors[alive - 1], vectors[0].astype(np.float32), 10)
    assert pairs(index.search(vectors[:1].astype(np.float32), 10)[0]) == expected


# Few distinct vectors make many exact ties; steps of 1e-4 make scores that differ by less than the rounding margin.
POOL = np.concatenate([unit_rows(6, seed=11), np.repeat(unit_rows(1, seed=12), 6, axis=0)])
POOL[6:, 0] += np.arange(6, dtype=np.float16) * np.float16(1e-4)
CHANGES = st.lists(
    st.tuples(
        st.lists(st.tuples(st.integers(0, 60), st.integers(0, len(POOL) - 1)), max_size=30),
        st.lists(st.integers(0, 70), max_size=10),
    ),
    max_size=6,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(changes=CHANGES, k=st.integers(1, 80), allowed=st.none() | st.sets(st.integers(0, 70)), limit=st.integers(0, 30))
def test_any_history_gives_what_brute_force_gives(
    changes: list[tuple[list[tuple[int, int]], list[int]]], k: int, allowed: set[int] | None, limit: int
) -> None:
    index, model = SegmentedIndex.build(NO_IDS, np.empty((0, 8), np.float16)), dict[int, int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scoring, "CHUNK", 7)
        patch.setattr(scoring, "_BLOCK", 3)
        for put, removed in changes:
            new = dict(put)
            gone = [id_ for id_ in removed if id_ not in new]
            index = index.changed(
                np.array([*new], np.int64), POOL[[*new.values()]].reshape(-1, 8), np.array(gone, np.int64)
            )
            model = {id_: row for id_, row in (model | new).items() if id_ not in gone}
            if index.tail_size + index.dead_count > limit:
                index = SegmentedIndex.build(*index.contents())
        ids = np.array(sorted(model if allowed is None else model.keys() & allowed), np.int64)
        vectors = POOL[[model[id_] for id_ in ids]].reshape(-1, 8)
        given_ids = None if allowed is None else np.array(sorted(allowed), np.int64)
        asked = np.concatenate([queries(2), POOL[[0, 7]].astype(np.float32)])
        for some in (asked, asked[:1]):
            for query, matches in zip(some, index.search(some, k, given_ids), strict=True):
                assert pairs(matches) == brute_force(ids, vectors, query, k)
    assert len(index) == len(model)


def test_threads_search_while_the_owner_changes_the_index() -> None:
    index, _ = an_index(2000, 32)
    assert not wrong_while_growing(index, queries(4, 32), bursts=40, size=250, readers=3)


def test_the_ids_are_those_that_can_be_found() -> None:
    index, _ = an_index(5)
    assert index.ids().tolist() == [1, 2, 3, 4, 5]
    changed = index.changed(np.array([9, 2, 7]), unit_rows(3), np.array([4])).changed(
        NO_IDS, unit_rows(0), np.array([9])
    )
    assert changed.ids().tolist() == changed.contents()[0].tolist() == [1, 2, 3, 5, 7]


def test_every_change_is_counted() -> None:
    index, _ = an_index(10)
    grown = index.changed(np.array([11]), unit_rows(1, 8), NO_IDS)
    replaced = grown.changed(np.array([11]), unit_rows(1, 8, seed=1), NO_IDS)
    shrunk = replaced.changed(NO_IDS, unit_rows(0, 8), np.array([3]))
    counts = [each.changes for each in (index, grown, replaced, shrunk)]
    assert counts[0] == 0
    assert counts == sorted(set(counts))


def test_vectors_are_found_by_id_in_any_order_wherever_they_are() -> None:
    index, _ = an_index(20)
    changed = index.changed(np.array([3, 40]), unit_rows(2, seed=9), np.array([5]))
    wanted = np.array([40, 7, 3, 1])
    ids, stored = changed.contents()
    assert (changed.vectors_of(wanted) == stored[np.searchsorted(ids, wanted)].astype(np.float32)).all()
    assert changed.vectors_of(np.empty(0, np.int64)).shape == (0, 8)
    for missing in (5, 99):
        with pytest.raises(KeyError):
            changed.vectors_of(np.array([1, missing]))
