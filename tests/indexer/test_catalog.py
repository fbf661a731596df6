from __future__ import annotations

import itertools
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer import catalog_reader
from indexer.catalog import Catalog, Changes, FileState, ImageRecord, NewImage
from indexer.errors import (
    ImageNotFound,
)
from tests.indexer.samples import DIMENSION, an_image, put, unit_rows

NOT_UTF8 = os.fsdecode(b"/photos/caf\xe9 \n\xff.jpg")


def changes(catalog: Catalog, revision: int) -> Changes:
    """All batches as one."""
    batches = list(catalog.changes_since(revision))
    assert len({batch.revision for batch in batches}) == 1
    return Changes(
        batches[0].revision,
        np.concatenate([batch.put_ids for batch in batches]),
        np.concatenate([batch.put_vectors for batch in batches]),
        np.concatenate([batch.removed_ids for batch in batches]),
    )


# Putting


def test_what_is_put_comes_back(catalog: Catalog) -> None:
    taken = datetime(2019, 7, 14, 18, 3, 59)  # noqa: DTZ001  (a camera knows no zone)
    new = an_image(
        "/photos/Zoë 東京.heic",
        size=2**40,
        mtime_ns=2**62,
        content_hash="a" * 64,
        width=4032,
        height=3024,
        format="heif",
        taken_at=taken,
        camera="Canon EOS 5D",
    )
    [id_] = catalog.put([new], unit_rows(1))
    record = catalog.get(id_)
    assert record == ImageRecord(
        id=id_, indexed_at=record.indexed_at, **{f: getattr(new, f) for f in NewImage.__slots__}
    )
    assert record.indexed_at.tzinfo is UTC
    assert abs(datetime.now(UTC) - record.indexed_at) < timedelta(minutes=1)
    assert np.array_equal(catalog.vector(id_), unit_rows(1)[0])


def test_ids_come_in_the_order_of_the_images(catalog: Catalog) -> None:
    paths = [f"/{number}" for number in np.random.default_rng(0).permutation(2500)]
    ids = put(catalog, *paths)
    records = catalog.get_many(ids)
    assert [records[id_].path for id_ in ids] == paths
    for place in (0, 1234, 2499):
        assert np.array_equal(catalog.vector(ids[place]), unit_rows(2500)[place])


def test_a_known_path_keeps_its_id_and_is_replaced(catalog: Catalog) -> None:
    first, second = put(catalog, "/a", "/b")
    third, again = catalog.put([an_image("/c"), an_image("/a", width=1)], unit_rows(2, seed=5))
    assert again == first
    assert third not in (first, second)
    assert catalog.count() == 3
    assert catalog.get(first).width == 1
    assert np.array_equal(catalog.vector(first), unit_rows(2, seed=5)[1])
    assert catalog.get(second).width == 640


def test_of_a_path_given_twice_the_last_counts(catalog: Catalog) -> None:
    for round_ in range(2):  # as new paths, then as known ones
        images = [an_image("/a", width=1), an_image("/b"), an_image("/a", width=2)]
        first, _, again = catalog.put(images, unit_rows(3, seed=round_))
        assert first == again
        assert catalog.count() == 2
        assert catalog.get(first).width == 2
        assert np.array_equal(catalog.vector(first), unit_rows(3, seed=round_)[2])


def test_an_id_is_never_given_twice(catalog: Catalog) -> None:
    old = put(catalog, "/a", "/b")
    catalog.remove(old)
    with Catalog.open(catalog.library) as reopened:
        assert min(put(reopened, "/a", "/b")) > max(old)


def test_nothing_to_put_is_no_change(catalog: Catalog) -> None:
    assert catalog.put([], np.empty((0, DIMENSION), np.float16)) == []
    assert catalog.revision() == 0


@pytest.mark.parametrize(
    "vectors",
    [
        unit_rows(1),
        unit_rows(3),
        unit_rows(2, DIMENSION + 1),
        unit_rows(2)[:, None],
        unit_rows(2) * np.float16(1.02),
        unit_rows(2) * np.float16(0.98),
        unit_rows(2) * np.array([[1], [0]], np.float16),
        unit_rows(2) * np.array([[1], [np.nan]], np.float16),
        unit_rows(2) * np.array([[np.inf], [1]], np.float16),
    ],
    ids=["few", "many", "wide", "deep", "long", "short", "zero", "nan", "infinite"],
)
def test_vectors_that_do_not_fit_are_refused_whole(catalog: Catalog, vectors: np.ndarray) -> None:
    with pytest.raises(ValueError, match="vectors"):
        catalog.put([an_image("/a"), an_image("/b")], vectors)
    assert (catalog.count(), catalog.revision()) == (0, 0)


