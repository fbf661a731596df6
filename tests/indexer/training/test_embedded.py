"""Batches of embeddings: every view encoded once, the same by the same seed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from indexer.encoder import load_parts
from indexer.errors import InvalidDataset
from indexer.training.augment import Augmenter
from indexer.training.captions import Picture, read_captions
from indexer.training.embedded import EmbeddedBatches
from indexer.training.recipe import Recipe
from indexer.training.towers import TrainableTowers
from tests.checkpoints import make_checkpoint
from tests.indexer.training.colours import paint


def make_batches(folder: Path, pictures: tuple[Picture, ...], **choices: int) -> EmbeddedBatches:
    parts = load_parts(f"local-dir:{make_checkpoint(folder / 'model')}")
    towers = TrainableTowers(parts, Recipe(train="adapter"), "cpu")
    augmenter = Augmenter(parts.preprocessing, smallest_crop=0.6, mirror=True)
    return EmbeddedBatches(pictures, augmenter, towers, **{"batch_size": 6, "seed": 0, "threads": 1} | choices)


@pytest.fixture
def pictures(tmp_path: Path) -> tuple[Picture, ...]:
    return read_captions([paint(tmp_path / "pictures", shades=2)])


def test_an_epoch_shows_every_picture_once_with_a_caption_of_its_own(
    tmp_path: Path, pictures: tuple[Picture, ...]
) -> None:
    batches = make_batches(tmp_path, pictures, batch_size=5)
    made = list(batches.epoch(1))
    assert [len(batch.captions) for batch in made] == [5] * 4 == [5] * batches.count
    said = sorted(caption.removeprefix("the ") for batch in made for caption in batch.captions)
    assert said == sorted(picture.captions[0] for picture in pictures)
    assert {caption for batch in made for caption in batch.captions} <= set(batches.captions)
    assert all(torch.allclose(batch.images.norm(dim=1), torch.ones(5)) for batch in made)


def test_seed_and_epoch_fix_what_it_gives(tmp_path: Path, pictures: tuple[Picture, ...]) -> None:
    one, same, other = (make_batches(tmp_path, pictures, seed=seed) for seed in (0, 0, 1))
    first, again, next_epoch, elsewhere = (
        torch.cat([batch.images for batch in batches.epoch(number)])
        for batches, number in ((one, 1), (same, 1), (one, 2), (other, 1))
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, next_epoch)
    assert not torch.equal(first, elsewhere)


def test_what_cannot_be_decoded_is_left_out(
    tmp_path: Path, pictures: tuple[Picture, ...], caplog: pytest.LogCaptureFixture
) -> None:
    pictures[3].file.write_bytes(b"not a picture")
    assert make_batches(tmp_path, pictures, batch_size=19).count == 1
    assert [record.message.split(":")[0] for record in caplog.records] == [f"left out {pictures[3].key}"]
    for picture in pictures[1:]:
        picture.file.write_bytes(b"not a picture")
    with pytest.raises(InvalidDataset, match="can be decoded"):
        make_batches(tmp_path, pictures)
