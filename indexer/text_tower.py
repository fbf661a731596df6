"""Text towers that stop where the text does.

CLIP pads every text to 77 tokens and reads its embedding off the end token, which no token before or after it can see
past: in a causal tower what follows the end token changes nothing, and a query of five words needs seven positions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

TextTower = Callable[["torch.Tensor"], "torch.Tensor"]
"""Tokens `(n, context length)` -> features `(n, dimension)`, not normalised."""

_SAME = 0.999
"""Cosine of two embeddings of one text: rounding in bfloat16 moves it by 1e-5, a tower read wrongly by far more."""


def shortened(model: Any, probe: torch.Tensor) -> TextTower:
    """The text tower of an open_clip model, cut after the last end token of a batch where that is exact.

    It is for causal towers that are read at the end token: CLIP's and `mini`'s, not SigLIP's, CoCa's or those of the
    hub. `probe` is some tokenized texts, on the model's device: should the two ways disagree on them, or the short one
    fail, the tower stays as it is.
    """
    import torch

    whole: TextTower = model.encode_text
    tower = getattr(model, "text", model)
    if not _is_causal(tower):
        return whole
    short = partial(_encode, tower)
    with torch.inference_mode():
        try:
            likeness = torch.nn.functional.cosine_similarity(whole(probe).float(), short(probe).float())
        except (AttributeError, RuntimeError, TypeError):  # another version of open_clip, built another way
            return whole
    return short if float(likeness.min()) > _SAME else whole


def _is_causal(tower: Any) -> bool:
    """By how open_clip builds it: a causal mask and no other, read at the end token, nothing appended."""
    import torch

    mask = getattr(tower, "attn_mask", None)
    if mask is None or mask.ndim != 2 or _pooling(tower) not in ("argmax", "eos"):
        return False
    if getattr(tower, "cls_emb", None) is not None or getattr(tower, "use_pad_mask", False):
        return False
    if getattr(tower, "output_tokens", False):
        return False
    above = torch.ones_like(mask, dtype=torch.bool).triu(1)
    return bool((mask[above] == -torch.inf).all() and (mask[~above] == 0).all())


def _pooling(tower: Any) -> str | None:
    return getattr(tower, "pool_type", None) or getattr(tower, "text_pool_type", None)


def _encode(tower: Any, tokens: torch.Tensor) -> torch.Tensor:
    """What `CLIP.encode_text` and `TextTransformer.forward` do, on the tokens up to the last end."""
    import torch

    ends = _ends(tower, tokens)
    length = int(ends.max()) + 1
    dtype = tower.transformer.get_cast_dtype()
    states = tower.token_embedding(tokens[:, :length]).to(dtype) + tower.positional_embedding[:length].to(dtype)
    states = tower.transformer(states, attn_mask=tower.attn_mask[:length, :length])
    pooled = tower.ln_final(states[torch.arange(len(states), device=states.device), ends])
    projection = tower.text_projection
    if projection is None:
        features: torch.Tensor = pooled
    else:
        features = projection(pooled) if isinstance(projection, torch.nn.Linear) else pooled @ projection
    return features


def _ends(tower: Any, tokens: torch.Tensor) -> torch.Tensor:
    """Where each text's end token stands. `argmax`: it has the highest number of all."""
    if _pooling(tower) == "argmax":
        return tokens.argmax(dim=-1)
    end: int = tower.eos_id if hasattr(tower, "eos_id") else tower.text_eos_id
    return tokens.eq(end).int().argmax(dim=-1)
