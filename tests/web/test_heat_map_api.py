from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.palette import COLOURS
from tests.web.conftest import app_over, client_of, draw, index

Library = tuple[Path, Path]


@pytest.fixture
def halves(tmp_path: Path) -> Library:
    """A folder with `halves.png`, red on the left and blue on the right, and its collection."""
    folder, library = tmp_path / "pictures", tmp_path / "library"
    folder.mkdir()
    picture = Image.new("RGB", (640, 320), COLOURS["red"])
    picture.paste(COLOURS["blue"], (320, 0, 640, 320))
    picture.save(folder / "halves.png")
    index(folder, library)
    return folder, library


def url(client: TestClient) -> str:
    return f"/api/images/{client.get('/api/images').json()['images'][0]['id']}/heat-map"


def yellowness(content: bytes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How yellow each column of the map is, from dark blue."""
    pixels = np.asarray(Image.open(io.BytesIO(content)), np.float64)
    found: np.ndarray[Any, np.dtype[np.float64]] = pixels[..., 0].mean(axis=0)
    return found


def test_the_map_is_a_png_of_the_thumbnails_size_that_points_at_the_query(halves: Library) -> None:
    with client_of(app_over(halves[1])) as client:
        answer = client.get(url(client), params={"text": "red"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["heat-map-method"] == "occlusion"
        assert answer.headers["heat-map-flat"] == "false"
        assert float(answer.headers["heat-map-contrast"]) > 1
        picture = Image.open(io.BytesIO(answer.content))
        assert (picture.mode, picture.size) == ("RGBA", (320, 160))
        columns = yellowness(answer.content)
        assert columns[:100].mean() > columns[-100:].mean() + 100
        other = yellowness(client.get(url(client), params={"text": "blue", "side": 1280}).content)
        assert len(other) == 640
        assert other[-200:].mean() > other[:200].mean() + 100


def test_a_part_of_a_picture_is_where_that_part_is(halves: Library) -> None:
    with client_of(app_over(halves[1])) as client:
        own = url(client).split("/")[3]
        right = client.get(url(client), params={"image_id": own, "region": "0.5,0,0.5,1"})
        assert right.status_code == 200, right.text
        columns = yellowness(right.content)
        assert columns[-100:].mean() > columns[:100].mean() + 100
        text = client.get(url(client), params={"text": "red", "region": "0.5,0,0.5,1"})
        assert (text.status_code, "a text has no region" in text.text) == (422, True)


def test_a_client_that_has_it_is_told_so_until_picture_or_query_change(halves: Library) -> None:
    folder, library = halves
    with client_of(app_over(library)) as client:
        first = client.get(url(client), params={"text": "red"})
        assert first.headers["cache-control"] == "private, no-cache"
        known = {"If-None-Match": first.headers["etag"]}
        again = client.get(url(client), params={"text": "red"}, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert client.get(url(client), params={"text": "blue"}, headers=known).status_code == 200
        assert client.get(url(client), params={"text": "red", "side": 1280}, headers=known).status_code == 200
        draw(folder / "halves.png", "red", (640, 320), 1)
        assert client.get(url(client), params={"text": "red"}, headers=known).status_code == 200


def test_pictures_are_queries_too(halves: Library) -> None:
    folder, library = halves
    draw(folder / "red.png", "red", (64, 64), 0)
    index(folder, library)
    with client_of(app_over(library)) as client:
        ids = {image["name"]: image["id"] for image in client.get("/api/images").json()["images"]}
        upload = {"image": ("red.png", (folder / "red.png").read_bytes(), "image/png")}
        sent = client.post("/api/search", files=upload, data={"k": "1"}).json()["query"]["query_image"]
        of = f"/api/images/{ids['halves.png']}/heat-map"
        by_id = client.get(of, params={"image_id": ids["red.png"]})
        by_upload = client.get(of, params={"query_image": sent, "text": " "})
        for answer in (by_id, by_upload):
            assert answer.status_code == 200, answer.text
            columns = yellowness(answer.content)
            assert columns[:100].mean() > columns[-100:].mean() + 50


@pytest.mark.parametrize(
    ("params", "status", "says"),
    [
        ({}, 422, "nothing to search by"),
        ({"text": "  "}, 422, "the text is empty"),
        ({"text": "a" * 3000}, 422, "3,000 characters; the limit is 2,000"),
        ({"text": "red", "method": "grid"}, 422, "take the method 'occlusion'"),
        ({"text": "red", "method": "guess"}, 422, "method: "),
        ({"text": "red", "side": 99}, 422, "side: "),
        ({"image_id": 987_654}, 404, "no image with id 987654"),
        ({"query_image": "0" * 64}, 404, "no query picture"),
    ],
)
def test_maps_that_are_refused(client: TestClient, params: dict[str, Any], status: int, says: str) -> None:
    answer = client.get(url(client), params=params)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]


def test_a_picture_that_is_gone_or_spoilt_has_no_map(halves: Library) -> None:
    folder, library = halves
    with client_of(app_over(library)) as client:
        (folder / "halves.png").write_bytes(b"no picture")
        assert client.get(url(client), params={"text": "red"}).status_code == 415
        (folder / "halves.png").unlink()
        assert client.get(url(client), params={"text": "red"}).status_code == 410
        assert client.get("/api/images/987654/heat-map", params={"text": "red"}).status_code == 404
