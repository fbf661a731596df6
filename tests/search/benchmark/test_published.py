"""When a published figure stands beside ours, and what is said of the difference."""

from __future__ import annotations

import pytest

from indexer.models import CLIP_PAPER, KNOWN_MODELS
from search.benchmark.published import Way, published_beside, within
from search.benchmark.report import Figures

OURS: dict[Way, Figures] = {
    "text_to_image": {"R@1": 58.9, "R@5": 82.3, "R@10": 80.0},
    "image_to_text": {"R@1": 78.9, "R@5": None, "R@10": 98.2},
}


def test_the_same_weights_on_the_standard_split() -> None:
    found = published_beside("ViT-B-32/openai", "Flickr30k", "test", True, {"{}": OURS})
    lines = {(line.direction, line.figure): line for line in found}
    first = lines["text_to_image", "R@1"]
    assert (first.published, first.ours, first.within) == (58.8, 58.9, "same protocol")
    assert first.difference == pytest.approx(0.1)
    assert lines["text_to_image", "R@5"].within == "paper"
    assert lines["text_to_image", "R@10"].within is None
    assert ("image_to_text", "R@5") not in lines  # ours could not be measured
    assert all(line.same_weights and line.source for line in found)


def test_the_repository_of_the_weights_names_them_too() -> None:
    hub = next(model.hub for model in KNOWN_MODELS if model.name == "ViT-B-32/openai")
    assert published_beside(f"hf-hub:{hub}", "COCO", "test", True, {"{}": OURS})


@pytest.mark.parametrize(
    ("model", "dataset", "split", "standard"),
    [
        ("ViT-B-32/openai", "Flickr30k", "test", False),  # other counts
        ("ViT-B-32/openai", "Flickr30k", "val", True),
        ("ViT-B-32/openai", "COCO", "val", True),  # as many images and captions as test
        ("ViT-B-32/openai", "Flickr8k-mine", "test", True),
        ("mini", "Flickr30k", "test", True),
    ],
)
def test_nothing_stands_beside_another_split_or_other_weights(
    model: str, dataset: str, split: str, standard: bool
) -> None:
    assert published_beside(model, dataset, split, standard, {"{}": OURS}) == ()


def test_a_prompt_stands_beside_no_figure_of_raw_captions_and_the_other_way_round() -> None:
    assert published_beside("ViT-B-32/openai", "COCO", "test", True, {"a photo of {}": OURS}) == ()
    assert published_beside("ViT-L-14-336/openai", "COCO", "test", True, {"{}": OURS}) == ()
    found = published_beside("ViT-L-14-336/openai", "COCO", "test", True, {"{}": OURS, "a photo of {}": OURS})
    assert {line.source for line in found} == {CLIP_PAPER}


def test_flickr8k_has_the_figures_from_before_clip_for_orientation() -> None:
    found = published_beside("mini", "Flickr8k", "test", True, {"{}": OURS})
    assert {line.figure for line in found} == {"R@1", "R@5", "R@10"}
    assert len({line.model for line in found}) == 4
    assert not any(line.same_weights or line.within for line in found)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        (0.0, "same protocol"),
        (-0.3, "same protocol"),
        (30.7 - 30.4, "same protocol"),  # 0.3000000000000007
        (0.31, "paper"),
        (-1.5, "paper"),
        (1.51, None),
        (-20.0, None),
    ],
)
def test_tolerances(difference: float, expected: str | None) -> None:
    assert within(difference) == expected
