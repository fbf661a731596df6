"""The models we know, as frozen data. Any other open_clip model loads too; of these we can say what to expect."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from indexer.checkpoints import MINI, find_checkpoint, published_file
from indexer.errors import SightlineError

DEFAULT_MODEL = MINI

OPEN_CLIP_TABLE = "open_clip's results table"
CLIP_PAPER = 'the CLIP paper (Radford et al. 2021), texts after the prompt "a photo of"'
SIGLIP2_README = "SigLIP 2's README in google-research/big_vision"


class RecallAt(NamedTuple):
    """Percent of the queries that have a right answer among the first 1, 5 and 10; None where it was not published."""

    r1: float
    r5: float | None = None
    r10: float | None = None


@dataclass(frozen=True, slots=True)
class PublishedRecall:
    """Zero-shot retrieval on Karpathy's test splits, as published; captions as they are unless the source says."""

    dataset: str
    """`Flickr30k`: 1,000 images, 5,000 captions. `COCO`: 5,000 images, 25,010 captions."""
    text_to_image: RecallAt
    """Share of the captions whose image is among the first K images."""
    image_to_text: RecallAt
    """Share of the images with at least one of their captions among the first K captions."""
    source: str

    def __post_init__(self) -> None:
        for recall in (self.text_to_image, self.image_to_text):
            known = [value for value in recall if value is not None]
            if known != sorted(known) or not all(0 < value <= 100 for value in known):
                raise ValueError(f"recall must grow with K and be a percentage, not {recall}")


@dataclass(frozen=True, slots=True)
class KnownModel:
    name: str
    """What `--model` takes: `mini`, or open_clip's architecture and weights tag as `ARCHITECTURE/TAG`."""
    hub: str | None
    """The repository with the weights on the Hugging Face hub; None for what comes with the package."""
    dimension: int
    size_mb: float
    """Of the weights, in MB of 1,000,000 bytes: what is downloaded, and about what they take in memory as float32."""
    licence: str
    """Of the weights."""
    published: tuple[PublishedRecall, ...] = ()


def _recalls(
    flickr_t2i: RecallAt, flickr_i2t: RecallAt, coco_t2i: RecallAt, coco_i2t: RecallAt, source: str = OPEN_CLIP_TABLE
) -> tuple[PublishedRecall, ...]:
    return (
        PublishedRecall("Flickr30k", flickr_t2i, flickr_i2t, source),
        PublishedRecall("COCO", coco_t2i, coco_i2t, source),
    )


def _coco_at_1(text_to_image: float, image_to_text: float) -> tuple[PublishedRecall, ...]:
    return (PublishedRecall("COCO", RecallAt(text_to_image), RecallAt(image_to_text), SIGLIP2_README),)


_R = RecallAt

