"""Every kind against brute force: the same promises, kept by each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from indexer.vectors import Matches, approximate, fastscan
from indexer.vectors.approximate import ApproximateBase
from indexer.vectors.bases import Base, build_base, restore_base
from indexer.vectors.calibration import Calibration, Effort
from indexer.vectors.planning import BaseKind, IndexPlan
from indexer.vectors.segmented import SegmentedIndex
from tests.indexer.samples import brute_force
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries
from tests.indexer.vectors.readers import wrong_while_growing

APPROXIMATE: tuple[BaseKind, ...] = ("pq", "rabitq", "ivf", "hnsw")
EXACT: tuple[BaseKind, ...] = ("exact", "torch")
KINDS = EXACT + APPROXIMATE
SIZE = 1200
NO_IDS = np.empty(0, np.int64)
NO_VECTORS = np.empty((0, 32), np.float16)
VECTORS = pictures(SIZE)
QUERIES = np.concatenate([image_queries(3), text_queries(3)])


@cache
def a_base(kind: BaseKind) -> Base:
    """Ids 0, 2, 4 and so on; built once a process."""
    plan = IndexPlan(kind, device="cpu")
    return build_base(plan, np.arange(0, 2 * SIZE, 2), VECTORS, text_queries(20, seed=300), threads=1)


@pytest.fixture(autouse=True)
def _small_is_large_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what is meant for a million vectors is done with a thousand."""
    monkeypatch.setattr(approximate, "GATHERED", 40)
    monkeypatch.setattr(approximate, "EXACT_SHARE", 1)
    monkeypatch.setattr(approximate, "EXTENDED_BY", 30)
    monkeypatch.setattr(approximate, "EXTENDED_SHARE", 1)


def pairs(matches: Matches) -> tuple[list[int], list[float]]:
    return matches.ids.tolist(), matches.scores.tolist()


@dataclass
class Model:
    """What an index holds, as a dictionary."""

    rows: dict[int, NDArray[np.float16]]

    def best(self, query: NDArray[np.float32], k: int, allowed: set[int] | None) -> tuple[list[int], list[float]]:
        ids = sorted(self.rows if allowed is None else self.rows.keys() & allowed)
        vectors = np.array([self.rows[one] for one in ids], np.float16).reshape(-1, 32)
        return brute_force(np.array(ids, np.int64), vectors, query, k)


def check(index: SegmentedIndex, model: Model, k: int, allowed: set[int] | None) -> float:
    """Every promise but recall, which is returned, as the share found of all that should be."""
    given_ids = None if allowed is None else np.array(sorted(allowed), np.int64)
    found = there = 0
    together = index.search(QUERIES, k, given_ids)
    for query, matches in zip(QUERIES, together, strict=True):
        ids, scores = pairs(matches)
        every_id, every_score = model.best(query, len(model.rows), allowed)
        expected = dict(zip(every_id, every_score, strict=True))
        assert len(ids) == len(set(ids)) == min(k, len(expected))
        assert [expected[one] for one in ids] == scores  # a KeyError is a dead, unknown or forbidden id
        assert pairs(index.search(query[None], k, given_ids)[0]) == (ids, scores)
        shorter = max(1, k // 3)
        assert index.search(query[None], shorter, given_ids)[0].ids.tolist() == ids[:shorter]
        if index.kind in EXACT:
            assert ids == every_id[:k]
        first = scores[:10]
        assert first == sorted(first, reverse=True)
        least = every_score[:k][-1] if expected else 0.0
        found += sum(score >= least for score in scores)
        there += len(ids)
    return found / there if there else 1.0


HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["put", "put", "remove", "remove near", "rebuild", "restore"]),
        st.integers(0, 2**31),
        st.integers(1, 60),
    ),
    max_size=5,
)
FILTERS = st.none() | st.tuples(st.sampled_from(["random", "near", "far"]), st.floats(0.01, 0.9), st.integers(0, 99))


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None, derandomize=True)
@given(history=HISTORY, k=st.sampled_from([1, 10, 11, 30, 100, 150, 5000]), chosen=FILTERS)
def test_any_history_keeps_every_promise(
    kind: BaseKind, history: list[tuple[str, int, int]], k: int, chosen: tuple[str, float, int] | None
) -> None:
    index = SegmentedIndex.of(a_base(kind))
    model = Model(dict(zip(index.base.ids.tolist(), VECTORS, strict=True)))
    for what, seed, number in history:
        index = after(index, model, kind, what, seed, number)
    assert len(index) == len(model.rows)
    allowed = None if chosen is None else allowed_ids(model, *chosen)
    assert check(index, model, k, allowed) >= 0.9


