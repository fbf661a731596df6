"""A hit in a video leads to its time, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from indexer.collection import Collection
from indexer.pipeline import sync
from indexer.sources.video import VideoSource
from tests.indexer.sources.test_video import make_video
from tests.palette import PaletteEncoder
from tests.web.conftest import Serve, app_over

pytestmark = pytest.mark.browser


def test_the_original_of_a_frame_is_the_video_at_its_time(browser: Browser, serve: Serve, tmp_path: Path) -> None:
    video = make_video(tmp_path / "dive.webm", [("blue", 3), ("yellow", 3)])
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        assert sync(collection, encoder, VideoSource([video], cache=tmp_path / "cache")).added == 2
    with serve(app_over(tmp_path / "library")) as url, browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}/?q=yellow")
        page.get_by_role("img", name="dive.webm at 0:03").first.click()
        expect(page.get_by_role("heading", name="dive.webm at 0:03")).to_be_visible()
        with context.expect_page() as opened:
            page.get_by_role("link", name="Open the video there").click()
        player = opened.value
        for _ in range(200):  # not `wait_for_function`: it counts on frames, and in a sandbox no script gets any
            if player.evaluate("document.querySelector('video')?.readyState >= 2"):
                break
            player.wait_for_timeout(100)
        assert player.evaluate("document.querySelector('video').currentTime") == pytest.approx(3, abs=0.2)
