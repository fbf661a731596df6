"""The page's flows in a real browser.

`visitor` fails a test whose page wrote to the console or asked another server for anything.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.visitor import EACH, SEARCH, TRANSFER, Visitor, expect_first, names, pick, picture, search

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


HASH = "5e" * 32


# Words


def test_words_find_the_right_pictures_first(visitor: Visitor) -> None:
    page = visitor.open()
    expect(page.locator("h1")).to_have_text("Recently added")
    expect(page.locator("#count")).to_have_text("60 pictures")
    expect(page.locator("#words")).to_be_focused()
    search(page, "red")
    expect_first(page, "red")
    expect(page.locator("#count")).to_have_text(re.compile(r"^About 6 matches · 60 pictures searched in \d+ ms$"))
    expect(page).to_have_title("“red” · Sightline")
    expect(page.locator("#results")).to_have_attribute("aria-label", "Pictures")


def test_a_line_stands_where_relevance_ends(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    names(page)
    line = page.locator("#results .line")
    expect(line).to_have_text("Less likely from here")
    assert page.locator("#results .cell:not(.unlikely) img").count() == 6
    assert line.evaluate("(line) => line.nextElementSibling.getAttribute('aria-posinset')") == "7"
    assert (
        line.evaluate("(line) => line.getBoundingClientRect().width")
        == page.locator("#results").bounding_box()["width"]
    )  # type: ignore[index]
    page.goto(f"{visitor.url}/?like=1")
    names(page)
    expect(page.locator("#count")).to_have_text(re.compile(r"^60 pictures searched in"))
    expect(page.locator(".unlikely")).to_have_count(0)


def test_no_line_stands_before_the_first_picture(visitor: Visitor) -> None:
    page = visitor.open()

    def doubt(route: Route) -> None:
        answer = route.fetch()
        body = answer.json()
        for hit in body["hits"]:
            hit["probability"] = 0.01
        route.fulfill(response=answer, json=body)

    page.route(SEARCH, doubt)
    search(page, "red")
    expect_first(page, "red")
    expect(page.locator("#results .line")).to_have_count(0)
    expect(page.locator("#results .unlikely")).to_have_count(0)


def test_search_starts_while_typing_and_typing_is_one_step_back(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    page.locator("#words").press_sequentially("gre", delay=20)
    expect(page).to_have_url(visitor.url + "/?q=gre")
    page.locator("#words").press_sequentially("en", delay=20)
    expect(page).to_have_url(visitor.url + "/?q=green")
    expect_first(page, "green")
    page.go_back()
    expect(page).to_have_url(visitor.url + "/")
    expect(page.locator("#words")).to_have_value("")
    expect(page.locator("h1")).to_have_text("Recently added")


def test_late_answers_are_dropped(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    held: list[Route] = []

    def hold_blue(route: Route) -> None:
        if "blue" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route(SEARCH, hold_blue)
    with page.expect_request(lambda request: "blue" in (request.post_data or "")):
        search(page, "blue")
    with page.expect_event("requestfailed", lambda request: "blue" in (request.post_data or "")):
        search(page, "red")
    expect_first(page, "red")
    assert len(held) == 1


# Pictures


def test_a_picked_picture_finds_its_like_and_has_an_address(visitor: Visitor) -> None:
    page = visitor.open()
    pick(page, "blue")
    expect_first(page, "blue")
    expect(page).to_have_url(re.compile(r"/\?picture=[0-9a-f]{64}$"))
    expect(page.locator(".term")).to_have_count(1)
    page.reload()
    expect_first(page, "blue")
    expect(page.locator(".term img")).to_have_js_property("naturalWidth", 80)
    page.get_by_role("button", name="Remove your picture from the search").click()
    expect(page).to_have_url(visitor.url + "/")
    expect(page.locator("#terms")).to_be_hidden()
    expect(page.locator("#words")).to_be_focused()
    page.go_back()
    expect_first(page, "blue")


def test_a_picture_can_be_dropped_anywhere(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    expect_first(page, "red")
    transfer = page.evaluate_handle(TRANSFER, [list(picture("cyan")), "mine.png", "image/png"])
    page.dispatch_event("#results", "dragenter", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("#results", "drop", {"dataTransfer": transfer})
    expect(page.locator("#drop")).to_be_hidden()
    expect(page).to_have_url(re.compile(r"\?q=red&picture="))  # beside the words, not instead of them
    search(page, "")
    expect(page).to_have_url(re.compile(r"/\?picture="))
    expect_first(page, "cyan")


def test_a_picture_can_be_pasted_and_joined_by_words(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    page.evaluate(
        f"""(picture) => {{
          const clipboardData = ({TRANSFER})(picture);
          document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", {{ clipboardData, bubbles: true, cancelable: true }}));
        }}""",
        [list(picture("yellow")), "image.png", "image/png"],
    )
    expect(page).to_have_url(re.compile(r"/\?picture=[0-9a-f]{64}$"))
    expect_first(page, "yellow")
    asked: list[Any] = []
    # The next pages come by GET, and on a slow machine while this is looked at.
    page.on("request", lambda request: asked.append(request.post_data_json) if request.method == "POST" else None)
    search(page, "blue")
    expect(page).to_have_url(re.compile(r"/\?q=blue&picture=[0-9a-f]{64}$"))
    expect(page).to_have_title("“blue” and your picture · Sightline")
    expect(page.locator("#count")).to_contain_text("searched")
    assert [(body["box"], len(body["terms"][0]["query_image"])) for body in asked] == [("blue", 64)]
    assert {name.split("-")[0] for name in names(page, 4)} <= {"yellow", "blue"}


# History


def test_back_forward_and_reload_show_what_was_there(visitor: Visitor) -> None:
    page = visitor.open()
    search(page, "red")
    expect_first(page, "red")
    search(page, "blue")
    expect_first(page, "blue")
    page.go_back()
    expect_first(page, "red")
    expect(page.locator("#words")).to_have_value("red")
    page.go_forward()
    expect_first(page, "blue")
    page.reload()
    expect_first(page, "blue")
    expect(page.locator("#words")).to_have_value("blue")
    page.locator("#home").click()
    expect(page.locator("h1")).to_have_text("Recently added")


# Large view


def test_click_opens_the_large_view_and_back_closes_it(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    expect_first(page, "red")
    first, second = names(page, 2)
    page.locator("#results a").first.click()
    large = page.locator("#large")
    expect(large).to_be_visible()
    expect(page.locator("#frame")).to_have_class(re.compile("sharp-loaded"))
    expect(large.locator("h2")).to_have_text(first)
    for fact in ("Why it matched", "Acme One", "JPEG" if first.endswith("jpg") else first[-3:].upper(), "2024"):
        expect(large).to_contain_text(fact)
    expect(page.locator("#large-path")).to_contain_text(f"/{first}")
    expect(page.locator("#previous")).to_be_disabled()

    page.keyboard.press("ArrowRight")
    expect(large.locator("h2")).to_have_text(second)
    expect(page).to_have_url(re.compile(r"/\?q=red#image=\d+$"))
    page.reload()
    expect(large.locator("h2")).to_have_text(second)
    page.go_back()
    expect(large).to_be_hidden()
    expect(page).to_have_url(visitor.url + "/?q=red")


def test_closing_gives_the_keyboard_back_to_the_picture_last_seen(visitor: Visitor) -> None:
    page = visitor.open("/?q=red")
    expect_first(page, "red")
    page.locator("#results a").first.click()
    expect(page.locator("#large")).to_be_visible()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Escape")
    expect(page.locator("#large")).to_be_hidden()
    expect(page.locator("#results a").nth(2)).to_be_focused()
    expect(page).to_have_url(visitor.url + "/?q=red")


def test_a_shared_address_of_one_picture_opens_it(visitor: Visitor) -> None:
    page = visitor.open("/?q=red#image=1")
    expect(page.locator("#large h2")).not_to_be_empty()
    page.locator("#large-close").click()
    expect(page.locator("#large")).to_be_hidden()
    expect(page).to_have_url(visitor.url + "/?q=red")


def test_more_like_this(visitor: Visitor) -> None:
    page = visitor.open("/?q=magenta")
    expect_first(page, "magenta")
    page.locator("#results a").nth(1).click()
    page.get_by_role("button", name="More like this").click()
    expect(page).to_have_url(re.compile(r"/\?like=\d+$"))
    expect(page.locator("#large")).to_be_hidden()
    expect(page.locator("h1")).to_have_text(re.compile("^Like magenta-"))
    expect(page.locator(".term-name")).to_have_text(re.compile("^magenta-"))
    assert all(name.startswith("magenta-") for name in names(page, EACH - 1))
    page.go_back()
    expect(page.locator("#large")).to_be_visible()  # where the visitor came from


# Keyboard


def test_from_search_to_large_view_without_a_mouse(visitor: Visitor) -> None:
    page = visitor.open()
    names(page)
    page.locator("#keys").focus()
    page.keyboard.press("/")
    page.keyboard.type("orange")
    page.keyboard.press("Enter")
    expect_first(page, "orange")
    links = page.locator("#results a")
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowDown")
    below = page.evaluate("Number(document.activeElement.parentElement.dataset.position)")
    assert below > 1
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Home")
    expect(links.nth(0)).to_be_focused()
    assert page.locator("#results a[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    expect(page.locator("#large h2")).to_have_text(names(page, 1)[0])
    page.keyboard.press("Escape")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("?")
    expect(page.locator("#keys-help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#keys-help")).to_be_hidden()


# Addresses


def test_addresses_and_states_are_two_spellings_of_the_same(visitor: Visitor) -> None:
    same = {
        "/": "/",
        "/?q=a+dog+%26+a+%23cat": "/?q=a+dog+%26+a+%23cat",
        "/?q=%20red%20": "/?q=red",
        "/?like=12#image=7": "/?like=12#image=7",
        f"/?like=12&picture={HASH}": f"/?like=12&picture={HASH}",
        f"/?picture={HASH}*0.5*0_0.25_0.5_0.5&q=a": f"/?q=a&picture={HASH}*0.5*0_0.25_0.5_0.5",
        "/?also=a*0.5*-1&also=people": "/?also=a*0.5*-1&also=people*1",
        "/?like=7*0&like=8*2&picture=ab&like=9*1*0_0_2_1&like=10*1": "/?like=10",
        "/?q=a&sort=newest&collapse=1&wrong=3&right=2&right=x&in=b": (
            "/?q=a&sort=newest&collapse=1&right=2&wrong=3&in=b"
        ),
        "/?sort=oddly": "/",
        "/?like=x&q=#image=-1": "/",
    }
    script = """async (addresses) => {
      const { parse, format } = await import("/static/query/state.js");
      return addresses.map((address) => format(parse(new URL(address, location.origin))));
    }"""
    assert visitor.open().evaluate(script, list(same)) == list(same.values())
