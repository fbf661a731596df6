"""The commands that fill an index, as a script sees them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from indexer.config import Settings
from indexer.errors import CollectionLocked, InvalidSettings, ModelMismatch
from indexer.models import KNOWN_MODELS
from indexer.terminal import display_path
from tests.checkpoints import make_checkpoint
from tests.pictures import nasty_files, photo, write
from web.cli import app

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"local-dir:{make_checkpoint(tmp_path_factory.mktemp('model'))}"


@pytest.fixture
def index(tmp_path: Path, model: str) -> Run:
    """Runs `sightline index PHOTOS --json`; gives its report."""
    (tmp_path / "photos").mkdir()

    def run(*arguments: str, code: int = 0) -> dict[str, Any]:
        command = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--json", *arguments]
        if "--model" not in arguments and not (tmp_path / "library").exists():
            command += ["--model", model]
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == code, result.output
        report: dict[str, Any] = json.loads(result.stdout)
        return report

    return run


def _counts(report: dict[str, Any]) -> dict[str, int]:
    names = ("added", "unchanged", "changed", "moved", "removed", "failed")
    return {name: report[name] for name in names if report[name]}


def test_added_unchanged_changed_moved_removed(index: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        write(photos / name, photo(60, 40, seed=ord(name[0])))
    report = index()
    assert _counts(report) == {"added": 3}
    assert report["pace"]["images_per_second"] == pytest.approx(3 / report["seconds"])
    assert report["pace"]["limit"] in ("decoding", "encoding", "catalog")
    report = index()
    assert _counts(report) == {"unchanged": 3}
    assert report["pace"] is None
    write(photos / "a.jpg", photo(60, 40, seed=9))
    (photos / "sub").mkdir()
    (photos / "b.jpg").rename(photos / "sub" / "moved.jpg")
    (photos / "c.jpg").unlink()
    assert _counts(index()) == {"changed": 1, "moved": 1, "removed": 1}


def test_nasty_files_are_named_and_the_rest_is_indexed(index: Run, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    good = ["fine.jpg", "with space.png", "new\nline.jpg", os.fsdecode(b"caf\xe9.jpg")]
    for seed, name in enumerate(good):
        write(photos / name, photo(60, 40, seed=seed))
    nasty = nasty_files()
    for name, content in nasty.items():
        write(photos / name, content)
    (photos / "dangling.jpg").symlink_to("nowhere.jpg")
    (photos / "loop").symlink_to(photos)
    report = index(code=1)
    assert report["added"] == len(good)
    failed = {Path(failure["path"]).name: failure["reason"] for failure in report["failures"]}
    assert set(failed) == {*nasty, "dangling.jpg", "loop"}
    assert all(reason and "\n" not in reason for reason in failed.values())
    assert "--max-pixels" in failed["huge.png"]


def test_a_collection_keeps_the_way_its_pictures_were_decoded(index: Run, tmp_path: Path) -> None:
    from indexer.collection import Collection
    from indexer.images import CAREFUL, FAST

    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    index("--fast-decode")
    write(tmp_path / "photos" / "b.jpg", photo(60, 40, seed=1))
    assert _counts(index()) == {"added": 1, "unchanged": 1}
    with Collection.open(tmp_path / "library") as collection:
        assert collection.manifest.decode_policy == FAST.name
    shutil.rmtree(tmp_path / "library")
    index()
    command = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--fast-decode"]
    result = CliRunner().invoke(app, command)
    assert "stays so" in result.stderr
    with Collection.open(tmp_path / "library") as collection:
        assert collection.manifest.decode_policy == CAREFUL.name


def test_another_model_is_refused_with_the_remedy_and_nothing_changes(index: Run, tmp_path: Path) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    index()
    other = make_checkpoint(tmp_path / "other", seed=1)
    with pytest.raises(ModelMismatch, match="sightline reindex --model local-dir:"):
        index("--model", f"local-dir:{other}")
    assert _counts(index()) == {"unchanged": 1}


def test_a_model_that_changed_in_its_place_is_noticed_though_nothing_is_new(index: Run, tmp_path: Path) -> None:
    folder = make_checkpoint(tmp_path / "model")
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    index("--model", f"local-dir:{folder}")
    make_checkpoint(folder, seed=1)
    with pytest.raises(ModelMismatch, match=r"weights hash .* itself has changed since: `sightline reindex --model"):
        index()


def test_a_second_indexer_is_told_to_wait(index: Run, tmp_path: Path, model: str) -> None:
    from indexer.collection import Collection

    index()
    with (
        Collection.open(tmp_path / "library") as collection,
        collection.writing(),
        pytest.raises(CollectionLocked, match="another indexer"),
    ):
        index()


def test_the_readable_report_says_what_happened_and_what_failed(tmp_path: Path, model: str) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    write(tmp_path / "photos" / "bad.jpg", b"no")
    command = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--model", model]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 1
    assert "1 added, 1 failed" in result.stdout
    assert re.search(
        r"\n[\d,]+ images/s; (reading and decoding|the encoder|writing the catalog) was the limit\n$", result.stdout
    )
    again = CliRunner().invoke(app, command)
    assert "images/s" not in again.stdout  # nothing was encoded
    assert f"failed: {tmp_path / 'photos' / 'bad.jpg'}: " in result.stderr


def test_stats_in_words_and_in_json(index: Run, tmp_path: Path, model: str) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    write(tmp_path / "photos" / "b.png", photo(60, 40, seed=1))
    index()
    arguments = ["stats", "--library", str(tmp_path / "library")]
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert (found["images"], found["model"], found["index"]["kind"]) == (2, model, "exact")
    assert found["formats"] == {"jpeg": 1, "png": 1}
    words = CliRunner().invoke(app, arguments).stdout
    assert "jpeg 1, png 1" in words
    assert "exact (2 in the base, 0 newer, 0 of the base gone," in words


def test_a_kind_of_index_is_chosen_kept_and_shown_with_its_recall(index: Run, tmp_path: Path) -> None:
    from indexer.collection import Collection
    from tests.indexer.samples import an_image, unit_rows

    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    index()
    with Collection.open(tmp_path / "library") as collection:
        images = [an_image(f"/elsewhere/{number}") for number in range(300)]
        collection.catalog.put(images, unit_rows(300, collection.manifest.dimension))
    index("--vector-index", "hnsw", "--recall", "0.9")
    arguments = ["stats", "--library", str(tmp_path / "library")]
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["index"]
    assert (found["kind"], found["base"], found["calibration"]["target"]) == ("hnsw", 301, 0.9)
    assert found["calibration"]["queries"]["texts"] > 0
    words = CliRunner().invoke(app, arguments).stdout
    assert "hnsw (301 in the base" in words
    assert "target 0.9, reached" in words
    assert "texts @10" in words
    index()
    assert json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["index"]["kind"] == "hnsw"
    index("--vector-index", "auto")
    assert json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)["index"]["kind"] == "exact"
    with pytest.raises(InvalidSettings, match=r"vector_index.*magic"):
        index("--vector-index", "magic")


def test_models_lists_every_model_we_know() -> None:
    listed = json.loads(CliRunner().invoke(app, ["models", "--json"]).stdout)
    assert [entry["name"] for entry in listed] == [known.name for known in KNOWN_MODELS]
    assert listed[0]["name"] == "mini"
    assert listed[0]["here"] is True
    table = CliRunner().invoke(app, ["models"]).stdout
    assert all(known.name in table for known in KNOWN_MODELS)


def test_settings_lists_every_setting_with_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("SIGHTLINE_CONFIG", str(tmp_path / "sightline.toml"))
    table = CliRunner().invoke(app, ["settings"]).stdout
    assert all(f"SIGHTLINE_{name.upper()}" in table for name in Settings.model_fields)
    assert "sightline.toml" in table


def test_settings_cuts_nothing_at_80_columns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    library = tmp_path / ("a-long-name" * 8)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("SIGHTLINE_LIBRARY", str(library))
    monkeypatch.setenv("SIGHTLINE_CONFIG", str(tmp_path / "sightline.toml"))
    table = CliRunner().invoke(app, ["settings"]).stdout
    assert "…" not in table
    assert all(f"SIGHTLINE_{name.upper()}" in table for name in Settings.model_fields)


def test_ctrl_c_says_that_nothing_is_lost(index: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("indexer.jobs.kinds.sync", interrupt)
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    command = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library")]
    result = CliRunner().invoke(app, command)
    assert (result.exit_code, result.stderr) == (130, "interrupted; what was indexed is kept: run it again to go on\n")
    monkeypatch.undo()
    assert _counts(index("--model", "mini")) == {"added": 1}


def test_a_path_is_shown_on_one_printable_line() -> None:
    assert display_path("a b.jpg") == "a b.jpg"
    assert display_path("new\nline.jpg") == "new\\nline.jpg"
    assert display_path(os.fsdecode(b"caf\xe9.jpg")) == "caf\\udce9.jpg"
    assert display_path("café.jpg") == "café.jpg"


def test_int8_that_is_refused_is_said_and_the_index_is_made(
    index: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    assert _counts(index("--backend", "openvino", "--precision", "int8", "--batch-size", "auto")) == {"added": 1}
    assert "int8 is not used" in caplog.text
    assert "it takes 40 pictures to calibrate and try it, there are 1" in caplog.text


def test_what_encodes_is_said_once_it_is_needed(index: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    index("--precision", "float32")
    assert "encoding with torch in float32 on the CPU: float32 was asked for; torch was asked for" in caplog.messages
    caplog.clear()
    index("--precision", "float32")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--backend", "onnx"), "openvino"),
        (("--backend", "torch", "--precision", "int8"), "only OpenVINO computes it"),
        (("--backend", "openvino", "--device", "cuda"), "--device cpu"),
        (("--batch-size", "many"), "batch_size"),
    ],
)
def test_what_cannot_encode_is_refused(index: Run, arguments: tuple[str, ...], says: str) -> None:
    with pytest.raises(InvalidSettings, match=says):
        index(*arguments)
