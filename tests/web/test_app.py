from __future__ import annotations

import inspect
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import given, settings
from schemathesis import GenerationMode
from schemathesis.checks import positive_data_acceptance

from indexer import errors
from indexer.config import Settings
from indexer.errors import CollectionNotFound, ModelMismatch, SightlineError
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, client_of
from web.app import STATUS, create_app, status_of
from web.collections import Collections
from web.services import open_services

OPERATIONS = (
    "post /api/search",
    "get /api/search",
    "post /api/query-images",
    "get /api/query-images/{name}",
    "get /api/images",
    "get /api/images/{image_id}",
    "get /api/images/{image_id}/thumbnail",
    "get /api/images/{image_id}/original",
    "get /api/images/{image_id}/heat-map",
    "get /api/images/{image_id}/exif",
    "get /api/images/{image_id}/duplicates",
    "get /api/images/{image_id}/tags",
    "post /api/images/{image_id}/tags",
    "get /api/map",
    "get /api/map/points",
    "get /api/tags",
    "get /api/concepts",
    "get /api/concepts/{name}",
    "patch /api/concepts/{name}",
    "put /api/concepts/{name}",
    "delete /api/concepts/{name}",
    "get /api/stats",
    "get /api/collections",
    "get /api/models",
    "post /api/models/{model_id}/promote",
    "post /api/models/rollback",
    "get /api/startable",
    "get /api/jobs",
    "get /api/jobs/events",
    "post /api/jobs",
    "get /api/jobs/{job_id}",
    "post /api/jobs/{job_id}/pause",
    "post /api/jobs/{job_id}/resume",
    "post /api/jobs/{job_id}/cancel",
    "post /api/download",
    "get /api/duplicates",
    "get /api/duplicates/summary",
    "get /api/duplicates/others",
    "post /api/duplicates/decisions",
    "get /api/failures",
    "get /api/failures/files",
    "get /api/health-report",
    "get /api/tag-examples",
    "get /api/tag-lists/{name}",
    "put /api/tag-lists/{name}",
    "delete /api/tag-lists/{name}",
    "get /healthz",
)
TAKING_NOTHING = ("get /api/collections", "post /api/query-images")  # nothing that could be of a wrong form
WITHOUT_END = "get /api/jobs/events"  # tests/web/test_job_events.py
ALL_ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SightlineError)]


@pytest.mark.parametrize("kind", ALL_ERRORS)
def test_every_error_has_a_status(kind: type[SightlineError]) -> None:
    assert 400 <= status_of(kind.__new__(kind)) <= 503
    if issubclass(kind, errors.InvalidRequest | errors.UnreadableImage):
        assert status_of(kind.__new__(kind)) < 500


def test_the_nearest_class_decides() -> None:
    class OddQuery(errors.InvalidQuery):
        pass

    assert status_of(OddQuery()) == STATUS[errors.InvalidRequest]
    assert status_of(errors.ImageNotFound(1)) == 404


