"""A collection opened by a new process: how long until the first answer, and what has to be in memory for it."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.vector_search.generator import Vectors
from benchmarks.vector_search.scene import Scene
from indexer.catalog import NewImage
from indexer.collection import Collection
from indexer.images import Preprocessing
from indexer.manifest import Manifest
from indexer.vectors.planning import IndexPlan

QUERIES = 200
_COMMIT = 10_000  # rows a transaction
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Opening:
    kind: str
    images: int
    first_query: float
    """Seconds from before the collection is opened to the first ten results; imports and model left out."""
    hot_bytes: float
    """A vector: what the process then has in memory of its own, beyond what it had before opening."""
    resident_bytes: float
    """The same with the pages of files that 200 queries touched; the system may take those back."""


class GeneratedTexts:
    """In the place of a model's text tower, to calibrate with."""

    batch_size = 1

    def __init__(self, manifest: Manifest, texts: Vectors) -> None:
        self.manifest = manifest
        self._texts = texts

    def encode_images(self, pixels: NDArray[np.uint8]) -> Vectors:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> Vectors:
        return np.resize(self._texts, (len(texts), self._texts.shape[1]))


def measure(scene: Scene, recall: float, *, runs: int = 3, folder: Path | None = None) -> Opening:
    """The run with the median first query. Takes about 3 kB of disk a vector, in `folder` or the system's own."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        library, queries = Path(scratch) / "library", Path(scratch) / "queries.npy"
        fill(library, scene, recall)
        np.save(queries, scene.mixed()[:QUERIES])
        command = [sys.executable, "-m", "benchmarks.vector_search.opening", str(library), str(queries)]
        outputs = [subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, check=True).stdout for _ in range(runs)]
    found = sorted((Opening(**json.loads(output)) for output in outputs), key=lambda opening: opening.first_query)
    return found[len(found) // 2]


def fill(library: Path, scene: Scene, recall: float) -> None:
    """A collection of made-up images with the scene's vectors, and its index."""
    manifest = Manifest("generated", "0" * 64, scene.dimension, _PREPROCESSING, "none", "float32")
    with Collection.open_or_create(library, manifest) as collection:
        for start in range(0, scene.size, _COMMIT):
            vectors = scene.stored[start : start + _COMMIT]
            collection.catalog.put([_image(start + row) for row in range(len(vectors))], vectors)
        collection.choose(IndexPlan(recall=recall))
        collection.fold(GeneratedTexts(manifest, scene.probes))


_PREPROCESSING = Preprocessing(224, 224, "shortest", "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _image(number: int) -> NewImage:
    return NewImage(f"/generated/{number:08d}.jpg", 1000, 0, f"{number:064x}", 640, 480, "jpeg", None, None)


def opened(library: Path, queries: Vectors) -> Opening:
    """In a process that has done nothing yet."""
    import faiss  # noqa: F401 (loading the library is not opening a collection)

    before = _status()
    started = time.perf_counter()
    with Collection.open(library) as collection:
        collection.search(queries[:1], 10)
        first = time.perf_counter() - started
        for query in queries:
            collection.search(query[None], 10)
        after = _status()
        count = len(collection.snapshot())
        kind = collection.snapshot().kind
    own = (after["RssAnon"] - before["RssAnon"]) / count
    return Opening(kind, count, first, own, (after["VmRSS"] - before["VmRSS"]) / count)


def _status() -> dict[str, int]:
    """The process's memory in bytes. Linux only."""
    lines = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    return {name.rstrip(":"): 1024 * int(words[0]) for name, *words in lines if words[-1:] == ["kB"]}


if __name__ == "__main__":
    _library, _queries = (Path(argument) for argument in sys.argv[1:])
    _found = opened(_library, np.load(_queries))
    print(json.dumps(asdict(_found)))
