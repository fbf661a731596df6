"""Finding and changing the layer that a tower ends with."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from torch import nn

from indexer.errors import InvalidTraining
from indexer.training.projection import IMAGE_PROJECTIONS, find_projection, fold


class Visual(nn.Module):
    """A tower that ends in `proj`, or in something after it."""

    def __init__(self, proj: nn.Linear | nn.Parameter, after: nn.Module) -> None:
        super().__init__()
        self.proj = proj
        self.after = after

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        made = rows @ self.proj if isinstance(self.proj, nn.Parameter) else self.proj(rows)
        return functional.normalize(self.after(made), dim=-1)


def model_of(visual: nn.Module) -> nn.Module:
    model = nn.Module()
    model.visual = visual
    return model


@pytest.fixture
def rows() -> torch.Tensor:
    torch.manual_seed(0)
    return torch.randn(5, 6)


@pytest.mark.parametrize("kind", ["linear", "parameter"])
def test_what_is_folded_in_is_as_if_it_stood_on_top(rows: torch.Tensor, kind: str) -> None:
    proj = nn.Linear(6, 4) if kind == "linear" else nn.Parameter(torch.randn(6, 4))
    visual = Visual(proj, nn.Identity())
    before = visual(rows).detach()
    found = find_projection(model_of(visual), IMAGE_PROJECTIONS, lambda: visual(rows), "m")
    assert found is proj
    assert torch.equal(visual(rows), before)  # trying it out left no trace
    change = torch.randn(4, 4)
    fold(change, found)
    assert torch.allclose(visual(rows), functional.normalize(before @ change.T, dim=-1), atol=1e-5)


@pytest.mark.parametrize("after", [nn.Tanh(), nn.LayerNorm(4)])
def test_a_tower_that_goes_on_after_it_is_refused(rows: torch.Tensor, after: nn.Module) -> None:
    visual = Visual(nn.Linear(6, 4), after)
    with pytest.raises(InvalidTraining, match=r"image tower of 'm' does not end in a linear layer.*--train lora"):
        find_projection(model_of(visual), IMAGE_PROJECTIONS, lambda: visual(rows), "m")


def test_a_tower_without_one_is_refused(rows: torch.Tensor) -> None:
    with pytest.raises(InvalidTraining, match="text tower"):
        find_projection(nn.Module(), ("text.proj",), lambda: rows, "m")
