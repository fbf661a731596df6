"""What helps to ask: searches of before, saved ones, filters that complete what is typed, and the guide."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.visitor import PHONE, Visitor, expect_first, names, search

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


def suggested(page: Page) -> list[str]:
    return page.locator(".suggestion-text").all_text_contents()


def test_searches_of_before_are_offered_saved_and_forgotten(visitor: Visitor) -> None:
    page = visitor.open()
    for words in ("red", "blue"):
        search(page, words)
        expect_first(page, words)
    page.get_by_role("button", name="Save this search").click()
    page.locator("#save-name").fill("The blue ones")
    page.keyboard.press("Enter")
    star = page.get_by_role("button", name="Save this search")
    expect(star).to_have_attribute("aria-pressed", "true")
    page.locator("#clear").click()
    page.locator("#results a").first.focus()
    page.keyboard.press("/")
    box = page.get_by_role("combobox", name="Search your pictures in words")
    expect(box).to_have_attribute("aria-expanded", "true")
    assert suggested(page) == ["The blue ones", "blue", "red", "What can I type?", "Forget the recent searches"]
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    marked = page.get_by_role("option", name="red")
    expect(marked).to_have_attribute("aria-selected", "true")
    assert box.get_attribute("aria-activedescendant") == marked.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page).to_have_url(visitor.url + "/?q=red")
    expect_first(page, "red")
    expect(page.locator("#suggestions")).to_be_hidden()
    expect(star).to_have_attribute("aria-pressed", "false")

    page.reload()  # the browser remembers them
    names(page)
    page.locator("#clear").click()
    page.locator("#words").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Delete")
    assert suggested(page)[:2] == ["red", "blue"]
    page.get_by_role("option", name="red").locator(".forget").click()
    assert suggested(page)[:1] == ["blue"]
    page.get_by_role("option", name="Forget the recent").click()
    page.keyboard.press("Alt+ArrowDown")
    assert suggested(page) == ["What can I type?"]
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()
    page.keyboard.press("ArrowDown")  # and from the box to the pictures, as without suggestions
    expect(page.locator("#results a").first).to_be_focused()


def test_tags_complete_the_word_that_is_typed(visitor: Visitor) -> None:
    page = visitor.open()
    tags = [{"name": name, "images": 1} for name in ("blue sky", "sky", "skirt", "whisky", "red")]
    page.route("**/api/tags?*", lambda route: route.fulfill(json={"lists": [], "tags": tags}))
    with page.expect_response("**/api/tags?*"):
        page.locator("#words").click()
    page.locator("#words").press_sequentially("red tag:sk")
    expect(page.locator(".suggestion-text")).to_have_text(["blue sky", "sky", "skirt"])
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#words")).to_have_value('red tag:"blue sky" ')
    expect(page.locator("#chips .chip-value")).to_have_text(["blue sky"])


@pytest.mark.parametrize("key", ["", "Enter"], ids=["typing", "settled"])
def test_tags_that_come_late_are_offered_to_whoever_still_types(visitor: Visitor, key: str) -> None:
    page = visitor.open()
    held: list[Route] = []
    page.route("**/api/tags?*", lambda route: held.append(route))
    page.locator("#words").press_sequentially("re")
    if key:
        page.keyboard.press(key)
    expect(page.locator("#title")).to_have_text("“re”")
    with page.expect_response("**/api/tags?*"):
        held[0].fulfill(json={"lists": [], "tags": [{"name": "red", "images": 1}]})
    page.wait_for_timeout(100)  # for what must not come
    assert page.locator("#suggestions").is_visible() == (key == "")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_the_guide_puts_its_examples_into_the_box(visitor: Visitor, options: dict[str, object]) -> None:
    page = visitor.open("/?q=red", **options)
    expect_first(page, "red")
    page.locator("#clear").click()
    page.locator("#words").click()
    page.get_by_role("option", name="What can I type?").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="type:png").click()
    expect(page.locator("#guide")).to_be_hidden()
    expect(page).to_have_url(visitor.url + "/?q=type%3Apng")
    expect(page.locator("#chips .chip-value")).to_have_text(["png"])
