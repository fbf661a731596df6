"""Folding batch norms: the same output, and nothing folded that does not follow its convolution."""

from __future__ import annotations

import pytest
import torch

from indexer.encoder import load_encoder, load_parts
from indexer.fusion import folded


def _lively(norm: torch.nn.BatchNorm2d) -> torch.nn.BatchNorm2d:
    """Statistics and weights that change something."""
    torch.nn.init.uniform_(norm.weight, 0.5, 2.0)
    torch.nn.init.uniform_(norm.bias, -1.0, 1.0)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.uniform_(-1.0, 1.0)
    norm.running_var.uniform_(0.5, 2.0)
    return norm


class _Embedder(torch.nn.Sequential):
    """Pictures -> one row each, as image towers give them."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        rows: torch.Tensor = super().forward(pictures).flatten(1)  # type: ignore[no-untyped-call]
        return rows


def _tower() -> _Embedder:
    torch.manual_seed(0)
    return _Embedder(
        torch.nn.Conv2d(3, 8, 3, bias=False),
        _lively(torch.nn.BatchNorm2d(8)),
        torch.nn.ReLU6(),
        torch.nn.Sequential(torch.nn.Conv2d(8, 8, 3, groups=8), _lively(torch.nn.BatchNorm2d(8))),
    ).eval()


class _Parallel(_Embedder):
    """A norm that stands after a convolution and takes what the convolution takes."""

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        convolution, norm = self
        rows: torch.Tensor = (convolution(pictures) + norm(pictures)).flatten(1)
        return rows


def _norms(model: torch.nn.Module) -> int:
    return sum(isinstance(module, torch.nn.BatchNorm2d) for module in model.modules())


@torch.inference_mode()
def test_the_output_stays_and_the_norms_are_gone() -> None:
    tower, pictures = _tower(), torch.randn(2, 3, 16, 16)
    result = folded(tower, 16, 16)
    assert (_norms(tower), _norms(result)) == (2, 0)
    torch.testing.assert_close(result(pictures), tower(pictures), rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_the_activation_of_timms_batch_norm_stays() -> None:
    parts = load_parts("mini")
    tower, height, width = parts.model.visual.eval(), parts.preprocessing.height, parts.preprocessing.width
    result = folded(tower, height, width)
    assert _norms(result) == 0
    pictures = torch.randn(2, 3, height, width)
    torch.testing.assert_close(result(pictures), tower(pictures), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    "tower",
    [
        _Parallel(torch.nn.Conv2d(3, 3, 1), _lively(torch.nn.BatchNorm2d(3))),
        _Embedder(torch.nn.Conv2d(3, 8, 1), torch.nn.BatchNorm2d(8, track_running_stats=False)),
        _Embedder(torch.nn.ReLU(), torch.nn.BatchNorm2d(3)),
    ],
    ids=["side by side", "statistics of the batch", "no convolution before it"],
)
def test_other_towers_come_back_as_they_are(tower: torch.nn.Module) -> None:
    assert folded(tower.eval(), 8, 8) is tower
    assert _norms(tower) == 1


def test_what_encodes_is_folded_and_what_trains_is_not() -> None:
    assert _norms(load_parts("mini").model) == 52
    assert _norms(load_encoder("mini", precision="float32")._model) == 0
