"""The page of duplicates in a real browser: looking through groups by keys and by touch, and taking it back."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from indexer.catalog import Catalog
from indexer.duplicates.kinds import Link, LinkKind
from indexer.jobs.leases import new_owner
from tests.e2e.visitor import PHONE, Visitor, visiting
from tests.web.conftest import app_over

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Serve = Callable[[FastAPI], AbstractContextManager[str]]


@pytest.fixture
def catalog(library: Path, tmp_path: Path) -> Iterator[Catalog]:
    """Of 60 pictures, which the page of `guest` shows."""
    with Catalog.open(Path(shutil.copytree(library, tmp_path / "own"))) as catalog:
        yield catalog


@pytest.fixture
def guest(browser: Browser, serve: Serve, catalog: Catalog) -> Iterator[Visitor]:
    with serve(app_over(catalog.library)) as url:
        yield from visiting(browser, url)


def link(catalog: Catalog) -> None:
    """Images 1 to 3, of which 3 is a crop; 4 and 5, a burst; 7 to 10 look alike."""
    hashes = {number: catalog.get(number).content_hash for number in range(1, 11)}
    pairs: list[tuple[int, int, LinkKind]] = [(1, 2, "same"), (1, 3, "crop"), (4, 5, "burst"), (7, 8, "look-alike")]
    links = [Link(*sorted((hashes[one], hashes[other])), kind, 0.97) for one, other, kind in pairs]
    catalog.duplicate_store.replace(links)


def test_groups_are_looked_through_by_keys_and_decisions_taken_back(guest: Visitor, catalog: Catalog) -> None:
    link(catalog)
    page = guest.open("/library/duplicates")
    expect(page.locator("#kinds button")).to_have_text(
        ["All 2", "Same file 0", "Re-encoded 0", "Crops 1", "Bursts 1", "Look-alikes 1"]
    )
    groups = page.locator(".group")
    expect(groups).to_have_count(2)
    page.keyboard.press("j")
    expect(groups.first).to_be_focused()
    second = groups.first.locator(".member").nth(1)
    chosen = int(second.get_attribute("data-id") or 0)
    page.keyboard.press("2")
    expect(second.get_by_role("button", name="Kept")).to_be_visible()
    assert [member.image.id for member in catalog.duplicates.groups()[0].members if member.decided] == [chosen]

    page.keyboard.press("ArrowDown")
    page.keyboard.press("n")
    expect(groups.nth(1).locator(".decided")).to_contain_text("These are no duplicates.")
    expect(groups.nth(1)).to_be_focused()
    assert len(catalog.duplicates.groups()) == 1
    page.keyboard.press("u")
    expect(groups.nth(1).locator(".members")).to_be_visible()
    page.keyboard.press("u")
    expect(second.get_by_role("button", name="Kept")).to_have_count(0)
    assert len(catalog.duplicates.groups(undecided=True)) == 2

    guest.allow("500")
    page.route("**/api/duplicates/decisions*", lambda route: route.fulfill(status=500, body="no"))
    groups.first.get_by_role("button", name="is not a duplicate").first.click()
    expect(page.locator("#problem")).to_contain_text("500")
    assert len(catalog.duplicates.groups()) == 2


def test_what_was_never_looked_for_is_begun_and_shown_on_a_phone(
    guest: Visitor, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(job_id))
    page = guest.open("/library/duplicates", **PHONE)
    expect(page.get_by_role("heading", name="Nothing has been looked for yet")).to_be_visible()
    page.get_by_role("button", name="Find duplicates").tap()
    expect(page.locator("#job")).to_be_visible()
    owner = new_owner()
    catalog.jobs.claim(begun[0], owner)
    link(catalog)
    catalog.jobs.end(begun[0], owner, "done", "", {})
    expect(page.locator(".group")).to_have_count(2)  # by itself
    expect(page.locator("#job")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

    page.get_by_role("button", name="Bursts").tap()
    expect(page.locator(".group h2")).to_have_text(["Taken within seconds"])
    with page.expect_download() as download:
        page.get_by_role("link", name="List of the others").tap()
    [path] = download.value.path().read_text().split()
    assert path in {catalog.get(4).path, catalog.get(5).path}