def test_a_batch_that_fails_half_way_leaves_nothing(catalog: Catalog) -> None:
    put(catalog, "/a")
    images = [an_image("/a", width=1), an_image("/b"), an_image("/c", camera="\ud800")]  # no database takes that text
    with pytest.raises(UnicodeEncodeError):
        catalog.put(images, unit_rows(3))
    assert (catalog.count(), catalog.revision(), catalog.get(1).width) == (1, 1, 640)


# Touching, moving, removing


def test_touching_is_not_a_change_for_readers(catalog: Catalog) -> None:
    first, second = put(catalog, "/a", "/b")
    catalog.touch([(second, 5, 6), (999, 7, 8)])
    catalog.touch([])
    assert catalog.revision() == 1
    states = [(state.size, state.mtime_ns) for state in catalog.files_under("/")]
    assert states == [(1000, catalog.get(first).mtime_ns), (5, 6)]


def test_a_moved_file_keeps_its_id_and_its_vector_is_not_new(catalog: Catalog) -> None:
    [id_] = put(catalog, "/a")
    catalog.move([(id_, NOT_UTF8, 5, 6)])
    assert list(catalog.files_under("/photos")) == [FileState(id_, NOT_UTF8, 5, 6, an_image("/a").content_hash)]
    assert catalog.revision() == 2
    assert len(changes(catalog, 1).put_ids) == len(changes(catalog, 1).removed_ids) == 0


def test_files_may_move_in_a_chain_or_a_ring(catalog: Catalog) -> None:
    a, b, c = put(catalog, "/a", "/b", "/c")
    catalog.move([(a, "/b", 1, 1), (b, "/c", 1, 1), (c, "/a", 1, 1)])
    assert [catalog.get(id_).path for id_ in (a, b, c)] == ["/b", "/c", "/a"]
    catalog.move([(a, "/c", 1, 1), (b, "/d", 1, 1)])
    assert [catalog.get(id_).path for id_ in (a, b, c)] == ["/c", "/d", "/a"]


def test_a_file_cannot_move_onto_one_that_stays(catalog: Catalog) -> None:
    a, b = put(catalog, "/a", "/b")
    with pytest.raises(ValueError, match=f"'/b' belongs to image {b}"):
        catalog.move([(a, "/b", 1, 1)])
    assert (catalog.get(a).path, catalog.revision()) == ("/a", 1)


def test_moving_nothing_is_no_change(catalog: Catalog) -> None:
    catalog.move([])
    assert catalog.revision() == 0


def test_what_is_removed_is_gone_with_its_vector(catalog: Catalog) -> None:
    a, b, c = put(catalog, "/a", "/b", "/c")
    catalog.remove([c, a, a, 999])
    assert catalog.count() == 1
    assert list(catalog.get_many([a, b, c])) == [b]
    for gone in (a, c):
        with pytest.raises(ImageNotFound, match=f"id {gone} "):
            catalog.get(gone)
        with pytest.raises(ImageNotFound):
            catalog.vector(gone)
    assert changes(catalog, 1).removed_ids.tolist() == [a, c]


def test_removing_what_is_not_there_is_no_change(catalog: Catalog) -> None:
    put(catalog, "/a")
    catalog.remove([])
    catalog.remove([17])
    assert catalog.revision() == 1


def test_more_ids_than_a_statement_takes_can_be_removed(catalog: Catalog) -> None:
    ids = put(catalog, *(f"/{number}" for number in range(1300)))
    catalog.remove(ids[:1250])
    assert catalog.count() == 50
    assert sorted(changes(catalog, 1).removed_ids) == ids[:1250]


# Changes


def test_from_zero_there_is_everything_that_is_alive(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_reader, "_BATCH", 10)
    ids = put(catalog, *(f"/{number}" for number in range(25)))
    catalog.remove(ids[:2])
    all_of_it = changes(catalog, 0)
    assert all_of_it.revision == 2
    assert all_of_it.put_ids.tolist() == ids[2:]
    assert np.array_equal(all_of_it.put_vectors, unit_rows(25)[2:])
    assert all_of_it.removed_ids.tolist() == []
    assert [len(batch.put_ids) for batch in catalog.changes_since(0)] == [0, 10, 10, 3]


def test_later_there_is_only_what_happened_since(catalog: Catalog) -> None:
    a, b, c, z = put(catalog, "/a", "/b", "/c", "/z")
    catalog.remove([z])
    seen = catalog.revision()
    [d] = put(catalog, "/d", seed=1)
    put(catalog, "/b", seed=2)
    put(catalog, "/b", seed=3)
    [e] = put(catalog, "/e")
    catalog.remove([a, e])
    since = changes(catalog, seen)
    assert dict(zip(since.put_ids.tolist(), since.put_vectors.tolist(), strict=True)) == {
        d: unit_rows(1, seed=1)[0].tolist(),
        b: unit_rows(1, seed=3)[0].tolist(),
    }
    assert since.removed_ids.tolist() == [a, e]
    assert since.revision == catalog.revision()
    assert c not in since.put_ids


