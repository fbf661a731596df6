"""The full-text index is always what the catalog knows: it changes in the same transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from indexer.catalog import Catalog
from indexer.texts import Description, ImageText
from indexer.words import table
from tests.indexer.samples import MANIFEST, an_image, unit_rows


def said(*captions: str) -> Description:
    return Description(tuple(ImageText("caption", caption) for caption in captions))


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """1: a beach trip, described; 2: a tower, of which nothing is said."""
    with Catalog.create(tmp_path / "library", MANIFEST) as catalog:
        images = [an_image("/photos/IMG_2034_beachTrip.jpg"), an_image("/photos/rome/tower.png")]
        catalog.put(images, unit_rows(2), [said("A dog runs.", "Caf\u00e9 by the sea"), said()])
        yield catalog


def found(catalog: Catalog, word: str) -> list[int]:
    return catalog.words.images_with([word])[0].tolist()


def phrase(catalog: Catalog, said: str) -> list[int]:
    with catalog._reading() as connection:
        return list(connection.scalars(table.ids_with(table.phrase_expression(said))))


@pytest.mark.parametrize("word", ["beach", "TRIP", "beachtrip", "img", "2034", "dog", "cafe", "CAF\u00c9"])
def test_an_image_is_found_by_each_of_its_words(catalog: Catalog, word: str) -> None:
    assert found(catalog, word) == [1]


def test_fields_can_be_chosen_and_numbers_limited(catalog: Catalog) -> None:
    assert [ids.tolist() for ids in catalog.words.images_with(["tower", "dog"], ("name",))] == [[2], []]
    assert [ids.tolist() for ids in catalog.words.images_with(["tower"], ("folder", "caption"))] == [[]]
    assert [ids.tolist() for ids in catalog.words.images_with(["photos"], most=1)] == [[1]]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("dog runs", [1]),
        ("runs dog", []),
        ("runs caf\u00e9", []),  # the end of one caption, the beginning of the next
        ("IMG_2034", [1]),
        ("img 2034 beachTrip", [1]),
        ("beach trip", [1]),
        ("tow", []),
        ("tow*", [2]),
        ('a " OR rome NOT x:', []),
        ("\ud800 tower", [2]),
    ],
)
def test_phrases(catalog: Catalog, text: str, ids: list[int]) -> None:
    assert phrase(catalog, text) == ids


def test_other_descriptions_other_paths_and_removals_change_it(catalog: Catalog) -> None:
    before = catalog.revision()
    catalog.describe({1: said("A cat sleeps."), 99: said("nobody")})
    assert (found(catalog, "dog"), found(catalog, "cat"), found(catalog, "nobody")) == ([], [1], [])
    assert catalog.revision() > before  # whoever keeps what passes a filter has to ask again
    before = catalog.revision()
    catalog.describe({1: said("A cat sleeps.")})
    assert catalog.revision() == before
    catalog.move([(1, "/photos/rome/tower.png", 1, 1), (2, "/photos/paris.jpg", 1, 1)])
    assert (found(catalog, "beach"), found(catalog, "tower"), found(catalog, "paris")) == ([], [1], [2])
    catalog.remove([1])
    assert (found(catalog, "cat"), found(catalog, "tower")) == ([], [])


def test_new_pixels_leave_the_words_and_new_words_replace_them(catalog: Catalog) -> None:
    catalog.put([an_image("/photos/IMG_2034_beachTrip.jpg", size=5)], unit_rows(1))
    assert found(catalog, "dog") == [1]
    catalog.put([an_image("/photos/IMG_2034_beachTrip.jpg", size=5)], unit_rows(1), [said("A horse")])
    assert (found(catalog, "dog"), found(catalog, "horse")) == ([], [1])


def test_tags_of_people_are_found_by_name(catalog: Catalog) -> None:
    catalog.tags.set_own([2], add=["our house"])
    catalog.tags.set_own([1], remove=["our house"])
    assert {tag: ids.tolist() for tag, ids in catalog.words.tagged_by_people(["our house", "dog"]).items()} == {
        "our house": [2]
    }


def test_gaps_are_seen_and_closed(catalog: Catalog) -> None:
    with sqlite3.connect(catalog.library / "catalog.db") as connection:
        connection.execute("DELETE FROM image_words WHERE rowid = 1")
        connection.execute("INSERT INTO image_words (rowid, name) VALUES (7, 'ghost')")
    connection.close()
    assert catalog.words.gaps() == ([1], [7])
    assert catalog.words.mend() == 2
    assert catalog.words.gaps() == ([], [])
    assert (found(catalog, "dog"), found(catalog, "ghost")) == ([1], [])


def test_an_older_catalog_is_filled_page_by_page(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tests/indexer/test_migrations.py` has one that is opened."""
    monkeypatch.setattr(table, "_PAGE", 1)
    with catalog._writing() as connection:
        table.forget(connection, [1, 2])
        table.fill(connection)
    assert (found(catalog, "dog"), found(catalog, "rome")) == ([1], [2])
    assert catalog.words.gaps() == ([], [])


def test_the_index_is_sound_by_its_own_account(catalog: Catalog) -> None:
    """FTS5 compares what is in it with the texts that it keeps."""
    catalog.describe({1: said("A cat")})
    catalog.remove([2])
    with catalog._writing() as connection:
        connection.execute(sa.text("INSERT INTO image_words (image_words) VALUES ('integrity-check')"))