def after(index: SegmentedIndex, model: Model, kind: BaseKind, what: str, seed: int, number: int) -> SegmentedIndex:
    rng = np.random.default_rng(seed)
    if what == "put":  # some are new, some replace
        ids = rng.choice(2 * SIZE + 200, number, replace=False)
        vectors = pictures(number, seed=seed)
        model.rows.update(zip(ids.tolist(), vectors, strict=True))
        return index.changed(ids, vectors, NO_IDS)
    if what.startswith("remove"):
        ids = index.search(QUERIES[:1], number)[0].ids if what == "remove near" else rng.integers(0, 2 * SIZE, number)
        for one in ids.tolist():
            model.rows.pop(one, None)
        return index.changed(NO_IDS, NO_VECTORS, np.unique(ids))
    if what == "rebuild":
        return SegmentedIndex.build(*index.contents(), IndexPlan(kind, device="cpu"))
    ids, vectors = index.contents()
    base = index.base
    restored = restore_base(base.kind, base.ids, base.vectors, base.structure(), base.calibration, device="cpu")
    fresh = ~np.isin(ids, base.ids)
    changed = (
        np.array(
            [
                not fresh[i] and not np.array_equal(base.vectors[np.searchsorted(base.ids, one)], vectors[i])
                for i, one in enumerate(ids.tolist())
            ],
            np.bool_,
        )
        | fresh
    )
    return SegmentedIndex.of(restored).changed(ids[changed], vectors[changed], np.setdiff1d(base.ids, ids))


def allowed_ids(model: Model, how: str, share: float, seed: int) -> set[int]:
    ids = np.array(sorted(model.rows))
    number = max(1, int(share * len(ids)))
    if how == "random":
        return set(np.random.default_rng(seed).choice(ids, number, replace=False).tolist()) | {-5, 10**9}
    vectors = np.array([model.rows[one] for one in ids.tolist()], np.float32)
    order = np.argsort(vectors @ QUERIES[seed % len(QUERIES)])
    return set(ids[order[-number:] if how == "near" else order[:number]].tolist())


