"""The peers, on so few vectors that each of them finds everything."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.vector_search import engines
from benchmarks.vector_search.engines import PEERS
from benchmarks.vector_search.scene import Scene, make_scene, recall


@pytest.fixture(scope="module")
def scene() -> Scene:
    return make_scene(1_000, 32, queries=20)


@pytest.mark.parametrize("name", PEERS)
def test_with_the_most_effort_every_peer_finds_nearly_everything(name: str, scene: Scene) -> None:
    built = engines.build(name, scene, threads=1)
    if built is None:
        pytest.skip(f"{name} is not installed")
    if built.engine.efforts:
        built.engine.set_effort(built.engine.efforts[-1])
    for queries in scene.queries.values():
        together = built.engine.search(queries.vectors, 10)
        alone = [built.engine.search(query[None], 10)[0] for query in queries.vectors]
        for found in (together, alone):
            share = recall(found, queries.vectors, scene.vectors, queries.least[10], 10)
            assert share == 1.0 if built.engine.exact else share > 0.97
    assert built.engine.hot_bytes >= 4 * 32


def test_best_first(scene: Scene) -> None:
    query = scene.queries["image"].vectors[:1]
    for name in ("numpy", "rclip-like sort", "FAISS flat"):
        built = engines.build(name, scene, threads=1)
        assert built is not None
        [ids] = built.engine.search(query, 10)
        scores = scene.vectors[ids] @ query[0]
        assert (np.diff(scores) <= 1e-6).all(), name


def test_more_effort_finds_more(scene: Scene) -> None:
    built = engines.build("FAISS IVF", scene, threads=1)
    assert built is not None
    queries = scene.queries["text"]
    shares = []
    for effort in (built.engine.efforts[0], built.engine.efforts[-1]):
        built.engine.set_effort(effort)
        found = built.engine.search(queries.vectors, 10)
        shares.append(recall(found, queries.vectors, scene.vectors, queries.least[10], 10))
    assert shares[0] < shares[1]


def test_a_library_that_is_not_there_is_reported(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(scene: Scene, threads: int) -> engines.Engine:
        raise ImportError("no such library")

    peers: dict[str, Callable[[Scene, int], engines.Engine]] = {**PEERS, "hnswlib": missing}
    monkeypatch.setattr(engines, "PEERS", peers)
    assert engines.build("hnswlib", scene, threads=1) is None
