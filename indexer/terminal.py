"""What is shown on a terminal."""

from __future__ import annotations


def display_path(path: str) -> str:
    """One printable line: control characters and bytes that are not UTF-8 are shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in path)
