"""Our figures beside those of the tools people know: CLIP_benchmark's Recall@K, trec_eval's mAP, nDCG and the rest.

Where nothing ties they must be equal to 1e-6. Where scores tie, CLIP_benchmark takes whichever torch's top-k happens
to return: at k = 1 the earliest row, which is ours; at any k something between our figures with ties against and in
favour. trec_eval breaks ties by the name of the document, so that with fitting names it gives each of ours exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from search.evaluation import evaluate
from search.metrics import Ties, figures, per_query
from search.ranks import RightRanks

Case = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]


def _unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def _random(images: int, captions: int, dimension: int, seed: int, signal: float = 0.3) -> Case:
    """Unit vectors; every image has at least one caption, the rest fall where they fall."""
    rng = np.random.default_rng(seed)
    pictures = _unit(rng.standard_normal((images, dimension)))
    owner = np.concatenate([np.arange(images), rng.integers(0, images, captions - images)])
    noise = _unit(rng.standard_normal((captions, dimension)))
    return pictures, _unit(signal * pictures[np.sort(owner)] + noise), np.sort(owner)


UNTIED: dict[str, Case] = {
    "several captions": _random(120, 600, 64, 0),
    "one caption each": _random(150, 150, 32, 1),
    "chance": _random(100, 500, 512, 2, signal=0.0),
    "perfect": _random(60, 300, 64, 3, signal=50.0),
    "uneven": _random(40, 431, 16, 4),
    "two images": _random(2, 30, 8, 5),
    "one image": _random(1, 12, 8, 6),
}


def _tied(seed: int) -> Case:
    """Small whole numbers, exact in any arithmetic: many ties, copies of images and of captions."""
    rng = np.random.default_rng(seed)
    pictures = rng.integers(-1, 2, (70, 4)).astype(np.float32)
    pictures[60:] = pictures[:10]
    owner = np.sort(np.concatenate([np.arange(70), rng.integers(0, 70, 110)]))
    texts = rng.integers(-1, 2, (180, 4)).astype(np.float32)
    texts[100:120] = texts[0]
    return pictures, texts, owner


TIED: dict[str, Case] = {
    **{f"whole numbers {seed}": _tied(seed) for seed in range(4)},
    "all alike": (np.ones((70, 4), np.float32), np.ones((140, 4), np.float32), np.repeat(np.arange(70), 2)),
}


def _ks(case: Case) -> list[int]:
    """torch's top-k takes no k over the number of items."""
    return [k for k in (1, 5, 10) if k <= min(len(case[0]), len(case[1]))]


@pytest.fixture
def unnormalised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets CLIP_benchmark score whole numbers as they are, so that they stay exact."""
    import torch.nn.functional

    monkeypatch.setattr(torch.nn.functional, "normalize", lambda vectors, dim: vectors)


class _Identity:
    """A model whose embeddings are its input, so that CLIP_benchmark's own `evaluate` runs unchanged."""

    def encode_image(self, batch: Any) -> Any:
        return batch

    def encode_text(self, batch: Any) -> Any:
        return batch


def clip_benchmark_recalls(case: Case, ks: list[int]) -> dict[str, float]:
    import torch
    from clip_benchmark.metrics import zeroshot_retrieval

    images, captions, owner = case
    texts: list[list[int]] = [[] for _ in images]
    for caption, image in enumerate(owner.tolist()):
        texts[image].append(caption)

    def batches(size: int = 16) -> Iterator[tuple[Any, list[list[int]]]]:
        for start in range(0, len(images), size):
            yield torch.from_numpy(images[start : start + size]), texts[start : start + size]

    rows = torch.from_numpy(captions)
    found = zeroshot_retrieval.evaluate(
        _Identity(), batches(), lambda chosen: rows[chosen], "cpu", amp=False, recall_k_list=ks
    )
    return {name: 100 * value for name, value in found.items()}


