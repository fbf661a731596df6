"""What the box would be given to filter by a value: the other way round from `box_rules`."""

from __future__ import annotations

import re
from typing import Final

from search.filters import MAX_WORDS

_PLAIN: Final = re.compile(r"[\w/-]+(?:[.:][\w/-]+)*", re.ASCII)
"""What needs no quotes: a value without spaces, and without marks that may end a sentence."""


def box_text(rule: str, value: str) -> str | None:
    """`camera:"Canon EOS 5D"`: what filters by that value behind anything else; None for what the box cannot hold."""
    if not value.strip() or len(value) > MAX_WORDS or "\0" in value:
        return None
    try:
        value.encode()
    except UnicodeEncodeError:  # bytes of a path that are not UTF-8
        return None
    quoted = value.replace('"', '""')
    return f"{rule}:{value}" if _PLAIN.fullmatch(value) else f'{rule}:"{quoted}"'
