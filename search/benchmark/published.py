"""Our figures beside the published ones: same weights, same standard split, same prompt, or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.models import CLIP_PAPER, KNOWN_MODELS, KnownModel, RecallAt
from search.benchmark.report import Figures, PublishedFigure, Within

SAME_PROTOCOL, PAPER = 0.3, 1.5
"""Points. Runs of the same protocol differ by less than the first (decoder, precision, ties); a paper that used a
prompt, another resize or another tokenizer has differed by up to 1.7, and by less than the second mostly."""
STANDARD_SPLIT = "test"
RAW = "{}"
_ROUNDING = 1e-9

Way = Literal["text_to_image", "image_to_text"]


@dataclass(frozen=True, slots=True)
class EarlierResult:
    """Text->image recall from before CLIP, for orientation."""

    model: str
    dataset: str
    text_to_image: RecallAt


EARLIER = (
    EarlierResult("DeViSE (Frome et al. 2013)", "Flickr8k", RecallAt(5.9, 20.1, 29.6)),
    EarlierResult("Karpathy and Fei-Fei 2015", "Flickr8k", RecallAt(11.8, 32.1, 44.7)),
    EarlierResult("Kiros et al. 2014", "Flickr8k", RecallAt(12.5, 37.0, 51.5)),
    EarlierResult("m-CNN ensemble (Ma et al. 2015)", "Flickr8k", RecallAt(20.3, 47.6, 61.7)),
)

_PROMPTS = {CLIP_PAPER: ("a photo of {}", "a photo of {c}")}
"""The prompts that a source's captions were put into; raw captions where it is not listed."""


def published_beside(
    model: str, dataset: str, split: str | None, standard: bool, ours: Mapping[str, Mapping[Way, Figures]]
) -> tuple[PublishedFigure, ...]:
    """A line for each published figure that ours may stand beside; none on anything but a standard test split.

    `ours` is by prompt, `{}` for raw captions.
    """
    if not standard or split != STANDARD_SPLIT:
        return ()
    known = _known(model)
    found = [*_same_weights(known, dataset, ours)] if known else []
    raw = ours.get(RAW)
    if raw:
        for earlier in EARLIER:
            if earlier.dataset == dataset:
                names = (earlier.model, False, dataset, earlier.model)
                found += _lines(*names, "text_to_image", earlier.text_to_image, raw["text_to_image"])
    return tuple(found)


def within(difference: float) -> Within | None:
    """The narrowest of the two tolerances that a difference in points keeps."""
    if abs(difference) <= SAME_PROTOCOL + _ROUNDING:
        return "same protocol"
    return "paper" if abs(difference) <= PAPER + _ROUNDING else None


def _same_weights(
    known: KnownModel, dataset: str, ours: Mapping[str, Mapping[Way, Figures]]
) -> Iterator[PublishedFigure]:
    for entry in known.published:
        prompts = _PROMPTS.get(entry.source, (RAW,))
        figures = next((ours[prompt] for prompt in prompts if prompt in ours), None)
        if entry.dataset != dataset or figures is None:
            continue
        names = (known.name, True, dataset, entry.source)
        yield from _lines(*names, "text_to_image", entry.text_to_image, figures["text_to_image"])
        yield from _lines(*names, "image_to_text", entry.image_to_text, figures["image_to_text"])


def _lines(
    model: str, same: bool, dataset: str, source: str, direction: Way, recall: RecallAt, ours: Figures
) -> Iterator[PublishedFigure]:
    for name, published in zip(("R@1", "R@5", "R@10"), recall, strict=True):
        figure = ours.get(name)
        if published is None or figure is None:
            continue
        difference = figure - published
        yield PublishedFigure(
            model=model,
            same_weights=same,
            dataset=dataset,
            direction=direction,
            figure=name,
            published=published,
            ours=figure,
            difference=difference,
            within=within(difference) if same else None,
            source=source,
        )


def _known(model: str) -> KnownModel | None:
    """By its own name, or by that of its repository on the hub."""
    return next((k for k in KNOWN_MODELS if model == k.name or (k.hub and model == f"hf-hub:{k.hub}")), None)
