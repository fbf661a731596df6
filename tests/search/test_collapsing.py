from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from indexer.collection import Collection
from indexer.duplicates.kinds import Link
from indexer.duplicates.library import Shown
from search.collapsing import Collapsed, collapsed
from search.engine import SearchEngine
from search.query import Query
from search.rankings import Window
from tests.indexer.samples import an_image
from tests.palette import PaletteEncoder


def _hits(*ids: int) -> Window:
    return Window(np.array(ids, np.int64), np.linspace(1, 0.5, len(ids), dtype=np.float32))


def _shown(ids: Sequence[int]) -> Mapping[int, Shown]:
    """Ten ids a group, but for those from 1,000 on, which nobody knows."""
    return {image_id: Shown(str(image_id // 10), 10) for image_id in ids if image_id < 1000}


def test_the_best_of_each_group_stands_for_it() -> None:
    found = collapsed(_hits(13, 5, 11, 1001, 7, 25, 1002), _shown([13, 5, 11, 7, 25]))
    assert found.ids.tolist() == [13, 5, 1001, 25, 1002]
    assert found.scores[1] == np.float32(1 - 0.5 / 6)
    assert found.behind == (9, 9, 0, 9, 0)


def test_more_is_searched_for_until_a_page_is_full_and_never_more_than_the_bound() -> None:
    asked: list[int] = []

    class Ninety5:
        def window(self, start: int, end: int) -> Window:
            asked.append(end)
            return _hits(*range(min(end, 95))).cut(start, end)

    def window(end: int, most: int = 10_000) -> Window:
        return Collapsed(Ninety5(), _shown, most).window(0, end)

    assert window(3).ids.tolist() == [0, 10, 20]
    assert asked == [6, 12, 24]
    assert len(window(50).ids) == 10  # there are no more
    assert len(window(50, 40).ids) == 4
    assert max(asked[4:]) <= 100


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[SearchEngine]:
    """Of 30 images, more or less red; each three in a row are of one group."""
    encoder = PaletteEncoder()
    hashes = [f"{number:064x}" for number in range(30)]
    pictures = np.zeros((30, 16, 16, 3), np.uint8)
    for number, picture in enumerate(pictures):
        picture[: 16 - number // 2, :, 0] = 255 - number
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        images = [an_image(f"/{number}.jpg", content_hash=content) for number, content in enumerate(hashes)]
        collection.catalog.put(images, encoder.encode_images(pictures).astype(np.float16))
        links = [Link(hashes[first], hashes[first + step], "same", 0.9) for first in range(0, 30, 3) for step in (1, 2)]
        collection.catalog.duplicate_store.replace(links)
        yield SearchEngine(collection, encoder)


def test_pages_are_full_join_and_say_what_is_behind(engine: SearchEngine) -> None:
    whole = engine.search(Query.of(text="red", k=30, collapse=True))
    assert len(whole.hits) == 10
    assert not whole.more
    assert {hit.behind for hit in whole.hits} == {2}
    assert [hit.rank for hit in whole.hits] == list(range(1, 11))
    page = engine.search(Query.of(text="red", k=4, collapse=True))
    hits = page.hits
    while page.cursor:
        page = engine.next_page(page.cursor, 4)
        hits += page.hits
    assert hits == whole.hits
    assert engine.search(Query.of(text="red", k=4, offset=4, collapse=True)).hits == whole.hits[4:8]


def test_only_who_asks_for_it_gets_it(engine: SearchEngine) -> None:
    plain = engine.search(Query.of(text="red", k=30))
    assert (len(plain.hits), {hit.behind for hit in plain.hits}) == (30, {0})
    one, other = engine.search_many([Query.of(text="red", k=30, collapse=True), Query.of(text="red", k=30)])
    assert (len(one.hits), len(other.hits)) == (10, 30)
    assert one.hits == engine.search(Query.of(text="red", k=30, collapse=True)).hits
