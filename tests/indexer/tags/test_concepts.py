from __future__ import annotations

from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import ImageNotFound, InvalidRequest
from indexer.pipeline import sync
from indexer.sources import FolderSource
from indexer.tags.concepts import save
from indexer.tags.labels import read_labels
from indexer.tags.tagging import add_list, refresh
from tests.indexer.tags.test_tagging import _id, _tagged, collection, encoder, folder
from tests.palette import PaletteEncoder
from tests.pictures import plain, write

__all__ = ["collection", "encoder", "folder"]


def _teach(collection: Collection, encoder: PaletteEncoder, folder: Path, name: str = "Our Colour") -> int:
    right, wrong = _id(collection, folder, "cyan1.png"), _id(collection, folder, "red1.png")
    return save(collection, encoder, name, "cyan", [right], [wrong])


def test_one_right_mark_is_enough_and_new_images_are_tagged(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    assert _teach(collection, encoder, folder) == 2
    assert _tagged(collection, "our colour") == _tagged(collection, "concepts") == ["cyan1", "cyan2"]
    write(folder / "new.png", plain("cyan", (32, 8)))
    sync(collection, encoder, FolderSource(folder))
    assert _tagged(collection, "our colour") == ["cyan1", "cyan2", "new"]


def test_without_words_it_is_what_the_marks_are(collection: Collection, folder: Path, encoder: PaletteEncoder) -> None:
    encoder.text_batches.clear()
    save(collection, encoder, "mine", "", [_id(collection, folder, "blue1.png")])
    assert _tagged(collection, "mine") == ["blue1", "blue2"]
    assert encoder.text_batches == []


def test_saved_again_it_is_another_and_removed_it_is_gone(
    collection: Collection, folder: Path, encoder: PaletteEncoder
) -> None:
    _teach(collection, encoder, folder, "mine")
    save(collection, encoder, "mine", "red", [_id(collection, folder, "red1.png")])
    assert _tagged(collection, "mine") == ["red1", "red2"]
    assert [(one.name, one.query) for one in collection.catalog.concepts.all()] == [("mine", "red")]
    collection.catalog.concepts.remove("mine")
    assert _tagged(collection, "mine") == []
    with pytest.raises(InvalidRequest, match="no concept 'mine'"):
        collection.catalog.concepts.remove("mine")


def test_it_is_made_anew_with_all_other_labels(collection: Collection, folder: Path, encoder: PaletteEncoder) -> None:
    _teach(collection, encoder, folder)
    add_list(collection.catalog.tags, "more", read_labels("green"))
    with collection.writing():
        refresh(collection, encoder)
    assert _tagged(collection, "our colour") == ["cyan1", "cyan2"]


def test_marks_that_cannot_be_meant(collection: Collection, folder: Path, encoder: PaletteEncoder) -> None:
    for right, wrong, says in (([], [1], "no right mark"), ([1], [1], "right and wrong")):
        with pytest.raises(InvalidRequest, match=says):
            save(collection, encoder, "x", "red", right, wrong)
    with pytest.raises(ImageNotFound):
        save(collection, encoder, "x", "red", [999])
