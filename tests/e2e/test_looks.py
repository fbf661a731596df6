"""How the page looks and moves: long lists, small and wide screens, dark and light, right to left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from data.screenshots import MAX_BYTES, SHOTS, Shot, save, take
from tests.e2e.visitor import PHONE, TRANSFER, Visitor, expect_first, names, search, visiting, wait_until
from tests.palette import COLOURS
from tests.web.conftest import app_over, draw, index

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MANY = 150

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture(scope="module")
def many(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder, library = tmp_path_factory.mktemp("many"), tmp_path_factory.mktemp("library")
    for number in range(MANY):
        colour = list(COLOURS)[number % len(COLOURS)]
        draw(folder / f"{colour}-{number}.jpg", colour, (48 + number % 40, 40), number % 20)
    index(folder, library)
    with serve(app_over(library)) as url:
        yield url


@pytest.mark.parametrize("path", ["/", "/?q=red"])
def test_scrolling_brings_every_picture_once(browser: Browser, many: str, path: str) -> None:
    for visitor in visiting(browser, many):
        page = visitor.open(path)
        names(page)
        seen: set[str] = set()
        deadline = time.monotonic() + 30
        while len(seen) < MANY:
            assert time.monotonic() < deadline, f"{len(seen)} of {MANY} pictures were seen"
            shown = page.evaluate("[...document.querySelectorAll('#results img')].map((picture) => picture.alt)")
            assert len(shown) == len(set(shown))
            assert len(shown) < 120  # however long the list, only the rows near the screen are in the document
            seen |= set(shown)
            if not page.locator("#results .blank").count():  # pages that are passed before they come are not seen
                page.mouse.wheel(0, 700)
            page.wait_for_timeout(25)


def test_back_and_reload_come_back_to_the_same_place(browser: Browser, many: str) -> None:
    for visitor in visiting(browser, many):
        page = visitor.open("/?q=red")
        names(page)
        page.evaluate("scrollTo(0, 700)")
        wait_until(page, "history.state?.place")
        page.reload()
        wait_until(page, "scrollY === 700")
        search(page, "blue")
        expect_first(page, "blue")
        assert page.evaluate("scrollY") == 0
        page.go_back()
        wait_until(page, "scrollY === 700")


def test_phone_has_no_sideways_scrolling_and_no_tiny_targets(visitor: Visitor) -> None:
    page = visitor.open(**PHONE)
    for path in ("/", "/?q=red", "/?like=1&q=blue", "/?q=red#image=1"):
        page.goto(visitor.url + path)
        names(page)
        expect(page.locator("#large")).to_be_visible(visible="image" in path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        small = page.evaluate(
            """[...document.querySelectorAll("button, a.button, #results a")].filter((control) => {
                 const { width, height } = control.getBoundingClientRect();
                 return control.checkVisibility() && Math.min(width, height) < 24;
               }).map((control) => control.id)"""
        )
        assert small == [], path


def test_dark_and_light_follow_the_system_until_chosen(visitor: Visitor) -> None:
    page = visitor.open("/?q=red", color_scheme="dark")

    def brightness() -> int:
        colour: str = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        return sum(map(int, re.findall(r"\d+", colour)[:3])) // 3

    assert brightness() < 60
    page.emulate_media(color_scheme="light")
    assert brightness() > 200
    page.get_by_role("button", name="Use dark colours").click()
    assert brightness() < 60
    page.reload()
    assert brightness() < 60
    expect(page.get_by_role("button", name="Use light colours")).to_be_visible()


# WCAG 2.2, 1.4.3: 4.5 for text. Translucent grounds are not looked through: texts on them are not in the list.
CONTRAST = """(selectors) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour[3] === 255) return colour;
    }
  };
  return selectors.map((selector) => {
    const element = document.querySelector(selector);
    const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))];
    return [selector, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(visitor: Visitor, scheme: Any) -> None:
    page = visitor.open("/?like=1", color_scheme=scheme)
    names(page)
    transfer = page.evaluate_handle(TRANSFER, [[1], "notes.txt", "text/plain"])
    page.dispatch_event("#results", "drop", {"dataTransfer": transfer})
    texts = [
        "h1",
        "#count",
        "#words",
        ".term-name",
        ".term-weight",
        ".brand",
        "#model",
        ".mini-note",
        ".mini-note button",
    ]
    texts += ["#problem p", "#problem button", "#similar", "#original", "#large dt", "#large dd", "#keys-help dd"]
    texts += [".about p", ".about .version", ".about pre", "#nothing-indexed p", "#nothing-indexed h2"]
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()
    weak = [(name, ratio) for name, ratio in page.evaluate(CONTRAST, texts) if ratio < 4.5]
    assert weak == []


def test_the_page_can_be_read_from_right_to_left(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    page.evaluate("document.documentElement.dir = 'rtl'")
    names(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first, second = (page.locator("#results a").nth(position).bounding_box() for position in (0, 1))
    assert first is not None
    assert second is not None
    assert first["x"] > second["x"]
    page.locator("#results a").first.focus()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#results a").nth(1)).to_be_focused()


def test_nothing_moves_while_pictures_arrive(visitor: Visitor) -> None:
    page = visitor.open("/?q=yellow")
    expect_first(page, "yellow")
    page.wait_for_timeout(200)
    moved = page.evaluate(
        """() => new Promise((done) => new PerformanceObserver((list) =>
             done(list.getEntries().reduce((sum, entry) => sum + entry.value, 0)),
           ).observe({ type: "layout-shift", buffered: true }) || setTimeout(() => done(0), 100))"""
    )
    assert moved < 0.01


def test_rows_fill_the_width_in_order_at_any_size(visitor: Visitor) -> None:
    page = visitor.open("/")
    worst = page.evaluate(
        """async () => {
          const { justify, rowHeight } = await import("/static/results/layout.js");
          const gap = 6;
          let seed = 1;
          const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
          for (let round = 0; round < 200; round += 1) {
            const width = 320 + Math.floor(random() * 2400);
            const pictures = Array.from({ length: Math.floor(random() * 90) }, () =>
              ({ width: 1 + Math.floor(random() * 4000), height: Math.floor(random() * 4000) }));
            const { rows, boxes, height } = justify(pictures, width, { gap, ragged: true });
            if (boxes.length !== pictures.length) return "a picture is missing";
            rows.forEach(({ start, end, y, height: tall }, index) => {
              if (start !== (index ? rows[index - 1].end : 0)) throw Error("rows do not follow each other");
              const last = boxes[end - 1];
              const full = last.x + last.width;
              if (full > width + 0.01) throw Error("a row is wider than the grid");
              if (index < rows.length - 1 && full < width - 0.01) throw Error("a row is not full");
              if (y + tall > height + 0.01) throw Error("a row is below the grid");
              if (tall > 2.7 * rowHeight(width)) throw Error(`a row of ${tall} px is too tall at ${width} px`);
            });
            if (pictures.length < 30) continue;
            const page = justify(pictures, width, { gap, ragged: false }); // another page follows: no row is ragged
            const widths = page.rows.map(({ end }) => page.boxes[end - 1].x + page.boxes[end - 1].width);
            if (widths.some((full) => Math.abs(full - width) > 0.01)) throw Error("a row of a page is not full");
          }
          return "";
        }"""
    )
    assert worst == ""


@pytest.mark.parametrize("shot", [SHOTS[1], SHOTS[2], SHOTS[5]], ids=lambda shot: shot.name)
def test_screenshots_for_the_documentation(browser: Browser, live_server: str, tmp_path: Path, shot: Shot) -> None:
    taken = take(browser, live_server, "red", shot)
    assert taken.size == (shot.width * shot.scale, shot.height * shot.scale)
    assert save(taken, tmp_path / "shot.jpg") == (tmp_path / "shot.jpg").stat().st_size <= MAX_BYTES
