"""Sets of plain colours, whose answers the `PaletteEncoder` knows, and a task for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.images import Limits
from search.benchmark.encoding import Batching
from search.benchmark.run import Task
from tests.palette import PaletteEncoder
from tests.pictures import plain, write

BATCHING = Batching(Limits(), batch_size=4, threads=2)


def task(**choices: Any) -> Task:
    return Task(**{"encoder": PaletteEncoder(), "device": "cpu", "batching": BATCHING, "path": "the set", **choices})


def colour_set(folder: Path, captions: Mapping[str, Sequence[str]]) -> Path:
    """JSON lines and a plain PNG for each `name: captions`; the colour is the name's part before the first dash."""
    lines = []
    for name, texts in captions.items():
        write(folder / f"{name}.png", plain(name.partition("-")[0]))
        lines.append(json.dumps({"path": f"{name}.png", "captions": list(texts)}))
    path = folder / "set.jsonl"
    path.write_text("\n".join(lines) + "\n")
    return path


def class_folders(folder: Path, classes: Iterable[str], each: int = 2) -> Path:
    for name in classes:
        for number in range(each):
            write(folder / name / f"{number}.png", plain(name, (48 + number, 32)))
    return folder
