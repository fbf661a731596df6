"""Somebody who looks at the page, and what they do there."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect

from tests.palette import COLOURS

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
EACH = 6
"""Pictures of each colour in the shared collection."""
SEARCH = "**/api/search"

# Makes what a drop or a paste carries, of `[bytes, name, type]`.
TRANSFER = """([bytes, name, type]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([new Uint8Array(bytes)], name, { type }));
  return transfer;
}"""


@dataclass
class Visitor:
    """Opens pages, and notes everything that they should not have done."""

    browser: Browser
    url: str
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)
    _allowed: list[str] = field(default_factory=list)

    def open(self, path: str = "/", **options: Any) -> Page:
        """A new browser profile on `path`; `options` are those of `Browser.new_context`."""
        options.setdefault("viewport", {"width": 1280, "height": 800})
        context = self.browser.new_context(**options)
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))
        page.on("request", self._request)
        page.goto(self.url + path)
        return page

    def allow(self, part: str) -> None:
        """Complaints with this in them are expected from here on, however many and however late they come."""
        self._allowed.append(part)

    def _console(self, message: ConsoleMessage) -> None:
        allowed = any(part in message.text for part in self._allowed)
        if message.type not in ("log", "debug", "info") and not allowed:
            self.complaints.append(f"console {message.type}: {message.text}")

    def _request(self, request: Request) -> None:
        ours = request.url.startswith((self.url, "blob:", "data:"))
        if not ours:
            self.complaints.append(f"request to {urlsplit(request.url).netloc}")


def visiting(browser: Browser, url: str) -> Iterator[Visitor]:
    visitor = Visitor(browser, url)
    yield visitor
    for context in visitor.contexts:
        context.close()
    assert visitor.complaints == [], visitor.complaints


def names(page: Page, count: int = EACH) -> list[str]:
    """The names of the first pictures, in reading order, once there are that many."""
    pictures = page.locator("#results .cell img")
    expect(pictures.nth(count - 1)).to_be_attached()
    return [pictures.nth(position).get_attribute("alt") or "" for position in range(count)]


def expect_first(page: Page, colour: str) -> None:
    """The six pictures of a colour come first."""
    pictures = page.locator("#results .cell img")
    for position in range(EACH):
        expect(pictures.nth(position)).to_have_attribute("alt", re.compile(f"^{colour}-"))


def search(page: Page, words: str) -> None:
    page.locator("#words").fill(words)
    page.keyboard.press("Enter")


def wait_until(page: Page, condition: str) -> None:
    """Until a JavaScript expression is true. (`wait_for_function` needs `eval`, which our content policy forbids.)"""
    deadline = time.monotonic() + 10
    while not page.evaluate(condition):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def picture(colour: str, size: tuple[int, int] = (80, 60)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(buffer, "PNG")
    return buffer.getvalue()


def pick(page: Page, colour: str) -> None:
    file = {"name": "mine.png", "mimeType": "image/png", "buffer": picture(colour)}
    page.locator("#file").set_input_files(file)  # type: ignore[arg-type]
