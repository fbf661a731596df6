"""How good a model folder is, measured with nothing but open_clip: its own preprocessing, weights and tokenizer.

`python -m indexer.training.measure FOLDER SHARD...`
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from PIL import Image

from indexer.errors import InvalidRequest, SightlineError
from indexer.recall import count_group_ranks, count_ranks, recalls
from indexer.torchvision_ops import ensure_torchvision_ops
from indexer.training.shards import Example, read_shard

_BATCH = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """Recall@K, 0 to 1, by K; ties count against."""

    what: str
    images: int
    texts: int
    recall: dict[int, float]

    def __str__(self) -> str:
        values = ", ".join(f"R@{k} {100 * value:.1f} %" for k, value in self.recall.items())
        return f"{self.what} ({self.images} images, {self.texts} texts): {values}"


def measure(folder: Path, shard: Path) -> list[Measured]:
    """On the captions of a shard, text->image and image->text; on labels without captions, image->label.

    Captions are taken as they are, all of them, without a prompt. Raises `InvalidRequest` for an empty shard and for
    one where only some pictures have captions.
    """
    ensure_torchvision_ops()
    import open_clip

    examples = list(read_shard(shard))
    if not examples or len({bool(example.captions) for example in examples}) > 1:
        raise InvalidRequest(f"{str(shard)!r}: either every picture must have captions, or every one a label")
    name = f"local-dir:{folder}"
    model, _, preprocess = open_clip.create_model_and_transforms(name, require_pretrained=True)
    tokenizer = open_clip.get_tokenizer(name)
    model.eval()
    images = _rows(examples, lambda batch: model.encode_image(_pixels(batch, preprocess), normalize=True))

    def texts(sentences: Sequence[str]) -> NDArray[np.float32]:
        return _rows(sentences, lambda batch: model.encode_text(tokenizer(list(batch)), normalize=True))

    if examples[0].captions:
        return _captions(shard.name, examples, images, texts)
    return _labels(shard.name, examples, images, texts)


Texts = Callable[[Sequence[str]], NDArray[np.float32]]


def _captions(name: str, examples: Sequence[Example], images: NDArray[np.float32], texts: Texts) -> list[Measured]:
    owner = np.repeat(np.arange(len(examples)), [len(example.captions) for example in examples])
    scores = texts([caption for example in examples for caption in example.captions]) @ images.T
    counts = (len(examples), len(owner))
    return [
        Measured(f"{name}, text->image", *counts, recalls(count_ranks(scores, owner))),
        Measured(f"{name}, image->text", *counts, recalls(count_group_ranks(scores.T, owner))),
    ]


def _labels(name: str, examples: Sequence[Example], images: NDArray[np.float32], texts: Texts) -> list[Measured]:
    """Against the distinct labels of the shard."""
    labels = sorted({example.label or "" for example in examples})
    right = np.array([labels.index(example.label or "") for example in examples])
    scores = images @ texts(labels).T
    return [Measured(f"{name}, image->label", len(examples), len(labels), recalls(count_ranks(scores, right)))]


def _rows(items: Sequence[Any], encode: Callable[[Sequence[Any]], torch.Tensor]) -> NDArray[np.float32]:
    with torch.inference_mode():
        parts = [encode(items[start : start + _BATCH]).numpy() for start in range(0, len(items), _BATCH)]
    return np.concatenate(parts)


def _pixels(examples: Sequence[Example], preprocess: Callable[[Image.Image], torch.Tensor]) -> torch.Tensor:
    rows = []
    for example in examples:
        with Image.open(io.BytesIO(example.jpeg)) as image:
            rows.append(preprocess(image.convert("RGB")))
    return torch.stack(rows).contiguous(memory_format=torch.channels_last)


def _measure_shards(
    folder: Annotated[Path, typer.Argument(help="An open_clip model folder.")],
    shards: Annotated[list[Path], typer.Argument(help="WebDataset tar files with captions or labels.")],
) -> None:
    """Print the recall of a model folder on shards that it was not trained on."""
    try:
        for shard in shards:
            for result in measure(folder, shard):
                typer.echo(str(result))
    except SightlineError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from error


def main(argv: Sequence[str] | None = None) -> None:
    app = typer.Typer(add_completion=False)
    app.command()(_measure_shards)
    app(args=None if argv is None else list(argv))


if __name__ == "__main__":
    main()
