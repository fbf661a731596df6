from __future__ import annotations

from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from web.compression import Compression

GZIP, PLAIN = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}


def test_json_and_pages_are_packed_for_those_who_take_it(client: TestClient) -> None:
    for path in ("/api/images?limit=40", "/", "/openapi.json"):
        packed, plain = client.get(path, headers=GZIP), client.get(path, headers=PLAIN)
        assert packed.headers["content-encoding"] == "gzip", path
        assert "Accept-Encoding" in packed.headers["vary"]
        assert "Accept-Encoding" in plain.headers["vary"]
        assert "content-encoding" not in plain.headers
        assert packed.text == plain.text
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert "content-encoding" not in client.get("/healthz", headers=GZIP).headers  # a few bytes


def test_pictures_and_parts_of_files_are_left_alone(client: TestClient) -> None:
    image = client.get("/api/images?limit=1").json()["images"][0]
    for path in (image["thumbnail_url"], image["original_url"]):
        assert "content-encoding" not in client.get(path, headers=GZIP).headers
    part = client.get(image["original_url"], headers=GZIP | {"Range": "bytes=0-9"})
    assert (part.status_code, len(part.content)) == (206, 10)
    script = client.get("/static/search.js", headers=GZIP | {"Range": "bytes=0-1499"})
    assert (script.status_code, "content-encoding" in script.headers) == (206, False)


def test_the_tag_of_what_is_packed_is_weak_and_known_again(client: TestClient) -> None:
    packed, plain = client.get("/static/search.js", headers=GZIP), client.get("/static/search.js", headers=PLAIN)
    assert packed.headers["etag"] == f"W/{plain.headers['etag']}"
    again = client.get("/static/search.js", headers=GZIP | {"If-None-Match": packed.headers["etag"]})
    assert again.status_code == 304


def test_events_are_not_held_back() -> None:
    async def events(request: object) -> StreamingResponse:
        return StreamingResponse(iter([b"data: 1\n\n" * 200] * 3), media_type="text/event-stream")

    app = Compression(Starlette(routes=[Route("/events", events)]))
    with TestClient(app) as client:
        answer = client.get("/events", headers=GZIP)
    assert "content-encoding" not in answer.headers
    assert answer.text.count("data:") == 600
