"""What `mini` is made from: pictures with captions, labels and titles, and texts without pictures."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import InvalidDataset, InvalidTraining
from indexer.training.backbone import Backbone
from indexer.training.captions import read_captions
from indexer.training.classes import ClassTexts
from indexer.training.corpus import Corpus, Kind, add_texts_without_pictures, plain_caption
from indexer.training.features import FeatureStore
from indexer.training.pairs import Groups, Pairs, Text
from indexer.training.shards import Example, read_shard
from indexer.training.teacher_training import SidePairs
from indexer.training.text import label_texts
from indexer.training.views import View

_LOG = logging.getLogger(__name__)

CAPTIONS = "flickr8k-train.tar"
"""The shard that must be there."""


@dataclass(frozen=True, slots=True)
class SideShard:
    """A shard of pictures with labels or titles, which is used if it is there."""

    file: str
    batch: int
    """Pictures a step."""
    held_back: float = 0.0
    """Share of the pictures, at the end of the shard, that is for measuring and never trained on."""
    like_classes: bool = False
    """Whether the backbone's classifier is asked about its pictures: photos such as it was trained on."""


SIDE_SHARDS = (
    SideShard("fashion-products.tar", batch=64, held_back=0.25),
    SideShard("tiny-imagenet.tar", batch=64, like_classes=True),
    SideShard("clothing-cc0.tar", batch=32),
    SideShard("flowers.tar", batch=32),
)
_RENDERED_BATCH = 32


@dataclass(frozen=True, slots=True)
class MiniSources:
    """Where it is. What is None, and side shards that are not there, are left out, with a line in the log."""

    shards: Path
    """Folder with `flickr8k-train.tar` and any of `SIDE_SHARDS`."""
    backbone: Path
    """Folder as `load_backbone` has it."""
    rendered: Path | None = None
    """Folder that `python -m data.render` wrote."""
    wordnet: Path | None = None
    """Folder with WordNet's `data.noun`, `index.sense` and their sisters."""
    class_sentences: Path | None = None
    """JSON with sentences about classes, as `add_texts_without_pictures` has it."""


@dataclass(frozen=True, slots=True)
class Views:
    """In which views pictures are shown. The first must be `whole`: pictures are measured so."""

    captioned: tuple[View, ...] = (
        View("whole"),
        View("mirrored"),
        View("crop", 1),
        View("crop", 2),
        View("colours", 3),
    )
    sides: tuple[View, ...] = (View("whole"), View("crop", 1))
    rendered: tuple[View, ...] = (View("whole"),)
    """Never mirrored: their captions say what is left of what."""


@dataclass(frozen=True, slots=True)
class Material:
    corpus: Corpus
    classes: ClassTexts
    captioned: Pairs
    held_out: Pairs | None
    sides: tuple[SidePairs, ...]


def gather(
    sources: MiniSources, backbone: Backbone, store: FeatureStore, *, views: Views, hold_out: int, seed: int
) -> Material:
    """Reads everything and computes the features of the pictures. The last `hold_out` captioned pictures are kept
    apart. Raises `SourceNotFound`, `InvalidDataset`, and `InvalidTraining` when too few pictures are left."""
    reader = _Reader(store, Corpus(), Groups(backbone.class_names))
    examples = [example for example in _read(sources.shards / CAPTIONS) if any(map(plain_caption, example.captions))]
    kept = len(examples) - hold_out
    if kept < 2:
        raise InvalidTraining(
            f"--hold-out {hold_out} leaves {max(0, kept)} of the {len(examples)} captioned pictures in {CAPTIONS}; "
            "at least 2 must be left to train on"
        )
    captioned = reader.pairs("captions", examples[:kept], views.captioned, "caption")
    sides = [side for shard in SIDE_SHARDS for side in reader.side(sources.shards, shard, views.sides)]
    sides += reader.rendered(sources.rendered, views.rendered)
    classes = ClassTexts.of(backbone.class_names, reader.corpus)
    add_texts_without_pictures(
        reader.corpus, descriptions=sources.class_sentences, wordnet_folder=sources.wordnet, seed=seed
    )
    # Last, so that no other text is made of theirs.
    held_out = reader.pairs("held-out", examples[kept:], (View("whole"),), "held_out") if hold_out else None
    return Material(reader.corpus, classes, captioned, held_out, tuple(sides))


def _read(shard: Path) -> list[Example]:
    found = list(read_shard(shard))
    if not found:
        raise InvalidDataset(str(shard), "it holds no picture with a caption or a label")
    return found


@dataclass(frozen=True, slots=True)
class _Reader:
    store: FeatureStore
    corpus: Corpus
    groups: Groups

    def side(self, folder: Path, shard: SideShard, views: Sequence[View]) -> list[SidePairs]:
        """One, or none when the shard is not there."""
        if not (folder / shard.file).is_file():
            _LOG.info("no %s in %s", shard.file, folder)
            return []
        examples = [example for example in _read(folder / shard.file) if example.label or any(example.captions)]
        kept = examples[: len(examples) - int(shard.held_back * len(examples))]
        pairs = self.pairs(shard.file.removesuffix(".tar"), kept, views, "title")
        return [SidePairs(pairs, shard.batch, shard.like_classes)]

    def rendered(self, folder: Path | None, views: Sequence[View]) -> list[SidePairs]:
        if folder is None:
            _LOG.info("no rendered pictures: --rendered is not given")
            return []
        pictures = read_captions([folder])
        examples = [Example(picture.key, picture.read(), picture.captions, None) for picture in pictures]
        return [SidePairs(self.pairs("rendered", examples, views, "rendered"), _RENDERED_BATCH)]

    def pairs(self, name: str, examples: Sequence[Example], views: Sequence[View], kind: Kind) -> Pairs:
        features = self.store.features(name, [example.jpeg for example in examples], views)
        return Pairs(features, tuple(self._texts(example, kind) for example in examples))

    def _texts(self, example: Example, kind: Kind) -> tuple[Text, ...]:
        """Its captions, each twice if it has a label as well, so that they come as often as that in its phrases."""
        captions = [
            Text(self.corpus.add(plain, kind), self.groups.of(plain))
            for plain in map(plain_caption, example.captions)
            if plain
        ]
        if not example.label:
            return tuple(captions)
        group = self.groups.of(example.label)
        return (*captions, *captions, *(Text(self.corpus.add(t, "name"), group) for t in label_texts([example.label])))
