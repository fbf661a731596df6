"""Captions in a file beside each picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path


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


def _read(path: Path, damaged: Callable[[Path], None]) -> tuple[str, ...]:
    try:
        text = path.read_text(encoding="utf-8-sig")
        fields = json.loads(text) if path.suffix == ".json" else {"captions": text.splitlines()}
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, RecursionError):
        damaged(path)
        return ()
    found = fields.get("captions", fields.get("caption")) if isinstance(fields, dict) else None
    texts = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(text for text in texts if isinstance(text, str) and text.strip())
