"""Why a picture matched, in a real browser: the map over the picture, by button and by key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.visitor import PHONE, Visitor, expect_first, names, pick

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HEAT_MAP = "**/api/images/*/heat-map*"
SHOWN = "Yellow is where it is most like this: “red”"
FLAT = "No part of it stands out for this: “red”"


def open_first(page: Page, colour: str) -> None:
    expect_first(page, colour)
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()


def test_the_map_comes_when_it_is_asked_for_and_stays_from_picture_to_picture(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    open_first(page, "red")
    why, layer = page.locator("#why"), page.locator("#large-heat")
    expect(why).to_have_attribute("aria-pressed", "false")
    expect(layer).to_be_hidden()
    page.keyboard.press("ArrowRight")  # the first is plain red: a map of it is flat
    with page.expect_response(HEAT_MAP) as answer:
        page.keyboard.press("w")
    assert "text=red" in answer.value.url
    expect(why).to_have_attribute("aria-pressed", "true")
    expect(layer).to_be_visible()
    expect(page.locator("#why-status")).to_have_text(SHOWN)
    expect(page.locator("#legend")).to_be_visible()
    picture, heat = page.locator("#large-sharp").bounding_box(), layer.bounding_box()
    assert picture == heat
    with page.expect_response(HEAT_MAP):
        page.keyboard.press("ArrowRight")
    expect(why).to_have_attribute("aria-pressed", "true")
    why.click()
    expect(layer).to_be_hidden()
    expect(page.locator("#why-status")).to_be_hidden()


def test_each_term_has_a_share_and_a_map_of_its_own(visitor: Visitor) -> None:
    page = visitor.open("/?q=red -blue&also=green*0.5")
    names(page)
    page.locator("#results a").nth(1).click()
    expect(page.locator("#why-bars .share-name")).to_have_text(["“red”", "Not “blue”", "“green”"])
    shares = [float(share) for share in page.locator("#why-bars .share-value").all_inner_texts()]
    assert shares[0] > 0.5 > max(shares[1:])
    with page.expect_response(HEAT_MAP) as answer:
        page.get_by_role("button", name="Not “blue”").click()
    assert "text=blue" in answer.value.url
    expect(page.locator("#why")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Not “blue”")).to_have_attribute("aria-pressed", "true")
    with page.expect_response(HEAT_MAP) as answer:
        page.locator("#why-bars button").nth(2).click()
    assert "text=green" in answer.value.url
    page.keyboard.press("w")
    expect(page.locator("#large-heat")).to_be_hidden()


def test_a_map_without_contrast_says_so(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    open_first(page, "red")
    page.locator("#why").click()
    expect(page.locator("#why-status")).to_have_text(FLAT)
    expect(page.locator("#legend")).to_be_hidden()


def test_a_map_that_fails_says_why_and_can_be_asked_for_again(visitor: Visitor) -> None:
    visitor.allow("503")
    page = visitor.open("/?q=red")
    broken = {"detail": "the model is away"}
    page.route(HEAT_MAP, lambda route: route.fulfill(status=503, json=broken))
    open_first(page, "red")
    page.locator("#why").click()
    expect(page.locator("#why-status")).to_have_text("The map cannot be shown: the model is away")
    expect(page.locator("#large-heat")).to_be_hidden()
    page.unroute(HEAT_MAP)
    page.keyboard.press("w")
    page.keyboard.press("w")
    expect(page.locator("#why-status")).to_have_text(FLAT)


def test_a_late_map_of_another_picture_is_dropped(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    held: list[Route] = []
    page.route(HEAT_MAP, lambda route: held.append(route))
    open_first(page, "red")
    page.locator("#why").click()
    expect(page.locator("#why-status")).to_have_text("Looking where it matches…")
    expect(page.locator("#why")).to_have_attribute("aria-busy", "true")
    with page.expect_event("requestfailed", lambda request: "heat-map" in request.url):
        page.locator("#why").click()
    expect(page.locator("#why-status")).to_be_hidden()
    assert len(held) == 1


def test_without_a_query_there_is_nothing_to_explain(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()
    expect(page.locator("#why")).to_be_hidden()
    page.keyboard.press("w")
    expect(page.locator("#large-heat")).to_be_hidden()


def test_by_touch_with_a_picture_as_the_query(visitor: Visitor) -> None:
    page = visitor.open(**PHONE)
    names(page)
    pick(page, "blue")
    expect_first(page, "blue")
    page.locator("#results a").nth(3).tap()
    with page.expect_response(HEAT_MAP) as answer:
        page.locator("#why").tap()
    assert "query_image=" in answer.value.url
    assert answer.value.status == 200
    expect(page.locator("#why-status")).not_to_be_empty()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
