"""The form of every benchmark's results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.all_goals import page
from benchmarks.goals import INDEXING, MODELS, at_least, at_most, plain, publish, table, with_part, write


def test_a_goal_is_met_at_its_bound_and_only_with_what_it_depends_on() -> None:
    assert at_least("speed", 20.0, 20).met is True
    assert at_least("speed", 19.9, 20).met is False
    assert at_least("speed", 50.0, 20, provided=False).met is False
    assert at_most("time", 1.5, 1.5).met is True
    assert at_most("time", 1.6, 1.5).met is False
    assert plain("time", 3.0).met is None


def test_what_was_not_run_is_neither_met_nor_missed() -> None:
    line = at_most("on a GPU", "not run: no CUDA here", 2)
    assert (line.value, line.goal, line.met) == ("not run: no CUDA here", 2, None)


def test_the_table_says_which_way_a_goal_goes() -> None:
    shown = table([at_least("speed", 1234.5, 20), at_most("time", "not run", 2), plain("bytes", 0.5)]).splitlines()
    assert shown[2:] == [
        "| speed | 1,234 | at least 20 | yes |",
        "| time | not run | at most 2 |  |",
        "| bytes | 0.5 |  |  |",
    ]


def test_the_file_has_an_entry_a_line(tmp_path: Path) -> None:
    write([at_least("speed", 2.0 / 3, 20), plain("time", "not run")], tmp_path / "new" / "x.json", "python x.py")
    first, second = json.loads((tmp_path / "new" / "x.json").read_text())
    assert list(first) == ["name", "value", "goal", "bound", "met", "command", "machine", "date"]
    assert (first["value"], first["goal"], first["met"], first["command"]) == (0.66667, 20, False, "python x.py")
    assert (second["value"], second["goal"], second["met"]) == ("not run", None, None)


def test_a_part_of_a_page_is_replaced_and_the_rest_stays() -> None:
    page = "above\n<!-- a: begin -->\nold\n<!-- a: end -->\nbelow"
    assert with_part(page, "a", "new") == "above\n<!-- a: begin -->\n\nnew\n\n<!-- a: end -->\nbelow"
    with pytest.raises(ValueError, match="no marks"):
        with_part(page, "b", "new")


@pytest.mark.parametrize(
    ("page", "parts"), [(INDEXING, ("decode", "indexing", "catalog")), (MODELS, ("reindex", "thumbnails"))]
)
def test_the_page_has_every_part(page: Path, parts: tuple[str, ...]) -> None:
    for name in parts:
        assert "new" in with_part(page.read_text(encoding="utf-8"), name, "new")


def test_results_for_another_file_leave_the_projects_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = INDEXING.read_text(encoding="utf-8")
    publish([plain("time", 3.0)], "decode", "python x.py", tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())[0]["value"] == 3
    assert "| time | 3 |" in capsys.readouterr().out
    assert INDEXING.read_text(encoding="utf-8") == before


def test_one_page_has_all_that_have_a_goal(tmp_path: Path) -> None:
    write([at_least("speed", 25, 20), plain("time", 3.0)], tmp_path / "a_b.json", "python a.py")
    write([at_most("memory", 2.0, 1), at_most("GPU", "not run", 2)], tmp_path / "c.json", "python c.py")
    write([plain("bytes", 1.0)], tmp_path / "d.json", "python d.py")
    text = page(tmp_path)
    assert "1 of 3 are met, 1 missed, 1 not measured." in text
    assert "## a b\n" in text
    assert "| memory | 2 | at most 1 | no |" in text
    assert "time" not in text.split("are met")[1]
    assert "python d.py" not in text
