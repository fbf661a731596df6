"""The model card of a training: what it began with, on what, how, and what recall it had before and after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.training.captions import Picture, fingerprint
from indexer.training.checkpoint import EpochResult
from indexer.training.heldout import HeldOutRecall
from indexer.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class TrainingData:
    names: tuple[str, ...]
    pictures: int
    """Trained on."""
    captions: int
    held_out: int
    fingerprint: str
    """Of both."""

    @classmethod
    def of(cls, pictures: Sequence[Picture], held_out: Sequence[Picture], names: Sequence[str]) -> TrainingData:
        return cls(
            names=tuple(names),
            pictures=len(pictures),
            captions=sum(len(picture.captions) for picture in pictures),
            held_out=len(held_out),
            fingerprint=f"{fingerprint(pictures)}-{fingerprint(held_out)}",
        )


def model_card(base: str, data: TrainingData, recipe: Recipe, history: Sequence[EpochResult], best: int) -> str:
    rows = [_row("before", history[0].recall)] + ([_row(f"epoch {best}, kept", history[best].recall)] if best else [])
    epochs = [
        f"| {result.epoch} | {'-' if result.loss is None else f'{result.loss:.3f}'} | {_triple(result.recall)} |"
        for result in history
    ]
    return "\n".join(
        [
            f"# {base.rpartition('/')[2] or base}, trained on captions",
            "",
            f"Made by `sightline train` from `{base}`, whose licence, and that of the data, hold for it too.",
            "",
            "## Recall on the pictures held out",
            "",
            "Percent at 1 / 5 / 10, every caption as it is.",
            "",
            "| | text->image | image->text |",
            "|---|---|---|",
            *rows,
            "",
            "Which epoch is kept was chosen by this recall, so it is a little too good; measure on pictures that were",
            "never part of a training with `sightline benchmark`.",
            "",
            "## Data",
            "",
            *_table(
                {
                    "from": ", ".join(data.names),
                    "pictures trained on": f"{data.pictures:,}",
                    "captions of these": f"{data.captions:,}",
                    "pictures held out": f"{data.held_out:,}",
                    "fingerprint": data.fingerprint,
                }
            ),
            "",
            "## Settings",
            "",
            *_table({name.replace("_", " "): value for name, value in recipe.settings().items()}),
            "",
            "## Epochs",
            "",
            "| epoch | loss | text->image | image->text |",
            "|---|---|---|---|",
            *epochs,
            "",
        ]
    )


def _row(name: str, recall: HeldOutRecall) -> str:
    return f"| {name} | {_triple(recall)} |"


def _triple(recall: HeldOutRecall) -> str:
    both = (recall.text_to_image, recall.image_to_text)
    return " | ".join(" / ".join(f"{100 * value:.1f}" for value in values) for values in both)


def _table(rows: Mapping[str, Any]) -> list[str]:
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows.items())]
