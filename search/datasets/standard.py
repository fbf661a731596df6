"""The splits that papers report on: a figure on anything else is not comparable with theirs.

Recognised by name and by counts. The counts are those of the official files: Flickr8k (Hodosh et al. 2013), Flickr30k
and COCO in Karpathy's splits (Karpathy and Fei-Fei 2015), and COCO's own captions files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from search.datasets.types import Standing


@dataclass(frozen=True, slots=True)
class Split:
    dataset: str
    split: str
    images: int
    captions: int
    """For instance retrieval: the number of queries."""
    kind: Literal["captions", "queries"] = "captions"


SPLITS = (
    Split("Flickr8k", "train", 6_000, 30_000),
    Split("Flickr8k", "val", 1_000, 5_000),
    Split("Flickr8k", "test", 1_000, 5_000),
    Split("Flickr30k", "train", 29_000, 145_000),
    Split("Flickr30k", "val", 1_014, 5_070),
    Split("Flickr30k", "test", 1_000, 5_000),
    Split("COCO", "train", 82_783, 414_113),
    Split("COCO", "restval", 30_504, 152_634),
    Split("COCO", "val", 5_000, 25_010),
    Split("COCO", "test", 5_000, 25_010),
    Split("COCO", "train2014", 82_783, 414_113),
    Split("COCO", "val2014", 40_504, 202_654),
    Split("COCO", "train2017", 118_287, 591_753),
    Split("COCO", "val2017", 5_000, 25_014),
    Split("Oxford5k", "queries", 5_063, 55, "queries"),
    Split("Paris6k", "queries", 6_392, 55, "queries"),
    Split("ROxford5k", "queries", 4_993, 70, "queries"),
    Split("RParis6k", "queries", 6_322, 70, "queries"),
)
_NAMES = {
    "flickr30k": "Flickr30k",
    "f30k": "Flickr30k",
    "flickr8k": "Flickr8k",
    "f8k": "Flickr8k",
    "coco": "COCO",
    "roxford": "ROxford5k",
    "rparis": "RParis6k",
    "oxford5k": "Oxford5k",
    "paris6k": "Paris6k",
}
_SPLIT_NAMES = {"dev": "val", "valid": "val", "validation": "val", "trn": "train"}


def dataset_name(name: str) -> str:
    """The usual name if one is recognised in it, else the name itself."""
    plain = "".join(letter for letter in name.lower() if letter.isalnum())
    return next((known for part, known in _NAMES.items() if part in plain), name)


def split_name(name: str | None) -> str | None:
    """`dev` and `validation` are `val`; anything else as it is."""
    return _SPLIT_NAMES.get(name.lower(), name) if name else name


def split_in(name: str) -> str | None:
    """The split that a file's name tells of, such as `test` in `flickr30k_test.tar`; None if it does not."""
    letters = "".join(letter if letter.isalpha() else " " for letter in name.lower())
    words = {split_name(word) for word in letters.replace("images", " ").split()}
    return next((split for split in ("test", "val", "train", "restval") if split in words), None)


def standing(dataset: str, split: str | None, images: int, counted: int) -> Standing:
    """Whether these counts are those of a standard split. `counted` is captions, or queries of instance retrieval."""
    known = [entry for entry in SPLITS if entry.dataset == dataset]
    same = [entry for entry in known if entry.split == split or entry.kind == "queries"]
    if not known:
        return Standing(standard=False, note=f"{dataset} is not a known standard set: compare it with itself only")
    if not same:
        splits = ", ".join(entry.split for entry in known)
        return Standing(standard=False, note=f"the split of {dataset} is {split!r}; the standard ones are {splits}")
    entry = same[0]
    what = f"{entry.images:,} images and {entry.captions:,} {entry.kind}"
    if (images, counted) == (entry.images, entry.captions):
        return Standing(standard=True, note=f"{dataset} {entry.split} by name and counts: {what}")
    return Standing(
        standard=False,
        note=f"not the standard {dataset} {entry.split}, which has {what}: this has {images:,} and {counted:,}",
    )
