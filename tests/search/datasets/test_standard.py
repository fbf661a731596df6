from __future__ import annotations

import pytest

from search.datasets.standard import SPLITS, dataset_name, split_in, standing


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("flickr30k", "Flickr30k"),
        ("wds_flickr8k", "Flickr8k"),
        ("mscoco_captions", "COCO"),
        ("Flickr_8k", "Flickr8k"),
        ("gnd_roxford5k", "ROxford5k"),
        ("holidays", "holidays"),
    ],
)
def test_names(name: str, known: str) -> None:
    assert dataset_name(name) == known


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("flickr8k-dev", "val"),
        ("flickr30k_test_karpathy", "test"),
        ("Flickr_8k.testImages", "test"),
        ("Flickr_8k.trainImages", "train"),
        ("latest", None),
        ("captions", None),
    ],
)
def test_splits_in_names(name: str, split: str | None) -> None:
    assert split_in(name) == split


def test_standard_splits_are_told_from_others() -> None:
    for entry in SPLITS:
        assert standing(entry.dataset, entry.split, entry.images, entry.captions).standard
    short = standing("COCO", "test", 5_000, 25_000)
    assert not short.standard
    assert short.note == (
        "not the standard COCO test, which has 5,000 images and 25,010 captions: this has 5,000 and 25,000"
    )
    assert "the standard ones are train, val, test" in standing("Flickr30k", "mine", 1, 1).note
    assert not standing("holidays", "test", 1_000, 5_000).standard
