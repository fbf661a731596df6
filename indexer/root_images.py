"""Which images belong to which root, and what becomes of them when it is forgotten."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping

from indexer.collection import Collection
from indexer.roots import FOLDER, Key, Root
from indexer.sources.address import INSIDE, above, is_remote, parse

_PAGE = 1000  # images taken out at once


def image_counts(collection: Collection) -> Counter[Key]:
    """How many images each root has; one pass over all of them."""
    roots = _by_key(collection)
    stores = [root for root in roots.values() if is_remote(root.path)]
    outermost = [root.path for root in stores if not any(o.path != root.path and o.holds(root.path) for o in stores)]
    counts: Counter[Key] = Counter()
    for place in ("/", *outermost):
        counts.update(_owners(collection, roots, place))
    return counts


def images_of(collection: Collection, root: Root) -> Iterator[int]:
    """Ids of the images that belong to that root."""
    roots = _by_key(collection)
    for place in _places_of(root):
        for state in collection.catalog.files_at(place):
            if _owner(roots, state.path) == root.key:
                yield state.id


def forget(collection: Collection, root: Root, *, images: bool) -> int:
    """Do not look at it again; with `images`, take its images out, too. Returns how many. Raises as `writing`."""
    with collection.writing():
        ids = list(images_of(collection, root)) if images else []
        for start in range(0, len(ids), _PAGE):
            collection.catalog.remove(ids[start : start + _PAGE])
        collection.catalog.roots.forget(root)
        collection.catalog.failures.forget(root.path, root.kind)
    return len(ids)


def _by_key(collection: Collection) -> Mapping[Key, Root]:
    return {root.key: root for root in collection.catalog.roots.all()}


def _owners(collection: Collection, roots: Mapping[Key, Root], place: str) -> Iterator[Key]:
    for state in collection.catalog.files_under(place):
        owner = _owner(roots, state.path)
        if owner is not None:
            yield owner


def _owner(roots: Mapping[Key, Root], path: str) -> Key | None:
    """The innermost root of the image's kind that it lies in."""
    address = parse(path)
    kind = FOLDER if address.kind == "file" else address.kind
    return next((key for place in above(address.container) if (key := (place, kind)) in roots), None)


def _places_of(root: Root) -> tuple[str, ...]:
    """Below which its images are; others may be there, too."""
    if root.kind == "video":  # frames lie beside their video, and a folder of videos that is away looks like a video
        return (os.path.dirname(root.path),)  # noqa: PTH120
    return (root.path,) if root.kind in (FOLDER, "remote") else (root.path, root.path + INSIDE)
