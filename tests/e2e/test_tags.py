"""The page of tags in a real browser: tags show examples, lists are put and removed, concepts renamed and forgotten."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from indexer.collection import Collection
from indexer.tags import concepts
from indexer.tags.labels import read_labels
from indexer.tags.tagging import add_list, refresh
from tests.e2e.visitor import PHONE, Visitor, visiting, wait_until
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs that a process would have been started for."""
    begun: list[int] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(job_id))
    return begun


@pytest.fixture
def tagged(library: Path, tmp_path: Path) -> Iterator[Collection]:
    """60 pictures, tagged by `red` and `green`, with a concept."""
    with Collection.open(Path(shutil.copytree(library, tmp_path / "own"))) as collection:
        with collection.writing():
            add_list(collection.catalog.tags, "colours", read_labels("red\ngreen"))
            refresh(collection, PaletteEncoder())
        concepts.save(collection, PaletteEncoder(), "warm", "red", [1, 2], [3])
        yield collection


@pytest.fixture
def guest(browser: Browser, serve: Serve, tagged: Collection) -> Iterator[Visitor]:
    with serve(app_over(tagged.library)) as url:
        yield from visiting(browser, url)


def test_tags_lists_and_concepts_are_looked_at_and_changed(
    guest: Visitor, tagged: Collection, begun: list[int]
) -> None:
    page = guest.open("/library/tags")
    tile = page.locator("#tags > [data-key='green']")
    expect(tile.locator("img")).to_have_count(4)
    expect(tile.get_by_role("link")).to_have_attribute("href", "/?q=tag%3Agreen")
    page.get_by_label("Find a tag").fill("gre")
    expect(page.locator("#tags > li")).to_have_count(1)
    expect(page.get_by_role("link", name="Hide: colours")).to_have_attribute("href", "/?q=-tag%3Acolours")

    page.get_by_role("button", name="New list").click()
    page.get_by_label("Name", exact=True).fill("Cold")
    page.get_by_label("Labels, one a line").fill("blue | 7")
    guest.allow("422")
    page.get_by_role("button", name="Save and tag").click()
    expect(page.get_by_role("alert")).to_contain_text("line 1: '7' is no threshold")
    page.get_by_label("Labels, one a line").fill("blue: navy\ncyan")
    page.get_by_role("button", name="Save and tag").click()
    expect(page.locator("#lists > [data-key='cold'] .numbers")).to_have_text("2 labels")
    expect(page.locator("#job")).to_be_visible()
    assert len(begun) == 1
    page.get_by_role("button", name="Remove: cold").click()
    page.locator("#editor-save").click()
    expect(page.locator("#lists h3")).to_have_text(["colours"])

    page.get_by_role("button", name="Rename: warm").click()
    page.get_by_label("Name", exact=True).fill("Warm things")
    page.locator("#editor-save").click()
    concept = page.locator("#concepts > [data-key='warm things']")
    expect(concept.locator(".numbers")).to_have_text("“red” · 2 right, 1 wrong")
    concept.get_by_role("button", name="Teach on").click()
    page.wait_for_url(re.compile(r"/\?q=red&right=1&right=2&wrong=3$"))
    page.go_back()
    page.get_by_role("button", name="Forget: warm things").click()
    page.locator("#editor-save").click()
    expect(page.locator("#concepts > li")).to_have_count(0)
    assert tagged.catalog.concepts.all() == []


def test_a_library_without_tags_is_tagged_from_a_phone(
    browser: Browser, serve: Serve, own_library: tuple[Path, Path], begun: list[int]
) -> None:
    with serve(app_over(own_library[1])) as url:
        for guest in visiting(browser, url):
            page = guest.open("/library/tags", **PHONE)
            page.get_by_role("button", name="Tag all pictures").tap()
            expect(page.locator("#job")).to_be_visible()
            expect(page.locator("#lists h3")).to_have_text(["everyday"])
            wait_until(page, "document.documentElement.scrollWidth <= 390")
            assert len(begun) == 1
