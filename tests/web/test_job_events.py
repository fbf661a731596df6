"""The stream of events about jobs, from a real server."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI

from indexer.catalog import Catalog
from indexer.errors import CollectionDamaged
from indexer.jobs.leases import new_owner
from indexer.jobs.store import Job, Jobs
from tests.web.conftest import Serve, app_over
from web import job_events

PATH = "/api/jobs/events"


@pytest.fixture
def app(own_library: tuple[Path, Path]) -> FastAPI:
    return app_over(own_library[1])


@pytest.fixture
def catalog(own_library: tuple[Path, Path]) -> Iterator[Catalog]:
    with Catalog.open(own_library[1]) as catalog:
        yield catalog


@contextmanager
def asked(address: str, path: str = PATH) -> Iterator[HTTPResponse]:
    with closing(HTTPConnection(urlsplit(address).netloc, timeout=20)) as connection:
        connection.request("GET", path, headers={"Accept": "text/event-stream", "Accept-Encoding": "gzip"})
        yield connection.getresponse()


def block(stream: HTTPResponse) -> dict[str, str]:
    """The next event's fields; a comment's is the empty one. Empty at the stream's end."""
    fields = {}
    while line := stream.readline().decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def told(stream: HTTPResponse) -> list[dict[str, Any]]:
    fields = block(stream)
    assert fields["event"] == "jobs"
    jobs: list[dict[str, Any]] = json.loads(fields["data"])["jobs"]
    return jobs


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_jobs_at_once_and_after_every_change_and_an_end_with_the_service(
    serve: Serve, app: FastAPI, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_events, "LOOK_SECONDS", 0.05)
    first = catalog.jobs.add("reindex", {"model": "mini"}).id
    threads = threading.active_count()
    with ExitStack() as streams:
        with serve(app) as address:
            stream, newest = (streams.enter_context(asked(address, PATH + query)) for query in ("", "?limit=1"))
            headers = {name.lower(): value for name, value in stream.getheaders()}
            assert (stream.status, headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
            assert (headers["cache-control"], headers.get("content-encoding")) == ("no-cache", None)
            assert [job["id"] for job in told(stream)] == [job["id"] for job in told(newest)] == [first]
            with asked(address, "/api/jobs") as plain:
                listed = json.load(plain)["jobs"]
            second = catalog.jobs.add("reindex", {"model": "mini"}).id
            assert [job["id"] for job in told(newest)] == [second]
            assert told(stream)[1:] == listed
            owner = new_owner()
            catalog.jobs.claim(second, owner)
            while told(stream)[0]["state"] != "running":
                pass
            catalog.jobs.beat(second, owner, 7, 20, 3.5, "reading")
            assert told(stream)[0]["done"] == 7
            began = time.monotonic()
        assert time.monotonic() - began < 5, "the service waited for its listeners"
        assert (block(stream), stream.isclosed()) == ({}, True)  # whole: the last chunk has come
    wait_for(lambda: threading.active_count() <= threads)


def test_a_catalog_is_read_once_a_look_however_many_listen_and_not_at_all_when_nobody_does(
    serve: Serve, app: FastAPI, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[float] = []

    read = Jobs.all

    def counted(self: Jobs, limit: int = 100) -> list[Job]:
        looks.append(time.monotonic())
        return read(self, limit)

    monkeypatch.setattr(Jobs, "all", counted)
    monkeypatch.setattr(job_events, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(job_events, "MAX_LISTENERS", 8)
    with serve(app) as address:
        with ExitStack() as streams:
            listening = [streams.enter_context(asked(address)) for _ in range(8)]
            assert [told(stream) for stream in listening] == [[]] * 8
            with asked(address) as refused:
                assert (refused.status, "ask GET /api/jobs" in json.load(refused)["detail"]) == (503, True)
            looks.clear()
            time.sleep(0.5)
            assert 1 <= len(looks) <= 6
            catalog.jobs.add("tag", {})
            assert [[job["kind"] for job in told(stream)] for stream in listening] == [["tag"]] * 8
        wait_for(lambda: app.state.job_streams.listeners == 0)
        looks.clear()
        time.sleep(0.3)
        assert looks == []
        with asked(address) as again:
            assert [job["kind"] for job in told(again)] == ["tag"]


def test_silence_is_kept_alive_by_comments(serve: Serve, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastapi.routing._PING_INTERVAL", 0.05)
    with serve(app) as address, asked(address) as stream:
        assert block(stream) == {"event": "jobs", "data": '{"jobs":[]}', "retry": "3000"}
        assert block(stream) == {"": "ping"}


@pytest.mark.parametrize(("query", "status"), [("limit=0", 422), ("limit=101", 422), ("collection=none", 404)])
def test_wrong_requests_are_problems(live_server: str, query: str, status: int) -> None:
    with asked(live_server, f"{PATH}?{query}") as answer:
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_catalog_that_breaks_ends_the_stream_and_is_a_status_from_then_on(
    serve: Serve, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(self: Jobs, limit: int = 100) -> list[Job]:
        raise CollectionDamaged("/library", "disk image is malformed")

    monkeypatch.setattr(job_events, "LOOK_SECONDS", 0.05)
    with serve(app) as address, asked(address) as stream:
        assert told(stream) == []
        monkeypatch.setattr(Jobs, "all", damaged)
        assert block(stream) == {}
        with asked(address) as again:
            assert (again.status, json.load(again)["type"]) == (503, "urn:sightline:collection-damaged")
