"""Are generated vectors as hard to search as a model's? The same figures of both, beside each other.

    python -m benchmarks.vector_search.likeness photos-with-captions.tar more-photos.tar --model mini

Generated ones have the number and dimension of the real ones. A tenth of the photos, and the captions of those, are the
queries; the rest is searched. Figures that say how hard a set is: how far the best stand out from the rest, and what
share of the true ten best one-bit codes (RaBitQ) alone, and an IVF that looks into a sixteenth of its lists, find.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.vector_search.generator import Vectors, World
from benchmarks.vector_search.scene import least, recall
from indexer.vectors.faiss_library import load_faiss

QUERIES = 1000
_DEPTHS = (1, 10, 100)


def figures(vectors: Vectors, queries: Vectors) -> dict[str, float]:
    """`(n, d)` searched with `(q, d)`, n at least 1,000."""
    some = queries[:: max(1, len(queries) // 200)] @ vectors[:: max(1, len(vectors) // 2000)].T
    best = least(queries, vectors, _DEPTHS)
    deviation = float(some.std(axis=1).mean())
    mean = float(some.mean())
    found = {"cosine, all: median": float(np.median(some)), "cosine, all: deviation": deviation}
    found |= {f"cosine, best {depth}: median": float(np.median(best[depth])) for depth in _DEPTHS}
    found["best 1 above the mean, deviations"] = float(np.median(best[1]) - mean) / deviation
    found["best 10 above best 100, deviations"] = float(np.median(best[10] - best[100])) / deviation
    faiss = load_faiss()
    lists = max(16, 1 << round(np.log2(np.sqrt(len(vectors)))))
    kinds = {
        "recall@10, one-bit codes alone": ("RaBitQ", 1),
        f"recall@10, {lists // 16} of {lists} lists": (f"IVF{lists},Flat", lists // 16),
    }
    for name, (factory, probes) in kinds.items():
        index = faiss.index_factory(vectors.shape[1], factory, faiss.METRIC_INNER_PRODUCT)
        index.train(vectors)
        index.add(vectors)
        if probes > 1:
            index.nprobe = probes
        _, ids = index.search(queries, 10)
        found[name] = recall(ids, queries, vectors, best[10], 10)
    return found


def effective_dimension(vectors: Vectors) -> float:
    """Participation ratio of the covariance's eigenvalues: d for a ball, 1 for a line."""
    values = np.linalg.eigvalsh(np.cov(vectors[:20_000].T))
    return float(values.sum() ** 2 / (values**2).sum())


def compare(pictures: Vectors, texts: Vectors, *, world: World | None = None) -> dict[str, tuple[float, float]]:
    """By figure: of the real vectors, and of as many generated ones."""
    world = world or World(len(pictures), pictures.shape[1])
    count = min(QUERIES, len(pictures) // 10)
    real = {"image": pictures[:count], "text": texts[:QUERIES]}
    made = {"image": world.pictures(count, stream=1), "text": world.texts(len(real["text"]), stream=2)}
    searched = (pictures[count:], world.pictures(len(pictures) - count))
    found = {"effective dimension": (effective_dimension(searched[0]), effective_dimension(searched[1]))}
    for kind, queries in real.items():
        pairs = zip(figures(searched[0], queries).items(), figures(searched[1], made[kind]).items(), strict=True)
        found |= {f"{kind}: {name}": (ours, theirs) for (name, ours), (_, theirs) in pairs}
    return found


def encode(sets: Sequence[Path], model: str) -> tuple[Vectors, Vectors]:
    """Pictures of all the sets, and captions of those that have some; both shuffled."""
    from indexer.config import load_settings
    from indexer.encoder import load_encoder
    from search.benchmark.encoding import Batching, encode_captions, encode_pictures
    from search.datasets import InstanceDataset, load_dataset

    settings = load_settings()
    encoder = load_encoder(model, **settings.encoding())
    batching = Batching(settings.limits, settings.batch_size, settings.threads)
    pictures, texts = [], []
    for path in sets:
        dataset = load_dataset(path)
        if isinstance(dataset, InstanceDataset):
            raise typer.BadParameter(f"{path.name} is for instance retrieval; give captioned or labelled pictures")
        items = dataset.items
        pictures.append(encode_pictures([item.image for item in items], encoder, batching).embeddings)
        captions = [caption for item in items for caption in getattr(item, "captions", ())]
        texts.append(encode_captions(captions, encoder)[0])
        print(f"{path.name}: {len(items):,} pictures, {len(captions):,} captions", file=sys.stderr)
    rng = np.random.default_rng(0)
    return rng.permutation(np.concatenate(pictures)), rng.permutation(np.concatenate(texts))


def main(
    sets: Annotated[list[Path], typer.Argument(help="Data sets that `sightline benchmark` takes.")],
    model: Annotated[str, typer.Option(help="The model that encodes them.")] = "mini",
) -> None:
    found = compare(*encode(sets, model))
    print(f"| | {model} | generated |\n|---|---|---|")
    for name, (real, made) in found.items():
        print(f"| {name} | {real:.3f} | {made:.3f} |")


if __name__ == "__main__":
    typer.run(main)
