"""The page in a real browser over 100,000 images: how soon it answers, how soon pictures are seen, what it holds.

    python -m benchmarks.page                      # makes the library first, some minutes
    python -m benchmarks.page --library FOLDER     # keeps it there, or finds it

Images are made up and their thumbnails rendered beforehand (page_library.py); the model is `mini`, the server the one
that `sightline serve` runs, in a process of its own, the browser Chromium at 1280 x 800.

*Interaction to next paint* is what the browser says of keys: the time from each to the frame that shows what it did, in
steps of 8 ms, keys below 16 ms as that. While pictures are scrolled through by keys and wheel, and while words are
typed with the wheel turning. *To the first pictures* is from Enter to the frame in which the first picture of the
answer is drawn, less what the engine says that it took. Memory is the page's JavaScript heap after a collection of
garbage, when all of the list has been passed over that when half has; it holds 120 pages of it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.request import urlopen

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).parents[1])

import numpy as np
import typer

from benchmarks.goals import DOCS, Line, at_most, plain, publish
from benchmarks.page_library import make_library
from data.screenshots import chromium
from indexer.encoder import load_encoder

if TYPE_CHECKING:
    from playwright.sync_api import Page

PORT = 8147
KEYS, STOPS = 60, 200
QUERIES = tuple(
    f"{colour} {thing}" for colour in ("red", "green", "blue", "dark") for thing in ("boat", "dog", "hill", "street")
)
SHORTEST = 16.0  # ms; the browser tells of no shorter event

# Durations of interactions, and how much has moved unasked.
WATCH = """() => {
  window.seen = { keys: new Map(), moved: 0 };
  new PerformanceObserver((list) => {
    for (const { interactionId, duration } of list.getEntries()) {
      if (interactionId) seen.keys.set(interactionId, Math.max(duration, seen.keys.get(interactionId) ?? 0));
    }
  }).observe({ type: "event", durationThreshold: 16 });
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) seen.moved += value;
  }).observe({ type: "layout-shift" });
}"""

# Asks, and answers in ms when the first picture of the answer has been painted.
ASK = """(words) => new Promise((answer) => {
  document.querySelector("#words").value = words;
  const started = performance.now();
  document.querySelector("#search").requestSubmit();
  const look = () => {
    const cell = document.querySelector("#results .cell[data-position='0']");
    const picture = cell?.querySelector("img");
    const answered = document.querySelector("#title").textContent.includes(words);
    if (answered && picture?.complete && picture.naturalWidth) {
      requestAnimationFrame(() => setTimeout(() => answer(performance.now() - started)));
    } else requestAnimationFrame(look);
  };
  look();
})"""
ELEMENTS = "document.querySelectorAll('*').length"
ARRIVED = "!document.querySelector('#results .blank') && document.querySelectorAll('#results .cell').length > 8"


@contextmanager
def serving(library: Path) -> Iterator[str]:
    """The address of `sightline serve` in a process of its own."""
    command = [sys.executable, "-m", "web.cli", "serve", "--library", str(library), "--port", str(PORT)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1]), "HF_HUB_OFFLINE": "1"}
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{PORT}"
    try:
        wait_for(lambda: answers(address), 180)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/healthz", timeout=5):
            return True
    except OSError:
        return False


def wait_for(condition: Any, seconds: float) -> None:
    late = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > late:
            raise TimeoutError("the page did not get there")
        time.sleep(0.02)


def interactions(page: Page, keys: int) -> np.ndarray:
    """Milliseconds of so many keys; those the browser did not tell of were short."""
    page.wait_for_timeout(500)
    told = page.evaluate("[...seen.keys.values()]")
    page.evaluate("seen.keys.clear()")
    return np.array([*told, *[SHORTEST] * (keys - len(told))])


def scroll_by_keys(page: Page) -> np.ndarray:
    """Through the newest first, by arrow keys and the wheel in turns."""
    page.keyboard.press("ArrowDown")
    interactions(page, 1)
    for _ in range(KEYS):
        page.mouse.wheel(0, 600)
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(50)
    return interactions(page, KEYS)


def type_while_scrolling(page: Page) -> np.ndarray:
    page.locator("#words").click()
    interactions(page, 0)
    text = "a red boat by the sea and a green hill under the evening sky"[:KEYS]
    for letter in text:
        page.keyboard.press("Space" if letter == " " else letter)
        page.mouse.wheel(0, 300)
        page.wait_for_timeout(50)
    return interactions(page, len(text))


def to_first_pictures(page: Page) -> np.ndarray:
    """Milliseconds from each query to its first picture, less the engine's."""
    taken = []
    for words in QUERIES:
        with page.expect_response(lambda response: response.url.endswith("/api/search")) as answer:
            shown = page.evaluate(ASK, words)
        taken.append(shown - 1000 * answer.value.json()["seconds"])
        page.wait_for_timeout(100)
    return np.array(taken)


