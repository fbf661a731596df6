"""How well a map keeps neighbours, ours beside others.

    python benchmarks/projection.py DATA/tiny-imagenet.tar DATA/flickr8k-train.tar DATA/fashion-products.tar
    pip install umap-learn pacmap   # to have them beside it

All photos of the shards on one map, embedded by `mini`. Kept: the mean share of a picture's 15 nearest by embedding
that are among its 15 nearest on the map. Trustworthy (Venna and Kaski, 2001; scikit-learn's, of 4,000 of them): falls
when pictures lie side by side that are not alike.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.captioned_photos import read_photos
from benchmarks.goals import Line, plain, table, write
from indexer.encoder import load_encoder
from indexer.projection.layout import Points, lay_out
from indexer.vectors import Vectors
from indexer.vectors.faiss_library import load_faiss

RESULTS = Path(__file__).parent / "results" / "projection.json"
NEAREST = 15
_TRUSTED = 4000

Method = Callable[[Vectors], Points]


def sightline(vectors: Vectors) -> Points:
    return lay_out(vectors, lambda done, total: None, threads=os.cpu_count() or 1)


def pca(vectors: Vectors) -> Points:
    centred = vectors - vectors.mean(axis=0)
    return np.asarray(centred @ np.linalg.svd(centred[:_TRUSTED], full_matrices=False)[2][:2].T, np.float32)


def umap(vectors: Vectors) -> Points:
    from umap import UMAP  # type: ignore[import-not-found]

    return np.asarray(UMAP(metric="cosine", n_jobs=os.cpu_count()).fit_transform(vectors), np.float32)


def pacmap(vectors: Vectors) -> Points:
    from pacmap import PaCMAP  # type: ignore[import-not-found]

    return np.asarray(PaCMAP(random_state=0).fit_transform(vectors), np.float32)


METHODS: dict[str, Method] = {"Sightline (t-SNE by openTSNE)": sightline, "umap": umap, "pacmap": pacmap, "PCA": pca}


def judged(name: str, method: Method, vectors: Vectors) -> list[Line]:
    started = time.monotonic()
    points = method(vectors)
    seconds = time.monotonic() - started
    where = f"{len(vectors):,} photos, {name}"
    return [
        plain(f"{where}: of the {NEAREST} nearest kept, %", 100 * kept(vectors, points)),
        plain(f"{where}: trustworthiness", trusted(vectors, points)),
        plain(f"{where}: seconds", seconds),
    ]


def kept(vectors: Vectors, points: Points) -> float:
    faiss = load_faiss()
    found = []
    for rows, index in ((vectors, faiss.IndexFlatIP(vectors.shape[1])), (points, faiss.IndexFlatL2(2))):
        index.add(np.ascontiguousarray(rows))
        found.append(index.search(np.ascontiguousarray(rows), NEAREST + 1)[1][:, 1:])
    return float(np.mean([len(set(a) & set(b)) / NEAREST for a, b in zip(*found, strict=True)]))


def trusted(vectors: Vectors, points: Points) -> float:
    from sklearn.manifold import trustworthiness  # type: ignore[import-untyped]

    some = np.random.default_rng(0).permutation(len(vectors))[:_TRUSTED]
    return float(trustworthiness(vectors[some], points[some], n_neighbors=NEAREST, metric="cosine"))


def main(shards: Annotated[list[Path], typer.Argument(help="Tar files of photos.")]) -> None:
    encoder = load_encoder("mini")
    vectors = np.concatenate([read_photos(shard, 10_000, encoder).vectors for shard in shards])
    lines: list[Line] = []
    for name, method in METHODS.items():
        if name in ("umap", "pacmap") and importlib.util.find_spec(name) is None:
            print(f"{name} is not installed", file=sys.stderr)
            continue
        lines += judged(name, method, vectors)
    print(table(lines))
    write(lines, RESULTS, f"python benchmarks/projection.py {' '.join(shard.name for shard in shards)}")


if __name__ == "__main__":
    typer.run(main)
