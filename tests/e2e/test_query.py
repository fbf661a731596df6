"""What is searched by, as the page shows it and lets it be changed: chips, terms with weights, parts of pictures."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.visitor import PHONE, Visitor, expect_first, names, pick, picture, search

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def pick_several(page: Page, *colours: str) -> None:
    files = [{"name": f"{colour}.png", "mimeType": "image/png", "buffer": picture(colour)} for colour in colours]
    page.locator("#file").set_input_files(files)  # type: ignore[arg-type]


def drag(page: Page, area: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Between two places of an element, in fractions of it."""
    box = area.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*points[0])
    page.mouse.down()
    page.mouse.move(*points[1], steps=4)
    page.mouse.up()


def region_of(page: Page) -> list[float]:
    found = re.search(r"\*1\*([\d._]+)", page.url)
    assert found, page.url
    return [float(part) for part in found[1].split("_")]


def test_what_is_recognised_is_a_chip_that_can_be_taken_away(visitor: Visitor) -> None:
    page = visitor.open()
    page.locator("#words").press_sequentially("red 2024 type:png -blue", delay=10)
    chips = page.locator("#chips li")
    expect(chips.locator(".chip-value")).to_have_text(["2024", "png", "blue"])
    expect(chips.nth(2)).to_have_text("notSeenblue")
    expect(page.locator("#box-marks mark")).to_have_text(["2024", "type:png", "-blue"])
    expect(page.locator("h1")).to_have_text("“red”")
    assert all(name.endswith(".png") for name in names(page, 3))
    page.get_by_role("button", name="Remove type:png from the search").click()
    expect(page.locator("#words")).to_have_value("red 2024 -blue")
    expect(page.locator("#words")).to_be_focused()
    expect(chips).to_have_count(2)
    expect_first(page, "red")
    page.go_back()
    expect(page.locator("#words")).to_have_value("red 2024 type:png -blue")
    expect(chips).to_have_count(3)
    search(page, "type:png")
    expect(page.locator("h1")).to_have_text("What fits the filters")


def test_what_is_half_typed_and_wrong_leaves_the_pictures(visitor: Visitor) -> None:
    visitor.allow("422")
    page = visitor.open("/?q=red")
    expect_first(page, "red")
    page.locator("#words").fill("-blue")
    expect(page.locator("#count")).to_contain_text("only says what is not to be seen")
    expect(page.locator("#problem")).to_be_empty()
    expect_first(page, "red")
    page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("only says what is not to be seen")
    expect(page.locator("#results .cell")).to_have_count(0)


def test_several_pictures_are_terms_whose_weights_slide_down_to_not(visitor: Visitor) -> None:
    page = visitor.open()
    pick_several(page, "red", "blue")
    cards = page.locator(".term:not([aria-busy])")
    expect(cards).to_have_count(2)
    expect(page.locator("h1")).to_have_text("2 pictures of yours")
    assert {name.partition("-")[0] for name in names(page, 4)} <= {"red", "blue", "magenta"}
    slider = cards.nth(1).get_by_role("slider")
    slider.focus()
    page.keyboard.press("Home")
    expect(slider).to_have_attribute("aria-valuetext", "not this")
    expect(page).to_have_url(re.compile(r"picture=[0-9a-f]{64}&picture=[0-9a-f]{64}\*-1$"))
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "0.1")  # never 0, which would say nothing
    expect(slider).to_be_focused()
    page.locator("#also").fill("green")
    page.keyboard.press("Enter")
    page.locator("#without").fill("grey")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"&also=green\*1&also=grey\*-0\.5$"))
    expect(page.locator("h1")).to_have_text("2 pictures of yours and “green”, without “grey”")
    page.reload()
    expect(cards).to_have_count(4)
    page.locator("#words").focus()
    page.keyboard.press("Backspace")
    expect(cards).to_have_count(3)


def test_a_part_of_a_picture_is_chosen_by_pointer_and_by_keys(visitor: Visitor) -> None:
    page = visitor.open()
    pick(page, "blue")
    expect_first(page, "blue")
    cut = page.get_by_role("button", name="Search for a part of")
    cut.click()
    box, area = page.locator(".crop-box"), page.locator(".crop-area")
    expect(box).to_be_focused()
    drag(page, area, (0.05, 0.1), (0.45, 0.6))  # from where the box is not: a new one
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\*1\*"))
    assert region_of(page) == pytest.approx([0.05, 0.1, 0.4, 0.5], abs=0.02)
    expect(page.locator("#crop")).to_be_hidden()
    expect(page.locator("h1")).to_have_text("Part of your picture")

    cut.click()
    drag(page, area, (0.25, 0.3), (0.35, 0.3))  # inside: moves it
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(page.locator(".crop-said")).to_have_text(
        "42 % by 50 % of the picture, 15 % from the left, 12 % from the top"
    )
    page.get_by_role("button", name="Search this part").click()
    expect(page).to_have_url(re.compile(r"\*0\.1[45]"))
    assert region_of(page) == pytest.approx([0.15, 0.12, 0.42, 0.5], abs=0.02)

    before = page.url
    cut.click()
    page.keyboard.press("Escape")
    expect(page.locator("#crop")).to_be_hidden()
    assert page.url == before
    cut.click()
    page.get_by_role("button", name="The whole picture").click()
    expect(page).to_have_url(re.compile(r"picture=[0-9a-f]{64}$"))


def test_by_touch_the_tray_scrolls_and_a_corner_can_be_pulled(visitor: Visitor) -> None:
    page = visitor.open(**PHONE)
    pick_several(page, "red", "blue", "green")
    expect(page.locator(".term:not([aria-busy])")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page).to_have_url(re.compile(r"(picture=[0-9a-f]{64}&?){3}$"))
    page.locator(".term-picture").first.tap()
    expect(page.locator(".crop-box")).to_be_visible()
    corner = page.locator(".crop-handle[data-edges='right bottom']")
    drag(page, page.locator(".crop-area"), (0.75, 0.75), (0.95, 0.9))
    expect(corner).to_be_visible()
    page.get_by_role("button", name="Search this part").tap()
    expect(page).to_have_url(re.compile(r"\*1\*"))
    assert region_of(page) == pytest.approx([0.25, 0.25, 0.7, 0.65], abs=0.02)
    search(page, "red type:png -blue portrait orientation")
    expect(page.locator("#chips li")).to_have_count(3)
    page.set_viewport_size({"width": 320, "height": 640})  # 1280 pixels at 400 %, too
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
