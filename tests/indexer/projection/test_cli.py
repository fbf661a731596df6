"""The map from the command line, over a real checkpoint of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.errors import InvalidRequest
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


def test_a_map_is_made_and_told_of(tmp_path: Path) -> None:
    for seed in range(12):
        write(tmp_path / "photos" / f"{seed}.jpg", photo(80, 60, seed=seed))
    library = ["--library", str(tmp_path / "library")]
    model = f"local-dir:{make_checkpoint(tmp_path / 'model')}"
    assert CliRunner().invoke(app, ["index", str(tmp_path / "photos"), "--model", model, *library]).exit_code == 0
    nothing = CliRunner().invoke(app, ["map", "--last", *library])
    with pytest.raises(InvalidRequest, match="no map yet"):
        raise nothing.exception or AssertionError(nothing.output)
    made = CliRunner().invoke(app, ["map", *library], catch_exceptions=False)
    assert "12 of 12 pictures are on the map" in made.stdout
    told = json.loads(CliRunner().invoke(app, ["map", "--last", "--json", *library]).stdout)
    assert told == {"images": 12, "shown": 12, "newer": 0, "stale": False, "regions": []}
    assert "map" in CliRunner().invoke(app, ["jobs", *library]).stdout
