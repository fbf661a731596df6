"""Lists and tags of a real collection, by the palette encoder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.errors import InvalidQuery, InvalidRequest
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.tags.labels import EVERYDAY, read_labels
from indexer.tags.tagging import add_list, refresh
from search.facets import facets_of
from search.filter_sql import clause
from search.filters import Folder, Format, Not, Or, Tag
from search.selections import Selections
from tests.palette import COLOURS, PaletteEncoder
from tests.pictures import plain, write

NAMES = ("red", "green", "blue", "yellow")


@pytest.fixture
def encoder() -> PaletteEncoder:
    return PaletteEncoder()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two plain pictures of each colour, that differ in size."""
    for colour in COLOURS:
        for number in (1, 2):
            write(tmp_path / "pictures" / f"{colour}{number}.png", plain(colour, (8 * number, 8)))
    return tmp_path / "pictures"


@pytest.fixture
def collection(tmp_path: Path, folder: Path, encoder: PaletteEncoder) -> Iterator[Collection]:
    """With a list `colours` of the four labels and the two of `warm`."""
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        sync(collection, encoder, FolderSource(folder))
        add_list(collection.catalog.tags, "colours", read_labels("\n".join(NAMES)))
        add_list(collection.catalog.tags, "warm", read_labels("red\norange"))
        _refresh(collection, encoder)
        yield collection


def _refresh(collection: Collection, encoder: PaletteEncoder, *, always: bool = False) -> None:
    with collection.writing():
        refresh(collection, encoder, always=always)


def _tagged(collection: Collection, name: str) -> list[str]:
    catalog = collection.catalog
    return sorted(Path(record.path).stem for record in catalog.get_many(catalog.ids_where(clause(Tag(name)))).values())


def _id(collection: Collection, folder: Path, name: str) -> int:
    return collection.catalog.states_of([str(folder / name)])[str(folder / name)].id


def test_images_get_the_labels_they_show(collection: Collection, folder: Path) -> None:
    for name in NAMES:
        assert _tagged(collection, name) == [f"{name}1", f"{name}2"]
    found = collection.catalog.tags.of_image(_id(collection, folder, "red1.png"))
    assert [(tag.name, tag.list) for tag in found] == [("red", "colours"), ("red", "warm")]
    assert all(tag.score is not None and 0.14 < tag.score <= 1 for tag in found)


def test_a_list_is_a_filter_for_any_of_its_labels(collection: Collection) -> None:
    assert _tagged(collection, "Warm") == ["orange1", "orange2", "red1", "red2"]
    everything = collection.catalog.ids_where(clause(Or((Tag("warm"), Not(Tag("warm"))))))
    assert len(everything) == 20


def test_the_list_that_ships_is_only_background_until_it_is_set(collection: Collection) -> None:
    lists = {found.name: found.shown for found in collection.catalog.tags.lists()}
    assert lists == {"colours": True, "warm": True, EVERYDAY: False}
    assert _tagged(collection, EVERYDAY) == []