def pass_over(page: Page) -> tuple[int, float]:
    """All of the list in so many stops: the most elements, and the heap at the end over that after half."""
    devtools = page.context.new_cdp_session(page)

    def heap() -> float:
        devtools.send("HeapProfiler.collectGarbage")
        return float(page.evaluate("performance.memory.usedJSHeapSize"))

    most, half = 0, 0.0
    for stop in range(STOPS + 1):
        page.evaluate(f"scrollTo(0, {stop / STOPS} * (document.documentElement.scrollHeight - innerHeight))")
        wait_for(lambda: page.evaluate(ARRIVED), 30)
        most = max(most, page.evaluate(ELEMENTS))
        if stop == STOPS // 2:
            half = heap()
    return most, heap() / half


def measure(address: str) -> list[Line]:
    with chromium() as browser, browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.goto(f"{address}/?sort=newest")
        wait_for(lambda: page.evaluate(ARRIVED), 60)
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        scrolled, typed = scroll_by_keys(page), type_while_scrolling(page)
        first = to_first_pictures(page)
        page.goto(f"{address}/?sort=newest")
        wait_for(lambda: page.evaluate(ARRIVED), 60)
        page.evaluate(WATCH)
        most, growth = pass_over(page)
        moved = page.evaluate("seen.moved")
    return [
        *paint("scrolling by keys and wheel", scrolled),
        *paint("typing while scrolling", typed),
        at_most("query to the first picture painted, less the engine's time: median, ms", float(np.median(first)), 150),
        plain("query to the first picture painted, less the engine's time: the slowest, ms", float(first.max())),
        at_most("elements in the document, the most", most, 1500),
        at_most("JavaScript heap after all of the list over that after half of it", growth, 1.1),
        at_most("layout shift while all of the list is passed over", moved, 0.01),
    ]


def paint(name: str, taken: np.ndarray) -> list[Line]:
    return [
        plain(f"interaction to next paint, {name}: median, ms", float(np.median(taken))),
        at_most(f"interaction to next paint, {name}: p98, ms", float(np.percentile(taken, 98)), 100),
    ]


def main(
    images: Annotated[int, typer.Option(help="Images in the library.")] = 100_000,
    library: Annotated[Path | None, typer.Option(help="A folder to keep the library in, or to find it.")] = None,
    output: Annotated[Path | None, typer.Option(help="A file for the results, instead of the project's.")] = None,
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = library or Path(scratch) / "library"
        if not folder.exists():
            make_library(folder, load_encoder("mini", device="cpu").manifest, images)
        with serving(folder) as address:
            lines = measure(address)
    load = f"{os.getloadavg()[0]:.1f} at the end"
    publish(
        [*lines, plain("load of the machine", load)],
        "page",
        f"python -m benchmarks.page --images {images}",
        output,
        PAGE,
    )


PAGE = DOCS / "page.md"

if __name__ == "__main__":
    typer.run(main)
