"""Contrastive training of a small dual encoder on frozen image features; it made the built-in model `mini`.

The image tower is frozen, so its pooled features are computed once, a few views of every picture. What is trained
is a linear projection of them and a text tower, with InfoNCE: in a batch of pairs every picture has to find its text
among all texts, and every text its picture. docs/training.md has the recipe and what was tried.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional

from indexer.torchvision_ops import ensure_torchvision_ops
from indexer.training.text import CONTEXT, Vocabulary, shortened


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """How `train` trains. The defaults made `mini`."""

    seed: int = 0
    dimension: int = 256
    """Of the shared space."""
    width: int = 192
    """Of the text tower, in `heads` heads and `layers` layers."""
    heads: int = 6
    layers: int = 2
    epochs: int = 12
    """One epoch shows every picture of the first source once, with one of its texts."""
    batch: int = 256
    side_batch: int = 128
    """Pairs of the other sources in every step, shared out evenly between them; 0 for none."""
    side_weight: float = 0.3
    """Of their loss, against 1 for the first source."""
    learning_rate: float = 2e-3
    """The peak, after `warm_up` steps; then down to nothing along a cosine."""
    warm_up: int = 50
    weight_decay: float = 1.5
    token_decay: float = 0.5
    """Decay of the token table."""
    feature_dropout: float = 0.3
    feature_noise: float = 0.2
    """Gaussian noise on the features, in their own standard deviations."""
    token_mask: float = 0.2
    """Share of tokens shown as unknown."""
    text_length: int = 20
    """Longer texts are cut in training; 95 % of captions are shorter."""
    first_scale: float = 20.0
    """Of the cosines in the softmax, at the start; it is trained."""
    averaging: float = 0.98
    """What is kept is the running average of the weights with this decay a step."""


@dataclass(frozen=True, slots=True)
class PairSource:
    """Pictures and the texts that go with each."""

    name: str
    features: torch.Tensor
    """float32 `(views, n, features)`."""
    tokens: torch.Tensor
    """int64 `(n, choices, context)`: CLIP's token ids of the texts of each picture."""
    groups: torch.Tensor
    """int64 `(n, choices)`: texts of one group are right for each other's pictures; they are no wrong answers."""

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class Progress:
    step: int
    steps: int
    loss: float
    """Mean over the epoch that ends with this step."""


class TwoTowers(torch.nn.Module):
    """The trained half of the model: features -> projection, tokens -> text tower, both to unit rows."""

    def __init__(self, config: TrainingConfig, features: int, vocabulary: int) -> None:
        super().__init__()
        ensure_torchvision_ops()
        from open_clip.transformer import TextTransformer

        self.projection = torch.nn.Linear(features, config.dimension)
        self.text: Any = TextTransformer(
            context_length=CONTEXT,
            vocab_size=vocabulary,
            width=config.width,
            heads=config.heads,
            layers=config.layers,
            output_dim=config.dimension,
        )
        self._causal_mask: torch.Tensor = self.text.attn_mask
        self.logit_scale = torch.nn.Parameter(torch.tensor(math.log(config.first_scale)))

    def images(self, features: torch.Tensor) -> torch.Tensor:
        """`(n, features)` -> `(n, dimension)`."""
        return functional.normalize(self.projection(features), dim=-1)

    def texts(self, tokens: torch.Tensor) -> torch.Tensor:
        """`(n, context)` -> `(n, dimension)`. Columns that are padding in every row are cut: the tower is causal and
        reads its result at the end token, so they change nothing."""
        length = int(tokens.ne(0).sum(dim=1).max())
        self.text.attn_mask = self._causal_mask[:length, :length]
        try:
            rows: torch.Tensor = functional.normalize(self.text(tokens[:, :length]), dim=-1)
            return rows
        finally:
            self.text.attn_mask = self._causal_mask