KNOWN_MODELS: tuple[KnownModel, ...] = (
    # Its recall is in the model card beside its weights; it was measured by this project, on Flickr8k's dev photos.
    KnownModel(name=MINI, hub=None, dimension=384, size_mb=21.6, licence="Apache-2.0"),
    KnownModel(
        name="ViT-B-32/openai",
        hub="timm/vit_base_patch32_clip_224.openai",
        dimension=512,
        size_mb=605,
        licence="MIT",
        published=_recalls(_R(58.8, 83.6, 90.0), _R(78.9, 94.9, 98.2), _R(30.4, 55.9, 66.9), _R(50.1, 75.0, 83.5)),
    ),
    KnownModel(
        name="ViT-B-32/laion2b_s34b_b79k",
        hub="laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        dimension=512,
        size_mb=605,
        licence="MIT",
        published=_recalls(_R(66.8, 88.4, 93.1), _R(84.1, 96.2, 98.3), _R(39.3, 65.4, 75.6), _R(56.3, 79.8, 87.1)),
    ),
    KnownModel(
        name="ViT-B-32-256/datacomp_s34b_b86k",
        hub="laion/CLIP-ViT-B-32-256x256-DataComp-s34B-b86K",
        dimension=512,
        size_mb=605,
        licence="MIT",
        published=_recalls(_R(64.9, 87.2, 92.2), _R(84.8, 96.7, 98.5), _R(39.9, 65.4, 75.2), _R(57.9, 80.6, 88.1)),
    ),
    KnownModel(
        name="ViT-B-16/datacomp_xl_s13b_b90k",
        hub="laion/CLIP-ViT-B-16-DataComp.XL-s13B-b90K",
        dimension=512,
        size_mb=598,
        licence="MIT",
        published=_recalls(_R(67.6, 88.3, 93.0), _R(85.1, 97.2, 98.4), _R(40.2, 66.0, 75.6), _R(57.4, 80.9, 88.3)),
    ),
    KnownModel(
        name="ViT-B-16-SigLIP/webli",
        hub="timm/ViT-B-16-SigLIP",
        dimension=768,
        size_mb=813,
        licence="Apache-2.0",
        published=_recalls(_R(74.7, 92.3, 95.6), _R(89.1, 98.0, 99.3), _R(47.8, 72.4, 81.0), _R(65.7, 85.4, 91.3)),
    ),
    KnownModel(
        name="ViT-L-14/laion2b_s32b_b82k",
        hub="laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
        dimension=768,
        size_mb=1_710,
        licence="MIT",
        published=_recalls(_R(75.5, 92.9, 95.9), _R(89.5, 98.7, 99.4), _R(46.5, 71.1, 79.8), _R(63.4, 84.0, 90.7)),
    ),
    KnownModel(
        name="ViT-L-14/datacomp_xl_s13b_b90k",
        hub="laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        dimension=768,
        size_mb=1_710,
        licence="MIT",
        published=_recalls(_R(73.4, 91.7, 95.5), _R(89.0, 98.6, 99.7), _R(45.7, 70.0, 79.2), _R(63.3, 84.1, 90.4)),
    ),
    KnownModel(
        name="ViT-L-14-336/openai",
        hub="timm/vit_large_patch14_clip_336.openai",
        dimension=768,
        size_mb=1_712,
        licence="MIT",
        published=_recalls(
            _R(68.7, 90.6, 95.2), _R(88.0, 98.7, 99.4), _R(37.8, 62.4, 72.2), _R(58.4, 81.5, 88.1), CLIP_PAPER
        ),
    ),
    KnownModel(
        name="ViT-H-14-quickgelu/dfn5b",
        hub="apple/DFN5B-CLIP-ViT-H-14",
        dimension=1024,
        size_mb=3_944,
        licence="Apple's own",
        published=_recalls(_R(80.1, 95.3, 97.4), _R(92.8, 99.4, 99.9), _R(53.9, 78.0, 85.5), _R(72.3, 90.2, 94.5)),
    ),
    KnownModel(
        name="ViT-SO400M-14-SigLIP-384/webli",
        hub="timm/ViT-SO400M-14-SigLIP-384",
        dimension=1152,
        size_mb=3_512,
        licence="Apache-2.0",
        published=_recalls(_R(83.0, 96.1, 98.0), _R(94.3, 99.7, 99.8), _R(54.2, 76.8, 84.2), _R(72.4, 90.0, 94.5)),
    ),
    KnownModel(
        name="ViT-B-32-SigLIP2-256/webli",
        hub="timm/ViT-B-32-SigLIP2-256",
        dimension=768,
        size_mb=1_507,
        licence="Apache-2.0",
        published=_coco_at_1(47.2, 63.7),
    ),
    KnownModel(
        name="ViT-B-16-SigLIP2-256/webli",
        hub="timm/ViT-B-16-SigLIP2-256",
        dimension=768,
        size_mb=1_501,
        licence="Apache-2.0",
        published=_coco_at_1(53.2, 69.7),
    ),
    KnownModel(
        name="ViT-L-16-SigLIP2-256/webli",
        hub="timm/ViT-L-16-SigLIP2-256",
        dimension=1024,
        size_mb=3_526,
        licence="Apache-2.0",
        published=_coco_at_1(54.7, 71.5),
    ),
    # Its README calls it 384 px; with patches of 14 that is 27 x 27 of them, 378 px.
    KnownModel(
        name="ViT-SO400M-14-SigLIP2-378/webli",
        hub="timm/ViT-SO400M-14-SigLIP2-378",
        dimension=1152,
        size_mb=4_544,
        licence="Apache-2.0",
        published=_coco_at_1(55.8, 71.7),
    ),
)


def weights_here(model: str) -> Path | None:
    """The weights file of that model if it is on this machine. Asks no network, and loads no torch for known models."""
    known = next((known for known in KNOWN_MODELS if known.name == model), None)
    if known is not None and known.hub is not None:
        return published_file(f"{known.hub}/").cached()
    try:
        return find_checkpoint(model).weights()
    except SightlineError:
        return None
