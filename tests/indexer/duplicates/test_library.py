"""What people decide of duplicates, and what is shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.duplicates.kinds import Kind, Link
from indexer.duplicates.library import DuplicateGroup, Duplicates
from indexer.errors import ImageNotFound, InvalidRequest
from tests.indexer.samples import MANIFEST, an_image, unit_rows

HASHES = {name: name * 64 for name in "abcdef"}
LINKS = [
    Link(HASHES["a"], HASHES["b"], "same", 0.99),
    Link(HASHES["a"], HASHES["c"], "crop", 0.93),
    Link(HASHES["d"], HASHES["e"], "look-alike", 0.9),
]


@pytest.fixture
def collection(tmp_path: Path) -> Iterator[Collection]:
    """Ids 1 to 7: contents a to f, then a second file of f. b has more pixels than a, and c fewer."""
    sizes = {"a": 640, "b": 800, "c": 320}
    images = [
        an_image(f"/{name}.jpg", content_hash=content, width=sizes.get(name, 640)) for name, content in HASHES.items()
    ]
    images.append(an_image("/f-copy.jpg", content_hash=HASHES["f"]))
    with Collection.open_or_create(tmp_path / "library", MANIFEST) as collection:
        collection.catalog.put(images, unit_rows(len(images)))
        collection.catalog.duplicate_store.replace(LINKS)
        yield collection


@pytest.fixture
def duplicates(collection: Collection) -> Duplicates:
    return collection.catalog.duplicates


def _ids(duplicates: Duplicates, level: Kind = "burst") -> list[list[int]]:
    return sorted([member.image.id for member in group.members] for group in duplicates.all_groups(level))


def _group(duplicates: Duplicates, image_id: int) -> DuplicateGroup:
    [group] = duplicates.groups_of([image_id])
    return group


def test_levels(duplicates: Duplicates) -> None:
    assert _ids(duplicates, "identical") == [[6, 7]]
    assert _ids(duplicates, "same") == [[2, 1], [6, 7]]  # the best first
    assert _ids(duplicates, "crop") == _ids(duplicates, "burst") == [[2, 1, 3], [6, 7]]
    assert _ids(duplicates, "look-alike") == [[4, 5]]
    group = _group(duplicates, 3)
    assert (group.kind, group.confidence, len(group.links)) == ("crop", 0.93, 2)
    assert (_group(duplicates, 7).kind, _group(duplicates, 7).confidence) == ("identical", 1.0)


def test_pages_join_and_what_has_become_one_image_is_no_group(collection: Collection, duplicates: Duplicates) -> None:
    [first] = duplicates.groups(limit=1)
    [second] = duplicates.groups(limit=1, after=first.id)
    assert duplicates.groups(after=second.id) == []
    collection.catalog.remove([7])
    assert _ids(duplicates) == [[2, 1, 3]]


def test_apart_stays_apart_also_in_later_runs(collection: Collection, duplicates: Duplicates) -> None:
    duplicates.set_apart([1, 3])
    assert _ids(duplicates) == [[2, 1], [6, 7]]
    collection.catalog.duplicate_store.replace(LINKS)
    assert _ids(duplicates) == [[2, 1], [6, 7]]
    duplicates.set_apart([3, 1], undo=True)
    assert _ids(duplicates) == [[2, 1, 3], [6, 7]]


def test_a_pair_between_which_nothing_is_left(duplicates: Duplicates) -> None:
    duplicates.set_apart([1, 2, 3])
    assert _ids(duplicates) == [[6, 7]]
    duplicates.set_apart([1, 2], undo=True)
    assert _ids(duplicates) == [[2, 1], [6, 7]]


def test_what_is_kept(collection: Collection, duplicates: Duplicates) -> None:
    def kept() -> set[int]:
        return {member.image.id for group in duplicates.all_groups() for member in group.members if member.keep}

    assert kept() == {2, 6}  # the most pixels; the older copy
    duplicates.keep([3, 7])
    assert kept() == {3, 7}
    assert [member.decided for member in _group(duplicates, 1).members] == [True, False, False]
    duplicates.keep([1])
    assert kept() == {1, 3, 7}
    collection.catalog.move([(7, "/elsewhere.jpg", 1, 1)])
    assert kept() == {1, 3, 7}
    collection.catalog.remove([7])
    collection.catalog.put([an_image("/again.jpg", content_hash=HASHES["f"])], unit_rows(1))
    assert kept() == {1, 3, 6}  # the one that was named is gone; its bytes are not
    duplicates.keep([1, 3], undo=True)
    assert kept() == {2, 6}


def test_decisions_outlive_the_images(collection: Collection, duplicates: Duplicates) -> None:
    duplicates.set_apart([1, 2])
    collection.catalog.remove([1])
    collection.catalog.put([an_image("/back.jpg", content_hash=HASHES["a"])], unit_rows(1))
    collection.catalog.duplicate_store.replace(LINKS)
    assert not any({8, 2} <= set(ids) for ids in _ids(duplicates, "same"))


@pytest.mark.parametrize("ids", [[1], [1, 1], list(range(1, 60))])
def test_how_many_are_set_apart(duplicates: Duplicates, ids: list[int]) -> None:
    with pytest.raises(InvalidRequest, match="2 to 50"):
        duplicates.set_apart(ids)


def test_decisions_of_what_is_not_there_or_has_the_same_bytes(duplicates: Duplicates) -> None:
    with pytest.raises(ImageNotFound, match="99"):
        duplicates.set_apart([1, 99])
    with pytest.raises(ImageNotFound, match="99"):
        duplicates.keep([99])
    with pytest.raises(InvalidRequest, match="same bytes"):
        duplicates.set_apart([6, 7])


def test_what_an_image_is_collapsed_to(collection: Collection, duplicates: Duplicates) -> None:
    collection.catalog.put([an_image("/d-copy.jpg", content_hash=HASHES["d"])], unit_rows(1))  # since the last run
    shown = duplicates.shown([1, 2, 3, 4, 5, 6, 7, 8, 99])
    assert shown[1] == shown[2] == shown[3]
    assert {id_: found.images for id_, found in shown.items()} == {1: 3, 2: 3, 3: 3, 4: 2, 5: 1, 6: 2, 7: 2, 8: 2}
    assert shown[4] == shown[8]
    assert len({found.key for found in shown.values()}) == 4  # a look-alike is never collapsed
