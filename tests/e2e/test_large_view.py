"""The large view in a real browser: zoom, swipes, marks, tags, and what is known of a picture."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from PIL import Image
from PIL.TiffImagePlugin import IFDRational
from playwright.sync_api import Browser, Page, expect

from indexer.catalog import Catalog
from indexer.duplicates.kinds import Link
from tests.e2e.visitor import PHONE, Visitor, expect_first, names, visiting, wait_until
from tests.palette import COLOURS
from tests.web.conftest import Serve, app_over, draw, index

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SCALE = "new DOMMatrix(getComputedStyle(document.querySelector('#frame')).transform).a"


def scale(page: Page) -> float:
    found: float = page.evaluate(SCALE)
    return found


def open_first(page: Page, colour: str) -> None:
    expect_first(page, colour)
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()


class Fingers:
    """Touches as a phone's screen tells them."""

    def __init__(self, page: Page) -> None:
        self._page, self._session = page, page.context.new_cdp_session(page)

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    def drag(self, *path: tuple[tuple[float, float], ...]) -> None:
        """Each step is the place of every finger."""
        self._send("touchStart", *path[0])
        for step in path[1:]:
            self._send("touchMove", *step)
            self._page.wait_for_timeout(16)
        self._send("touchEnd")


@pytest.fixture(scope="module")
def rich(serve: Serve, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with a large red photograph, its copy, and a blue picture, and the address of its service."""
    folder, library = tmp_path_factory.mktemp("pictures"), tmp_path_factory.mktemp("library")
    picture = Image.effect_mandelbrot((1600, 1200), (-2, -1.5, 1, 1.5), 40).convert("RGB")
    picture = Image.blend(picture, Image.new("RGB", picture.size, COLOURS["red"]), 0.9)
    exif = Image.Exif()
    exif.get_ifd(0x8769).update({0x829A: IFDRational(1, 250), 0x829D: IFDRational(28, 10), 0xA434: "EF16-35mm"})
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.6), 3: "E", 4: (2.0, 17.0, 40.2)})
    picture.save(folder / "red.jpg", quality=90, exif=exif)
    picture.save(folder / "red-again.jpg", quality=80)
    draw(folder / "blue.png", "blue", (160, 120), 2)
    index(folder, library)
    with Catalog.open(library) as catalog:
        hashes = {Path(record.path).name: record.content_hash for record in catalog.latest(3)}
        pair = sorted((hashes["red.jpg"], hashes["red-again.jpg"]))
        catalog.duplicate_store.replace([Link(pair[0], pair[1], "same", 0.99)])
    with serve(app_over(library)) as url:
        yield folder, url


@pytest.fixture
def guest(browser: Browser, rich: tuple[Path, str]) -> Iterator[Visitor]:
    yield from visiting(browser, rich[1])


def open_named(page: Page, name: str) -> None:
    page.locator(f"#results a:has(img[alt='{name}'])").click()
    expect(page.locator("#large h2")).to_have_text(name)


# Zoom


def test_zoom_by_wheel_keys_and_two_clicks_and_esc_takes_it_back_first(guest: Visitor) -> None:
    page = guest.open()
    open_named(page, "red.jpg")
    expect(page.locator("#frame")).to_have_class(re.compile("sharp-loaded"))
    expect(page.locator("#large-full")).not_to_have_attribute("src", re.compile("."))
    page.mouse.move(300, 300)
    before = page.evaluate("document.querySelector('#frame').getBoundingClientRect().x")
    page.mouse.wheel(0, -700)
    wait_until(page, f"{SCALE} > 4.05")  # exp(1.4)
    fixed = page.evaluate("document.querySelector('#frame').getBoundingClientRect().x")
    assert 300 - fixed == pytest.approx((300 - before) * scale(page), abs=2)  # what lies under the pointer stays there
    expect(page.locator("#frame")).to_have_class(
        re.compile("full-loaded")
    )  # the file itself: 1600 px are more than 1280
    place = page.locator("#frame").bounding_box()
    page.keyboard.press("ArrowRight")  # moves the picture, and turns no page
    wait_until(page, f"document.querySelector('#frame').getBoundingClientRect().x < {(place or {})['x'] - 20}")
    expect(page.locator("#large h2")).to_have_text("red.jpg")
    page.keyboard.press("Escape")
    wait_until(page, f"{SCALE} === 1")
    expect(page.locator("#large")).to_be_visible()
    page.keyboard.press("+")
    wait_until(page, f"{SCALE} === 1.5")
    page.keyboard.press("0")
    wait_until(page, f"{SCALE} === 1")
    page.mouse.dblclick(300, 300)
    wait_until(page, f"{SCALE} >= 2")
    page.locator("#zoom-level").click()
    wait_until(page, f"{SCALE} === 1")
    expect(page.locator("#zoom-out")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()


def test_fingers_pinch_move_and_turn_pages(visitor: Visitor) -> None:
    page = visitor.open("/?q=red", **PHONE)
    expect_first(page, "red")
    first, second = names(page, 2)
    page.locator("#results a").first.tap()
    heading = page.locator("#large h2")
    expect(page.locator("#frame")).to_have_class(re.compile("sharp-loaded"))
    fingers = Fingers(page)
    fingers.drag(*(((180 - step * 12, 300), (210 + step * 12, 300)) for step in range(10)))
    wait_until(page, f"{SCALE} > 3.9")  # four times is the most for so small a picture
    fingers.drag(*(((300 - step * 30, 300),) for step in range(8)))
    expect(heading).to_have_text(first)  # a zoomed picture is moved
    page.keyboard.press("0")
    wait_until(page, f"{SCALE} === 1")
    fingers.drag(*(((300 - step * 4, 300),) for step in range(8)))
    page.wait_for_timeout(250)
    expect(heading).to_have_text(first)  # slow, and not far enough
    fingers.drag(*(((340 - step * 30, 300),) for step in range(8)))
    expect(heading).to_have_text(second)
    fingers.drag(*(((40 + step * 30, 300),) for step in range(8)))
    expect(heading).to_have_text(first)


def test_home_and_end_lead_to_the_first_and_the_last(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    open_first(page, "red")
    first = names(page, 1)[0]
    page.keyboard.press("End")
    expect(page.locator("#next")).to_be_disabled()
    expect(page.locator("#large-status")).to_have_text(re.compile(r"^60 of 60: "))
    page.keyboard.press("Home")
    expect(page.locator("#large h2")).to_have_text(first)


# Details


def test_what_is_known_of_a_picture_stands_beside_it(guest: Visitor) -> None:
    page = guest.open(permissions=["clipboard-read", "clipboard-write"])
    open_named(page, "red.jpg")
    camera = page.locator("#camera-section")
    for said in ("EF16-35mm", "1/250 s", "ƒ/2.8", "48.85822° N, 2.29450° E"):
        expect(camera).to_contain_text(said)
    page.locator("#copy-place").click()
    assert page.evaluate("navigator.clipboard.readText()") == "48.858222, 2.2945"
    with page.expect_download() as download:
        page.locator("#download").click()
    assert download.value.suggested_filename == "red.jpg"
    expect(page.locator("#duplicates-kind")).to_have_text("The same picture, saved another way")
    page.locator("#duplicates button").click()
    expect(page.locator("#large h2")).to_have_text("red-again.jpg")
    expect(page.locator("#stage")).to_be_focused()  # the button that was pressed is gone
    expect(camera).to_be_hidden()
    expect(page.locator("#duplicates button")).to_have_count(1)
    page.keyboard.press("i")
    expect(page.locator("#details")).to_be_hidden()
    page.locator("#info").click()
    expect(page.locator("#details")).to_be_visible()


def test_tags_are_added_removed_and_searched(guest: Visitor) -> None:
    page = guest.open()
    open_named(page, "blue.png")
    page.locator("#tag-input").fill("Deep Sea")
    page.keyboard.press("Enter")
    tag = page.locator("#tags .tag")
    expect(tag).to_have_text(re.compile("^deep sea"))
    expect(page.locator("#tag-input")).to_have_value("")
    page.locator("#tag-input").fill("mistake")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Remove the tag mistake").click()
    expect(tag).to_have_count(1)
    tag.locator(".tag-name").click()
    expect(page.locator("#words")).to_have_value('tag:"deep sea"')
    expect(page.locator("#results img")).to_have_count(1)


def test_a_sheet_on_a_phone_is_drawn_up_and_put_away(visitor: Visitor) -> None:
    page = visitor.open("/?q=red", **PHONE)
    open_first(page, "red")
    handle, body = page.locator("#details-handle"), page.locator("#details-body")
    expect(handle).to_have_attribute("aria-expanded", "false")
    expect(body).to_have_js_property("inert", True)
    low = page.locator("#details").bounding_box()
    handle.tap()
    expect(handle).to_have_attribute("aria-expanded", "true")
    expect(body).to_have_js_property("inert", False)
    wait_until(page, f"document.querySelector('#details').offsetHeight > {2.5 * (low or {})['height']}")
    expect(page.locator("#frame")).to_be_in_viewport()
    wait_until(page, "document.querySelector('#details').getAnimations().length === 0")
    fingers = Fingers(page)
    top = page.evaluate("document.querySelector('#details').getBoundingClientRect().top") + 10
    fingers.drag(*(((195, top + step * 30),) for step in range(9)))
    expect(handle).to_have_attribute("aria-expanded", "false")
    expect(page.locator("#large")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


# A part


def test_a_part_of_the_picture_is_searched_by(guest: Visitor) -> None:
    page = guest.open()
    open_named(page, "blue.png")
    page.keyboard.press("p")
    box = page.locator(".crop-box")
    expect(box).to_be_focused()
    page.keyboard.press("ArrowRight")  # moves the box, and turns no page
    page.keyboard.press("Escape")  # ends the choice, not the view
    expect(box).to_be_hidden()
    expect(page.locator("#part")).to_be_focused()
    page.locator("#part").click()
    area = page.locator(".crop-area").bounding_box()
    assert area is not None
    left, top, width, height = area["x"], area["y"], area["width"], area["height"]
    page.mouse.move(left + 0.1 * width, top + 0.1 * height)
    page.mouse.down()
    page.mouse.move(left + 0.6 * width, top + 0.5 * height, steps=4)
    page.mouse.up()
    page.keyboard.press("Enter")
    expect(page).to_have_url(
        re.compile(r"/\?like=\d+\*1\*0\.1(0\d)?_0\.1(0\d)?_(0\.5|0\.49\d)(0\d)?_(0\.4|0\.39\d)(0\d)?$")
    )
    expect(page.locator("#large")).to_be_hidden()
    expect(page.locator("#results .cell img").first).to_have_attribute("alt", "blue.png")


# Marks


def test_marks_rank_anew_at_once_and_can_be_undone(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    open_first(page, "red")
    [first] = names(page, 1)
    page.keyboard.press("n")
    expect(page.locator("#mark-wrong")).to_have_attribute("aria-pressed", "true")
    expect(page).to_have_url(re.compile(r"\?q=red&wrong=\d+#image=\d+$"))
    expect(page.locator("#notice")).to_contain_text("Ranked anew by 1 mark.")
    expect(page.locator(f"#results img[alt='{first}']")).to_have_count(0)
    expect(page.locator("#large h2")).to_have_text(first)
    page.keyboard.press("ArrowRight")  # to the one that took its place
    expect(page.locator("#large h2")).to_have_text(names(page, 1)[0])
    page.get_by_role("button", name="Undo").click()
    expect(page).to_have_url(re.compile(r"\?q=red#image=\d+$"))
    expect(page.locator("#mark-wrong")).to_have_attribute("aria-pressed", "false")
    expect(page.locator(f"#results img[alt='{first}']")).to_have_count(1)


def test_marks_become_a_concept(guest: Visitor) -> None:
    page = guest.open("/?q=red")
    page.locator("#results a").first.click()
    page.locator("#mark-right").click()
    expect(page.locator("#why-bars .share-name")).to_have_text(["“red”", "Your mark"])
    page.locator("#concept-name").fill("Our Red")
    page.keyboard.press("Enter")
    expect(page.locator("#concept-status")).to_contain_text("have the tag “Our Red” now")
    page.get_by_role("button", name="Show its pictures").click()
    expect(page.locator("#words")).to_have_value('tag:"Our Red"')
    expect(page.locator("#results img").first).to_have_attribute("alt", re.compile("^red"))


# What goes wrong


def test_a_picture_that_is_gone_says_so_and_keeps_its_details(visitor: Visitor) -> None:
    visitor.allow("410")
    page = visitor.open("/?q=red")
    gone: dict[str, Any] = {"status": 410, "json": {"detail": "its file is gone"}}
    page.route(re.compile(r"thumbnail\?side=1280|/exif"), lambda route: route.fulfill(**gone))
    open_first(page, "red")
    expect(page.locator("#large-problem")).to_be_visible()
    expect(page.locator("#large-facts")).to_contain_text("160 × 120")
    expect(page.locator("#camera-section")).to_be_hidden()
    page.unroute(re.compile(r"thumbnail\?side=1280|/exif"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("#large-problem")).to_be_hidden()
    expect(page.locator("#frame")).to_have_class(re.compile("sharp-loaded"))


def test_words_that_found_a_picture_are_shown_where_they_stand(guest: Visitor) -> None:
    page = guest.open("/?q=again")
    open_named(page, "red-again.jpg")
    expect(page.locator("#why-words mark")).to_have_text("again")
    expect(page.locator("#why-words li")).to_have_text("Name red-again.jpg")
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_contain_text("In the large view")
    page.keyboard.press("Escape")
    expect(page.locator("#keys-help")).to_be_hidden()
    expect(page.locator("#large")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_to_mend(guest: Visitor, scheme: Any) -> None:
    page = guest.open("/?q=red", color_scheme=scheme, reduced_motion="reduce")  # colours are at rest at once
    page.locator("#results a").first.click()
    page.locator("#mark-right").click()
    expect(page.locator("#why-bars button")).to_be_visible()
    page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    found = page.evaluate(
        "async () => (await axe.run('#large')).violations.map(({ id, nodes }) => [id, nodes[0].html])"
    )
    assert found == []
