"""Captions in a file beside each picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path, PurePath


def captions_beside(picture: str, damaged: Callable[[Path], None]) -> tuple[str, ...]:
    """Those of the first side-car that has any; none if there is none.

    Side-cars of `a.jpg` are `a.json` and `a.jpg.json` with `captions` or `caption`, and `a.txt` and `a.jpg.txt` with a
    caption a line. `damaged` is told of each that cannot be read; one about something else says nothing.
    """
    stem = Path(picture)
    for path in (stem.with_suffix(".json"), f"{picture}.json", stem.with_suffix(".txt"), f"{picture}.txt"):
        if captions := _read(Path(path), damaged):
            return captions
    return ()


def captions_in(name: str, data: bytes) -> tuple[str, ...]:
    """Of a `.json` or `.txt` side-car. Raises ValueError or RecursionError for one that is damaged."""
    text = data.decode("utf-8-sig")
    fields = json.loads(text) if PurePath(name).suffix.lower() == ".json" else {"captions": text.splitlines()}
    found = fields.get("captions", fields.get("caption")) if isinstance(fields, dict) else None
    texts = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def _read(path: Path, damaged: Callable[[Path], None]) -> tuple[str, ...]:
    try:
        return captions_in(path.name, path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError):
        damaged(path)
        return ()
