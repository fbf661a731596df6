"""The loops that indexing is compared with embed what it embeds; the memory is that of as many images as asked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from benchmarks import indexing
from benchmarks.indexing_loops import LOOPS, Reference
from indexer.encoder import load_encoder
from tests.checkpoints import make_checkpoint
from tests.indexer.training.madeup import write_shards
from tests.pictures import encoded, photo


@pytest.mark.parametrize("name", LOOPS)
def test_every_loop_embeds_the_photos_in_order(name: str, tmp_path: Path) -> None:
    model = f"local-dir:{make_checkpoint(tmp_path / 'model')}"
    photos = [encoded(photo(80, 60, seed=seed)) for seed in range(10)]
    folder = indexing._folder(tmp_path / "photos", photos)
    threads = 0 if name == "clip-retrieval-like" else 2  # no processes: pytest has threads, which a fork would lose
    rows = LOOPS[name](folder, tmp_path, Reference.load(model), threads)
    encoder = load_encoder(model, precision="float32")
    want = encoder.encode_images(np.stack([encoder.manifest.decode(data).pixels for data in photos]))
    assert rows.shape == want.shape
    assert float((rows * want).sum(axis=1).min()) > 0.999


def test_repeated_photos_are_many_different_files() -> None:
    photos = [encoded(photo(40, 30, seed=seed)) for seed in range(3)]
    source = indexing.Repeated(photos, 50)
    listed = list(source.walk())
    assert len(listed) == source.count() == 50
    assert len({hashlib.sha256(source.read(file.path)).digest() for file in listed}) == 50
    assert all(source.read(file.path).startswith(photos[i % 3]) for i, file in enumerate(listed))


def test_the_peak_is_taken_of_all_images(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards") / "flickr8k-train.tar"
    peaks = indexing._peaks_of(shard, 40)
    assert 10 < peaks["all committed"] <= peaks["and the index built"]


def test_turns_are_taken_and_the_first_does_not_count() -> None:
    calls: list[str] = []

    def run(name: str) -> indexing.Spent:
        calls.append(name)
        return indexing.Spent(float(len(calls)), 0.0)

    found = indexing._by_turns({"a": lambda: run("a"), "b": lambda: run("b")}, 2)
    assert calls == ["a", "b"] * 3
    assert indexing._speeds(found, 60) == {"a": pytest.approx([20, 12]), "b": pytest.approx([15, 10])}


def test_a_run_is_beside_its_parts(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards") / "flickr8k-train.tar"
    model = f"local-dir:{make_checkpoint(tmp_path / 'model')}"
    lines = {line.name: line for line in indexing.beside_itself(shard, tmp_path, model, 8, 1)}
    assert lines["photos of the shard's own size, whole run over the encoder alone"].goal == 0.95
    assert lines["0.3 MP, whole run over the slower of decoder and encoder alone"].goal == 0.9
    assert all(float(line.value) > 0 for line in lines.values())
