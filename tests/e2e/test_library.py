"""The page of the library in a real browser: what is there, jobs as they go on, models that change over."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Locator, Page, Route, expect

from indexer.catalog import Catalog
from indexer.jobs.leases import new_owner
from indexer.library_folder import locked
from tests.e2e.visitor import PHONE, Visitor, visiting
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, draw, index

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture
def catalog(own_library: tuple[Path, Path]) -> Iterator[Catalog]:
    """Of two pictures, which the page of `guest` shows."""
    with Catalog.open(own_library[1]) as catalog:
        yield catalog


@pytest.fixture
def guest(browser: Browser, serve: Serve, own_library: tuple[Path, Path]) -> Iterator[Visitor]:
    with serve(app_over(own_library[1])) as url:
        yield from visiting(browser, url)


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs that a process would have been started for."""
    begun: list[int] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(job_id))
    return begun


def job_row(page: Page, number: int) -> Locator:
    return page.locator(f"#jobs > [data-key='{number}']")


def button(row: Locator, name: str) -> Locator:
    return row.get_by_role("button", name=re.compile(f"^{name}"))


def test_from_the_search_to_the_library_and_back(guest: Visitor) -> None:
    page = guest.open()
    page.get_by_role("link", name="Library").click()
    expect(page).to_have_title("Library · Sightline")
    expect(page.locator("#images")).to_have_text("2")
    expect(page.locator("#formats li")).to_have_text(["JPEG 1", "PNG 1"])
    expect(page.locator("#facts")).to_contain_text("all: it compares every picture")
    expect(page.locator("#models h3")).to_have_text(["palette"])
    expect(page.locator("#models .state")).to_have_text("answers searches")
    expect(page.locator("#no-jobs")).to_be_visible()
    page.get_by_role("link", name="Search", exact=True).click()
    expect(page.locator("#count")).to_have_text("2 pictures")


def test_a_job_is_watched_paused_gone_on_with_and_its_failures_read(
    guest: Visitor, catalog: Catalog, own_library: tuple[Path, Path], begun: list[int]
) -> None:
    jobs, owner = catalog.jobs, new_owner()
    job = jobs.add("index", {"folder": str(own_library[0])}).id
    jobs.claim(job, owner)
    jobs.beat(job, owner, 300, 1200, 10.0, "")
    page = guest.open("/library")
    row = job_row(page, job)
    expect(row.locator(".numbers")).to_have_text("300 of 1,200 · 10 a second · 2 minutes left")
    expect(row.locator("progress")).to_have_js_property("position", 0.25)
    jobs.beat(job, owner, 900, 1200, 10.0, "")
    expect(row.locator("progress")).to_have_js_property("position", 0.75)  # by itself

    button(row, "Pause").click()
    expect(row.locator(".state")).to_have_text("stops soon")
    jobs.write_lines(job, ["/photos/cat.jpg: damaged or truncated picture"])
    jobs.end(job, owner, "failed", "the disk is full")
    expect(row.locator(".state")).to_have_text("failed")
    expect(row.locator(".message")).to_have_text("the disk is full")
    row.get_by_text("Log").click()
    expect(row.locator(".log")).to_contain_text("cat.jpg: damaged or truncated picture")

    button(row, "Go on").click()
    expect(row.locator(".state")).to_have_text("waiting")
    assert begun == [job]
    button(row, "Cancel").click()
    expect(row.locator(".state")).to_have_text("cancelled")
    button(row, "Again").click()
    expect(page.locator("#jobs > li")).to_have_count(2)
    page.locator("#folders").get_by_role("button").click()
    expect(page.locator("#jobs .state").first).to_have_text("waiting")
    for _ in range(100):  # the job is the one that waits already: nothing new is to be seen
        if len(begun) == 3:
            break
        page.wait_for_timeout(50)
    assert len(begun) == 3


