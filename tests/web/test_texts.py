"""What the pages say stands in one place, and all of it is used."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from web import texts as module
from web.pages import STATIC
from web.texts import DEFAULT_LANGUAGE, TEXTS, Texts, preferred, texts

TEMPLATES = STATIC.parent / "templates"
# A key that is put together (`states.${state}`) uses all that begin like it.


def keys(section: Any, before: str = "") -> set[str]:
    """All keys; plural forms are one."""
    if isinstance(section, str) or "other" in section:
        return {before}
    return {key for name, part in section.items() for key in keys(part, f"{before}.{name}" if before else name)}


@pytest.fixture
def english() -> Texts:
    return texts(DEFAULT_LANGUAGE)


def test_texts_are_used_and_used_texts_are_there(english: Texts) -> None:
    known, used, beginnings = keys(dict(english.sections)), set(), set()
    key = re.compile(rf"""["`]((?:{"|".join(english.sections)})\.[\w.]+)(\$\{{)?""")
    for path in (*STATIC.rglob("*.js"), *TEMPLATES.rglob("*.html")):
        for found, goes_on in key.findall(path.read_text("utf-8")):
            (beginnings if goes_on else used).add(found)
    assert used <= known
    assert {key for key in known - used if not key.startswith(tuple(beginnings))} == set()


def test_every_language_has_all_texts(english: Texts) -> None:
    for language in module.languages():
        assert keys(dict(texts(language).sections)) == keys(dict(english.sections)), language


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("", "en"), ("en-GB,en;q=0.9", "en"), ("xx", "en"), ("de;q=0.5, xx", "de"), ("de;q=0", "en"), ("de;q=?", "en")],
)
def test_the_browser_chooses_the_language(
    accepted: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("de", "en"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "search.json").write_text(json.dumps({"title": name}))
    monkeypatch.setattr(module, "TEXTS", tmp_path)
    for cached in (module.texts, module.languages):
        cached.cache_clear()
    try:
        found = preferred(accepted)
        assert (found.language, found("search.title"), found.direction) == (language, language, "ltr")
    finally:
        for cached in (module.texts, module.languages):
            cached.cache_clear()


def test_a_language_may_run_from_right_to_left() -> None:
    assert Texts("he", {}).direction == "rtl"


def test_texts_are_the_project_s_own() -> None:
    assert sorted(path.name for path in TEXTS.iterdir()) == sorted(module.languages())
