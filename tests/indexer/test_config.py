from __future__ import annotations

import os
from pathlib import Path

import pytest

from indexer.backends.samples import Quantising
from indexer.config import load_settings
from indexer.errors import InvalidSettings
from indexer.vectors.planning import IndexPlan


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SIGHTLINE_CONFIG", str(tmp_path / "sightline.toml"))
    monkeypatch.delenv("SIGHTLINE_LIBRARY", raising=False)


def test_options_win_over_environment_over_file_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().port == 8000
    (tmp_path / "sightline.toml").write_text("port = 1001\nbatch_size = 7\n")
    assert load_settings().port == 1001
    monkeypatch.setenv("SIGHTLINE_PORT", "1002")
    assert load_settings().port == 1002
    assert load_settings(port=1003).port == 1003
    assert load_settings(port=None).port == 1002
    assert load_settings().batch_size == 7


def test_library_is_absolute_and_home_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings(library=Path("~/pictures")).library == tmp_path / "pictures"
    monkeypatch.chdir(tmp_path)
    assert load_settings(library=Path("here")).library == tmp_path / "here"


def test_only_what_was_set_of_the_index_changes_a_collections_own_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = IndexPlan("ivf", 0.9)
    assert load_settings().index_plan(stored) == stored
    assert load_settings(vector_index="auto").index_plan(stored) == IndexPlan("auto", 0.9)
    monkeypatch.setenv("SIGHTLINE_INDEX_RECALL", "0.95")
    assert load_settings().index_plan(stored) == IndexPlan("ivf", 0.95)


def test_folders_come_as_a_list_or_as_path_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().job_folders == ()
    (tmp_path / "sightline.toml").write_text('job_folders = ["/a:b", "~/c"]\n')
    assert load_settings().job_folders == (Path("/a:b"), Path("~/c"))
    monkeypatch.setenv("SIGHTLINE_JOB_FOLDERS", f"/a{os.pathsep}/b")
    assert load_settings().job_folders == (Path("/a"), Path("/b"))


def test_limits_are_in_bytes() -> None:
    settings = load_settings(max_file_mb=2, max_upload_mb=1, max_pixels=9)
    assert (settings.limits.max_bytes, settings.limits.max_pixels) == (2 * 1024 * 1024, 9)
    assert settings.upload_limits.max_bytes == 1024 * 1024


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": 70000}, ["port", "70000", "65535"]),
        ({"device": "tpu"}, ["device", "tpu", "cuda"]),
        ({"batch_size": 0}, ["'batch_size'", "0", "greater than or equal to 1"]),
        ({"batch_size": "many"}, ["'batch_size'", "many", "integer"]),
        ({"backend": "onnx"}, ["backend", "onnx", "openvino"]),
        ({"precision": "int4"}, ["precision", "int4", "int8"]),
        ({"vector_index": "magic"}, ["vector_index", "magic", "hnsw"]),
        ({"index_recall": 0.4}, ["index_recall", "0.4", "0.5"]),
    ],
)
def test_a_bad_value_names_the_setting_and_what_is_allowed(options: dict[str, object], words: list[str]) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(**options)
    assert all(word in str(caught.value) for word in words)


def test_a_broken_file_and_an_unknown_name_are_errors(tmp_path: Path) -> None:
    file = tmp_path / "sightline.toml"
    file.write_text("port = [")
    with pytest.raises(InvalidSettings, match="not valid TOML"):
        load_settings()
    file.write_text("prot = 1")
    with pytest.raises(InvalidSettings, match="prot"):
        load_settings()


def test_a_batch_is_a_number_or_the_encoders_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().fixed_batch_size is None
    assert load_settings(batch_size="auto").fixed_batch_size is None
    assert load_settings(batch_size="64").fixed_batch_size == 64
    monkeypatch.setenv("SIGHTLINE_BATCH_SIZE", "8")
    assert load_settings().fixed_batch_size == 8


def test_how_the_model_is_run(tmp_path: Path) -> None:
    options = load_settings(backend="openvino", precision="int8", library=tmp_path, cache=tmp_path / "cache").encoding()
    assert (options["backend"], options["device"], options["precision"]) == ("openvino", "auto", "int8")
    assert options["cache"] == tmp_path / "cache"
    assert options["quantising"] == Quantising(str(tmp_path), None)


def test_settings_cannot_be_changed() -> None:
    settings = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.port = 1
