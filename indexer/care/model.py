"""The manifest against the model: does this installation still make the vectors that are stored?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from indexer.agreement import LEAST, SAMPLE, Agreement, compare
from indexer.care.findings import Finding, command
from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import ModelMismatch, SightlineError
from indexer.images import Limits
from indexer.library_folder import vectors_folder
from indexer.originals import Originals
from indexer.probes import TEXTS, probes
from indexer.sources.address import is_remote, location

_CANDIDATES = 20 * SAMPLE  # looked at to find enough whose files are as they were
_INDEX_ELSEWHERE = command("sightline", "index", "FOLDER", "--library", "OTHER_FOLDER")


def model(collection: Collection, load: Callable[[str], Encoder], limits: Limits) -> Iterator[Finding]:
    """Loads the collection's model, and encodes pictures and texts whose embeddings are stored again."""
    name = collection.manifest.model
    try:
        encoder = load(name)
        collection.check_model(encoder.manifest)
    except ModelMismatch as error:
        message = f"{name!r} is not the model that made the collection: {error}"
        yield Finding("model", "broken", message, _INDEX_ELSEWHERE)
        return
    except SightlineError as error:
        yield Finding("model", "broken", f"it cannot be loaded: {error}", "bring its weights back to this machine")
        return
    yield from _pictures(collection, encoder, limits)
    yield from _texts(collection.library / vectors_folder(collection.catalog.model_id), encoder)


def _pictures(collection: Collection, encoder: Encoder, limits: Limits) -> Iterator[Finding]:
    ids = collection.catalog.ids()
    sample = ids[np.linspace(0, len(ids) - 1, min(_CANDIDATES, len(ids))).astype(np.intp)]
    records = collection.catalog.get_many(sample.tolist()).values()
    originals = Originals(limits)
    unchanged = [
        record
        for record in records
        if not is_remote(location(record.path)) and originals.is_unchanged(record.path, record.size, record.mtime_ns)
    ]
    chosen = unchanged[:: max(1, len(unchanged) // SAMPLE)][:SAMPLE]
    vectors = [collection.vector(record.id) for record in chosen]
    agreement = compare(
        encoder, [record.path for record in chosen], vectors, limits, collection.manifest, originals.read
    )
    if agreement is None:
        yield Finding("model", "ok", "no picture is there to encode again; its weights are those of the manifest")
    else:
        yield _judged("model", "pictures", agreement, encoder.manifest.model)


def _texts(folder: Path, encoder: Encoder) -> Iterator[Finding]:
    kept = probes(folder, encoder.manifest, None)
    if kept is not None:
        agreement = Agreement.of(kept, encoder.encode_texts(TEXTS))
        yield _judged("model texts", "texts", agreement, encoder.manifest.model)


def _judged(check: str, what: str, agreement: Agreement, name: str) -> Finding:
    cosine = f"cosine {agreement.median:.4f} (median), {agreement.lowest:.4f} (lowest)"
    figure = f"{agreement.number} {what} encoded again: {cosine}"
    if agreement.reached and agreement.far:
        message = f"{agreement.far} stored vectors are not of their {what}; {figure}"
        return Finding(check, "broken", message, _INDEX_ELSEWHERE)
    if agreement.reached:
        return Finding(check, "ok", f"{name}, {figure}")
    message = f"{figure}, not {LEAST} or more: this installation does not make the vectors that are stored"
    return Finding(check, "broken", message, f"`pip install -c constraints.txt '.[cpu]'`, or {_INDEX_ELSEWHERE}")
