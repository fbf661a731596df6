from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from indexer.catalog import Catalog
from indexer.jobs.leases import new_owner
from indexer.jobs.shards import Shard, Shards


@pytest.fixture
def shards(catalog: Catalog) -> Shards:
    return catalog.shards(catalog.jobs.add("reindex", {}).id)


def test_all_ids_are_covered_once(shards: Shards) -> None:
    shards.cover(10, 4)
    shards.cover(10, 4)
    owner = new_owner()
    assert [shards.claim(owner) for _ in range(4)] == [Shard(0, 1, 4), Shard(1, 5, 8), Shard(2, 9, 12), None]
    shards.cover(14, 4)  # the collection has grown
    assert shards.claim(owner) == Shard(3, 13, 16)


def test_two_workers_never_have_the_same_shard(shards: Shards) -> None:
    shards.cover(400, 4)

    def worker(number: int) -> list[int]:
        owner, mine = new_owner(), []
        while (claimed := shards.claim(owner)) is not None:
            mine.append(claimed.number)
            assert shards.finish(claimed.number, owner)
        return mine

    with ThreadPoolExecutor(4) as pool:
        found = [number for numbers in pool.map(worker, range(4)) for number in numbers]
    assert sorted(found) == list(range(100))
    assert shards.left() == 0


def test_a_dead_workers_shard_is_taken_over_and_the_dead_finishes_nothing(shards: Shards) -> None:
    shards.cover(4, 4)
    dead, owner = new_owner(), new_owner()
    assert shards.claim(dead) == Shard(0, 1, 4)
    assert shards.renew(dead) == 1
    assert shards.claim(owner) is None
    with shards._writing() as connection:
        connection.execute(sa.text("UPDATE shard SET beat_at = '2020-01-01 00:00:00.000000'"))
    assert shards.claim(owner) == Shard(0, 1, 4)
    assert shards.renew(dead) == 0
    assert not shards.finish(0, dead)
    assert shards.left() == 1
    assert shards.finish(0, owner)
    assert shards.left() == 0


def test_all_that_a_worker_holds_is_given_back_and_nothing_else(shards: Shards) -> None:
    shards.cover(16, 4)
    owner, other = new_owner(), new_owner()
    mine = [shards.claim(owner), shards.claim(owner), shards.claim(owner)]
    theirs = shards.claim(other)
    assert shards.finish(0, owner)
    assert (shards.renew(owner), shards.renew(other)) == (2, 1)
    shards.release(owner)
    assert [shards.claim(new_owner()) for _ in range(3)] == [*mine[1:], None]
    assert theirs is not None
    assert shards.finish(theirs.number, other)


def test_jobs_have_shards_of_their_own(catalog: Catalog, shards: Shards) -> None:
    shards.cover(4, 4)
    other = catalog.shards(catalog.jobs.add("reindex", {}).id)
    assert (other.left(), other.claim(new_owner())) == (0, None)
