"""How texts are read and labels are said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from indexer.torchvision_ops import ensure_torchvision_ops

CONTEXT = 32
CLEANING = "canonicalize"
"""open_clip's name for: lower case, no punctuation. People do not end a query with ` .`, as Flickr8k's captions do."""

TEMPLATES = ("{}", "a photo of a {}")
"""How a label is said."""


def make_tokenizer() -> Any:
    """CLIP's tokenizer, as open_clip makes it from the config that we export."""
    ensure_torchvision_ops()
    from open_clip.tokenizer import SimpleTokenizer

    return SimpleTokenizer(context_length=CONTEXT, clean=CLEANING)


def label_texts(names: Sequence[str]) -> list[str]:
    """Every name in every template: `dog` -> `dog`, `a photo of a dog`."""
    return [template.format(name.replace("_", " ")) for name in names for template in TEMPLATES]
