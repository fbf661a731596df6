from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.conftest import app_over, client_of


def ids_of(client: TestClient, *names: str) -> list[int]:
    images = client.get("/api/images?limit=100").json()["images"]
    return [image["id"] for name in names for image in images if image["name"] == name]


@pytest.mark.parametrize("form", [False, True])
def test_originals_come_as_one_zip(client: TestClient, picture_folder: Path, form: bool) -> None:
    ids = ids_of(client, "red-1.jpg", "blue-0.png")
    sent: dict[str, Any] = {"data": {"ids": [str(id_) for id_ in ids]}} if form else {"json": {"ids": ids}}
    answer = client.post("/api/download", headers={"Accept-Encoding": "gzip"}, **sent)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="sightline.zip"'
    assert "content-encoding" not in answer.headers
    archive = zipfile.ZipFile(BytesIO(answer.content))
    assert archive.namelist() == ["red-1.jpg", "blue-0.png"]
    assert archive.read("red-1.jpg") == (picture_folder / "red-1.jpg").read_bytes()


def test_ids_may_stand_in_one_field_and_what_is_gone_is_listed(own_library: tuple[Path, Path]) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        [red, blue] = ids_of(client, "red.jpg", "blue.png")
        (folder / "blue.png").unlink()
        answer = client.post("/api/download", data={"ids": f"{red},{blue},987654"})
    archive = zipfile.ZipFile(BytesIO(answer.content))
    assert archive.namelist() == ["red.jpg", "MISSING.txt"]
    assert len(archive.read("MISSING.txt").splitlines()) == 2


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"json": {"ids": []}}, 422),
        ({"json": {"ids": [987654]}}, 404),
        ({"json": {"ids": ["1"]}}, 422),
        ({"json": {"ids": list(range(1001))}}, 422),
        ({"json": {"ids": [1], "collection": "other"}}, 404),
        ({"json": {"ids": [1], "more": 1}}, 422),
        ({"data": {"ids": "1,x"}}, 422),
        ({"data": {"other": "1"}}, 422),
        ({"data": {"ids": "1," * 40_000}}, 413),
        ({"content": b"ids=1", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"json": {"ids": [1]}, "headers": {"Sec-Fetch-Site": "cross-site"}}, 403),
    ],
)
def test_what_is_no_download_is_refused(client: TestClient, sent: dict[str, Any], status: int) -> None:
    answer = client.post("/api/download", **sent)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
