"""Models and jobs over HTTP."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from indexer.catalog import Catalog
from indexer.config import Settings
from indexer.jobs.leases import new_owner
from tests.checkpoints import make_checkpoint
from tests.palette import PaletteEncoder
from tests.pictures import photo, write
from web.app import create_app
from web.cli import app as cli


@pytest.fixture
def own_library(library: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(library, tmp_path / "own"))


@pytest.fixture
def client(own_library: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(library=own_library), encoder=PaletteEncoder())) as client:
        client.base_url = "http://127.0.0.1"  # type: ignore[assignment]
        yield client


@pytest.fixture
def catalog(own_library: Path) -> Iterator[Catalog]:
    with Catalog.open(own_library) as catalog:
        yield catalog


def test_the_models(client: TestClient) -> None:
    [model] = client.get("/api/models").json()["models"]
    assert (model["model"], model["dimension"], model["serving"], model["previous"]) == ("palette", 64, True, False)
    assert model["embeddings"] > 0


def test_jobs_are_listed_and_shown(client: TestClient, catalog: Catalog) -> None:
    assert client.get("/api/jobs").json() == {"jobs": []}
    first = catalog.jobs.add("reindex", {"model": "mini"})
    second = catalog.jobs.add("reindex", {"model": "mini"})
    catalog.jobs.write_lines(first.id, ["a line"])
    assert [job["id"] for job in client.get("/api/jobs").json()["jobs"]] == [second.id, first.id]
    assert [job["id"] for job in client.get("/api/jobs?limit=1").json()["jobs"]] == [second.id]
    shown = client.get(f"/api/jobs/{first.id}").json()
    assert (shown["state"], shown["arguments"], shown["seconds_left"]) == ("queued", {"model": "mini"}, None)
    assert [line["text"] for line in shown["log"]] == ["a line"]


def test_jobs_are_paused_resumed_and_cancelled(
    client: TestClient, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[int] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(job_id))
    job, owner = catalog.jobs.add("reindex", {}).id, new_owner()
    assert client.post(f"/api/jobs/{job}/pause").json()["state"] == "paused"
    assert client.post(f"/api/jobs/{job}/resume").json()["state"] == "queued"
    assert begun == [job]
    catalog.jobs.claim(job, owner)
    assert client.post(f"/api/jobs/{job}/resume").status_code == 409
    answer = client.post(f"/api/jobs/{job}/cancel").json()
    assert (answer["state"], answer["wish"]) == ("running", "cancel")
    catalog.jobs.end(job, owner, "cancelled", "")
    refused = client.post(f"/api/jobs/{job}/resume")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:sightline:job-ended")


def test_a_job_that_is_not_there(client: TestClient) -> None:
    assert client.get("/api/jobs/99").status_code == 404
    assert client.post("/api/jobs/99/pause").status_code == 404
    assert client.get("/api/jobs/0").status_code == 422


def test_another_site_changes_nothing(client: TestClient, catalog: Catalog) -> None:
    job = catalog.jobs.add("reindex", {}).id
    refused = client.post(f"/api/jobs/{job}/cancel", headers={"Origin": "http://elsewhere.example"})
    assert refused.status_code == 403
    assert catalog.jobs.get(job).state == "queued"


def test_a_resumed_job_runs_in_a_process_of_its_own(tmp_path: Path) -> None:
    model, library = make_checkpoint(tmp_path / "model"), tmp_path / "library"
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    command = ["index", str(tmp_path / "photos"), "--library", str(library), "--model", str(model)]
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    write(tmp_path / "photos" / "b.jpg", photo(60, 40, seed=1))
    with Catalog.open(library) as catalog:
        job = catalog.jobs.pause(catalog.jobs.add("index", {"folder": str(tmp_path / "photos")}).id)
        with TestClient(create_app(Settings(library=library))) as client:
            client.base_url = "http://127.0.0.1"  # type: ignore[assignment]
            assert client.post(f"/api/jobs/{job.id}/resume").json()["state"] == "queued"
        deadline = time.monotonic() + 60
        while catalog.jobs.get(job.id).state not in ("done", "failed"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert catalog.jobs.get(job.id).result is not None
        assert catalog.count() == 2
