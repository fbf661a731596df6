"""Models and jobs over HTTP."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from indexer.catalog import Catalog
from indexer.config import Settings
from indexer.jobs.leases import new_owner
from indexer.library_folder import locked
from indexer.roots import Root
from tests.checkpoints import make_checkpoint
from tests.indexer.sources.conftest import jpeg, make_tar
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


def test_jobs_are_paused_resumed_and_cancelled(client: TestClient, catalog: Catalog, begun: list[int]) -> None:
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


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Jobs that a process would have been started for."""
    begun: list[int] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(job_id))
    return begun


def test_a_folder_that_was_indexed_before_is_indexed_again(
    client: TestClient, catalog: Catalog, picture_folder: Path, begun: list[int]
) -> None:
    wanted = {"kind": "index", "folder": str(picture_folder)}
    refused = client.post("/api/jobs", json=wanted)
    assert (refused.status_code, begun) == (403, [])
    assert "SIGHTLINE_JOB_FOLDERS" in refused.json()["detail"]
    first, owner = catalog.jobs.add("index", {"folder": str(picture_folder)}), new_owner()
    catalog.jobs.claim(first.id, owner)
    assert client.get("/api/startable").json()["folders"] == [str(picture_folder)]
    busy = client.post("/api/jobs", json=wanted)
    assert (busy.status_code, busy.json()["type"]) == (409, "urn:sightline:job-busy")
    catalog.jobs.end(first.id, owner, "done", "")
    job = client.post("/api/jobs", json=wanted).json()
    assert (job["state"], job["arguments"], begun) == ("queued", {"folder": str(picture_folder)}, [job["id"]])
    gone = client.post("/api/jobs", json=wanted | {"folder": str(picture_folder / "gone")})
    assert (gone.status_code, gone.json()["type"]) == (422, "urn:sightline:source-not-found")


def test_a_source_of_another_kind_is_indexed_again_as_it_was(
    client: TestClient, catalog: Catalog, begun: list[int], tmp_path: Path
) -> None:
    archive = str(make_tar(tmp_path / "x.tar", [("a.jpg", jpeg(1))]))
    wanted = {"kind": "index", "folder": archive, "source": "tar"}
    assert client.post("/api/jobs", json=wanted).status_code == 403
    catalog.roots.put(Root(archive, "tar"), Root("/list.csv", "list", {"column": "copy"}))
    assert client.get("/api/startable").json()["sources"] == [
        {"path": "/list.csv", "kind": "list"},
        {"path": archive, "kind": "tar"},
    ]
    job = client.post("/api/jobs", json=wanted).json()
    assert (job["arguments"], begun) == ({"places": [archive], "kind": "tar", "options": {}}, [job["id"]])
    roots = {root["path"]: root for root in client.get("/api/stats").json()["roots"]}
    assert roots[archive]["kind"] == "tar"


def test_another_model_is_filled_if_the_owner_has_it(client: TestClient, catalog: Catalog, begun: list[int]) -> None:
    assert client.get("/api/startable").json()["models"][:2] == ["palette", "mini"]
    job = client.post("/api/jobs", json={"kind": "reindex", "model": "mini"}).json()
    assert (job["kind"], job["arguments"], begun) == ("reindex", {"model": "mini"}, [job["id"]])
    refused = client.post("/api/jobs", json={"kind": "reindex", "model": "local-dir:/etc"})
    assert (refused.status_code, len(begun)) == (403, 1)
    assert client.post("/api/jobs", json={"kind": "dream"}).status_code == 422


def test_other_jobs_are_begun_if_asked(client: TestClient, begun: list[int]) -> None:
    job = client.post("/api/jobs", json={"kind": "reindex", "model": "mini", "from_thumbnails": True}).json()
    assert job["arguments"] == {"model": "mini", "from_thumbnails": True}
    job = client.post("/api/jobs", json={"kind": "deduplicate"}).json()
    assert (job["kind"], job["arguments"], begun[-1]) == ("deduplicate", {}, job["id"])
    job = client.post("/api/jobs", json={"kind": "tag"}).json()
    assert (job["kind"], job["arguments"], begun[-1]) == ("tag", {}, job["id"])


def test_models_change_over_and_back(client: TestClient, catalog: Catalog) -> None:
    [first] = client.get("/api/models").json()["models"]
    nothing = client.post("/api/models/rollback")
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:sightline:no-previous-model")
    turned = catalog.of_model(catalog.models.add(PaletteEncoder(model="turned", weights_hash="1" * 64).manifest))
    early = client.post(f"/api/models/{turned.model_id}/promote")
    assert (early.status_code, early.json()["type"]) == (409, "urn:sightline:not-ready")
    missing = turned.missing(1000)
    turned.fill(missing, np.stack([catalog.vector(state.id) for state in missing]))
    with locked(catalog.library, seconds=0):
        assert client.post(f"/api/models/{turned.model_id}/promote").status_code == 409
    changed = client.post(f"/api/models/{turned.model_id}/promote").json()["models"]
    assert [(model["model"], model["serving"]) for model in changed] == [("palette", False), ("turned", True)]
    back = client.post("/api/models/rollback").json()["models"]
    assert [(model["id"], model["serving"]) for model in back if model["serving"]] == [(first["id"], True)]
    assert client.post("/api/models/99/promote").status_code == 404


def test_names_that_are_not_utf8_are_shown_all_the_same(client: TestClient, catalog: Catalog) -> None:
    job = catalog.jobs.add("index", {"folder": "/photos/\udcff"})
    shown = client.get(f"/api/jobs/{job.id}").json()
    assert shown["arguments"] == {"folder": "/photos/\ufffd"}
    assert client.get("/api/startable").json()["folders"] == ["/photos/\ufffd"]


def test_a_job_that_is_not_there(client: TestClient) -> None:
    assert client.get("/api/jobs/99").status_code == 404
    assert client.post("/api/jobs/99/pause").status_code == 404
    assert client.get("/api/jobs/0").status_code == 422


def test_another_site_changes_nothing(client: TestClient, catalog: Catalog) -> None:
    job = catalog.jobs.add("reindex", {}).id
    refused = client.post(f"/api/jobs/{job}/cancel", headers={"Origin": "http://elsewhere.example"})
    assert refused.status_code == 403
    assert catalog.jobs.get(job).state == "queued"


def test_a_job_begun_here_runs_in_a_process_of_its_own_and_outlives_the_service(tmp_path: Path) -> None:
    model, library = make_checkpoint(tmp_path / "model"), tmp_path / "library"
    write(tmp_path / "photos" / "a.jpg", photo(60, 40))
    command = ["index", str(tmp_path / "photos"), "--library", str(library), "--model", str(model)]
    assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
    write(tmp_path / "photos" / "b.jpg", photo(60, 40, seed=1))
    with Catalog.open(library) as catalog:
        with TestClient(create_app(Settings(library=library))) as client:
            client.base_url = "http://127.0.0.1"  # type: ignore[assignment]
            wanted = {"kind": "index", "folder": str(tmp_path / "photos")}
            job = client.post("/api/jobs", json=wanted).json()["id"]
        deadline = time.monotonic() + 60
        while catalog.jobs.get(job).state not in ("done", "failed"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert catalog.jobs.get(job).result is not None
        assert catalog.count() == 2