@pytest.mark.parametrize(
    ("method", "path", "status", "says"),
    [
        ("GET", "/nothing/here", 404, "nothing is at /nothing/here"),
        ("GET", "/static/../app.py", 404, "nothing is at"),
        ("GET", "/static/%2e%2e/app.py", 404, "nothing is at"),
        ("GET", "/docs", 404, "nothing is at /docs"),
        ("PUT", "/api/search", 405, "it takes POST"),
        ("DELETE", "/api/images/1", 405, "it takes GET"),
        ("GET", "/api/images?limit=0", 422, "limit: "),
        ("GET", "/api/images?before=x", 422, "before: "),
    ],
)
def test_wrong_urls_are_problems(client: TestClient, method: str, path: str, status: int, says: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert says in answer.json()["detail"]


def test_an_unexpected_error_tells_the_log_and_not_the_client(library: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = app_over(library)

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("the secret")

    with client_of(app) as client:
        answer = client.get("/broken")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in answer.text
    assert "RuntimeError: the secret" in caplog.text


def test_a_collection_that_breaks_while_serving_is_503(library: Path, caplog: pytest.LogCaptureFixture) -> None:
    app = app_over(library)

    @app.get("/damaged")
    def damaged() -> None:
        raise errors.CollectionDamaged("/library", "disk image is malformed")

    with client_of(app) as client:
        answer = client.get("/damaged")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:sightline:collection-damaged"
    assert "disk image is malformed" in caplog.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("192.168.1.20", 200),
        (f"{socket.gethostname()}:8000", 200),
        (f"{socket.gethostname()}.local", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("evil.example@localhost.evil.example", 421),
        ("[::1", 421),
    ],
)
def test_only_our_own_host_names_are_answered(client: TestClient, host: str, status: int) -> None:
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_host_that_was_configured_is_ours(library: Path) -> None:
    with client_of(app_over(library, host="photos.local")) as client:
        assert client.get("/healthz", headers={"Host": "photos.local:8000"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://127.0.0.1:9000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "https://photos.example"}, 200),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://127.0.0.1:8000"}, 403),
    ],
)
def test_pages_of_other_sites_cannot_search(client: TestClient, headers: dict[str, str], status: int) -> None:
    answer = client.post("/api/search", json={"text": "red"}, headers=headers)
    assert answer.status_code == status
    assert client.get("/api/stats", headers=headers).status_code == 200


def test_answers_carry_the_security_headers_and_no_cors(client: TestClient) -> None:
    headers = client.get("/", headers={"Origin": "https://evil.example"}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_static_files_are_asked_for_again_and_known(client: TestClient, tmp_path: Path) -> None:
    from web import pages

    name = next(path.name for path in pages.STATIC.iterdir() if path.is_file())
    first = client.get(f"/static/{name}")
    assert first.status_code == 200
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(f"/static/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.headers["cache-control"] == "no-cache"


def test_a_library_without_a_collection_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound), client_of(app_over(tmp_path)):
        pass


def test_a_collection_of_another_model_does_not_start(library: Path) -> None:
    other = PaletteEncoder(model="other", weights_hash="1" * 64)
    with pytest.raises(ModelMismatch), client_of(create_app(Settings(library=library), encoder=other)):
        pass


def test_services_that_are_given_stay_open(library: Path) -> None:
    with open_services(Settings(library=library), PaletteEncoder()) as services:
        for _ in range(2):
            given = Collections.of_one(services)
            with client_of(create_app(services.settings, collections=given)) as client:
                assert client.get("/healthz").status_code == 200
        assert services.collection.catalog.count() > 0


def test_searches_do_not_block_the_others(library: Path) -> None:
    """While every search waits in its encoder, the service still answers."""
    held, released = threading.Event(), threading.Event()

    class SlowEncoder(PaletteEncoder):
        def encode_texts(self, texts: Any) -> Any:
            held.set()
            assert released.wait(20)
            return super().encode_texts(texts)

    with client_of(create_app(Settings(library=library), encoder=SlowEncoder())) as client:
        answers: list[int] = []
        searches = [
            threading.Thread(
                target=lambda: answers.append(client.post("/api/search", json={"text": "red"}).status_code)
            )
            for _ in range(50)
        ]
        for thread in searches:
            thread.start()
        assert held.wait(20)
        try:
            assert client.get("/healthz").status_code == 200
            image = client.get("/api/images?limit=1").json()["images"][0]
            assert client.get(image["thumbnail_url"]).status_code == 200
        finally:
            released.set()
            for thread in searches:
                thread.join(20)
    assert answers == [200] * 50


def test_openapi_has_an_example_for_every_route_and_both_bodies_of_a_search(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    operations = {
        f"{method} {path}": operation
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == set(OPERATIONS)
    assert set(operations["post /api/search"]["requestBody"]["content"]) == {
        "application/json",
        "multipart/form-data",
    }
    for name, operation in operations.items():
        assert operation["summary"], name
        content = operation["responses"]["200"]["content"]
        answer = next(iter(content.values()))["schema"]
        component = schema["components"]["schemas"].get(answer.get("$ref", "").rpartition("/")[2], {})
        assert component.get("examples") or answer.get("examples") or answer["format"] == "binary", name
        for parameter in operation.get("parameters", ()):
            assert parameter.get("description") or parameter["schema"]["examples"], (name, parameter)
        problems = {status for status in operation["responses"] if status >= "400"}
        assert all(
            list(operation["responses"][status]["content"]) == ["application/problem+json"] for status in problems
        ), name


@pytest.fixture(scope="module")
def api_schema(live_server: str) -> Any:
    return schemathesis.openapi.from_url(f"{live_server}/openapi.json")


@pytest.mark.parametrize(
    ("operation", "mode"),
    [(operation, GenerationMode.POSITIVE) for operation in OPERATIONS if operation != WITHOUT_END]
    + [
        (operation, GenerationMode.NEGATIVE)
        for operation in OPERATIONS
        if operation not in (*TAKING_NOTHING, WITHOUT_END)
    ],
)
def test_the_service_keeps_to_its_schema(api_schema: Any, operation: str, mode: GenerationMode) -> None:
    """Generated requests: no 5xx, no status, content type or body but the documented ones, nothing wrong accepted."""
    method, path = operation.split()
    asked = api_schema[path][method]
    # A schema cannot say that there must be a query, that the bytes are a picture, which cursors are kept, nor that a
    # tag is printable and not both added and removed, nor that a concept is there and has a right mark, nor
    # that ids are written without a fraction of zero.
    loose = (
        "/api/search",
        "/api/download",
        "/api/query-images",
        "/api/images/{image_id}/heat-map",
        "/api/images/{image_id}/tags",
        "/api/concepts/{name}",
        "/api/tag-examples",
        "/api/tag-lists/{name}",
    )
    excluded = [positive_data_acceptance] if path in loose else []

    @settings(max_examples=25, deadline=None, derandomize=True, database=None)
    @given(case=asked.as_strategy(generation_mode=mode))
    def keeps_to_it(case: schemathesis.Case) -> None:
        case.call_and_validate(timeout=10, excluded_checks=excluded)

    keeps_to_it()
