"""`sightline failures`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from indexer.collection import Collection
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.palette import PaletteEncoder
from tests.pictures import write
from web.cli import app


def test_failures_are_listed_by_reason(tmp_path: Path) -> None:
    library, encoder = tmp_path / "library", PaletteEncoder()
    for number in range(3):
        write(tmp_path / "photos" / f"{number}.png", b"")
    with Collection.open_or_create(library, encoder.manifest) as collection:
        say = lambda *options: CliRunner().invoke(app, ["failures", "--library", str(library), *options])  # noqa: E731
        assert say().stdout == "nothing failed\n"
        sync(collection, encoder, FolderSource(tmp_path / "photos"))
    assert say("-n", "2").stdout.splitlines() == [
        "3: the file is empty",
        *(f"  {tmp_path}/photos/{number}.png" for number in range(2)),
        "  and 1 more",
    ]
    assert [one["path"] for one in json.loads(say("--json").stdout)] == [
        f"{tmp_path}/photos/{number}.png" for number in range(3)
    ]
