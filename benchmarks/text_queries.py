"""What a text query costs: from memory, encoded by ours, and by open_clip as it comes.

A ViT-B-32 with random weights (for speed they do) encodes everyday queries, one at a time on one thread: open_clip's
eager float32 over all 77 tokens, ours in each precision, cut after the end token. Engines take turns. A cached query
is a whole search, ten hits of 10,000 images with their rows of the catalog, after the same text was asked for once.
Under load, sixteen threads ask different texts: gathered into batches, and one by one.

    python benchmarks/text_queries.py
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":  # run by its path, this folder would come first, and its search.py hide the package `search`
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import torch
import typer

from benchmarks.goals import Line, at_most, plain, table, write
from benchmarks.random_models import random_model
from benchmarks.vector_search.timing import take_turns, threads, times_faster
from indexer.catalog import NewImage
from indexer.collection import Collection
from indexer.encoder import Encoder, OpenClipEncoder, load_encoder
from indexer.probes import TEXTS
from search.embedding import TextEmbeddings
from search.engine import SearchEngine
from search.query import Query, TextTerm

ARCHITECTURE = "ViT-B-32"
IMAGES = 10_000
CALLERS = 16
CACHED_MS, SHARE_OF_EAGER = 2.0, 0.45
RESULTS = Path(__file__).parent / "results" / "text_queries.json"


def eager(model: Any, tokenizer: Any) -> Callable[[int], object]:
    """open_clip as its README shows it."""

    def encode(number: int) -> object:
        with torch.inference_mode():
            features = model.encode_text(tokenizer([query_text(number)]))
            return torch.nn.functional.normalize(features, dim=-1).numpy()

    return encode


def query_text(number: int) -> str:
    return TEXTS[number % len(TEXTS)]


def encoding(encoders: dict[str, OpenClipEncoder], model: Any, tokenizer: Any, rounds: int) -> list[Line]:
    """Milliseconds of each way and its share of eager's."""
    whole = eager(model, tokenizer)
    runs = {name: lambda number, own=own: own.encode_texts([query_text(number)]) for name, own in encoders.items()}
    found = take_turns({"eager": whole, **runs}, len(TEXTS), rounds=rounds, seconds=0.5)
    lines = [plain("open_clip eager, float32: ms a query", 1000 * found["eager"].median)]
    fastest = min(encoders, key=lambda name: found[name].median)
    for name, own in encoders.items():
        likeness = [float((own.encode_texts([query_text(i)]) * whole(i)).sum()) for i in range(0, len(TEXTS), 10)]
        share = 1 / times_faster(found[name], found["eager"])
        lines += [
            plain(f"ours, {name}: ms a query", 1000 * found[name].median),
            plain(f"ours, {name}: lowest cosine to eager", min(likeness)),
        ]
        label = f"ours, {name}: time over eager's"
        lines.append(at_most(label, share, SHARE_OF_EAGER) if name == fastest else plain(label, share))
    return lines


def a_collection(folder: Path, encoder: Encoder, size: int) -> Collection:
    """Of pictures that nobody took."""
    collection = Collection.open_or_create(folder, encoder.manifest)
    rows = np.random.default_rng(0).standard_normal((size, encoder.manifest.dimension), dtype=np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    images = [
        NewImage(
            path=f"/photos/{number // 100:03}/{number:05}.jpg",
            size=100_000,
            mtime_ns=1,
            content_hash=hashlib.sha256(str(number).encode()).hexdigest(),
            width=640,
            height=480,
            format="jpeg",
            taken_at=None,
            camera=None,
        )
        for number in range(size)
    ]
    collection.catalog.put(images, rows.astype(np.float16))
    return collection


def whole_search(encoder: Encoder, size: int, rounds: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as folder, a_collection(Path(folder) / "library", encoder, size) as collection:
        engine = SearchEngine(collection, encoder)
        asked = [Query((TextTerm(text),), words=False) for text in TEXTS]
        engine.search_many(asked)
        found = take_turns({"cached": lambda number: engine.search(asked[number])}, len(asked), rounds=rounds)
    return [
        at_most(f"a cached query of {size:,} images, ms", 1000 * found["cached"].median, CACHED_MS),
        plain(f"a cached query of {size:,} images, p99, ms", 1000 * found["cached"].p99),
    ]


def under_load(encoder: Encoder, rounds: int) -> list[Line]:
    """Texts a second that sixteen callers get, by turns."""
    together, alone = [], []
    for _ in range(rounds):
        gathered = TextEmbeddings(encoder)
        together.append(rate(lambda text, gathered=gathered: gathered.of([text])))
        alone.append(rate(lambda text: encoder.encode_texts([text])))
    ratio = float(np.median(np.array(together) / np.array(alone)))
    return [
        plain(f"{CALLERS} callers, gathered: queries a second", float(np.median(together))),
        plain(f"{CALLERS} callers, each for itself: queries a second", float(np.median(alone))),
        plain(f"{CALLERS} callers: gathered over each for itself", ratio),
    ]


def rate(encode: Callable[[str], object]) -> float:
    with ThreadPoolExecutor(CALLERS) as pool:
        started = time.perf_counter()
        list(pool.map(encode, TEXTS))
        return len(TEXTS) / (time.perf_counter() - started)


def measure(architecture: str, images: int, rounds: int) -> list[Line]:
    with tempfile.TemporaryDirectory() as scratch:
        name = random_model(Path(scratch) / "model", architecture)
        encoders = {
            precision: load_encoder(name, device="cpu", precision=precision) for precision in ("float32", "bfloat16")
        }
        chosen = load_encoder(name, device="cpu")
        import open_clip

        model = open_clip.create_model(name, require_pretrained=True).eval()
        lines = encoding(encoders, model, open_clip.get_tokenizer(name), rounds)
        return lines + whole_search(chosen, images, rounds) + under_load(chosen, rounds)


def main(
    architecture: Annotated[str, typer.Option(help="One of open_clip's.")] = ARCHITECTURE,
    images: Annotated[int, typer.Option(help="In the collection that is searched.")] = IMAGES,
    rounds: Annotated[int, typer.Option(help="Turns of each.")] = 9,
    output: Annotated[
        Path, typer.Option(help="File for the results.", show_default="results/text_queries.json")
    ] = RESULTS,
) -> None:
    torch.set_num_threads(1)
    with threads(1):
        lines = measure(architecture, images, rounds)
    print(table(lines))
    write(lines, output, "python benchmarks/text_queries.py")


if __name__ == "__main__":
    typer.run(main)
