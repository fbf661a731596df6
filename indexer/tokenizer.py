"""A model's own tokenizer, made safe for a server: many threads, any text, bounded memory."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_CACHED_WORDS = 100_000
"""open_clip's tokenizer remembers every word it ever saw; at about 150 bytes a word this bounds it to 15 MB."""


class Tokenizer:
    """Texts -> `(n, context length)` token ids, padded and cut as the model was trained."""

    def __init__(self, tokenizer: Any, vocabulary: Path | None = None) -> None:
        self._tokenizer = tokenizer
        # Tokenizers of the hub set their padding on every call and fail when two threads do so at once.
        self._lock = threading.Lock()
        self.rule = _rule(tokenizer, vocabulary)

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        # Lone surrogates come from arguments that are not UTF-8; no tokenizer can encode them.
        encodable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        with self._lock:
            tokens: torch.Tensor = self._tokenizer(encodable)
            words = getattr(self._tokenizer, "cache", None)
            if isinstance(words, dict) and len(words) > _CACHED_WORDS:
                words.clear()
                words.update({token: token for token in _special_tokens(self._tokenizer)})
        return tokens


def _special_tokens(tokenizer: Any) -> list[str]:
    return [tokenizer.decoder[number] for number in tokenizer.all_special_ids]


def _rule(tokenizer: Any, vocabulary: Path | None) -> str:
    """Such as `SimpleTokenizer/77/lower`: class, context length, how text is cleaned, and whose vocabulary."""
    clean = getattr(getattr(tokenizer, "clean_fn", None), "__name__", "").removeprefix("_clean_")
    parts = [type(tokenizer).__name__, str(tokenizer.context_length), *([clean] if clean else [])]
    if vocabulary is not None:
        parts.append("vocabulary-" + hashlib.sha256(vocabulary.read_bytes()).hexdigest()[:12])
    return "/".join(parts)
