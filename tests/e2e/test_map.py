"""The map: made from the page, moved about on, searched, and read without seeing it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from indexer.collection import Collection
from indexer.projection.making import JOB, make_map
from tests.e2e.visitor import PHONE, Visitor, visiting
from tests.palette import PaletteEncoder
from tests.web.conftest import Serve, app_over

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

# How many pixels of the canvas are not of its ground.
DRAWN = """() => {
  const canvas = document.querySelector("#canvas");
  const pixels = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
  return pixels.reduce((sum, pixel) => sum + (pixel !== pixels[0]), 0);
}"""


@pytest.fixture(scope="module")
def own(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(library, tmp_path_factory.mktemp("map") / "library"))


@pytest.fixture(scope="module")
def address(own: Path, serve: Serve) -> Iterator[str]:
    with serve(app_over(own)) as url:
        yield url


@pytest.fixture
def visitor(browser: Browser, address: str) -> Iterator[Visitor]:
    for one in visiting(browser, address):
        one.allow("willReadFrequently")  # of reading the canvas, which the page itself never does
        yield one


def _make(own: Path) -> None:
    with Collection.open(own) as collection:
        make_map(collection, PaletteEncoder(), lambda done, total: None, threads=1)


def test_a_map_is_made_from_the_page(visitor: Visitor, own: Path) -> None:
    with Collection.open(own) as collection:
        collection.map_file.unlink(missing_ok=True)
        page = visitor.open("/map")
        expect(page.get_by_role("heading", name="No map yet")).to_be_visible()
        asked: list[str] = []

        def begin(route: Route) -> None:
            """What the service does, but in this process: the model of these tests is in no checkpoint."""
            asked.append(route.request.post_data or "")
            job = collection.catalog.jobs.add(JOB, {})
            collection.catalog.jobs.claim(job.id, "test")
            route.continue_(url=route.request.url, method="GET")

        page.route("**/api/jobs", begin)
        page.get_by_role("button", name="Make the map").click()
        expect(page.get_by_role("progressbar")).to_be_visible()
        assert asked == ['{"kind":"map"}']
        _make(own)
        [job] = [job for job in collection.catalog.jobs.all() if job.kind == JOB]
        collection.catalog.jobs.end(job.id, "test", "done", "")
        expect(page.locator("#canvas")).to_be_visible()
        expect(page.locator("#about-map")).to_have_text(re.compile("pictures"))


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_the_map_is_moved_about_on(visitor: Visitor, own: Path, options: dict[str, object]) -> None:
    _make(own)
    page = visitor.open("/map", **options)
    expect(page.get_by_role("list", name="Regions").get_by_role("button").first).to_be_visible()
    canvas = page.locator("#canvas")
    canvas.focus()
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(r"#x=0\.\d+&y=0\.5000&zoom=1\.50"))
    assert page.evaluate(DRAWN) > 100
    page.keyboard.press("Enter")
    card = page.get_by_role("region", name="The picked picture")
    expect(card.get_by_role("link", name="Open")).to_have_attribute("href", re.compile(r"^/#image=\d+$"))
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.get_by_role("button", name="The whole map").click()
    expect(page).to_have_url(re.compile("zoom=1.00"))
    if not options:
        canvas.hover()
        page.mouse.wheel(0, -400)
        expect(page).to_have_url(re.compile(r"zoom=2\.\d+"))
    page.reload()
    expect(page.get_by_role("list", name="Regions").get_by_role("button").first).to_be_visible()


def test_a_search_shows_where_its_pictures_lie(visitor: Visitor, own: Path) -> None:
    _make(own)
    page = visitor.open("/map")
    page.get_by_role("searchbox", name="Where are").fill("red")
    page.keyboard.press("Enter")
    expect(page.locator("#lit")).to_have_text("6 pictures lit")
    expect(page).to_have_url(re.compile(r"\?q=red"))
    page.get_by_role("button", name="Show all pictures alike").click()
    expect(page.locator("#lit")).to_be_empty()
