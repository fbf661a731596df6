"""Contrastive losses of a batch of pairs: every picture has to find its text, and every text its picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as functional


def said_by_others(captions: Sequence[str]) -> torch.Tensor:
    """bool `(n, n)`: pairs off the diagonal whose captions are the same but for case and spaces.

    They are right for each other's pictures, so no loss may count them as wrong answers.
    """
    numbers: dict[str, int] = {}
    groups = torch.tensor([numbers.setdefault(" ".join(text.lower().split()), i) for i, text in enumerate(captions)])
    return (groups[:, None] == groups[None, :]) & ~torch.eye(len(captions), dtype=torch.bool)


def softmax_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None, ignored: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss: cross-entropy of the right text among all texts, and of the right picture among all pictures.

    `images` and `texts` are unit rows `(n, dimension)`, row i of one the answer to row i of the other; `scale`
    multiplies their cosines; `bias` changes nothing here; pairs in `ignored`, bool `(n, n)`, are left out of the sums.
    Source: Radford et al. 2021, arXiv:2103.00020.
    """
    logits = (scale * images @ texts.T).masked_fill(ignored, float("-inf"))
    right = torch.arange(len(logits), device=logits.device)
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def sigmoid_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None, ignored: torch.Tensor
) -> torch.Tensor:
    """SigLIP's loss: each of the n x n pairs is right or wrong by itself; their sum over n.

    Arguments as for `softmax_loss`. Source: Zhai et al. 2023, arXiv:2303.15343.
    """
    logits = scale * images @ texts.T + (0.0 if bias is None else bias)
    sign = 2 * torch.eye(len(logits), device=logits.device) - 1
    return -functional.logsigmoid(sign * logits).masked_fill(ignored, 0.0).sum() / len(logits)
