"""The student: the small text tower that is shipped, which learns from the teacher what every text means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional

from indexer.torchvision_ops import ensure_torchvision_ops
from indexer.training.corpus import Kind
from indexer.training.text import CONTEXT, make_tokenizer

_PART = 256


@dataclass(frozen=True, slots=True)
class StudentRecipe:
    """How the text tower is made and trained. A step shows captions with their pictures, other texts, class names."""

    width: int = 256
    """Of the tower, in `heads` heads and `layers` layers."""
    heads: int = 4
    layers: int = 2
    steps: int = 3000
    captions: int = 320
    """A step."""
    others: int = 320
    """Texts of the other kinds a step, shared out by `mix`; the share of a kind that is missing is left out."""
    mix: tuple[tuple[Kind, float], ...] = (
        ("word", 0.2),
        ("name", 0.07),
        ("description", 0.1),
        ("crossed", 0.22),
        ("example", 0.08),
        ("gloss", 0.06),
        ("phrase", 0.08),
        ("fragment", 0.05),
        ("title", 0.09),
        ("rendered", 0.05),
    )
    classes: int = 96
    """Classes a step, each by one of its texts."""
    own_meaning: float = 0.3
    """What a class name in a phrase keeps of its own meaning, against 1 of the class."""
    learning_rate: float = 1.5e-3
    """The peak; then down to nothing along a cosine. The token table's as well."""
    warm_up: int = 100
    """Steps."""
    weight_decay: float = 0.2
    """Of matrices; none of the tables of tokens and positions, biases and norms."""
    text_length: int = 28
    """Tokens; longer texts are cut in training."""
    picture_weight: float = 0.5
    """Of finding the captions' pictures, and captions by their pictures, as the teacher does, at `picture_scale`."""
    picture_scale: float = 25.0
    likeness_weight: float = 4.0
    """Of the cosine to the teacher's vector."""
    naming_weight: float = 0.5
    """Of telling the teacher's vector of a text from those of the others, at a scale of `naming_scale`."""
    naming_scale: float = 30.0
    same_meaning: float = 0.97
    """Teacher's vectors whose cosine is over this are no wrong answers to each other."""
    class_weight: float = 0.3
    """Of telling a class's vector from those of all classes, at a scale of `class_scale`."""
    class_scale: float = 40.0
    clip_norm: float = 1.0
    averaging: float = 0.96
    """What is kept is the running average of the weights over the second half, with this decay every four steps."""


class TokenLists:
    """Texts -> CLIP's token ids from the start to the end token, without padding; every text once."""

    def __init__(self, longest: int) -> None:
        self._tokenizer = make_tokenizer()
        self._longest = longest
        self._known: dict[str, list[int]] = {}
        self.vocabulary: int = self._tokenizer.vocab_size

    def of(self, text: str) -> list[int]:
        known = self._known.get(text)
        if known is None:
            row = self._tokenizer([text])[0]
            known = row[row > 0].tolist()
            if len(known) > self._longest:
                known = [*known[: self._longest - 1], known[-1]]
            self._known[text] = known
        return known


class Student(torch.nn.Module):
    """open_clip's text tower: texts as lists of token ids -> unit rows `(n, dimension)`."""

    def __init__(self, recipe: StudentRecipe, vocabulary: int, dimension: int) -> None:
        super().__init__()
        ensure_torchvision_ops()
        from open_clip.transformer import TextTransformer

        self.tower: Any = TextTransformer(
            context_length=CONTEXT,
            vocab_size=vocabulary,
            width=recipe.width,
            heads=recipe.heads,
            layers=recipe.layers,
            output_dim=dimension,
        )
        # A step uses a few thousand of the 49,408 rows.
        self.tower.token_embedding = torch.nn.Embedding(vocabulary, recipe.width, sparse=True)
        self._mask: torch.Tensor = self.tower.attn_mask
        self._dimension = dimension

    @property
    def table(self) -> torch.nn.Parameter:
        """The vectors of the tokens, `(vocabulary, width)`; its gradients are sparse."""
        table: torch.nn.Parameter = self.tower.token_embedding.weight
        return table

    def forward(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """In parts of about the same length, so that little is computed for padding."""
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        parts = [
            self._encode([tokens[i] for i in order[start : start + _PART]]) for start in range(0, len(order), _PART)
        ]
        back = torch.empty(len(order), dtype=torch.int64)
        back[order] = torch.arange(len(order))
        return torch.cat(parts)[back] if parts else torch.empty(0, self._dimension)

    def _encode(self, tokens: Sequence[Sequence[int]]) -> torch.Tensor:
        """The tower is causal and reads its result at the end token, the highest id: what follows changes nothing."""
        length = max(map(len, tokens))
        ids = torch.zeros(len(tokens), length, dtype=torch.int64)
        for row, text in zip(ids, tokens, strict=True):
            row[: len(text)] = torch.tensor(text)
        self.tower.attn_mask = self._mask[:length, :length]
        try:
            rows: torch.Tensor = functional.normalize(self.tower(ids), dim=-1)
            return rows
        finally:
            self.tower.attn_mask = self._mask

    def start_from(self, tokens: Sequence[int], meanings: torch.Tensor) -> None:
        """The vector of each of `tokens` starts as its meaning, `(n, dimension)`, seen along the leading axes.

        Without it 49,408 vectors begin as noise. All others begin as faint noise, and stay so where no text has them.
        """
        with torch.no_grad():
            self.table.normal_(std=0.01)
            if len(tokens) < 2:
                return
            centred = meanings - meanings.mean(dim=0)
            _, _, axes = torch.linalg.svd(centred, full_matrices=False)
            seen = centred @ axes[: self.table.shape[1]].T
            spread = seen.std()
            if spread > 0:
                self.table[list(tokens), : seen.shape[1]] += seen / spread * 0.05
