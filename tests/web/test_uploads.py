from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from starlette.requests import Request
from starlette.types import Message

from indexer.errors import QueryImageNotFound, UndecodableImage, UploadTooLarge
from indexer.images import Limits
from tests.palette import COLOURS
from tests.web.conftest import Serve, app_over, client_of
from web.uploads import FIELD_BYTES, QueryImages, read_search

MEBIBYTE = 1024 * 1024


def picture(colour: str = "red", size: tuple[int, int] = (64, 48), format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, COLOURS[colour]).save(buffer, format)
    return buffer.getvalue()


def field(name: str, value: str) -> bytes:
    """A form of one field, with the boundary `b`."""
    return f"--b\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n--b--\r\n".encode()


def post(client: TestClient, data: bytes, **fields: str) -> httpx2.Response:
    answer: httpx2.Response = client.post("/api/search", files={"image": ("a.png", data)}, data=fields)
    return answer


def test_an_upload_finds_what_looks_like_it(client: TestClient) -> None:
    answer = post(client, picture("cyan"), k="6")
    assert answer.status_code == 200
    assert {hit["name"].partition("-")[0] for hit in answer.json()["hits"]} == {"cyan"}


def test_an_upload_and_a_text_are_looked_for_together(client: TestClient) -> None:
    both = post(client, picture("red"), text="blue", k="12").json()
    colours = {hit["name"].partition("-")[0] for hit in both["hits"]}
    assert {"red", "blue"} <= colours
    assert both["query"]["text"] == "blue"
    assert both["query"]["query_image"] is not None


def test_the_kept_picture_asks_the_very_same_query(client: TestClient) -> None:
    uploaded = post(client, picture("orange", (900, 500), "BMP"), k="20").json()
    again = client.post("/api/search", json={"query_image": uploaded["query"]["query_image"], "k": 20}).json()
    assert again["hits"] == uploaded["hits"]
    assert again["query"] == uploaded["query"]


def test_the_kept_picture_is_served_small_and_under_its_hash(client: TestClient) -> None:
    name = post(client, picture("green", (1600, 400))).json()["query"]["query_image"]
    answer = client.get(f"/api/query-images/{name}")
    assert answer.headers["content-type"] == "image/jpeg"
    assert "immutable" in answer.headers["cache-control"]
    assert hashlib.sha256(answer.content).hexdigest() == name
    assert Image.open(io.BytesIO(answer.content)).size == (768, 192)
    known = client.get(f"/api/query-images/{name}", headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304


def test_pictures_that_are_sent_beforehand_are_terms_of_one_search(client: TestClient) -> None:
    names = [
        client.post("/api/query-images", content=picture(colour)).json()["query_image"] for colour in ("red", "blue")
    ]
    alone = post(client, picture("red")).json()
    assert names[0] == alone["query"]["query_image"]
    together = client.post("/api/search", json={"terms": [{"query_image": name} for name in names], "k": 12}).json()
    assert {hit["name"].partition("-")[0] for hit in together["hits"]} >= {"red", "blue"}
    refused = client.post("/api/query-images", content=b"not a picture")
    assert refused.status_code == 415


def test_a_kept_picture_is_upright_and_carries_no_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Acme"  # turned by a quarter; the camera's make
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40)).save(buffer, "JPEG", exif=exif)
    kept = Image.open(io.BytesIO(QueryImages(tmp_path, Limits()).keep(buffer.getvalue()).jpeg))
    assert kept.size == (40, 60)
    assert not kept.getexif()


@pytest.mark.parametrize("name", ["0" * 64, "../catalog.db", "f" * 63, "F" * 64, "0" * 64 + "\n", ""])
def test_what_is_not_kept_is_not_found(tmp_path: Path, name: str) -> None:
    with pytest.raises(QueryImageNotFound):
        QueryImages(tmp_path, Limits()).read(name)


def test_a_kept_file_that_is_not_what_its_name_says_is_not_served(tmp_path: Path) -> None:
    images = QueryImages(tmp_path, Limits())
    kept = images.keep(picture())
    assert kept.name is not None
    (tmp_path / f"{kept.name}.jpg").write_bytes(b"something else")
    with pytest.raises(QueryImageNotFound):
        images.read(kept.name)


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    images = QueryImages(tmp_path, Limits(), kept=3)
    names = []
    for age, colour in enumerate(["red", "green", "blue", "white"]):
        kept = images.keep(picture(colour))
        assert kept.name is not None
        names.append(kept.name)
        os.utime(tmp_path / f"{kept.name}.jpg", (age, age))
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(names[1:])
    images.keep(picture("green"))  # sent again: the newest now
    images.keep(picture("black"))
    assert (tmp_path / f"{names[1]}.jpg").exists()
    assert not (tmp_path / f"{names[2]}.jpg").exists()


def test_an_upload_that_is_no_picture_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(UndecodableImage):
        QueryImages(tmp_path / "queries", Limits()).keep(b"a text file called .jpg")
    assert not (tmp_path / "queries").exists()