@pytest.mark.parametrize("case", UNTIED.values(), ids=UNTIED.keys())
def test_recall_is_clip_benchmarks(case: Case) -> None:
    ours, theirs = evaluate(*case, ks=_ks(case), resamples=0), clip_benchmark_recalls(case, _ks(case))
    assert (ours.text_to_image.tied, ours.image_to_text.tied) == (0, 0)
    for k in _ks(case):
        # Theirs is a float32 mean of zeros and ones: 1e-6 of a share is 1e-4 of a percent.
        assert ours.text_to_image.figures[f"R@{k}"] == pytest.approx(theirs[f"image_retrieval_recall@{k}"], abs=1e-4)
        assert ours.image_to_text.figures[f"R@{k}"] == pytest.approx(theirs[f"text_retrieval_recall@{k}"], abs=1e-4)


@pytest.mark.usefixtures("unnormalised")
@pytest.mark.parametrize("case", TIED.values(), ids=TIED.keys())
def test_with_ties_clip_benchmarks_recall_is_between_ours(case: Case) -> None:
    ours, theirs = evaluate(*case, ks=_ks(case), resamples=0), clip_benchmark_recalls(case, _ks(case))
    assert ours.text_to_image.tied > 0
    for direction, name in ((ours.text_to_image, "image_retrieval"), (ours.image_to_text, "text_retrieval")):
        for k in _ks(case):
            against, favour = direction.against[f"R@{k}"], direction.in_favour[f"R@{k}"]
            assert against - 1e-4 <= theirs[f"{name}_recall@{k}"] <= favour + 1e-4
        assert direction.figures["R@1"] == pytest.approx(theirs[f"{name}_recall@1"], abs=1e-4)


def trec_eval(scores: NDArray[Any], is_right: NDArray[np.bool_], ks: list[int], ties: Ties) -> dict[str, float]:
    """Its means over the rows. It puts the later name first where scores tie."""
    import pytrec_eval

    def name(column: int, right: bool) -> str:
        if ties is Ties.IN_ORDER:
            return f"m{9999 - column}"
        return f"{'m' if not right else 'a' if ties is Ties.AGAINST else 'z'}{column}"

    judged: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for row, (values, right) in enumerate(zip(scores.tolist(), is_right.tolist(), strict=True)):
        names = [name(column, yes) for column, yes in enumerate(right)]
        judged[str(row)] = dict(zip(names, map(int, right), strict=True))
        run[str(row)] = dict(zip(names, values, strict=True))
    cuts = ",".join(map(str, ks))
    wanted = {f"success.{cuts}", f"map_cut.{cuts}", f"ndcg_cut.{cuts}", "recip_rank"}
    found = list(pytrec_eval.RelevanceEvaluator(judged, wanted).evaluate(run).values())
    return {name: 100 * float(np.mean([query[name] for query in found])) for name in found[0]}


def _assert_trec_evals(right: RightRanks, theirs: dict[str, float], ks: list[int], ties: Ties) -> None:
    ours = figures(right, ks, ties)
    for k in ks:
        assert ours[f"R@{k}"] == pytest.approx(theirs[f"success_{k}"], abs=1e-6)
        assert ours[f"mAP@{k}"] == pytest.approx(theirs[f"map_cut_{k}"], abs=1e-6)
        assert ours[f"nDCG@{k}"] == pytest.approx(theirs[f"ndcg_cut_{k}"], abs=1e-6)
    reciprocal = 100 * float(np.mean(1 / per_query(right, ks, ties)["mean_rank"]))
    assert reciprocal == pytest.approx(theirs["recip_rank"], abs=1e-6)


@pytest.mark.parametrize("ties", Ties)
@pytest.mark.parametrize("case", [*UNTIED.values(), *TIED.values()], ids=[*UNTIED, *TIED])
def test_everything_else_is_trec_evals(case: Case, ties: Ties) -> None:
    images, captions, owner = case
    ks = [1, 3, 5, 10]
    ours = evaluate(*case, ks=ks, resamples=0)
    scores = captions.astype(np.float64) @ images.astype(np.float64).T
    is_right = np.arange(len(images)) == owner[:, None]
    _assert_trec_evals(ours.text_to_image.right, trec_eval(scores, is_right, ks, ties), ks, ties)
    _assert_trec_evals(ours.image_to_text.right, trec_eval(scores.T, is_right.T, ks, ties), ks, ties)