def test_nothing_happened_yields_nothing(catalog: Catalog) -> None:
    assert list(catalog.changes_since(0)) == []
    put(catalog, "/a")
    assert list(catalog.changes_since(1)) == []


def test_changes_are_one_picture_though_others_write_meanwhile(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalog_reader, "_BATCH", 1)
    a, b = put(catalog, "/a", "/b")
    reading = catalog.changes_since(0)
    first = next(reading)
    with Catalog.open(catalog.library) as other:
        other.remove([b])
        put(other, "/a", "/c", seed=9)
    rest = list(reading)
    assert first.revision == rest[-1].revision == 1
    assert [id_ for batch in rest for id_ in batch.put_ids] == [a, b]
    assert np.array_equal(rest[0].put_vectors, unit_rows(2)[:1])
    later = changes(catalog, first.revision)
    assert (later.removed_ids.tolist(), len(later.put_ids)) == ([b], 2)


# Reading


def test_files_come_in_the_order_of_their_bytes(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_reader, "_PAGE", 3)
    names = [b"/a/b/c", b"/a/b.x", b"/a/bc", b"/a/b/\xff", b"/a/b/\xc3\xa9", b"/a/B/z", b"/a/b/c/d", b"/z", b"/a/b/\n"]
    put(catalog, *map(os.fsdecode, names))
    assert [os.fsencode(state.path) for state in catalog.files_under("/")] == sorted(names)


@pytest.mark.parametrize("root", ["/a/b", "/a/b/"])
def test_only_files_strictly_below_the_root_are_under_it(catalog: Catalog, root: str) -> None:
    put(catalog, "/a/b/1", "/a/b/c/2", "/a/b", "/a/b.x", "/a/bc", "/a/b0", "/a/b-", "/a")
    assert [state.path for state in catalog.files_under(root)] == ["/a/b/1", "/a/b/c/2"]


ALPHABET = st.sampled_from([b"a", b"b", b".", b"/", b"0", b"\xff", b"\xc3\xa9", b"\x01"])
NAMES = st.lists(ALPHABET, min_size=1, max_size=6).map(b"".join)


FOLDERS = itertools.count()


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(NAMES, max_size=25), root=NAMES)
def test_any_root_gives_what_its_prefix_says(catalog: Catalog, names: set[bytes], root: bytes) -> None:
    folder = b"/%d/" % next(FOLDERS)  # one catalog for all examples, a folder for each
    paths = {folder + name for name in names}
    put(catalog, *map(os.fsdecode, paths))
    prefix = (folder + root).rstrip(b"/") + b"/"
    expected = sorted(path for path in paths if path.startswith(prefix) and path != prefix)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalog_reader, "_PAGE", 2)
        assert [os.fsencode(state.path) for state in catalog.files_under(os.fsdecode(folder + root))] == expected


def test_the_caller_may_write_while_it_walks_the_files(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_reader, "_PAGE", 2)
    ids = put(catalog, *(f"/{number}" for number in range(9)))
    for state in catalog.files_under("/"):
        catalog.remove([state.id])
        put(catalog, f"/!{state.id}")  # sorts before everything, so that it is not met
    assert not catalog.get_many(ids)
    assert catalog.count() == 9


def test_files_of_the_same_content_are_found(catalog: Catalog) -> None:
    same = [an_image("/x", content_hash="f" * 64), an_image("/b"), an_image("/a", content_hash="f" * 64)]
    x, _, a = catalog.put(same, unit_rows(3))
    assert [(state.id, state.path) for state in catalog.with_hash("f" * 64)] == [(x, "/x"), (a, "/a")]
    assert catalog.with_hash("0" * 64) == []


def test_many_ids_are_looked_up_at_once(catalog: Catalog) -> None:
    ids = put(catalog, *(f"/{number}" for number in range(1200)))
    wanted = np.array([*reversed(ids), 10**6, -1], np.int64)
    found = catalog.get_many(wanted)
    assert sorted(found) == ids
    assert all(found[id_].id == id_ for id_ in ids)
    assert catalog.get(wanted[0]).id == ids[-1]
    assert catalog.get_many([]) == {}


def test_the_latest_come_first_page_by_page(catalog: Catalog) -> None:
    ids = put(catalog, "/a", "/b", "/c", "/d")
    catalog.remove([ids[2]])
    assert [record.id for record in catalog.latest(2)] == [ids[3], ids[1]]
    assert [record.id for record in catalog.latest(5, before_id=ids[1])] == [ids[0]]
    assert catalog.latest(0) == []