def test_a_picture_that_cannot_be_kept_is_searched_with_all_the_same(own_library: tuple[Path, Path]) -> None:
    _, library = own_library
    (library / "queries").write_bytes(b"in the way")
    with client_of(app_over(library)) as client:
        answer = post(client, picture("blue"))
    assert answer.json()["hits"][0]["name"] == "blue.png"
    assert answer.json()["query"]["query_image"] is None


@pytest.mark.parametrize("data", [b"", b"a text file called .jpg", picture()[:40]], ids=["empty", "text", "truncated"])
def test_what_is_not_an_image_is_415(client: TestClient, data: bytes) -> None:
    answer = post(client, data)
    assert answer.status_code == 415
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:sightline:undecodable-image"


def test_a_picture_with_too_many_pixels_is_413(own_library: tuple[Path, Path]) -> None:
    with client_of(app_over(own_library[1], max_pixels=1000)) as client:
        answer = post(client, picture(size=(40, 40)))
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:sightline:image-too-large"


@pytest.mark.parametrize(("excess", "status"), [(0, 200), (1, 413)])
def test_the_limit_of_an_upload_is_exact(own_library: tuple[Path, Path], excess: int, status: int) -> None:
    # Bytes after the end of a BMP do not harm it.
    data = picture("red", format="BMP").ljust(MEBIBYTE + excess, b"\0")
    with client_of(app_over(own_library[1], max_upload_mb=1)) as client:
        assert post(client, data).status_code == status


@pytest.mark.parametrize("announced", [True, False])
def test_a_client_whose_upload_is_too_large_reads_why(live_small_limit: str, announced: bool) -> None:
    """A client that sends all before it reads, with a body far larger than any buffer on the way."""
    body = b"--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n" + bytes(20 * MEBIBYTE)
    pieces = (body[start : start + MEBIBYTE] for start in range(0, len(body), MEBIBYTE))
    connection = http.client.HTTPConnection(live_small_limit.removeprefix("http://"), timeout=20)
    with contextlib.closing(connection):
        headers = {"Content-Type": "multipart/form-data; boundary=b"}
        connection.request("POST", "/api/search", body if announced else pieces, headers, encode_chunked=not announced)
        answer = connection.getresponse()
        assert answer.status == 413
        problem = json.load(answer)
    assert problem["type"] == "urn:sightline:upload-too-large"
    assert "limit of 1,048,576 bytes" in problem["detail"]


@pytest.mark.parametrize("content_type", [b"application/json", b"multipart/form-data; boundary=b"])
def test_a_body_is_refused_as_soon_as_it_is_over_the_limit(content_type: bytes) -> None:
    """Asked of the receiving side alone: the body never ends, and nothing says how long it is."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        body = b"--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n" if read == 0 else bytes(65536)
        read += len(body)
        return {"type": "http.request", "body": body, "more_body": True}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type)]}
    with pytest.raises(UploadTooLarge):
        asyncio.run(read_search(Request(scope, receive), max_upload=MEBIBYTE))
    assert read < MEBIBYTE + FIELD_BYTES + 2 * 65536


def test_an_announced_body_over_the_limit_is_refused_unread() -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(FIELD_BYTES + 1).encode())]
    with pytest.raises(UploadTooLarge):  # without a body to receive, reading would raise something else
        asyncio.run(read_search(Request({"type": "http", "method": "POST", "headers": headers}), max_upload=1))


@pytest.fixture
def live_small_limit(own_library: tuple[Path, Path], serve: Serve) -> Iterator[str]:
    with serve(app_over(own_library[1], max_upload_mb=1)) as base_url:
        yield base_url


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"", 400),
        ("multipart/form-data; boundary=b", b"nonsense", 400),
        ("multipart/form-data; boundary=b", field("image", "x"), 422),
        ("multipart/form-data; boundary=b", field("k", "x"), 422),
        ("multipart/form-data; boundary=b", field("other", "x"), 422),
        ("multipart/form-data; boundary=b; charset=hex", field("k", "x"), 422),
        ("multipart/form-data; boundary=b", b"--b--\r\n", 422),
        ("application/x-www-form-urlencoded", b"text=red", 415),
        ("text/plain", b"red", 415),
        ("", b"red", 415),
    ],
)
def test_forms_that_are_wrong(client: TestClient, content_type: str, body: bytes, status: int) -> None:
    answer = client.post("/api/search", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert "\n" not in answer.json()["detail"]


def test_a_form_with_nothing_chosen_searches_by_its_text(client: TestClient) -> None:
    answer = client.post(
        "/api/search",
        content=b'--b\r\nContent-Disposition: form-data; name=image; filename=""\r\n\r\n\r\n'
        b"--b\r\nContent-Disposition: form-data; name=text\r\n\r\nred\r\n--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["hits"][0]["name"].startswith("red")
