"""Pictures and their texts."""

from __future__ import annotations

import random

import torch

from indexer.training.features import PictureFeatures
from indexer.training.pairs import Groups, Pairs, Text


def test_synonyms_share_a_group() -> None:
    groups = Groups([("tabby", "tabby cat"), ("corgi",)])
    assert groups.of("Tabby_cat") == groups.of("tabby") == 0
    assert groups.of("sofa") == groups.of("Sofa ") == 2
    assert groups.of("chair") == 3


def test_one_text_of_each_picture_is_drawn() -> None:
    texts = ((Text(0, 0), Text(1, 1)), (Text(2, 2),))
    pairs = Pairs(PictureFeatures((), torch.zeros(0, 2, 1280)), texts)
    drawn = [pairs.draw([1, 0], random.Random(seed)) for seed in range(20)]
    assert all(one == Text(2, 2) for one, _ in drawn)
    assert {other.number for _, other in drawn} == {0, 1}
    assert len(pairs) == 2
