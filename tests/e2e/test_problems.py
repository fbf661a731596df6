"""What the page says when something goes wrong, and that it goes on from there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from indexer.collection import Collection
from tests.e2e.visitor import SEARCH, TRANSFER, Visitor, expect_first, names, search, visiting
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, draw, index

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Serve = Callable[[FastAPI], AbstractContextManager[str]]


def test_what_is_dropped_and_is_no_picture_is_named(visitor: Visitor) -> None:
    page = visitor.open()
    transfer = page.evaluate_handle(TRANSFER, [[1, 2, 3], "notes.txt", "text/plain"])
    page.dispatch_event("#results", "drop", {"dataTransfer": transfer})
    expect(page.locator("#problem")).to_contain_text("notes.txt is not a picture.")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator("#problem")).to_be_empty()


def test_a_picture_that_is_refused_leaves_the_page_as_it_was(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    expect_first(page, "red")
    visitor.allow("415")
    file = {"name": "broken.png", "mimeType": "image/png", "buffer": b"not a picture"}
    page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    expect(page.locator("#problem p")).not_to_be_empty()
    expect(page.locator("#terms")).to_be_hidden()
    expect(page).to_have_url(visitor.url + "/?q=red")
    expect_first(page, "red")


def test_an_error_is_shown_and_can_be_retried(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    visitor.allow("503")
    answer = json.dumps({"status": 503, "title": "Unavailable", "detail": "the model is still loading"})
    page.route(SEARCH, lambda route: route.fulfill(status=503, body=answer, content_type="application/problem+json"))
    search(page, "red")
    problem = page.locator("#problem")
    expect(problem).to_contain_text("the model is still loading")
    expect(problem).to_have_attribute("role", "status")
    expect(page.locator("#results .cell")).to_have_count(0)  # what the words do not describe is not shown under them
    page.unroute(SEARCH)
    page.get_by_role("button", name="Try again").click()
    expect_first(page, "red")
    expect(problem).to_be_empty()


def test_a_server_that_is_gone_is_named_as_such(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    visitor.allow("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    search(page, "red")
    expect(page.locator("#problem")).to_contain_text("Sightline does not answer")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect_first(page, "red")


@pytest.mark.parametrize("path", ["/?like=999999", "/?q=red#image=999999"])
def test_a_picture_that_is_gone_is_named(visitor: Visitor, path: str) -> None:
    visitor.allow("404")
    page = visitor.open(path)
    expect(page.locator("#problem")).to_contain_text("999999")
    expect(page.locator("#large")).to_be_hidden()


def test_an_empty_collection_says_how_to_fill_it_and_notices(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    library, folder = tmp_path / "library", tmp_path / "pictures"
    Collection.open_or_create(library, PaletteEncoder().manifest).close()
    with serve(app_over(library)) as url:
        for visitor in visiting(browser, url):
            page = visitor.open()
            expect(page.locator("#index-command")).to_be_visible()
            expect(page.locator("#index-command")).to_contain_text("sightline index")
            folder.mkdir()
            draw(folder / "red-1.jpg", "red", (160, 120), 1)
            index(folder, library)
            page.evaluate("dispatchEvent(new Event('focus'))")
            expect(page.locator("#results .cell")).to_have_count(1)
            expect(page.locator("#index-command")).to_be_hidden()


def test_a_file_that_was_removed_keeps_its_place(
    browser: Browser, serve: Serve, own_library: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, library = own_library
    shutil.move(folder / "red.jpg", tmp_path / "elsewhere.jpg")
    with serve(app_over(library)) as url:
        for visitor in visiting(browser, url):
            visitor.allow("410")
            page = visitor.open()
            expect(page.locator("#results .cell.broken")).to_have_count(1)
            expect(page.locator("#results .cell.broken .cell-name")).to_have_text("red.jpg")
            expect(page.locator("#results .cell.loaded")).to_have_count(1)
            page.locator("#results .cell.broken a").click()
            expect(page.locator("#large-problem")).to_be_visible()