def test_what_is_indexed_later_is_tagged_and_nothing_else_is_looked_at(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    write(folder / "new.png", plain("red", (32, 8)))
    (folder / "red1.png").unlink()
    encoder.text_batches.clear()
    sync(collection, encoder, FolderSource(folder))
    assert _tagged(collection, "red") == ["new", "red2"]
    assert encoder.text_batches == []
    with collection.writing():
        assert refresh(collection, encoder) is None


def test_a_picture_that_becomes_another_gets_other_tags(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    write(folder / "red1.png", plain("blue", (40, 8)))
    sync(collection, encoder, FolderSource(folder))
    assert _tagged(collection, "red") == ["red2"]
    assert _tagged(collection, "blue") == ["blue1", "blue2", "red1"]


def test_a_changed_list_keeps_what_it_has_and_drops_what_it_has_not(
    collection: Collection, encoder: PaletteEncoder
) -> None:
    add_list(collection.catalog.tags, "colours", read_labels("red\nblack"))
    encoder.text_batches.clear()
    _refresh(collection, encoder)
    assert encoder.text_batches == [1]
    assert (_tagged(collection, "green"), _tagged(collection, "black")) == ([], ["black1", "black2"])
    assert _tagged(collection, "red") == ["red1", "red2"]
    collection.catalog.tags.remove_list("warm")
    assert _tagged(collection, "warm") == []
    with pytest.raises(InvalidRequest, match="no list 'warm'"):
        collection.catalog.tags.remove_list("warm")


def test_tags_by_hand_stay_with_the_picture_and_what_was_taken_away_stays_away(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    red, tags = _id(collection, folder, "red1.png"), collection.catalog.tags
    assert tags.set_own([red], add=["  My  Holiday "], remove=["RED"]) == 1
    assert [(tag.name, tag.score) for tag in tags.of_image(red)] == [("my holiday", None)]
    (folder / "red1.png").rename(folder / "moved.png")
    write(folder / "copy.png", (folder / "moved.png").read_bytes())
    sync(collection, encoder, FolderSource(folder))
    _refresh(collection, encoder, always=True)
    assert _tagged(collection, "my holiday") == ["copy", "moved"]
    assert _tagged(collection, "red") == ["red2"]
    tags.set_own([red], add=["red"])
    assert _tagged(collection, "red") == ["copy", "moved", "red2"]
    with pytest.raises(InvalidRequest, match="cannot be added and removed"):
        tags.set_own([red], add=["x"], remove=["X"])


def test_facets_count_an_image_once_for_each_tag(collection: Collection, folder: Path) -> None:
    catalog = collection.catalog
    catalog.tags.set_own([_id(collection, folder, "red1.png")], add=["red"])
    selections = Selections(catalog)
    counts = {count.value: count.images for count in selections.facets(Folder(str(folder))).tag}
    assert counts == {"red": 2, "green": 2, "blue": 2, "yellow": 2, "orange": 2}
    ids = catalog.ids_where(clause(Tag("red")))
    assert facets_of(catalog.get_many(ids).values(), catalog) == selections.facets(Tag("red"))


def test_an_answer_is_forgotten_when_tags_change(collection: Collection, folder: Path) -> None:
    selections = Selections(collection.catalog)
    assert selections.count(Tag("red")) == 2
    collection.catalog.tags.set_own([_id(collection, folder, "red1.png")], remove=["red"])
    assert selections.count(Tag("red")) == 1


def test_hiding_what_does_not_exist_is_an_error_and_looking_for_it_is_not(collection: Collection) -> None:
    selections = Selections(collection.catalog)
    assert selections.count(Tag("nsfw")) == 0
    assert selections.count(Not(Tag("warm"))) == 16
    with pytest.raises(InvalidQuery, match="nothing can be hidden by 'nsfw'"):
        selections.ids(Or((Format(("png",)), Not(Tag("nsfw")))))


def test_another_model_makes_other_tags(collection: Collection, folder: Path) -> None:
    other = PaletteEncoder(model="other", weights_hash="1" * 64)
    catalog = collection.catalog
    target = catalog.of_model(catalog.models.add(other.manifest))
    states = list(catalog.files_under(str(folder)))
    target.fill(states, np.stack([catalog.vector(state.id) for state in states]))
    collection.promote(target.model_id)
    with Collection.open(collection.library) as served:
        _refresh(served, other)
        assert other.text_batches
        assert _tagged(served, "red") == ["red1", "red2"]


def test_a_tagging_that_was_interrupted_is_done_again(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with collection.writing():
        with pytest.raises(KeyboardInterrupt):
            refresh(collection, encoder, always=True, advance=stop)
        report = refresh(collection, encoder)
    assert report is not None
    assert (report.anew, report.images) == (True, 20)
