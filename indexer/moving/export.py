"""A collection's rows and vectors as a folder of files that others read."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from indexer import __version__, database
from indexer.collection import Collection
from indexer.errors import InvalidExport
from indexer.manifest import Manifest
from indexer.moving import flat_faiss, npy, parquet
from indexer.moving.npy import Add
from indexer.staging import StagingBusy, is_free, publish, staged

ExportFormat = Literal["npy", "parquet", "faiss"]
FORMATS: Final = get_args(ExportFormat)

_WRITERS: Final[dict[str, Callable[[Path, Manifest], AbstractContextManager[Add]]]] = {
    "npy": npy.writing,
    "parquet": parquet.writing,
    "faiss": flat_faiss.writing,
}
_HOLDS: Final = {
    "npy": f"- `{npy.VECTORS}`: float16, one row an image; `numpy.load(..., mmap_mode='r')`.\n"
    f"- `{npy.IMAGES}`: one JSON object a line, in the order of the rows.\n",
    "parquet": f"- `{parquet.IMAGES}`: one row an image; `vector` is a list of float32.\n",
    "faiss": f"- `{flat_faiss.INDEX}`: `faiss.read_index`; inner product, exact, its ids are the images' ids.\n"
    f"- `{flat_faiss.IDS}`: one JSON object a line; `id` is the id in the index.\n",
}
_README: Final = """# {images:,} image embeddings

Exported by Sightline {version} as {format}.

{holds}- `manifest.json`: the model, for programs.

| | |
|---|---|
| model | `{model}` |
| SHA-256 of its weights | `{weights_hash}` |
| dimension | {dimension} |
| normalisation | unit length, but for the rounding of float16: the inner product is the cosine |
| computed in | {precision} |
| preprocessing | {preprocessing} |
| decoding | {decode_policy} |
| tokenizer, for text queries | {tokenizer} |

A query must be embedded by the same weights with the same preprocessing. `size` is in bytes, `mtime_ns` and
`content_hash` (SHA-256) are the file's, `taken_at` is the camera's clock, `indexed_at` UTC. Paths are those of the
machine that indexed.
"""


@dataclass(frozen=True, slots=True)
class ExportReport:
    folder: Path
    format: str
    images: int
    size: int
    """Bytes of all files."""


def export(
    collection: Collection,
    folder: Path,
    format: ExportFormat,
    *,
    progress: Callable[[int, int | None], None] | None = None,
) -> ExportReport:
    """Write all images and vectors, as of one moment, into `folder`, which appears whole or not at all.

    Others may search and index meanwhile. Memory does not grow with the collection but for `faiss`. Raises
    InvalidExport for a folder that holds something, BrokenInstallation if pyarrow or FAISS is missing.
    """
    folder = folder.absolute()
    _check_free(folder)
    with _making(folder) as staging:
        whole = staging / "whole"
        whole.mkdir()
        images = _write(collection, whole, format, progress)
        _describe(collection.manifest, whole, format, images)
        size = sum(path.stat().st_size for path in whole.iterdir())
        _check_free(folder)
        publish(whole, folder)
    return ExportReport(folder, format, images, size)


def _check_free(folder: Path) -> None:
    if not is_free(folder):
        raise InvalidExport(str(folder), "it is there already; name a new folder, or an empty one")


@contextmanager
def _making(folder: Path) -> Iterator[Path]:
    try:
        with database.translated(folder.parent), staged(folder) as staging:
            yield staging
    except StagingBusy as busy:
        raise InvalidExport(str(folder), str(busy)) from busy


def _write(
    collection: Collection, whole: Path, format: ExportFormat, progress: Callable[[int, int | None], None] | None
) -> int:
    done, total = 0, collection.catalog.count()
    with _WRITERS[format](whole, collection.manifest) as add:
        for records, vectors in collection.catalog.contents():
            add(records, vectors)
            done += len(records)
            if progress:
                progress(done, max(done, total))
    return done


def _describe(manifest: Manifest, whole: Path, format: ExportFormat, images: int) -> None:
    fields = {"format": format, "images": images, "sightline": __version__, **asdict(manifest)}
    (whole / "manifest.json").write_text(json.dumps(fields, indent=1), "utf-8")
    preprocessing = ", ".join(f"{name} {value}" for name, value in asdict(manifest.preprocessing).items())
    text = _README.format(
        **{**fields, "preprocessing": preprocessing, "version": __version__, "holds": _HOLDS[format]},
    )
    (whole / "README.md").write_text(text, "utf-8")