def test_numbers(catalog: Catalog) -> None:
    assert (catalog.count(), catalog.total_bytes(), catalog.formats()) == (0, 0, {})
    formats = ["png", "jpeg", "png", "gif"]
    images = [an_image(f"/{i}", format=name, size=2**i) for i, name in enumerate(formats)]
    catalog.put(images, unit_rows(4))
    assert (catalog.count(), catalog.total_bytes()) == (4, 15)
    assert list(catalog.formats().items()) == [("png", 2), ("gif", 1), ("jpeg", 1)]


# Several at once


def test_threads_read_while_one_writes(catalog: Catalog) -> None:
    put(catalog, "/0")
    failures: list[BaseException] = []
    stop = threading.Event()

    def read() -> None:
        try:
            while not stop.is_set():
                found = changes(catalog, 0)
                assert len(found.put_ids) == found.revision  # one image a transaction
                assert catalog.get(1).path == "/0"
        except BaseException as error:  # noqa: BLE001  (shown by the test)
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for number in range(1, 30):
        put(catalog, f"/{number}")
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert catalog.count() == 30


WRITER = """
import itertools, sys
from pathlib import Path
from indexer.catalog import Catalog
from tests.indexer.samples import an_image, put, unit_rows
catalog = Catalog.open(Path(sys.argv[1]))
for batch in itertools.count():
    catalog.put([an_image(f"/{batch}/{number}") for number in range(50)], unit_rows(50, seed=batch))
    print(batch, flush=True)
"""


def test_a_writer_that_is_killed_loses_at_most_its_last_batch(catalog: Catalog) -> None:
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(catalog.library)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        for _ in range(20):
            committed = int(process.stdout.readline())
        process.kill()
        committed = max([committed, *map(int, process.stdout.read().split())])
    found = changes(catalog, 0)
    assert len(found.put_ids) == catalog.count() == len(list(catalog.files_under("/")))
    assert catalog.count() in (50 * (committed + 1), 50 * (committed + 2))
    assert np.array_equal(found.put_vectors[-50:], unit_rows(50, seed=catalog.count() // 50 - 1))
    assert put(catalog, "/after") == [catalog.count()]


# What the doctor and an export ask


def execute(catalog: Catalog, statement: str) -> None:
    """As another program would."""
    connection = sqlite3.connect(catalog.library / "catalog.db")
    with connection:
        connection.execute(statement)
    connection.close()


def test_contents_are_one_picture_of_all_rows_and_vectors(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_reader, "_BATCH", 2)
    put(catalog, "/c", "/a", NOT_UTF8, "/b", "/d")
    catalog.remove([2])
    contents = catalog.contents()
    records, vectors = next(contents)
    catalog.remove([5])  # meanwhile
    for more, rows in contents:
        records, vectors = records + more, np.concatenate([vectors, rows])
    assert [record.path for record in records] == ["/c", NOT_UTF8, "/b", "/d"]
    assert np.array_equal(vectors, unit_rows(5)[[0, 2, 3, 4]])
    assert records[0] == catalog.get(1)
    assert catalog.ids().tolist() == [1, 3, 4]


def test_states_are_looked_up_by_path(catalog: Catalog) -> None:
    put(catalog, "/a", NOT_UTF8)
    found = catalog.states_of(["/a", "/nothing", NOT_UTF8])
    assert {path: state.id for path, state in found.items()} == {"/a": 1, NOT_UTF8: 2}


def test_halves_of_pairs_are_named_and_can_be_removed(catalog: Catalog) -> None:
    put(catalog, "/a", "/b", "/c")
    assert catalog.unpaired() == ([], [])
    execute(catalog, "DELETE FROM image WHERE id = 1")
    execute(catalog, "DELETE FROM embedding_1 WHERE image_id = 2")
    assert catalog.unpaired() == ([2], [1])
    revision = catalog.revision()
    catalog.remove([1, 2])
    assert catalog.unpaired() == ([], [])
    assert changes(catalog, revision).removed_ids.tolist() == [1, 2]
    assert put(catalog, "/d") == [4]


def test_vectors_that_are_none_are_named(catalog: Catalog) -> None:
    put(catalog, "/a", "/b", "/c", "/d", "/e")
    assert catalog.unsound() == []
    for id_, blob in ((1, b""), (2, bytes(2 * DIMENSION)), (4, b"\x00\x7e" * DIMENSION), (5, b"\x00\x3c" * DIMENSION)):
        execute(catalog, f"UPDATE embedding_1 SET vector = X'{blob.hex()}' WHERE image_id = {id_}")
    assert catalog.unsound() == [1, 2, 4, 5]