@pytest.mark.parametrize("how", ["random", "near", "far"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("kind", KINDS)
def test_a_filter_loses_nothing(kind: BaseKind, share: float, how: str) -> None:
    index = SegmentedIndex.of(a_base(kind))
    model = Model(dict(zip(index.base.ids.tolist(), VECTORS, strict=True)))
    assert check(index, model, 10, allowed_ids(model, how, share, 4)) == 1.0


@pytest.mark.parametrize("kind", KINDS)
def test_copies_come_by_ascending_id_however_many(kind: BaseKind) -> None:
    """Where the codes of more than are fetched are the same, which of them are found would be chance."""
    vectors = VECTORS.copy()
    vectors[100:900] = vectors[50]
    base = build_base(IndexPlan(kind, device="cpu"), np.arange(SIZE), vectors, threads=1)
    index = SegmentedIndex.of(base).changed(np.arange(5000, 5050), vectors[50:100], np.array([100, 102]))
    index = index.changed(np.arange(5050, 5060), vectors[100:110], np.array([5001]))
    query = vectors[50:51].astype(np.float32)
    expected = [50, 101, *range(103, 900), 5000, *range(5050, 5060)]
    assert index.search(query, 10)[0].ids.tolist() == expected[:10]
    assert index.search(query, 300)[0].ids.tolist() == expected[:300]
    assert index.search(query, 10, np.arange(200, 6000))[0].ids.tolist() == [*range(200, 210)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_query_near_which_everything_is_dead_still_finds_the_best_that_are_left(kind: BaseKind) -> None:
    index = SegmentedIndex.of(a_base(kind))
    query = VECTORS[:1].astype(np.float32)
    near = index.search(query, 500)[0].ids
    index = index.changed(NO_IDS, NO_VECTORS, near)
    model = Model({one: row for one, row in zip(index.base.ids.tolist(), VECTORS, strict=True) if one not in near})
    assert check(index, model, 10, None) >= 0.95
    assert pairs(index.search(query, 10)[0]) == model.best(query[0], 10, None)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_a_base_comes_back_from_its_structure_without_being_built(kind: BaseKind) -> None:
    base = a_base(kind)
    structure = base.structure()
    assert structure is not None
    assert base.calibration is not None
    calibration = Calibration.from_json(base.calibration.to_json())
    restored = SegmentedIndex.of(restore_base(kind, base.ids, base.vectors, structure, calibration))
    assert restored.calibration == base.calibration
    for old, new in zip(SegmentedIndex.of(base).search(QUERIES, 120), restored.search(QUERIES, 120), strict=True):
        assert pairs(old) == pairs(new)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_parts_that_do_not_fit_together_are_refused(kind: BaseKind) -> None:
    base = a_base(kind)
    structure, calibration = base.structure(), base.calibration
    assert structure is not None
    assert calibration is not None
    other = "hnsw" if kind != "hnsw" else "pq"
    for wrong in (
        (kind, base.ids[:-1], base.vectors, structure, calibration),
        (kind, base.ids[:-1], base.vectors[:-1], structure, calibration),
        (kind, base.ids, base.vectors[:, :16], structure, calibration),
        (kind, base.ids, base.vectors, structure[:-20], calibration),
        (kind, base.ids, base.vectors, None, calibration),
        (kind, base.ids, base.vectors, structure, None),
        (kind, base.ids, base.vectors, structure, replace(calibration, parameters={})),
        (other, base.ids, base.vectors, structure, calibration),
        ("tree", base.ids, base.vectors, structure, calibration),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            restore_base(*wrong)


def test_few_vectors_are_searched_exactly_whatever_is_asked_for() -> None:
    for kind in APPROXIMATE:
        base = build_base(IndexPlan(kind), np.arange(255), VECTORS[:255])
        assert (base.kind, base.structure(), base.calibration) == ("exact", None, None)
    assert build_base(IndexPlan("pq"), np.arange(256), VECTORS[:256], threads=1).kind == "pq"


def test_a_base_of_a_memory_mapped_file_reads_from_it(tmp_path: pytest.TempPathFactory) -> None:
    np.save(f"{tmp_path}/vectors.npy", VECTORS)
    mapped = np.load(f"{tmp_path}/vectors.npy", mmap_mode="r")
    base = build_base(IndexPlan("pq"), np.arange(SIZE), mapped, threads=1)
    assert type(base.vectors) is np.ndarray
    assert np.shares_memory(base.vectors, mapped)
    ids, vectors = SegmentedIndex.of(base).contents()
    assert ids is base.ids
    assert vectors is base.vectors


@pytest.mark.parametrize("kind", KINDS)
def test_threads_search_while_versions_change(kind: BaseKind) -> None:
    base = a_base(kind)
    if isinstance(base, ApproximateBase):
        base = base.with_effort(Effort(150, base.found_by.lists), base.calibration)
    assert not wrong_while_growing(SegmentedIndex.of(base), QUERIES, bursts=20, size=25, readers=2)


@pytest.mark.parametrize("kind", KINDS)
def test_newer_vectors_are_coded_where_the_base_finds_by_codes(kind: BaseKind) -> None:
    index = SegmentedIndex.of(a_base(kind))
    newer = pictures(100, seed=5)
    sizes = []
    for start in range(0, 100, 20):
        index = index.changed(np.arange(9000 + start, 9020 + start), newer[start : start + 20], NO_IDS)
        sizes.append(index._coded)
    assert sizes == ([0, 40, 40, 80, 80] if kind in fastscan.KINDS else [0] * 5)
    assert all(index.search(row[None], 1)[0].ids[0] >= 9000 for row in newer.astype(np.float32))


def test_no_more_are_coded_than_a_share_of_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(approximate, "EXTENDED_SHARE", 20)
    index = SegmentedIndex.of(a_base("pq")).changed(np.arange(9000, 9100), pictures(100, seed=5), NO_IDS)
    assert index._coded == SIZE // 20
    assert index.changed(np.arange(9100, 9200), pictures(100, seed=6), NO_IDS)._coded == SIZE // 20


def test_branches_code_what_is_theirs() -> None:
    index = SegmentedIndex.of(a_base("pq")).changed(np.arange(9000, 9040), pictures(40, seed=5), NO_IDS)
    others = [pictures(40, seed=6), pictures(40, seed=7)]
    branches = [index.changed(np.arange(9500, 9540), rows, NO_IDS) for rows in others]
    assert [branch._coded for branch in branches] == [80, 80]
    for branch, rows in zip(branches, others, strict=True):
        found = [matches.ids[0] for matches in branch.search(rows.astype(np.float32), 1)]
        assert found == list(range(9500, 9540))
