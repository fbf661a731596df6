"""Text-to-image Recall@K through the command line alone: `sightline index`, then every caption as a query.

The shard is a tar of `NNNNNN.jpg` beside `NNNNNN.json` with a list `captions`. A caption counts as found when its own
photo is among the first K hits. Raw captions, no prompt, no deduplication.

    python benchmarks/command_line_recall.py flickr8k-dev.tar
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

K = 10


def run(*arguments: str, stdin: str | None = None) -> str:
    """A `sightline` command's stdout; its stderr goes through to the person who waits."""
    command = [sys.executable, "-m", "web.cli", *arguments]
    finished = subprocess.run(command, input=stdin, stdout=subprocess.PIPE, text=True, check=True)
    return finished.stdout


def captions_of(folder: Path) -> list[tuple[str, str]]:
    """`(caption, photo's path)` of every caption, newlines flattened: a query is one line."""
    return [
        (" ".join(caption.split()), str(sidecar.with_suffix(".jpg")))
        for sidecar in sorted(folder.glob("*.json"))
        for caption in json.loads(sidecar.read_text())["captions"]
    ]


def main(
    shard: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A tar of photos and captions.")],
    model: Annotated[str, typer.Option(help="The model to measure.")] = "mini",
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        photos, library = Path(scratch).resolve() / "photos", Path(scratch) / "library"
        with tarfile.open(shard) as archive:
            archive.extractall(photos, filter="data")
        started = time.perf_counter()
        report = json.loads(run("index", str(photos), "--library", str(library), "--model", model, "--json"))
        indexed = time.perf_counter()
        captions = captions_of(photos)
        lines = "".join(f"{caption}\n" for caption, _ in captions)
        answers = run("search", "--queries", "-", "-k", str(K), "--library", str(library), stdin=lines).splitlines()
        searched = time.perf_counter()
        ranks = [
            next((hit["rank"] for hit in json.loads(answer)["hits"] if hit["path"] == photo), None)
            for answer, (_, photo) in zip(answers, captions, strict=True)
        ]
    recall = {f"R@{k}": 100 * sum(rank is not None and rank <= k for rank in ranks) / len(ranks) for k in (1, 5, 10)}
    shown = "  ".join(f"{name} {value:.1f} %" for name, value in recall.items())
    print(f"{shard.name}, {model}: {report['added']:,} photos, {len(captions):,} captions: text->image {shown}")
    print(f"index {indexed - started:.1f} s, search {searched - indexed:.1f} s, both with start-up and model load")


if __name__ == "__main__":
    typer.run(main)
