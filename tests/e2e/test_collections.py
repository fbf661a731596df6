"""Several collections on the page: together, apart, and one that is away."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from indexer.config import Settings
from tests.e2e.visitor import Visitor, names, search, visiting
from tests.palette import PaletteEncoder
from tests.web.conftest import draw, index
from web.app import create_app
from web.collections import open_collections

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture
def guest(browser: Browser, serve: Serve, tmp_path: Path) -> Iterator[Visitor]:
    libraries = {name: tmp_path / name for name in ("warm", "cold", "away")}
    for name, colours in {"warm": ("red", "orange"), "cold": ("blue", "red")}.items():
        folder = tmp_path / f"{name}-pictures"
        folder.mkdir()
        for mark, colour in enumerate(colours):
            draw(folder / f"{name}-{colour}.png", colour, (64, 48), mark)
        index(folder, libraries[name])
    settings = Settings(library=libraries["warm"])
    with (
        open_collections(settings, libraries, PaletteEncoder()) as collections,
        serve(create_app(settings, collections=collections)) as url,
    ):
        yield from visiting(browser, url)


def test_all_together_or_one_alone(guest: Visitor) -> None:
    page = guest.open()
    choice = page.locator("#collection")
    expect(choice.locator("option")).to_have_text(["All collections", "warm", "cold", "away (away)"])
    search(page, "red")
    expect(page.locator("#count")).to_contain_text("4 pictures searched")
    assert set(names(page, 2)) == {"warm-red.png", "cold-red.png"}
    expect(page.locator("#results .cell.loaded")).to_have_count(4)  # each picture is its own collection's
    expect(page.locator("#problem")).to_contain_text("Left out: away (no collection in")

    choice.select_option("cold")
    expect(page).to_have_url(guest.url + "/?q=red&in=cold")
    expect(page.locator("#count")).to_contain_text("2 pictures searched")
    assert names(page, 2) == ["cold-red.png", "cold-blue.png"]
    page.go_back()
    expect(choice).to_have_value("")
    expect(page.locator("#results .cell")).to_have_count(4)


def test_a_picture_is_shown_and_searched_with_in_its_own_collection(guest: Visitor) -> None:
    page = guest.open("/?q=blue")
    assert names(page, 1) == ["cold-blue.png"]
    page.locator("#results a").first.click()
    expect(page.locator("#large h2")).to_have_text("cold-blue.png")
    expect(page).to_have_url(re.compile(r"#image=\d+%40cold$"))
    page.reload()
    expect(page.locator("#large h2")).to_have_text("cold-blue.png")
    page.get_by_role("button", name="More like this").click()
    expect(page.locator("#count")).to_contain_text("2 pictures searched")
    assert names(page, 2) == ["cold-blue.png", "cold-red.png"]


def test_each_has_its_library(guest: Visitor) -> None:
    page = guest.open("/library")
    expect(page.locator("#collection")).to_have_value("warm")
    page.locator("#collection").select_option("cold")
    expect(page).to_have_url(guest.url + "/library?in=cold")
    expect(page.locator("#facts")).to_contain_text("/cold")
    expect(page.locator("#collection")).to_have_value("cold")
