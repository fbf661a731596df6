from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.web.conftest import app_over, client_of, draw

Library = tuple[Path, Path]


def hit(client: TestClient, text: str) -> dict[str, object]:
    found: dict[str, object] = client.post("/api/search", json={"text": text, "k": 1}).json()["hits"][0]
    return found


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("RGB")


def cached_files(library: Path) -> list[Path]:
    return sorted((library / "thumbnails").rglob("*.*"))


def test_a_thumbnail_is_small_upright_and_the_right_picture(own_library: Library) -> None:
    with client_of(app_over(own_library[1])) as client:
        answer = client.get(str(hit(client, "blue")["thumbnail_url"]))
    assert answer.headers["content-type"] == "image/jpeg"
    picture = opened(answer.content)
    assert picture.size == (320, 180)
    red, green, blue = picture.getpixel((310, 90))  # type: ignore[misc]
    assert blue > 200
    assert max(red, green) < 60


@pytest.mark.parametrize(("side", "size"), [(320, (320, 180)), (1280, (1280, 720))])
def test_two_sides_are_served_and_no_other(own_library: Library, side: int, size: tuple[int, int]) -> None:
    with client_of(app_over(own_library[1])) as client:
        url = f"/api/images/{hit(client, 'blue')['id']}/thumbnail"
        assert opened(client.get(url, params={"side": side}).content).size == size
        assert client.get(url, params={"side": side + 1}).status_code == 422


def test_a_small_picture_is_not_enlarged(own_library: Library) -> None:
    with client_of(app_over(own_library[1])) as client:
        assert opened(client.get(f"/api/images/{hit(client, 'red')['id']}/thumbnail").content).size == (160, 120)


def test_a_thumbnail_is_made_once(own_library: Library) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        url = str(hit(client, "blue")["thumbnail_url"])
        first = client.get(url).content
        (folder / "blue.png").unlink()  # so that it cannot be made again
        assert client.get(url).content == first
    assert len(cached_files(library)) == 1


def test_the_versioned_url_is_cached_for_ever_and_the_plain_one_is_asked_again(own_library: Library) -> None:
    with client_of(app_over(own_library[1])) as client:
        found = hit(client, "red")
        versioned = client.get(str(found["thumbnail_url"]))
        plain = client.get(f"/api/images/{found['id']}/thumbnail")
        known = client.get(str(found["thumbnail_url"]), headers={"If-None-Match": versioned.headers["etag"]})
    assert "immutable" in versioned.headers["cache-control"]
    assert plain.headers["cache-control"] == "private, no-cache"
    assert plain.headers["etag"] == versioned.headers["etag"]
    assert known.status_code == 304
    assert known.content == b""


def test_a_file_changed_after_indexing_shows_as_it_is_and_spoils_no_cache(own_library: Library) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        url = str(hit(client, "red")["thumbnail_url"])
        before = (folder / "red.jpg").read_bytes()
        draw(folder / "red.jpg", "green", (160, 120), 1)
        changed = client.get(url)
        (folder / "red.jpg").write_bytes(before)
        restored = client.get(url)
    assert opened(changed.content).getpixel((150, 60))[1] > 200  # type: ignore[index]
    assert changed.headers["cache-control"] == "private, no-cache"
    assert opened(restored.content).getpixel((150, 60))[0] > 200  # type: ignore[index]
    assert "immutable" in restored.headers["cache-control"]


def test_concurrent_requests_agree_and_leave_no_debris(own_library: Library) -> None:
    _, library = own_library
    with client_of(app_over(library)) as client, ThreadPoolExecutor(8) as pool:
        url = str(hit(client, "blue")["thumbnail_url"])
        answers = list(pool.map(lambda _: client.get(url), range(16)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert [path.suffix for path in cached_files(library)] == [".jpg"]


def test_an_empty_cached_file_is_made_again(own_library: Library) -> None:
    _, library = own_library
    with client_of(app_over(library)) as client:
        url = str(hit(client, "blue")["thumbnail_url"])
        first = client.get(url).content
        cached_files(library)[0].write_bytes(b"")
        assert client.get(url).content == first


def test_a_cache_that_cannot_be_written_costs_only_time(own_library: Library) -> None:
    _, library = own_library
    (library / "thumbnails").write_bytes(
        b"in the way"
    )  # a file where the folder would be: also root cannot write there
    with client_of(app_over(library)) as client:
        assert client.get(str(hit(client, "blue")["thumbnail_url"])).status_code == 200


@pytest.mark.parametrize("path", ["thumbnail", "original"])
def test_a_file_that_is_gone_is_410(own_library: Library, path: str) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        found = hit(client, "red")
        (folder / "red.jpg").unlink()
        answer = client.get(f"/api/images/{found['id']}/{path}")
    assert answer.status_code == 410
    assert answer.json()["type"] == "urn:sightline:original-gone"
    assert "index its folder again" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["thumbnail", "original"])
def test_a_file_that_became_a_pipe_does_not_hang(own_library: Library, path: str) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        found = hit(client, "red")
        (folder / "red.jpg").unlink()
        os.mkfifo(folder / "red.jpg")
        assert client.get(f"/api/images/{found['id']}/{path}").status_code == 410


def test_a_file_that_became_text_is_415(own_library: Library) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        found = hit(client, "red")
        (folder / "red.jpg").write_text("not a picture any more")
        answer = client.get(f"/api/images/{found['id']}/thumbnail")
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_file_grown_over_the_limit_is_413(own_library: Library) -> None:
    folder, library = own_library
    with client_of(app_over(library, max_file_mb=1)) as client:
        found = hit(client, "red")
        with (folder / "red.jpg").open("ab") as file:
            file.truncate(1024 * 1024 + 1)
        assert client.get(f"/api/images/{found['id']}/thumbnail").status_code == 413
