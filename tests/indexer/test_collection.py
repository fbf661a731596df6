from __future__ import annotations

import dataclasses
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from indexer import collection as collection_module
from indexer.collection import Collection, IndexStats
from indexer.errors import (
    CollectionDamaged,
    CollectionLocked,
    CollectionNotFound,
    CollectionTooNew,
    CollectionUnavailable,
    ForeignCollection,
    ImageNotFound,
    ModelMismatch,
)
from tests.indexer.samples import (
    DIMENSION,
    MANIFEST,
    QUERIES,
    an_image,
    expected,
    forbidden,
    found,
    public_folder,
    put,
    unit_rows,
)


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


# Opening


def test_a_new_collection_is_empty_and_can_be_opened_again(library: Path) -> None:
    with Collection.open_or_create(library / "deeper", MANIFEST) as made:
        assert found(made) == [([], [])] * 4
        put(made, "/a")
    with Collection.open_or_create(library / "deeper", MANIFEST) as known, Collection.open(library / "deeper") as same:
        assert known.catalog.count() == same.catalog.count() == 1
        assert known.manifest == MANIFEST


def test_opening_makes_nothing(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    for library in (tmp_path, tmp_path / "missing", tmp_path / "photo.jpg"):
        with pytest.raises(CollectionNotFound):
            Collection.open(library)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_folder_of_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    with pytest.raises(ForeignCollection, match=r"such as 'photo.jpg'.*--library"):
        Collection.open_or_create(tmp_path, MANIFEST)
    with pytest.raises(ForeignCollection, match="it is a file"):
        Collection.open_or_create(tmp_path / "photo.jpg", MANIFEST)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_folder_with_only_our_leftovers_is_ours(tmp_path: Path) -> None:
    for name in ("vectors", "thumbnails", "queries", "lost+found"):
        (tmp_path / name).mkdir()
    for name in ("write.lock", "catalog.db.new", "catalog.db-wal"):
        (tmp_path / name).write_bytes(b"left by a crash")
    with Collection.open_or_create(tmp_path, MANIFEST) as made:
        put(made, "/a")
        assert found(made) == expected(made)


def break_file(library: Path) -> None:
    (library / "catalog.db").write_bytes(b"not a database, and long enough to be one " * 10)


def set_version(library: Path) -> None:
    connection = sqlite3.connect(library / "catalog.db")
    with connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def drop_manifest(library: Path) -> None:
    connection = sqlite3.connect(library / "catalog.db")
    with connection:
        connection.execute("DELETE FROM collection")
    connection.close()


@pytest.mark.parametrize(
    ("harm", "error"),
    [(break_file, ForeignCollection), (set_version, CollectionTooNew), (drop_manifest, CollectionDamaged)],
)
def test_a_catalog_that_cannot_be_used_is_neither_opened_nor_replaced(
    library: Path, harm: Callable[[Path], None], error: type[Exception]
) -> None:
    Collection.open_or_create(library, MANIFEST).close()
    harm(library)
    before = (library / "catalog.db").read_bytes()
    for open_ in (Collection.open, lambda library: Collection.open_or_create(library, MANIFEST)):
        with pytest.raises(error):
            open_(library)
    assert (library / "catalog.db").read_bytes() == before


def test_another_model_is_refused_and_another_precision_is_not(collection: Collection) -> None:
    other = dataclasses.replace(MANIFEST, weights_hash="1" * 64, model="other")
    with pytest.raises(ModelMismatch, match="--model palette") as caught:
        Collection.open_or_create(collection.library, other)
    assert caught.value.field == "model"
    with pytest.raises(ModelMismatch):
        collection.check_model(other)
    half = dataclasses.replace(MANIFEST, precision="bfloat16")
    collection.check_model(half)
    with Collection.open_or_create(collection.library, half) as same:
        assert same.manifest.precision == "float32"


def test_closing_twice_is_closing(collection: Collection) -> None:
    put(collection, "/a")
    collection.search(QUERIES, 1)
    collection.close()
    collection.close()
    assert not list(collection.library.glob("catalog.db-*"))


def test_several_may_create_the_same_collection_at_once(library: Path) -> None:
    made: list[Collection] = []
    threads = [
        threading.Thread(target=lambda: made.append(Collection.open_or_create(library, MANIFEST))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({collection.catalog.uid for collection in made}) == 1
    assert len(made) == 4
    for collection in made:
        collection.close()


# Writing


def test_only_one_writes_at_a_time(collection: Collection) -> None:
    with Collection.open(collection.library) as other:
        with collection.writing():
            with pytest.raises(CollectionLocked, match="another indexer"), other.writing():
                pass
            with pytest.raises(CollectionLocked), collection.writing():
                pass
        with other.writing():
            put(other, "/a")
    with pytest.raises(RuntimeError, match="on the way"), collection.writing():
        raise RuntimeError("on the way")
    with collection.writing():
        pass


HOLDER = """
import sys, time
from pathlib import Path
from indexer.collection import Collection
from tests.indexer.samples import QUERIES, an_image, expected, found, put, unit_rows
with Collection.open(Path(sys.argv[1])) as collection, collection.writing():
    collection.catalog.put([an_image("/from/afar")], unit_rows(1))
    print("holding", flush=True)
    time.sleep(60)
"""


def test_another_process_locks_is_seen_and_lets_go_when_killed(collection: Collection) -> None:
    assert found(collection) == [([], [])] * 4
    command = [sys.executable, "-c", HOLDER, str(collection.library)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "holding\n"
        assert [ids for ids, _ in found(collection)] == [[1]] * 4
        with pytest.raises(CollectionLocked), collection.writing():
            pass
        process.kill()
        process.wait()
    with collection.writing():
        put(collection, "/here")


# Searching


def test_every_commit_is_seen_by_the_next_search(collection: Collection) -> None:
    with Collection.open(collection.library) as reader:
        for step in (
            lambda: put(collection, "/a", "/b", "/c"),
            lambda: put(collection, "/b", seed=5),
            lambda: collection.catalog.remove([1]),
            lambda: collection.catalog.move([(2, "/z", 1, 1)]),
            lambda: put(collection, "/a", seed=6),
        ):
            step()
            assert found(reader) == found(collection) == expected(collection)


def test_a_snapshot_stays_as_it_was(collection: Collection) -> None:
    put(collection, "/a", "/b")
    snapshot = collection.snapshot()
    collection.catalog.remove([1])
    assert sorted(snapshot.search(QUERIES[:1], 5)[0].ids) == [1, 2]
    assert collection.snapshot().search(QUERIES[:1], 5)[0].ids.tolist() == [2]


def test_only_allowed_ids_are_found(collection: Collection) -> None:
    put(collection, *(f"/{number}" for number in range(50)))
    [matches] = collection.search(QUERIES[:1], 10, np.array([3, 17, 40, 999]))
    assert sorted(matches.ids) == [3, 17, 40]


def test_vectors_come_back_at_unit_length(collection: Collection) -> None:
    [id_] = put(collection, "/a")
    vector = collection.vector(id_)
    assert vector.dtype == np.float32
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)
    assert np.allclose(vector, unit_rows(1)[0], atol=1e-3)
    with pytest.raises(ImageNotFound):
        collection.vector(id_ + 1)


def test_threads_search_while_one_writes(collection: Collection) -> None:
    put(collection, *(f"/{number}" for number in range(200)))
    failures: list[BaseException] = []
    stop = threading.Event()

    def search() -> None:
        try:
            while not stop.is_set():
                seen = collection.catalog.count()
                for matches in collection.search(QUERIES, 10_000):
                    assert len(matches.ids) >= seen
                    assert len(set(matches.ids.tolist())) == len(matches.ids)
        except BaseException as error:  # noqa: BLE001  (shown by the test)
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(200, 230):
        put(collection, f"/{number}", f"/{number - 200}", seed=number)
    stop.set()
    for thread in threads:
        thread.join()
    assert not failures
    assert found(collection, 300) == expected(collection, 300)


# What it says of itself


def test_stats(collection: Collection) -> None:
    images = [an_image("/a", size=10, format="png"), an_image("/b", size=20), an_image("/c", size=30)]
    collection.catalog.put(images, unit_rows(3))
    stats = collection.stats()
    assert dataclasses.replace(stats, bytes_on_disk=0) == collection_module.CollectionStats(
        library=collection.library,
        images=3,
        image_bytes=60,
        formats={"jpeg": 2, "png": 1},
        model="palette",
        dimension=DIMENSION,
        precision="float32",
        index=IndexStats("exact", 0, 3, 0, 0.0, None, folding=False),
        bytes_on_disk=0,
        revision=1,
        roots=(),
    )
    (collection.library / "thumbnails").mkdir()
    (collection.library / "thumbnails" / "1.webp").write_bytes(b"x" * 12345)
    assert collection.stats().bytes_on_disk == stats.bytes_on_disk + 12345


def test_stats_of_the_index_are_the_same_before_and_after_it_is_loaded(library: Path) -> None:
    with Collection.open_or_create(library, MANIFEST) as first:
        put(first, *(f"/{number}" for number in range(20)))
        first.fold(always=True)
        put(first, "/3", "/new", "/newer")
        first.catalog.remove([1, 2, 22])
        assert first.stats().index == IndexStats("exact", 20, 2, 3, 4.0 * DIMENSION + 9, None, folding=False)
    with Collection.open(library) as second:
        unseen = second.stats().index
        found(second)
        assert second.stats().index == unseen == first.stats().index


def test_opening_and_counting_needs_no_faiss(library: Path) -> None:
    Collection.open_or_create(library, MANIFEST).close()
    code = (
        "import sys; from pathlib import Path; from indexer.collection import Collection\n"
        "with Collection.open(Path(sys.argv[1])) as collection: collection.stats()\n"
        "assert not {'faiss', 'alembic', 'torch'} & set(sys.modules), 'imported too early'"
    )
    subprocess.run([sys.executable, "-c", code, str(library)], check=True)


def test_a_library_that_cannot_be_written_is_searched_but_not_written(caplog: pytest.LogCaptureFixture) -> None:
    with public_folder() as library:
        with Collection.open_or_create(library, MANIFEST) as first:
            put(first, "/a")
            first.fold(always=True)
        with Collection.open(library) as second:
            put(second, "/b", seed=1)
            assert found(second) == expected(second)
        with forbidden(library, 0o555), Collection.open_or_create(library, MANIFEST) as third:
            assert found(third) == expected(third)
            with pytest.raises(CollectionUnavailable), third.writing():
                put(third, "/c")
            third.fold(always=True)
    assert len(warnings_in(caplog)) == 1
    assert "cannot be saved" in caplog.text
