"""`sightline explain` as a person uses it, over a real checkpoint of random weights."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from indexer.errors import ImageNotFound, InvalidExport, InvalidQuery, SightlineError, UndecodableImage, UnreadableImage
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    write(folder / "one.jpg", photo(90, 60))
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Path:
    folder = tmp_path_factory.mktemp("sightline")
    model = f"local-dir:{make_checkpoint(folder / 'model')}"
    arguments = ["index", str(pictures), "--library", str(folder / "library"), "--model", model]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder / "library"


def _explain(library: Path, *arguments: str | Path) -> str:
    result = CliRunner().invoke(app, ["explain", *map(str, arguments), "--library", str(library)])
    if isinstance(result.exception, SightlineError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_says_where_and_writes_the_picture_under_its_map(library: Path, pictures: Path, tmp_path: Path) -> None:
    picture, output = pictures / "one.jpg", tmp_path / "map.png"
    said = _explain(library, picture, "--text", "blue", "--output", output)
    assert re.search(r"\d% from the left and .* from the top \(contrast 1\.\d, grid\)", said)
    assert str(output) in said
    with Image.open(output) as drawn, Image.open(picture) as original:
        assert (drawn.format, drawn.mode, drawn.size) == ("PNG", "RGB", (90, 60))
        apart = np.asarray(drawn, np.int16) - np.asarray(original.convert("RGB"), np.int16)
        assert 5 < np.abs(apart).mean() < 150


def test_an_indexed_picture_by_its_id_and_the_map_alone(library: Path, pictures: Path, tmp_path: Path) -> None:
    found = json.loads(_explain(library, pictures / "one.jpg", "--image", pictures / "one.jpg", "--json"))
    assert set(found) == {"method", "contrast", "flat", "peak"}
    assert found["method"] == "grid"
    arguments = ["--id", "1", "--like", "1", "--map-only", "-o", tmp_path / "map.png"]
    assert json.loads(_explain(library, *arguments, "--json"))["peak"] == pytest.approx(found["peak"], abs=0.01)
    with Image.open(tmp_path / "map.png") as drawn:
        assert drawn.mode == "RGBA"


def test_occlusion_on_request(library: Path, pictures: Path) -> None:
    said = _explain(library, pictures / "one.jpg", "--text", "dog", "--occlusion", "--json")
    assert json.loads(said)["method"] == "occlusion"


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((), InvalidQuery, "name one picture"),
        (("one.jpg", "--id", "1", "--text", "a"), InvalidQuery, "name one picture"),
        (("one.jpg",), InvalidQuery, "nothing to search by"),
        (("one.jpg", "--text", " "), InvalidQuery, "the text is empty"),
        (("none.jpg", "--text", "a"), UnreadableImage, "cannot be read"),
        (("text.jpg", "--text", "a"), UndecodableImage, "not a picture"),
        (("--id", "77", "--text", "a"), ImageNotFound, "no image with id 77"),
        (("one.jpg", "--text", "a", "--output", "no/such/folder/map.png"), InvalidExport, "No such file"),
    ],
)
def test_wrong_use_is_one_clear_line(
    library: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], error: type, says: str
) -> None:
    monkeypatch.chdir(pictures)
    (pictures / "text.jpg").write_text("words")
    with pytest.raises(error, match=says) as caught:
        _explain(library, *arguments)
    assert "\n" not in str(caught.value)
