"""Another model's embeddings, made beside those that serve: whole, resumable, shared out, honest about what failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.catalog import Catalog, FileState
from indexer.collection import Collection
from indexer.errors import ModelLoadFailed, NotReady
from indexer.jobs.leases import new_owner
from indexer.jobs.running import JobStopped
from indexer.jobs.shards import Shards
from indexer.pipeline import sync
from indexer.reindex import ReindexReport, reindex
from indexer.sources import FolderSource
from indexer.stored_pictures import StoredPictures, ThumbnailsFirst
from indexer.thumbnails import Side, ThumbnailFolder, make_thumbnail
from tests.palette import COLOURS, PaletteEncoder

NAMES = [f"{colour}-{n}" for colour in COLOURS for n in range(2)]


class Turned(PaletteEncoder):
    """Another model: the palette's dimensions in another order."""

    def __init__(self) -> None:
        super().__init__(model="turned", weights_hash="1" * 64)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().encode_images(pixels)[:, ::-1])

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().encode_texts(texts)[:, ::-1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, name in enumerate(NAMES):
        Image.new("RGB", (20 + number, 16), COLOURS[name.split("-")[0]]).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def collection(tmp_path: Path, folder: Path) -> Collection:
    encoder = PaletteEncoder()
    collection = Collection.open_or_create(tmp_path / "library", encoder.manifest)
    assert sync(collection, encoder, FolderSource(folder)).added == len(NAMES)
    return collection


def shards_of(collection: Collection) -> Shards:
    return collection.catalog.shards(collection.catalog.jobs.add("reindex", {}).id)


def run(
    collection: Collection,
    shards: Shards | None = None,
    advance: Callable[[int, int], None] = lambda done, total: None,
    pictures: StoredPictures | None = None,
    encoder: PaletteEncoder | None = None,
) -> ReindexReport:
    return reindex(
        collection.catalog,
        encoder or Turned(),
        shards or shards_of(collection),
        advance,
        pictures=pictures,
        batch_size=4,
        threads=2,
        shard_images=6,
    )


def paths_found(collection: Collection, encoder: PaletteEncoder, colour: str) -> set[str]:
    [matches] = collection.search(encoder.encode_texts([colour]), 2)
    return {Path(record.path).stem for record in collection.catalog.get_many(matches.ids.tolist()).values()}


def test_every_image_gets_an_embedding_and_the_other_model_serves_on(collection: Collection) -> None:
    seen: list[tuple[int, int]] = []
    before = collection.catalog.revision()
    report = run(collection, advance=lambda done, total: seen.append((done, total)))
    assert (report.model, report.filled, report.missing, report.failures) == ("turned", len(NAMES), 0, ())
    assert (seen[0], seen[-1]) == ((0, len(NAMES)), (len(NAMES), len(NAMES)))
    assert collection.catalog.revision() == before
    target = collection.catalog.of_model(report.model_id)
    for id_ in (1, 7, len(NAMES)):
        np.testing.assert_array_equal(target.vector(id_), collection.catalog.vector(id_)[::-1])
    collection.promote(report.model_id)
    with Collection.open(collection.library) as promoted:
        assert paths_found(promoted, Turned(), "red") == {"red-0", "red-1"}
    assert paths_found(collection, PaletteEncoder(), "red") == {"red-0", "red-1"}


def test_only_what_is_missing_is_computed(collection: Collection, folder: Path) -> None:
    run(collection)
    Image.new("RGB", (9, 9), COLOURS["red"]).save(folder / "new.png")
    Image.new("RGB", (50, 9), COLOURS["blue"]).save(folder / "red-0.png")
    sync(collection, PaletteEncoder(), FolderSource(folder))
    report = run(collection)
    assert (report.filled, report.missing) == (2, 0)


def test_it_goes_on_where_it_was_stopped(collection: Collection) -> None:
    shards = shards_of(collection)

    def stop(done: int, total: int) -> None:
        if done >= 4:
            raise JobStopped("paused")

    with pytest.raises(JobStopped):
        run(collection, shards, stop)
    [_, turned] = collection.catalog.models.all()
    assert 4 <= turned.embeddings < len(NAMES)  # at most four batches are under way
    report = run(collection, shards)
    assert (report.filled, report.missing) == (len(NAMES) - turned.embeddings, 0)


def test_the_encoder_does_not_wait_for_the_catalog(collection: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    second, fill = threading.Event(), Catalog.fill

    class Announcing(Turned):
        def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            if self.image_batches:
                second.set()
            return super().encode_images(pixels)

    def slowly(catalog: Catalog, files: Sequence[FileState], vectors: NDArray[np.float16]) -> int:
        assert second.wait(20)  # the first batch is written only when the second is encoded
        return fill(catalog, files, vectors)

    monkeypatch.setattr(Catalog, "fill", slowly)
    assert run(collection, encoder=Announcing()).filled == len(NAMES)


def test_an_error_of_the_encoder_ends_it_and_gives_its_shards_back(collection: Collection) -> None:
    class Breaking(Turned):
        def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
            if len(self.image_batches) == 2:
                raise ModelLoadFailed("turned", "the device is gone")
            return super().encode_images(pixels)

    shards = shards_of(collection)
    with pytest.raises(ModelLoadFailed, match="the device is gone"):
        run(collection, shards, encoder=Breaking())
    [_, turned] = collection.catalog.models.all()
    assert turned.embeddings == 6  # a shard of six, in batches of four and two
    claimed = shards.claim(new_owner())
    assert claimed is not None
    assert claimed.first_id == 7


def test_two_workers_share_it_out(collection: Collection) -> None:
    shards, reports = shards_of(collection), list[ReindexReport]()
    threads = [threading.Thread(target=lambda: reports.append(run(collection, shards))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(report.filled for report in reports) == len(NAMES)
    assert [report.missing for report in reports] == [0, 0]


def test_what_fails_is_named_and_keeps_the_model_from_being_promoted(collection: Collection, folder: Path) -> None:
    (folder / "red-0.png").unlink()
    (folder / "blue-1.png").write_bytes(b"not a picture any more")
    report = run(collection)
    assert (report.filled, report.missing) == (len(NAMES) - 2, 2)
    reasons = {Path(failure.path).stem: failure.reason for failure in report.failures}
    assert set(reasons) == {"red-0", "blue-1"}
    assert reasons["blue-1"] == "it has changed since it was indexed; `sightline index` takes it in"
    with pytest.raises(NotReady, match="2 images have no embedding of turned"):
        collection.promote(report.model_id)


def test_from_thumbnails_it_reaches_what_is_away_and_says_so(collection: Collection, folder: Path) -> None:
    """The collection's own model stays one of files, and the next one is not said to be of thumbnails either."""
    [state] = collection.catalog.states_of([str(folder / "red-0.png")]).values()
    place = ThumbnailFolder(collection.library).path(state.content_hash, Side.TILE)
    place.parent.mkdir(parents=True)
    place.write_bytes(make_thumbnail((folder / "red-0.png").read_bytes(), Side.TILE))
    (folder / "red-0.png").unlink()
    assert run(collection).missing == 1
    report = run(collection, pictures=ThumbnailsFirst(collection.library, margin=2.0))
    assert (report.filled, report.thumbnails, report.small_thumbnails, report.missing) == (1, 1, 1, 0)
    assert [stored.manifest.has_thumbnails for stored in collection.catalog.models.all()] == [False, True]
    collection.promote(report.model_id)
    with Collection.open(collection.library) as promoted:
        assert promoted.manifest.difference(Turned().manifest) is None
        assert paths_found(promoted, Turned(), "red") == {"red-0", "red-1"}
        again = run(promoted, encoder=PaletteEncoder(model="third", weights_hash="2" * 64))
        assert not promoted.catalog.of_model(again.model_id).manifest.has_thumbnails


def test_what_is_indexed_meanwhile_is_done_at_the_end(collection: Collection, folder: Path) -> None:
    added: list[int] = []

    def add_one(done: int, total: int) -> None:
        if done >= 8 and not added:
            Image.new("RGB", (9, 9), COLOURS["red"]).save(folder / "new.png")
            added.append(sync(collection, PaletteEncoder(), FolderSource(folder)).added)

    report = run(collection, advance=add_one)
    assert added == [1]
    assert (report.filled, report.missing) == (len(NAMES) + 1, 0)


def test_an_empty_collection_is_ready_at_once(tmp_path: Path) -> None:
    with Collection.open_or_create(tmp_path / "empty", PaletteEncoder().manifest) as empty:
        report = run(empty)
        assert (report.filled, report.missing) == (0, 0)
        empty.promote(report.model_id)