def train(
    sources: Sequence[PairSource],
    vocabulary: Vocabulary,
    config: TrainingConfig,
    progress: Callable[[Progress], None] = lambda progress: None,
) -> TwoTowers:
    """Trains on pairs; the first source leads and sets the length of an epoch. The same seed gives the same weights
    on the same machine and number of threads."""
    torch.manual_seed(config.seed)
    compact = [_compacted(source, vocabulary, config.text_length) for source in sources]
    towers = TwoTowers(config, sources[0].features.shape[-1], len(vocabulary))
    start_from_statistics(towers, compact, config)
    optimizer = _optimizer(towers, config)
    average = [p.detach().clone() for p in towers.parameters()]
    steps = config.epochs * max(1, len(sources[0]) // config.batch)
    losses: list[float] = []
    for step, (lead, side) in enumerate(_batches(compact, config, steps)):
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(step, steps, config)
        loss = _loss(towers, lead, vocabulary, config)
        if side is not None:
            loss = loss + config.side_weight * _loss(towers, side, vocabulary, config)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(towers.parameters(), 1.0)
        optimizer.step()
        _move_average(average, towers, min(config.averaging, (step + 1) / (step + 11)))
        losses.append(float(loss.detach()))
        if (step + 1) % max(1, steps // config.epochs) == 0 or step + 1 == steps:
            progress(Progress(step=step + 1, steps=steps, loss=sum(losses) / len(losses)))
            losses.clear()
    with torch.no_grad():
        for parameter, mean in zip(towers.parameters(), average, strict=True):
            parameter.copy_(mean)
    return towers.eval()


def start_from_statistics(towers: TwoTowers, sources: Sequence[PairSource], config: TrainingConfig) -> None:
    """A start that already knows something, without which 7,000 word vectors begin as noise.

    The projection starts as softly whitened principal components of the first source's features. A word's vector
    starts as the mean of those components over the pictures whose texts hold it: `beach` as the average beach.
    """
    features = sources[0].features[0]
    mean = features.mean(dim=0)
    _, values, axes = torch.linalg.svd(features - mean, full_matrices=False)
    scale = math.sqrt(len(features)) / 4

    def whitening(count: int) -> torch.Tensor:
        """`(count or the rank of the features, whichever is less, features)`."""
        kept = values[:count]
        soft = torch.maximum(kept[len(kept) // 4], values[0] / 100) + 1e-6
        rows: torch.Tensor = axes[:count] / (kept[:, None] + soft) * scale
        return rows

    with torch.no_grad():
        projection = whitening(config.dimension)
        towers.projection.weight[: len(projection)] = projection
        towers.projection.bias.copy_(-(towers.projection.weight @ mean))
        table = towers.text.token_embedding.weight
        means = _means_of_tokens(sources, whitening(config.width), len(table))
        table.normal_(std=0.01)
        table[:, : means.shape[1]] += means / means.std().clamp(min=1e-6) * 0.05


def _means_of_tokens(sources: Sequence[PairSource], axes: torch.Tensor, size: int) -> torch.Tensor:
    """`(size, width)`: for every token, the mean of `features @ axes` over the texts that hold it, drawn to zero
    by 10 imaginary texts."""
    total, count = torch.zeros(size, len(axes)), torch.zeros(size, 1)
    for source in sources:
        features = source.features[0]
        seen = (features - features.mean(dim=0)) @ axes.T
        for choice in range(source.tokens.shape[1]):
            tokens = source.tokens[:, choice]
            total.index_add_(0, tokens.reshape(-1), seen.repeat_interleave(tokens.shape[1], dim=0))
            count.index_add_(0, tokens.reshape(-1), torch.ones(tokens.numel(), 1))
    return total / (count + 10)


@dataclass(frozen=True, slots=True)
class _Batch:
    features: torch.Tensor
    tokens: torch.Tensor
    groups: torch.Tensor
    spread: torch.Tensor
    """`(n, 1)`: the standard deviation of each row's source."""


def _batches(
    sources: Sequence[PairSource], config: TrainingConfig, steps: int
) -> Iterator[tuple[_Batch, _Batch | None]]:
    """`steps` pairs of a batch of the first source, every picture once an epoch, and one of the others mixed."""
    lead, sides = sources[0], sources[1:]
    spreads = [source.features[0].std() for source in sources]
    order = torch.randperm(len(lead))
    taken = 0
    for _ in range(steps):
        if taken + config.batch > len(lead) and taken:
            order, taken = torch.randperm(len(lead)), 0
        chosen = order[taken : taken + config.batch]
        taken += config.batch
        side = None
        if sides and config.side_batch:
            share = max(1, config.side_batch // len(sides))
            drawn = [
                _draw(source, torch.randint(len(source), (share,)), spread)
                for source, spread in zip(sides, spreads[1:], strict=True)
            ]
            side = _Batch(*(torch.cat(parts) for parts in zip(*map(_parts, drawn), strict=True)))
        yield _draw(lead, chosen, spreads[0]), side


def _draw(source: PairSource, chosen: torch.Tensor, spread: torch.Tensor) -> _Batch:
    """One text of each chosen picture, and a random blend of two of its views."""
    views, choices = source.features.shape[0], source.tokens.shape[1]
    count = len(chosen)
    one, other = torch.randint(views, (count,)), torch.randint(views, (count,))
    blend = torch.rand(count, 1)
    choice = torch.randint(choices, (count,))
    return _Batch(
        features=torch.lerp(source.features[one, chosen], source.features[other, chosen], blend),
        tokens=source.tokens[chosen, choice],
        groups=source.groups[chosen, choice],
        spread=spread.expand(count, 1),
    )


def _parts(batch: _Batch) -> tuple[torch.Tensor, ...]:
    return batch.features, batch.tokens, batch.groups, batch.spread


def _loss(towers: TwoTowers, batch: _Batch, vocabulary: Vocabulary, config: TrainingConfig) -> torch.Tensor:
    noise = torch.randn_like(batch.features) * (config.feature_noise * batch.spread)
    images = towers.images(functional.dropout(batch.features, config.feature_dropout) + noise)
    texts = towers.texts(vocabulary.mask(batch.tokens, config.token_mask))
    return contrastive_loss(images, texts, towers.logit_scale.exp().clamp(max=100), batch.groups)


def contrastive_loss(
    images: torch.Tensor, texts: torch.Tensor, scale: torch.Tensor, groups: torch.Tensor
) -> torch.Tensor:
    """Symmetric InfoNCE over n pairs of unit rows `(n, dimension)`.

    -1/2n * sum_i [log softmax_j(s * a_i.b_j)_i + log softmax_j(s * a_j.b_i)_i], where j runs over i itself and the
    pairs of another group: another picture with the label `dog` is no wrong answer to `dog`. (Oord et al. 2018;
    Radford et al. 2021.)
    """
    logits = scale * images @ texts.T
    same = (groups[:, None] == groups[None, :]).fill_diagonal_(False)
    logits = logits.masked_fill(same, float("-inf"))
    right = torch.arange(len(logits))
    return (functional.cross_entropy(logits, right) + functional.cross_entropy(logits.T, right)) / 2


def _compacted(source: PairSource, vocabulary: Vocabulary, length: int) -> PairSource:
    tokens = shortened(vocabulary.compact(source.tokens), length)
    return PairSource(source.name, source.features, tokens, source.groups)


def _optimizer(towers: TwoTowers, config: TrainingConfig) -> torch.optim.Optimizer:
    """AdamW; matrices and the token table decay, biases, norms, positions and the scale do not."""
    table = towers.text.token_embedding.weight
    matrices: list[torch.Tensor] = []
    rest: list[torch.Tensor] = []
    for name, parameter in towers.named_parameters():
        if parameter is not table:
            decays = parameter.ndim > 1 and "positional" not in name
            (matrices if decays else rest).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": config.weight_decay},
        {"params": [table], "weight_decay": config.token_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98))


def _learning_rate(step: int, steps: int, config: TrainingConfig) -> float:
    warm = min(1.0, (step + 1) / config.warm_up)
    return config.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / steps))


def _move_average(average: list[torch.Tensor], towers: TwoTowers, keep: float) -> None:
    with torch.no_grad():
        for mean, parameter in zip(average, towers.parameters(), strict=True):
            mean.lerp_(parameter, 1 - keep)
