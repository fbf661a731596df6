"""Makes the built-in model `mini`: shards and a backbone in, an open_clip model folder out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from indexer.errors import InvalidRequest
from indexer.training.backbone import HEIGHT, TIMM_MODEL, WIDTH, Backbone, View, load_backbone, pooled_features
from indexer.training.contrastive import PairSource, Progress, TrainingConfig, TwoTowers, train
from indexer.training.export import TOKEN_TABLE, export
from indexer.training.shards import Example, read_shard
from indexer.training.sources import Groups, captioned_source, class_source
from indexer.training.text import CLEANING, CONTEXT, Vocabulary, make_tokenizer

_LOG = logging.getLogger(__name__)

CAPTIONS = "flickr8k-train.tar"
LABELS = ("tiny-imagenet.tar", "clothing-cc0.tar", "fashion-products.tar", "flowers.tar")


@dataclass(frozen=True, slots=True)
class _View:
    kind: View
    seed: int = 0


_CAPTION_VIEWS = (_View("whole"), _View("mirrored"), _View("crop", 1), _View("crop", 2))
_LABEL_VIEWS = (_View("whole"),)


def make_mini(shards: Path, backbone_folder: Path, out: Path, config: TrainingConfig, cache: Path | None) -> None:
    """Trains on `flickr8k-train.tar`, the label shards that are in `shards`, and the backbone's own classes.

    With `cache` the image features, which take most of the time, are kept there and found again by the next run.
    Raises `SourceNotFound`, `InvalidDataset`, `ModelLoadFailed`, and `InvalidRequest` when there is nothing to train.
    """
    backbone = load_backbone(backbone_folder)
    tokenizer = make_tokenizer()
    sources = _sources(shards, backbone, tokenizer, cache)
    vocabulary = Vocabulary.of([source.tokens for source in sources], tokenizer.vocab_size)
    _LOG.info("%d of %d tokens are used", len(vocabulary), tokenizer.vocab_size)
    towers = train(sources, vocabulary, config, _log_progress)
    export(out, model_config(config, tokenizer.vocab_size), full_state(towers, backbone.trunk, vocabulary))


def model_config(config: TrainingConfig, vocabulary_size: int) -> dict[str, Any]:
    """What open_clip needs to build the model, its preprocessing and its tokenizer from `local-dir:`."""
    vision = {
        "timm_model_name": TIMM_MODEL,
        "timm_model_pretrained": False,
        "timm_pool": "avg",
        "timm_proj": "linear",
        "timm_proj_bias": True,
        "image_size": [HEIGHT, WIDTH],
    }
    text = {
        "context_length": CONTEXT,
        "vocab_size": vocabulary_size,
        "width": config.width,
        "heads": config.heads,
        "layers": config.layers,
        "tokenizer_kwargs": {"clean": CLEANING},
    }
    half = [0.5, 0.5, 0.5]
    return {
        "model_cfg": {
            "embed_dim": config.dimension,
            "custom_text": True,
            "vision_cfg": vision,
            "text_cfg": text,
        },
        "preprocess_cfg": {"mean": half, "std": half, "interpolation": "bicubic", "resize_mode": "squash"},
    }


def full_state(towers: TwoTowers, trunk: torch.nn.Module, vocabulary: Vocabulary) -> dict[str, torch.Tensor]:
    """open_clip's names for everything, with the token table back at its full size."""
    state = {f"visual.trunk.{name}": tensor for name, tensor in trunk.state_dict().items()}
    state["visual.head.proj.weight"] = towers.projection.weight.detach()
    state["visual.head.proj.bias"] = towers.projection.bias.detach()
    state |= {f"text.{name}": tensor for name, tensor in towers.text.state_dict().items()}
    state["logit_scale"] = towers.logit_scale.detach()
    state[TOKEN_TABLE] = vocabulary.expand(state[TOKEN_TABLE])
    return state


def _sources(shards: Path, backbone: Backbone, tokenizer: Any, cache: Path | None) -> list[PairSource]:
    groups = Groups(backbone.class_names)

    def source(shard: str, views: Sequence[_View]) -> PairSource:
        examples = list(read_shard(shards / shard))
        if not examples:
            raise InvalidRequest(f"{str(shards / shard)!r} holds no picture with a caption or a label")
        features = _features(backbone, shard, examples, views, cache)
        return captioned_source(shard, features, examples, groups, tokenizer)

    captions = source(CAPTIONS, _CAPTION_VIEWS)
    labelled = [source(shard, _LABEL_VIEWS) for shard in LABELS if (shards / shard).is_file()]
    return [captions, class_source(backbone, captions.features[0], groups, tokenizer), *labelled]


def _features(
    backbone: Backbone, shard: str, examples: Sequence[Example], views: Sequence[_View], cache: Path | None
) -> torch.Tensor:
    """`(views, n, 1280)`."""
    jpegs = [example.jpeg for example in examples]
    content = hashlib.sha256(b"".join(hashlib.sha256(jpeg).digest() for jpeg in jpegs)).hexdigest()[:12]
    made = []
    for view in views:
        file = cache / f"{content}-{HEIGHT}x{WIDTH}-{view.kind}-{view.seed}.npy" if cache else None
        if file and file.is_file():
            made.append(torch.from_numpy(np.load(file)))
            continue
        _LOG.info("features of %s, %s: %d pictures", shard, view.kind, len(jpegs))
        rows = pooled_features(backbone.trunk, jpegs, view=view.kind, seed=view.seed)
        if file:
            file.parent.mkdir(parents=True, exist_ok=True)
            np.save(file, rows)
        made.append(torch.from_numpy(rows))
    return torch.stack(made)


def _log_progress(progress: Progress) -> None:
    _LOG.info("step %d of %d: loss %.3f", progress.step, progress.steps, progress.loss)
