"""The doctor: what is wrong with a collection and the installation, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from indexer.care import files, folder, index, installation, model, rows
from indexer.care.findings import Finding
from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CollectionError
from indexer.images import Limits
from indexer.library_folder import vectors_folder
from indexer.vectors.cache import Owner, VectorCache


def examine(
    library: Path, load: Callable[[str], Encoder], *, quick: bool = False, limits: Limits | None = None
) -> Iterator[Finding]:
    """What each check finds, one after the other; changes nothing.

    `load` gives the encoder of a model's name. `quick` leaves out what takes time with the number of images: the
    vectors, the hashes of the index, self-recall, the model, and the files. What cannot be looked at because something
    it is built on is broken is left out, too. Raises CollectionNotFound, ForeignCollection, CollectionUnavailable.
    """
    yield from installation.versions()
    faiss = list(installation.faiss())
    yield from faiss
    yield from folder.permissions(library)
    catalog_file = [*rows.file(library, quick=quick)]
    yield from catalog_file
    if _any_broken(catalog_file):
        return
    schema = list(rows.schema(library))
    yield from schema
    if any(finding.severity != "ok" for finding in schema):
        return
    yield from _catalog(library, quick, _any_broken(faiss), load, limits or Limits())


def _catalog(
    library: Path, quick: bool, no_faiss: bool, load: Callable[[str], Encoder], limits: Limits
) -> Iterator[Finding]:
    try:
        catalog = Catalog.open(library)
    except CollectionError as error:
        yield Finding("catalog", "broken", str(error))
        return
    with catalog:
        yield from folder.space(catalog)
        owner = Owner(catalog.uid, catalog.manifest.weights_hash, catalog.manifest.dimension)
        cache = VectorCache(library / vectors_folder(catalog.model_id), owner)
        yield from folder.leftovers(library, cache)
        pairs = list(rows.pairs(catalog))
        yield from pairs
        yield from rows.words(catalog)
        if quick:
            return
        vectors = list(rows.vectors(catalog))
        yield from vectors
        files_of_index = list(index.cache(catalog, cache))
        yield from files_of_index
        yield from files.files(catalog)
        if _any_broken(pairs + vectors) or no_faiss:
            return  # an index that is made of them would be wrong, too
    with Collection.open(library) as collection:
        # A damaged cache would be thrown away when it is loaded, which is not for an examination to do.
        if all(finding.severity == "ok" for finding in files_of_index):
            yield from index.ids(collection)
            yield from index.self_recall(collection)
        yield from model.model(collection, load, limits)


def treat(findings: list[Finding]) -> Iterator[str]:
    """Do what `--fix` may, and say what was done. Raises CollectionLocked while another process indexes."""
    done: list[tuple[object, object]] = []
    for mend in [finding.mend for finding in findings if finding.mend is not None]:
        if (mend.func, mend.args) not in done:  # one new index mends more than one finding
            done.append((mend.func, mend.args))
            yield mend()


def _any_broken(findings: list[Finding]) -> bool:
    return any(finding.severity == "broken" for finding in findings)
