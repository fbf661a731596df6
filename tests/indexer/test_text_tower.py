"""The short way through a text tower gives what the whole one gives, and is taken only where it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from indexer.encoder import load_encoder, load_parts
from indexer.text_tower import shortened
from tests.checkpoints import CONTEXT_LENGTH, make_checkpoint

TEXTS = ["", "a red dog", "the blue and the red dog and the blue dog and the red dog", "dog"]


class Lengths(torch.nn.Module):
    """Stands before a transformer and notes how many tokens went in."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer, self.seen = transformer, list[int]()

    def get_cast_dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.transformer.get_cast_dtype()
        return dtype

    def forward(self, states: torch.Tensor, attn_mask: torch.Tensor | None = None) -> torch.Tensor:
        self.seen.append(states.shape[1])
        result: torch.Tensor = self.transformer(states, attn_mask=attn_mask)
        return result


def parts_of(folder: Path, **options: Any) -> tuple[Any, Any]:
    parts = load_parts(str(make_checkpoint(folder, **options)))
    return parts.model.eval(), parts.tokenizer


@torch.inference_mode()
@pytest.mark.parametrize("texts", [TEXTS, *([text] for text in TEXTS)], ids=["all", "empty", "short", "long", "word"])
def test_clip_is_cut_and_says_the_same(tmp_path: Path, texts: list[str]) -> None:
    model, tokenizer = parts_of(tmp_path)
    tokens = tokenizer(texts)
    expected = model.encode_text(tokens)
    model.transformer = lengths = Lengths(model.transformer)
    short = shortened(model, tokenizer(["red"]))
    assert lengths.seen == [CONTEXT_LENGTH, 3]  # start, `red` and end
    torch.testing.assert_close(short(tokens), expected, rtol=1e-5, atol=1e-6)
    assert lengths.seen[-1] == int(tokens.argmax(dim=-1).max()) + 1


@torch.inference_mode()
def test_mini_is_cut_and_says_the_same() -> None:
    encoder = load_encoder("mini", precision="float32")
    tokens = encoder._tokenizer(TEXTS)
    expected = encoder._model.encode_text(tokens)
    encoder._model.text.transformer = lengths = Lengths(encoder._model.text.transformer)
    torch.testing.assert_close(encoder._text_tower(tokens), expected, rtol=1e-4, atol=1e-5)
    assert lengths.seen == [int(tokens.argmax(dim=-1).max()) + 1]


@torch.inference_mode()
def test_the_end_token_may_have_a_number_of_its_own(tmp_path: Path) -> None:
    model, tokenizer = parts_of(tmp_path)
    tokens = tokenizer(TEXTS)
    model.text_pool_type, model.text_eos_id = "eos", int(tokens.max())
    expected = model.encode_text(tokens)
    short = shortened(model, tokens)
    assert short != model.encode_text
    torch.testing.assert_close(short(tokens), expected, rtol=1e-5, atol=1e-6)


def _sees_what_follows(model: Any) -> None:
    model.attn_mask = torch.zeros_like(model.attn_mask)


def _is_read_at_its_last_token(model: Any) -> None:
    model.text_pool_type = "last"


def _has_no_mask(model: Any) -> None:
    model.attn_mask = None


def _is_built_another_way(model: Any) -> None:
    model.transformer.forward = lambda states, attn_mask: states  # another signature: the short way is not tried
    del model.ln_final
    model.encode_text = lambda tokens: torch.ones(len(tokens), 4)


def _is_more_than_it_seems(model: Any) -> None:
    whole = model.encode_text
    model.encode_text = lambda tokens: whole(tokens).flip(-1)


@torch.inference_mode()
@pytest.mark.parametrize(
    "change",
    [
        _sees_what_follows,
        _is_read_at_its_last_token,
        _has_no_mask,
        _is_built_another_way,
        _is_more_than_it_seems,
    ],
)
def test_other_towers_stay_as_they_are(tmp_path: Path, change: Any) -> None:
    model, tokenizer = parts_of(tmp_path)
    change(model)
    assert shortened(model, tokenizer(TEXTS)) == model.encode_text


def test_siglips_tower_stays_as_it_is(tmp_path: Path) -> None:
    model, tokenizer = parts_of(tmp_path, kind="siglip")
    assert shortened(model, tokenizer(TEXTS)) == model.encode_text
