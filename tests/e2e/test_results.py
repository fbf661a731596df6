"""The results of a large collection: reached anywhere, chosen, filtered, sorted, with their thumbnails real."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, expect

from benchmarks.page_library import make_library
from tests.e2e.visitor import PHONE, SEARCH, Visitor, names, visiting, wait_until
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, index

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

IMAGES = 3000

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def address(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    library = tmp_path_factory.mktemp("large") / "library"
    make_library(library, PaletteEncoder().manifest, IMAGES, drawn=30)
    with serve(app_over(library)) as url:
        yield url


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    yield from visiting(browser, address)


def first_position(page: Page) -> int:
    """Of the picture at the top of the screen, below the bar."""
    found: int = page.evaluate(
        """() => {
          const bar = document.querySelector(".bar").getBoundingClientRect().bottom;
          const cells = [...document.querySelectorAll("#results .cell")];
          return Number(cells.find((cell) => cell.getBoundingClientRect().bottom > bar + 1)?.dataset.position ?? -1);
        }"""
    )
    return found


def cells_on_screen(page: Page) -> None:
    count = "document.querySelectorAll('#results .cell').length"
    wait_until(page, f"{count} > 8 && !document.querySelector('#results .blank')")


# Anywhere in a long list

ALL = """async ([query, size]) => {
  const { Results } = await import("/static/results/results.js");
  const { START } = await import("/static/query/state.js");
  const results = new Results({ ...START, ...query });
  await results.load(0);
  await results.loadAt(size - 1);
  const ids = [];
  for (let position = 0; position < size; position += 1) {
    if (!results.item(position)) await results.load(Math.floor(position / 60));
    ids.push(results.item(position).id);
  }
  return [ids, results.total];
}"""


@pytest.mark.parametrize("query", [{}, {"text": "red"}, {"sort": "name"}], ids=["recent", "words", "listed"])
def test_a_list_is_the_same_from_wherever_it_is_read(visitor: Visitor, query: dict[str, str]) -> None:
    page = visitor.open()
    names(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if "/api/search" in request.url else None)
    ids, total = page.evaluate(ALL, [query, 300])
    assert len(set(ids)) == 300
    assert total == (IMAGES if "text" not in query else 360)
    if query:
        assert asked == ["POST", "GET", "GET", "GET", "GET"]
        visitor.allow("410")
        page.route(f"{SEARCH}?cursor=*", lambda route: route.fulfill(status=410, json={"detail": "not kept any more"}))
        assert page.evaluate(ALL, [query, 300])[0] == ids


# Past all of its 50 pages, a frame each, to four fifths.
DRAG = """async () => {
  for (let step = 0; step <= 50; step += 1) {
    scrollTo(0, (0.8 * step * document.documentElement.scrollHeight) / 50);
    await new Promise(requestAnimationFrame);
  }
}"""


def test_the_scrollbar_spans_the_collection_and_little_of_it_is_held(visitor: Visitor) -> None:
    page = visitor.open("/?sort=newest")
    names(page)
    height = page.evaluate("document.documentElement.scrollHeight")
    assert height > IMAGES / 8 * 150
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "cursor=" in request.url else None)
    page.evaluate(DRAG)
    cells_on_screen(page)
    assert len(asked) < 30  # of the 40 passed; where the machine is not busy, some few
    assert 0.7 * IMAGES < first_position(page) < 0.9 * IMAGES
    assert page.evaluate("document.querySelectorAll('*').length") < 1500
    assert page.evaluate("document.documentElement.scrollHeight") == pytest.approx(height, rel=0.1)


def test_nothing_on_the_screen_moves_when_pages_above_it_arrive(visitor: Visitor) -> None:
    page = visitor.open("/?sort=newest")
    names(page)
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    cells_on_screen(page)
    moved = page.evaluate(
        """async () => {
          const shifts = [];
          new PerformanceObserver((list) => shifts.push(...list.getEntries().map(({ value }) => value)))
            .observe({ type: "layout-shift" });
          for (let step = 0; step < 40; step += 1) {
            scrollBy(0, -300);
            await new Promise((done) => setTimeout(done, 30));
          }
          return shifts.reduce((sum, value) => sum + value, 0);
        }"""
    )
    assert moved < 0.01


def test_the_timeline_jumps_by_pointer_and_by_keys(visitor: Visitor) -> None:
    page = visitor.open("/?sort=newest")
    rail = page.locator("#timeline")
    expect(rail).to_be_visible()
    newest = rail.get_attribute("aria-valuetext")
    box = rail.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 20, box["y"] + box["height"] / 2)
    cells_on_screen(page)
    assert 0.3 * IMAGES < first_position(page) < 0.6 * IMAGES  # a tenth has no date and is behind the others
    assert rail.get_attribute("aria-valuetext") != newest
    rail.focus()
    page.keyboard.press("Home")
    expect(rail).to_have_attribute("aria-valuetext", str(newest))
    wait_until(page, "scrollY < 200")
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowDown")
    cells_on_screen(page)
    assert first_position(page) > 100
    page.locator("#order").select_option("name")
    expect(rail).to_be_hidden()


def test_keys_lead_to_both_ends_of_the_list(visitor: Visitor) -> None:
    page = visitor.open("/?sort=name")
    names(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("End")
    last = page.locator(f"#results .cell[aria-posinset='{IMAGES}'] a")
    expect(last).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#results a:focus")).to_be_in_viewport()
    page.keyboard.press("Home")
    expect(page.locator("#results .cell[aria-posinset='1'] a")).to_be_focused()


def test_a_page_that_fails_can_be_asked_for_again(visitor: Visitor) -> None:
    page = visitor.open("/?sort=newest")
    names(page)
    visitor.allow("503")
    page.route("**/api/search?cursor=*", lambda route: route.fulfill(status=503, json={"detail": "too busy"}))
    page.evaluate("scrollTo(0, 9000)")
    expect(page.locator("#problem")).to_contain_text("Too busy", ignore_case=True)
    page.unroute("**/api/search?cursor=*")
    page.get_by_role("button", name="Try again").click()
    cells_on_screen(page)


# Chosen


def test_pictures_are_chosen_by_pointer_keys_and_range(visitor: Visitor) -> None:
    page = visitor.open("/?sort=name")
    names(page)
    bar = page.locator("#selection")
    page.locator("#results .check").nth(1).check(force=True)
    expect(bar).to_contain_text("1 chosen")
    page.locator("#results a").nth(4).click(modifiers=["Shift"])
    expect(bar).to_contain_text("4 chosen")
    page.locator("#results a").nth(2).click()  # while some are chosen, a click chooses or leaves out
    expect(bar).to_contain_text("3 chosen")
    page.locator("#results a").nth(0).focus()
    page.keyboard.press("x")
    expect(bar).to_contain_text("4 chosen")
    with page.expect_download() as download:
        bar.get_by_role("button", name="Save list").click()
    paths = Path(download.value.path()).read_text().splitlines()
    assert [path[-11:] for path in sorted(paths)] == ["0000000.jpg", "0000001.jpg", "0000003.jpg", "0000004.jpg"]
    with page.expect_download() as download:
        bar.get_by_role("button", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as originals:
        assert originals.read("MISSING.txt").decode().count("IMG_") == 4  # of these there are none
    page.keyboard.press("Control+a")
    expect(bar).to_contain_text("60 chosen")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    visitor.allow("410")  # of these pictures there is no more than a small thumbnail
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()


def test_a_long_press_chooses_on_a_phone(visitor: Visitor) -> None:
    page = visitor.open("/", **PHONE)
    names(page)
    press = {"pointerType": "touch", "bubbles": True, "clientX": 100, "clientY": 300}
    page.locator("#results a").first.dispatch_event("pointerdown", press)
    expect(page.locator("#selection")).to_contain_text("1 chosen")
    page.locator("#results a").nth(1).tap()
    expect(page.locator("#selection")).to_contain_text("2 chosen")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_marks_of_chosen_pictures_are_part_of_the_address(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    first, second = names(page, 2)
    page.locator("#results .check").nth(0).check(force=True)
    page.get_by_role("button", name="Wrong").click()
    expect(page).to_have_url(re.compile(r"\?q=red&wrong=\d+$"))
    expect(page.locator("#results .cell img").first).to_have_attribute("alt", second)
    page.go_back()
    expect(page.locator("#results .cell img").first).to_have_attribute("alt", first)


# Filters and order


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_filters_narrow_the_search_and_are_taken_back(visitor: Visitor, options: dict[str, Any]) -> None:
    page = visitor.open("/", **options)
    names(page)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.post_data or ""))
    assert not any("facets" in body for body in asked)  # only while the panel is open
    page.locator("#filters").click()
    panel = page.locator("#facets")
    sony = panel.get_by_role("button", name="SONY A7")
    expect(sony).to_have_text(re.compile(r"SONY A7\s*500"))
    expect(panel.get_by_role("button", name=re.compile("more$")).first).to_be_visible()
    sony.click()
    expect(page).to_have_url(re.compile("q=camera"))
    expect(sony).to_have_attribute("aria-pressed", "true")
    expect(sony).to_be_focused()
    expect(panel).to_contain_text("Of 500 pictures")
    sony.click()
    expect(page).to_have_url(visitor.url + "/")
    panel.get_by_role("button", name="Close the filters").click()
    expect(panel).to_be_hidden()
    expect(page.locator("#filters")).to_be_focused()
    page.locator("#words").press_sequentially("camera:so")  # the filters have told which there are
    expect(page.get_by_role("option", name="SONY A7")).to_be_visible()


def test_the_order_is_part_of_the_address(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    page.locator("#order").select_option("oldest")
    expect(page).to_have_url(visitor.url + "/?sort=oldest")
    expect(page.locator("#results .cell img").first).to_have_attribute("alt", "IMG_0000000.jpg")
    page.reload()
    expect(page.locator("#order")).to_have_value("oldest")
    expect(page.locator("#results .cell img").first).to_have_attribute("alt", "IMG_0000000.jpg")


def test_duplicates_are_one_picture_that_lists_its_files(
    browser: Browser, serve: Serve, own_library: tuple[Path, Path]
) -> None:
    folder, library = own_library
    shutil.copy(folder / "red.jpg", folder / "again.jpg")
    index(folder, library)
    with serve(app_over(library)) as url:
        for visitor in visiting(browser, url):
            page = visitor.open("/?q=red")
            assert sorted(names(page, 3)) == ["again.jpg", "blue.png", "red.jpg"]
            page.locator("#collapse").check()
            expect(page.locator("#results .cell")).to_have_count(2)
            page.locator("#results .stack").click()
            files = page.locator("#stack")
            expect(files).to_contain_text("2 files of the same picture")
            page.keyboard.press("Escape")
            expect(files).to_be_hidden()
            page.locator("#results a").first.focus()
            page.keyboard.press("d")
            expect(files).to_contain_text("2 files of the same picture")
            files.get_by_role("button", name="red.jpg").click()
            expect(page.locator("#large h2")).to_have_text("red.jpg")


# As many as the page is meant for


@pytest.mark.slow
def test_a_hundred_thousand_images_are_as_quiet(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    make_library(tmp_path / "library", PaletteEncoder().manifest, 100_000)
    with serve(app_over(tmp_path / "library")) as url:
        for visitor in visiting(browser, url):
            page = visitor.open("/?sort=newest")
            names(page)
            for stop in range(1, 41):
                page.evaluate(f"scrollTo(0, {stop / 40} * (document.documentElement.scrollHeight - innerHeight))")
                cells_on_screen(page)
                assert page.evaluate("document.querySelectorAll('*').length") < 1500
            assert first_position(page) > 99_900
            page.locator("#timeline").press("Home")
            expect(page.locator("#results .cell[aria-posinset='1']")).to_be_in_viewport()
