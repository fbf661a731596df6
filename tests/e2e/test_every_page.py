"""What holds for every page: nothing for axe to mend in either theme, and no text that cannot be translated."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, Page, expect

from indexer.collection import Collection
from indexer.duplicates.kinds import Link
from indexer.projection.making import make_map
from tests.e2e.visitor import PHONE, Visitor, visiting
from tests.palette import PaletteEncoder
from tests.web.conftest import Serve, app_over
from web import pages
from web.texts import DEFAULT_LANGUAGE, Texts, texts

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

PAGES = {
    "search": "/?q=red -dark summer 2023",
    "nothing": "/?q=type:gif",
    "overview": "/library",
    "duplicates": "/library/duplicates",
    "tags": "/library/tags",
    "map": "/map",
}
VIOLATIONS = """async () => {
  const { violations } = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ").slice(0, 300)}`);
}"""
# Texts that a person sees or hears and that are not marked as translated. What was typed, names of files, cameras,
# models and tags, and code are the same in every language.
DATA = ("exact", "float32", "palette", "JPEG", "PNG")
UNTRANSLATED = """(words) => {
  const found = [];
  const data =
    "code, pre, kbd, mark, option, script, style, noscript, canvas, .box-marks, .chips li, .cell, .member img," +
    ".member .name, .member .path, .of, .brand, .model, .region";
  const isData = (text) => text.includes("⟦") || text.startsWith("/") || words.includes(text);
  const isOurs = (text) => /[a-z]{3}/i.test(text) && !isData(text);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { parentElement: parent, data: text } = walker.currentNode;
    if (!isOurs(text) || parent.closest(data) || !parent.checkVisibility()) continue;
    found.push(`${parent.tagName}.${parent.className}#${parent.id}: ${text.trim()}`);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt"]) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      const text = element.getAttribute(name);
      if (!isOurs(text) || element.closest(data)) continue;
      found.push(`${name} of ${element.tagName}#${element.id}: ${text}`);
    }
  }
  return found;
}"""


@pytest.fixture(scope="module")
def address(library: Path, tmp_path_factory: pytest.TempPathFactory, serve: Serve) -> Iterator[str]:
    """A collection that has something to show on every page."""
    own = Path(shutil.copytree(library, tmp_path_factory.mktemp("pages") / "library"))
    with Collection.open(own) as collection:
        catalog = collection.catalog
        make_map(collection, PaletteEncoder(), lambda done, total: None, threads=1)
        first, second = sorted(catalog.get(id).content_hash for id in (1, 2))
        catalog.duplicate_store.replace([Link(first, second, "same", 0.98)])
        job = catalog.jobs.add("tag", {})
        catalog.jobs.claim(job.id, "test")
        catalog.jobs.end(job.id, "test", "failed", "")
    with serve(app_over(own)) as url:
        yield url


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    yield from visiting(browser, address)


def settle(page: Page) -> None:
    expect(page.locator("main")).to_be_visible()
    page.wait_for_load_state("networkidle")


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_axe_finds_nothing_to_mend(visitor: Visitor, path: str) -> None:
    page = visitor.open(path, reduced_motion="reduce")  # so that colours are at rest at once
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    settle(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert page.evaluate(VIOLATIONS) == [], scheme


def _foreign(part: Any) -> Any:
    return f"⟦{part}⟧" if isinstance(part, str) else {name: _foreign(text) for name, text in part.items()}


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES)
def test_every_text_can_be_translated_and_lines_may_run_the_other_way(
    visitor: Visitor, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    english = texts(DEFAULT_LANGUAGE).sections
    hebrew = Texts("he", {section: _foreign(part) for section, part in english.items()})
    monkeypatch.setattr(pages, "preferred", lambda accepted: hebrew)
    page = visitor.open(path, **PHONE)
    settle(page)
    assert page.evaluate("document.documentElement.dir") == "rtl"
    assert page.evaluate(UNTRANSLATED, DATA) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "something juts out"
