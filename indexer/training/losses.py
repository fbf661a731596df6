"""Contrastive losses of a batch of pairs: every picture has to find its text, and every text its picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as functional


def same_group(groups: Sequence[int]) -> torch.Tensor:
    """bool `(n, n)`: pairs off the diagonal of the same group.

    They are right for each other's pictures, so no loss may count them as wrong answers.
    """
    numbers = torch.tensor(groups)
    return (numbers[:, None] == numbers[None, :]) & ~torch.eye(len(numbers), dtype=torch.bool)


def said_by_others(captions: Sequence[str]) -> torch.Tensor:
    """bool `(n, n)`: pairs off the diagonal whose captions are the same but for case and spaces."""
    numbers: dict[str, int] = {}
    return same_group([numbers.setdefault(" ".join(text.lower().split()), i) for i, text in enumerate(captions)])


def softmax_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None, ignored: torch.Tensor
) -> torch.Tensor:
    """CLIP's loss: cross-entropy of the right text among all texts, and of the right picture among all pictures.

    `images` and `texts` are unit rows `(n, dimension)`, row i of one the answer to row i of the other; `scale`
    multiplies their cosines; `bias` changes nothing here; pairs in `ignored`, bool `(n, n)`, are left out of the sums.
    Source: Radford et al. 2021, arXiv:2103.00020.
    """
    return (one_way_loss(images, texts, scale, ignored) + one_way_loss(texts, images, scale, ignored.T)) / 2


def one_way_loss(
    rows: torch.Tensor, answers: torch.Tensor, scale: torch.Tensor | float, ignored: torch.Tensor
) -> torch.Tensor:
    """Half of CLIP's loss: each row has to find its own answer among all answers. Arguments as for `softmax_loss`."""
    logits = (scale * rows @ answers.T).masked_fill(ignored, float("-inf"))
    return functional.cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def divergence(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Kullback and Leibler's, of the choice that each row of `logits` makes from the one that `target` makes.

    Both `(rows, choices)`; sum_j t_j (log t_j - log p_j) with p and t their softmaxes; the mean over the rows.
    """
    chosen, wanted = functional.log_softmax(logits, dim=1), functional.softmax(target, dim=1)
    return functional.kl_div(chosen, wanted, reduction="batchmean")


def sigmoid_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None, ignored: torch.Tensor
) -> torch.Tensor:
    """SigLIP's loss: each of the n x n pairs is right or wrong by itself; their sum over n.

    Arguments as for `softmax_loss`. Source: Zhai et al. 2023, arXiv:2303.15343.
    """
    logits = scale * images @ texts.T + (0.0 if bias is None else bias)
    sign = 2 * torch.eye(len(logits), device=logits.device) - 1
    return -functional.logsigmoid(sign * logits).masked_fill(ignored, 0.0).sum() / len(logits)
