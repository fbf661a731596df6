"""Texts for training: token ids in a vocabulary that holds only what the texts use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from indexer.torchvision_ops import ensure_torchvision_ops

CONTEXT = 32
CLEANING = "canonicalize"
"""open_clip's name for: lower case, no punctuation. People do not end a query with ` .`, as Flickr8k's captions do."""

TEMPLATES = ("{}", "a photo of a {}")
"""How a label is said."""

_UNKNOWN = 49_405
"""A rare entry of CLIP's vocabulary, below the two special tokens, that stands for every token not trained."""


def make_tokenizer() -> Any:
    """CLIP's tokenizer, as open_clip makes it from the config that we export."""
    ensure_torchvision_ops()
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=CONTEXT, clean=CLEANING)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Between CLIP's 49,408 token ids and the few thousand that the training texts use.

    The order is kept: padding stays 0 and the end token stays the highest id, by which open_clip's text tower
    finds it. Training then updates a table of 7,000 rows instead of 49,408.
    """

    kept: torch.Tensor
    """int64 `(size,)`: the CLIP id of each of ours, ascending."""
    size_before: int

    @classmethod
    def of(cls, tokens: Sequence[torch.Tensor], size_before: int) -> Vocabulary:
        return cls(torch.unique(torch.cat([t.reshape(-1) for t in tokens] + [_specials(size_before)])), size_before)

    def __len__(self) -> int:
        return len(self.kept)

    @property
    def unknown(self) -> int:
        return int(torch.searchsorted(self.kept, _specials(self.size_before)[1]))

    @property
    def end(self) -> int:
        return len(self.kept) - 1

    def compact(self, tokens: torch.Tensor) -> torch.Tensor:
        """CLIP's ids -> ours, of any shape; those that are not kept become `unknown`."""
        place = torch.searchsorted(self.kept, tokens.contiguous()).clamp(max=self.end)
        return torch.where(self.kept[place] == tokens, place, self.unknown)

    def expand(self, table: torch.Tensor) -> torch.Tensor:
        """`(size, width)` trained rows -> `(size_before, width)`: every row not kept is a copy of `unknown`'s."""
        full = table[self.unknown].repeat(self.size_before, 1)
        full[self.kept] = table
        return full

    def mask(self, tokens: torch.Tensor, share: float) -> torch.Tensor:
        """Turns a random share of the ordinary tokens into `unknown`, which so learns to say nothing."""
        chosen = (torch.rand(tokens.shape) < share) & (tokens > 0) & (tokens < self.end - 1)
        return torch.where(chosen, self.unknown, tokens)


def _specials(size: int) -> torch.Tensor:
    """Padding, unknown, start and end."""
    return torch.tensor([0, _UNKNOWN if size > _UNKNOWN + 2 else size - 3, size - 2, size - 1])


def label_texts(names: Sequence[str]) -> list[str]:
    """Every name in every template: `dog` -> `dog`, `a photo of a dog`."""
    return [template.format(name.replace("_", " ")) for name in names for template in TEMPLATES]


def shortened(tokens: torch.Tensor, length: int) -> torch.Tensor:
    """`(..., context)` -> `(..., length)`, the end token (the highest id of its row) kept as the last one."""
    cut = tokens[..., :length].clone()
    cut[..., -1] = torch.where(cut[..., -1] > 0, tokens.max(dim=-1).values, 0)
    return cut