def test_another_model_is_embedded_by_answers_and_is_left_again(
    guest: Visitor, catalog: Catalog, begun: list[int]
) -> None:
    turned = catalog.of_model(catalog.models.add(PaletteEncoder(model="turned", weights_hash="1" * 64).manifest))
    page = guest.open("/library")
    row = page.locator(f"#models > [data-key='{turned.model_id}']")
    expect(row.locator(".numbers")).to_have_text("0 of 2 pictures, 64 dimensions")
    button(row, "Embed the rest").click()
    expect(page.locator("#jobs .of")).to_have_text("turned")
    page.locator("#embed-model").select_option("mini")
    page.locator("#embed button").click()
    expect(page.locator("#jobs .of")).to_have_text(["mini", "turned"])
    assert len(begun) == 2

    missing = turned.missing(10)
    turned.fill(missing, np.stack([catalog.vector(state.id) for state in missing]))
    guest.allow("409")
    with locked(catalog.library, seconds=0):
        button(row, "Answer searches with it").click()
        expect(page.locator("#problem")).to_contain_text("nother indexer is writing to the collection")
    button(row, "Answer searches with it").click()
    expect(row.locator(".state")).to_have_text("answers searches")
    expect(page.locator("#problem")).to_be_empty()
    page.locator("#models").get_by_role("button", name=re.compile("^Go back")).click()
    expect(row.locator(".state")).to_have_text("answered before")


def test_failures_are_read_and_tried_again(
    guest: Visitor, catalog: Catalog, own_library: tuple[Path, Path], begun: list[int]
) -> None:
    folder = own_library[0]
    for name in ("one.jpg", "two.jpg"):
        (folder / name).write_bytes(b"")
    index(*own_library, failures=2)
    catalog.jobs.cancel(catalog.jobs.add("index", {"folder": str(folder)}).id)
    page = guest.open("/library")
    expect(page.locator("#failures .state")).to_have_text("2 files")
    page.get_by_text("the file is empty").click()
    expect(page.locator("#failures .log li")).to_have_text([f"{folder}/one.jpg", f"{folder}/two.jpg"])
    draw(folder / "one.jpg", "red", (80, 60), 3)
    (folder / "two.jpg").unlink()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#jobs .state").first).to_have_text("waiting")
    owner = new_owner()
    catalog.jobs.claim(begun[0], owner)
    index(*own_library)
    catalog.jobs.end(begun[0], owner, "done", "", {"added": 1})
    expect(page.locator("#failed")).to_be_hidden()  # by itself
    expect(page.locator("#images")).to_have_text("3")


def test_a_training_is_begun_and_the_index_is_plotted(guest: Visitor, catalog: Catalog, begun: list[int]) -> None:
    measured = {"recall100_images": 0.9, "recall100_texts": 0.9}
    points = [(64, 0.95, 0.9, 0.2), (512, 0.995, 0.99, 0.8)]
    keys = ("effort", "recall10_images", "recall10_texts", "ms")
    curve = [dict(zip(keys, point, strict=True)) | measured for point in points]

    def with_curve(route: Route) -> None:
        stats = route.fetch().json()
        stats["index"]["calibration"] = {"target": 0.99, "curve": curve, "chosen": 512, "reached": True}
        route.fulfill(json=stats)

    page = guest.open("/library")  # so small a library has an exact index
    expect(page.locator("#index-says")).to_contain_text("compares all pictures")
    page.route("**/api/stats*", with_curve)
    page.locator("#train-model").select_option("mini")
    page.locator("#train button").click()
    expect(page.locator("#jobs h3").first).to_have_text("Train")
    assert catalog.jobs.get(begun[0]).arguments["recipe"]["train"] == "adapter"
    expect(page.locator("#curve .dot.chosen title")).to_have_text(
        ["by pictures: 99.5% in 0.8 ms, effort 512", "by words: 99% in 0.8 ms, effort 512"]
    )
    page.get_by_text("As a table").click()
    expect(page.locator("#curve-rows tr.chosen")).to_have_text("512, chosen99.5%99%0.8")
    expect(page.locator("#findings-say")).to_contain_text("found nothing wrong")


def test_a_phone_shows_all_of_it(guest: Visitor, catalog: Catalog) -> None:
    folder = "/home/ada/" + "a-long-name-without-an-end-" * 4
    catalog.jobs.pause(catalog.jobs.add("index", {"folder": folder}).id)
    page = guest.open("/library", **PHONE)
    expect(page.locator("#jobs .state")).to_have_text("paused")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        """[...document.querySelectorAll("button, select, summary, nav a")].filter((control) => {
             const { width, height } = control.getBoundingClientRect();
             return control.checkVisibility() && Math.min(width, height) < 24;
           }).map((control) => control.textContent)"""
    )
    assert small == []
