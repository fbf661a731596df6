"""A real Chromium over a real service, and a watch that keeps the page's console silent."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from data.screenshots import chromium, find_chromium
from tests.e2e.visitor import Visitor, visiting

# The service is the web tests' own.
from tests.web.conftest import library, live_server, own_library, picture_folder, serve

__all__ = ["library", "live_server", "own_library", "picture_folder", "serve"]


# A browser for each module and not for the session: while it is open its event loop runs in this thread, where other
# tests may want to run theirs.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        if os.environ.get("SIGHTLINE_REQUIRE_BROWSER") == "1":
            pytest.fail("SIGHTLINE_REQUIRE_BROWSER=1, but no Chromium is installed")
        pytest.skip("no Chromium is installed; on Debian `apt-get install chromium`")
    expect.set_options(timeout=15_000)  # ms; the machine may be busy with other tests
    with chromium() as browser:
        yield browser


@pytest.fixture
def visitor(browser: Browser, live_server: str) -> Iterator[Visitor]:
    """A visitor of the shared collection. At the end its pages must have had nothing to complain about."""
    yield from visiting(browser, live_server)
