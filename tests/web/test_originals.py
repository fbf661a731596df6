"""Originals that are no files of their own: members of archives, frames of videos, pictures by URL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.collection import Collection
from indexer.images import Limits
from indexer.pipeline import sync
from indexer.sources import ImageSource
from indexer.sources.listed import ListSource
from indexer.sources.video import VideoSource
from indexer.sources.zip import zip_source
from tests.indexer.sources.conftest import Site, make_zip, serving
from tests.indexer.sources.test_video import make_video
from tests.palette import PaletteEncoder
from tests.pictures import encoded, plain
from tests.web.conftest import app_over, client_of

HERE = "127.0.0.1"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({"/green.png": encoded(plain("green"), "PNG")}) as site:
        yield site


@pytest.fixture
def library(tmp_path: Path, site: Site) -> Path:
    """A red picture in a zip, a video of blue and yellow, a green picture by URL."""
    (tmp_path / "list.txt").write_text(f"{site.url}/green.png\n")
    sources: list[ImageSource] = [
        zip_source([str(make_zip(tmp_path / "x.zip", [("a/red.jpg", encoded(plain("red")))]))]),
        VideoSource([make_video(tmp_path / "dive.mp4", [("blue", 2), ("yellow", 2)])], cache=tmp_path / "cache"),
        ListSource(str(tmp_path / "list.txt"), limits=Limits(private_hosts=frozenset({HERE}))),
    ]
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        for source in sources:
            assert sync(collection, encoder, source).failed == 0
    return tmp_path / "library"


def hit(client: TestClient, text: str) -> dict[str, Any]:
    found: dict[str, Any] = client.post("/api/search", json={"text": text, "k": 1}).json()["hits"][0]
    return found


def test_a_member_of_an_archive(library: Path, tmp_path: Path) -> None:
    with client_of(app_over(library)) as client:
        found = hit(client, "red")
        assert (found["path"], found["name"], found["seconds"]) == (f"{tmp_path}/x.zip!/a/red.jpg", "red.jpg", None)
        original = client.get(found["original_url"])
        assert original.content == encoded(plain("red"))
        assert original.headers["content-type"] == "image/jpeg"
        assert original.headers["content-security-policy"].endswith("; sandbox")
        assert 'filename="red.jpg"' in original.headers["content-disposition"]
        tag = original.headers["etag"]
        assert client.get(found["original_url"], headers={"If-None-Match": tag}).status_code == 304
        (tmp_path / "x.zip").unlink()
        assert client.get(found["original_url"]).status_code == 410
        assert client.get(found["thumbnail_url"]).status_code == 410


def test_a_frame_leads_to_its_video_and_its_time(library: Path, tmp_path: Path) -> None:
    whole = (tmp_path / "dive.mp4").read_bytes()
    with client_of(app_over(library)) as client:
        found = hit(client, "yellow")
        assert (found["name"], found["seconds"], found["format"]) == ("dive.mp4 at 0:02", 2.0, "mp4")
        assert found["original_url"].endswith("/original#t=2.000")
        assert client.get(found["thumbnail_url"]).headers["content-type"] == "image/jpeg"
        original = client.get(found["original_url"])
        assert original.headers["content-type"] == "video/mp4"
        assert "sandbox allow-same-origin" in original.headers["content-security-policy"]
        assert "script" not in original.headers["content-security-policy"]
        assert original.content == whole
        assert 'filename="dive.mp4"' in original.headers["content-disposition"]
        part = client.get(found["original_url"], headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole[100:200])


def test_a_picture_by_url_is_asked_for_where_its_host_is_allowed(library: Path, site: Site) -> None:
    """Whatever the list said then, a private network of the server's is asked only if the server was told so."""
    with client_of(app_over(library)) as client:
        found = hit(client, "green")
        asked = len(site.asked)
        refused = client.get(found["original_url"])
        assert refused.status_code == 410
        assert "SIGHTLINE_PRIVATE_HOSTS" in refused.json()["detail"]
        assert len(site.asked) == asked
    with client_of(app_over(library, private_hosts=HERE)) as client:
        assert client.get(found["original_url"]).content == site.pages["/green.png"]
        assert client.get(found["thumbnail_url"]).status_code == 200
