"""Karpathy's JSON: `dataset_flickr8k.json`, `dataset_flickr30k.json`, `dataset_coco.json`.

{"dataset": "coco", "images": [{"filepath": "val2014", "filename": "COCO_val2014_000000391895.jpg", "imgid": 0,
 "split": "test", "sentences": [{"raw": "A man ...", "sentid": 770337, ...}, ...], ...}, ...]}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from indexer.errors import InvalidDataset
from search.datasets.assembly import Entry, Request, captioned
from search.datasets.files import ImageFolder, sha256
from search.datasets.problems import Problem, Problems
from search.datasets.types import CaptionedDataset

DEFAULT_SPLIT = "test"


def fits(data: Any) -> bool:
    images = data.get("images") if isinstance(data, dict) else None
    return isinstance(images, list) and any(isinstance(image, dict) and "sentences" in image for image in images[:1])


def read(request: Request, data: Any) -> CaptionedDataset:
    """The images of a split, `test` unless told; `train+restval` takes two. Their raw sentences, in order."""
    split = request.split or DEFAULT_SPLIT
    chosen = _of_split(request, data["images"], split)
    problems = Problems()
    return captioned(
        request,
        _entries(chosen, ImageFolder(request.path, request.images, problems), problems),
        problems,
        name=str(data.get("dataset") or request.path.stem),
        split=split,
        form="Karpathy JSON",
        hashes={request.path.name: sha256(request.path)},
    )


def _of_split(request: Request, images: list[Any], split: str) -> list[Any]:
    wanted = set(split.split("+"))
    there = {str(image.get("split")) for image in images if isinstance(image, dict)}
    if unknown := wanted - there:
        known = ", ".join(sorted(there))
        raise InvalidDataset(str(request.path), f"no split {'+'.join(sorted(unknown))!r} in it; it has {known}")
    return [image for image in images if not isinstance(image, dict) or str(image.get("split")) in wanted]


def _entries(images: list[Any], folder: ImageFolder, problems: Problems) -> Iterator[Entry]:
    sentences: set[Any] = set()
    for position, image in enumerate(images):
        try:
            name, path = str(image["filename"]), image.get("filepath")
            captions = []
            for sentence in image["sentences"]:
                captions.append(str(sentence["raw"]))
                if (number := sentence.get("sentid")) is not None:
                    if number in sentences:
                        problems.add(Problem.DUPLICATE, f"sentence {number}")
                    sentences.add(number)
        except (KeyError, TypeError, AttributeError):
            problems.add(Problem.DAMAGED, f"image {position}")
            continue
        names = (f"{path}/{name}", name) if path else (name,)
        yield Entry(name, tuple(captions), folder.find(*names))
