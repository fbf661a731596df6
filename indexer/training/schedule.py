"""How training moves over its steps: the learning rate, and the running average of the weights that is kept."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch


def warm_cosine(step: int, steps: int, warm_up: int) -> float:
    """0 to 1, for step 0 to `steps` - 1: a cosine down to nothing, times a line up over the first `warm_up` steps."""
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))


class RunningAverage:
    """The mean of weights over their last steps, which is better than any one of these steps."""

    def __init__(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._means = [parameter.detach().clone() for parameter in self._parameters]

    def update(self, keep: float) -> None:
        """mean = `keep` * mean + (1 - `keep`) * weights."""
        with torch.no_grad():
            for mean, parameter in zip(self._means, self._parameters, strict=True):
                mean.lerp_(parameter, 1 - keep)

    def apply(self) -> None:
        """Puts the means in the place of the weights."""
        with torch.no_grad():
            for mean, parameter in zip(self._means, self._parameters, strict=True):
                parameter.copy_(mean)
