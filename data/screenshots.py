"""Take the pictures that the documentation shows: of the page, from a running Sightline, or of a benchmark's report.

python -m data.screenshots --url http://127.0.0.1:8000 --out docs/screenshots
python -m data.screenshots --report report.html --out docs/screenshots
"""

from __future__ import annotations

import argparse
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote_plus

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",  # containers have no user namespaces to build the sandbox from
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MAX_BYTES = 250_000
"""Of one screenshot: they live in the repository."""
REPORT_MAX_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Shot:
    name: str
    width: int
    height: int
    path: str = "/?q={query}"
    scheme: Literal["light", "dark"] = "light"
    scale: int = 1
    touch: bool = False
    large_view: bool = False
    """Of the first picture found."""


_DESKTOP: Final[dict[str, Any]] = {"width": 1440, "height": 900}
_PHONE: Final[dict[str, Any]] = {"width": 390, "height": 844, "scale": 2, "touch": True}

SHOTS: Final = (
    Shot("search-desktop", **_DESKTOP),
    Shot("search-phone", **_PHONE),
    Shot("large-view-desktop", **_DESKTOP, scheme="dark", large_view=True),
    Shot("large-view-phone", **_PHONE, large_view=True),
    Shot("duplicates-desktop", **_DESKTOP, path="/library/duplicates"),
    Shot("duplicates-phone", **_PHONE, path="/library/duplicates"),
    Shot("map-desktop", **_DESKTOP, path="/map", scheme="dark"),
    Shot("map-phone", **_PHONE, path="/map"),
    Shot("library-desktop", **_DESKTOP, path="/library"),
    Shot("library-phone", **_PHONE, path="/library"),
)

REPORT = Shot("benchmark-report", 1280, 1500)


def find_chromium() -> str | None:
    """The path of an installed Chromium or Chrome; None where there is none."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The installed Chromium, driven by Playwright. Raises `FileNotFoundError` where there is none."""
    path = find_chromium()
    if path is None:
        raise FileNotFoundError("no Chromium found; install it, on Debian with `apt-get install chromium`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(CHROMIUM_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


# Asked again with each frame by the page itself: its content policy lets no script be made of a string.
_PICTURES_DRAWN = """(patience) => new Promise((answer) => {
  const late = performance.now() + patience;
  const onScreen = (cell) => {
    const { top, bottom } = cell.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  };
  const look = () => {
    const cells = [...document.querySelectorAll("#results .cell")].filter(onScreen);
    if (cells.length && cells.every((cell) => cell.matches(".loaded, .broken"))) answer(true);
    else if (performance.now() > late) answer(false);
    else requestAnimationFrame(look);
  };
  look();
})"""


_SETTLED = 4000  # ms, for pages that fetch pictures one after the other


def wait_for_pictures(page: Page) -> None:
    """Until every picture that is on the screen has been drawn. Raises `TimeoutError` after 30 s."""
    if not page.evaluate(_PICTURES_DRAWN, 30_000):
        raise TimeoutError(f"the pictures of {page.url} did not come; is the collection empty?")
    page.wait_for_timeout(300)  # ms; pictures fade in over 180


def take(browser: Browser, url: str, query: str, shot: Shot) -> Image.Image:
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=shot.scheme,
        device_scale_factor=shot.scale,
        has_touch=shot.touch,
        is_mobile=shot.touch,
    )
    with context, context.new_page() as page:
        page.goto(url.rstrip("/") + shot.path.format(query=quote_plus(query)))
        if shot.path.startswith("/?"):
            _wait_for_search(page, large_view=shot.large_view)
        else:
            page.locator("#main").wait_for()
            page.wait_for_timeout(_SETTLED)
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def _wait_for_search(page: Page, *, large_view: bool) -> None:
    wait_for_pictures(page)
    page.reload()  # the first search after a start takes longer than the others, and its time is on the page
    wait_for_pictures(page)
    if large_view:
        page.locator("#results .cell a").first.click()
        page.locator("#frame.sharp-loaded").wait_for()
        page.wait_for_timeout(300)  # ms; the sharp picture fades in over 160


def take_report(browser: Browser, report: Path, shot: Shot = REPORT) -> Image.Image:
    """The top of a benchmark's HTML report. It asks nothing of the world: a request would be a mistake in it."""
    with browser.new_context(viewport={"width": shot.width, "height": shot.height}, offline=True) as context:
        page = context.new_page()
        page.goto(report.resolve().as_uri())
        return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def save(picture: Image.Image, path: Path, max_bytes: int = MAX_BYTES) -> int:
    """Write a JPEG of at most `max_bytes`, as good as fits. Returns its size in bytes."""
    for quality in (90, 85, 80, 70, 60, 50):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, progressive=True)
        if buffer.tell() <= max_bytes:
            break
    path.write_bytes(buffer.getvalue())
    return buffer.tell()


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the screenshots of the documentation.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="a running Sightline")
    parser.add_argument("--out", type=Path, default=Path("docs/screenshots"), help="folder to write to")
    parser.add_argument("--query", default="a motorcycle", help="the words to search for")
    parser.add_argument("--report", type=Path, help="an HTML report of `sightline benchmark` to take instead")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        if options.report:
            path = options.out / f"{REPORT.name}.jpg"
            size = save(take_report(browser, options.report), path, REPORT_MAX_BYTES)
            print(f"{path}  {size // 1000} kB")
            return
        for shot in SHOTS:
            path = options.out / f"{shot.name}.jpg"
            size = save(take(browser, options.url, options.query, shot), path)
            print(f"{path}  {size // 1000} kB")


if __name__ == "__main__":
    main()
