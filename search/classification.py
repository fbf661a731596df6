"""Zero-shot classification: the class whose name, put into prompts, is nearest to the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from search import metrics
from search.metrics import Ties
from search.ranks import Embeddings, Float32, Ints, RightRanks, rank_right
from search.significance import RESAMPLES, Interval, bootstrap_means

PLAIN_TEMPLATES = ("a photo of a {c}.",)
"""The one prompt of the CLIP paper, section 3.1.4."""
ENSEMBLE_TEMPLATES = (
    "itap of a {c}.",
    "a bad photo of the {c}.",
    "a origami {c}.",
    "a photo of the large {c}.",
    "a {c} in a video game.",
    "art of the {c}.",
    "a photo of the small {c}.",
)
"""The seven that OpenAI's prompt engineering notebook for ImageNet keeps of its eighty; "a origami" is theirs."""


@dataclass(frozen=True, slots=True)
class Classification:
    """Percent of the images whose own class is among the first K classes; ties in the order of the classes."""

    top: Mapping[int, float]
    against: Mapping[int, float]
    """The same with ties against."""
    in_favour: Mapping[int, float]
    """The same with ties in favour."""
    intervals: Mapping[int, Interval]
    """95 % bootstrap over images."""
    per_class: Mapping[int, float]
    """Top-1 in percent for each class that has an image, by its row."""
    right: RightRanks
    """The rank of each image's own class."""

    @property
    def mean_per_class(self) -> float:
        """The mean of `per_class`: what sets with unequal classes report; NaN without images."""
        return float(np.mean(list(self.per_class.values()))) if self.per_class else float("nan")


def fill(template: str, text: str) -> str:
    """The prompt with the text in place of `{c}` or `{}`, for class names and captions alike.

    Raises `ValueError` for a template with neither. Other braces stay as they are.
    """
    for place in ("{c}", "{}"):
        if place in template:
            return template.replace(place, text)
    raise ValueError(f"the prompt {template!r} has no {{c}} or {{}} to put a text in; write 'a photo of a {{c}}'")


def class_vectors(
    encode_texts: Callable[[list[str]], Float32],
    names: Sequence[str],
    templates: Sequence[str] = PLAIN_TEMPLATES,
) -> Float32:
    """`(classes, d)` unit rows: the mean of each class's unit prompt embeddings, made unit length again.

    v_c = normalise(mean_t e(t, c)), as CLIP's paper and open_clip do. `encode_texts` gives unit rows.
    """
    if not templates:
        raise ValueError("no prompts; give at least one template")
    total = np.float32(0) + encode_texts([fill(templates[0], name) for name in names])
    for template in templates[1:]:
        total += encode_texts([fill(template, name) for name in names])
    return np.asarray(total / np.linalg.norm(total, axis=1, keepdims=True), dtype=np.float32)


def classify(
    images: Embeddings,
    classes: Embeddings,
    labels: Ints,
    *,
    ks: Sequence[int] = (1, 5),
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Classification:
    """Top-K accuracy: `images` is `(m, d)`, `classes` `(c, d)`, `labels` `(m,)`, the row of each image's class.

    Raises `ValueError` as `rank_right` does.
    """
    right = rank_right(images, classes, np.arange(len(images)), np.asarray(labels, np.int64))
    steps = tuple(sorted(set(ks)))
    table = np.stack([100 * metrics.hits(right, k) for k in steps], axis=1)
    intervals = bootstrap_means(table, right.query, seed=seed, resamples=resamples)
    return Classification(
        top={k: _percent(right, k, Ties.IN_ORDER) for k in steps},
        against={k: _percent(right, k, Ties.AGAINST) for k in steps},
        in_favour={k: _percent(right, k, Ties.IN_FAVOUR) for k in steps},
        intervals=dict(zip(steps, intervals, strict=True)),
        per_class={int(c): _percent(right.where(right.item == c), 1, Ties.IN_ORDER) for c in np.unique(right.item)},
        right=right,
    )


def _percent(right: RightRanks, k: int, ties: Ties) -> float:
    values = metrics.hits(right, k, ties)
    return 100 * float(values.mean()) if len(values) else float("nan")
