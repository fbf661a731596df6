"""A training that is begun over HTTP: of the collection's own captions, into its own folder."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from indexer.catalog import Catalog
from indexer.collection import Collection
from indexer.config import Settings
from indexer.encoder import load_encoder
from indexer.jobs.kinds import run
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.checkpoints import make_checkpoint
from tests.indexer.training.colours import paint
from tests.web.conftest import client_of
from web.app import create_app

TRAINING = {"kind": "train", "train": "adapter", "epochs": 2, "batch_size": 8, "held_out": 0.2}


@pytest.fixture
def model(tmp_path: Path) -> str:
    return f"local-dir:{make_checkpoint(tmp_path / 'model')}"


@pytest.fixture
def library(tmp_path: Path, model: str) -> Path:
    encoder = load_encoder(model, device="cpu")
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        assert sync(collection, encoder, FolderSource(paint(tmp_path / "painted", shades=2))).added
    return tmp_path / "library"


@pytest.fixture
def client(library: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Jobs are run at once and here: that they run in a process of their own is tested elsewhere."""

    def run_here(library: Path, job_id: int) -> None:
        with Collection.open(library) as collection:
            run(collection, collection.catalog.jobs.get(job_id), Settings(library=library), lambda progress: None)

    monkeypatch.setattr("web.library_api.start_worker", run_here)
    with client_of(create_app(Settings(library=library, device="cpu"))) as client:
        yield client


def result_of(client: TestClient, job: dict[str, Any]) -> dict[str, Any]:
    shown = client.get(f"/api/jobs/{job['id']}").json()
    assert shown["state"] == "done", shown
    result: dict[str, Any] = shown["result"]
    return result


def test_a_model_is_trained_fills_the_collection_and_answers(client: TestClient, library: Path, model: str) -> None:
    assert client.get("/api/startable").json()["models"][0] == model
    job = client.post("/api/jobs", json=TRAINING | {"model": model}).json()
    trained = result_of(client, job)["model"]
    assert trained == f"local-dir:{library}/trained/{job['id']}"
    assert trained in client.get("/api/startable").json()["models"]
    result_of(client, client.post("/api/jobs", json={"kind": "reindex", "model": trained}).json())
    [_, other] = client.get("/api/models").json()["models"]
    assert client.post(f"/api/models/{other['id']}/promote").status_code == 200
    deadline = time.monotonic() + 20
    while client.get("/api/stats").json()["model"] != trained:
        assert len(client.post("/api/search", json={"text": "the red", "k": 5}).json()["hits"]) == 5
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # And what was trained is something to begin with.
    again = client.post("/api/jobs", json=TRAINING | {"model": trained, "epochs": 1}).json()
    assert result_of(client, again)["model"] == f"local-dir:{library}/trained/{again['id']}"


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"model": "local-dir:/etc"}, 403),
        ({"model": "hf-hub:some/thing"}, 403),
        ({"epochs": 101}, 422),
        ({"learning_rate": 1.0}, 422),
        ({"batch_size": 100_000}, 422),
        ({"out": "/etc"}, 422),
        ({"data": ["/etc"]}, 422),
    ],
)
def test_neither_data_nor_folder_nor_anything_costly_can_be_chosen(
    client: TestClient, library: Path, model: str, more: dict[str, Any], status: int
) -> None:
    assert client.post("/api/jobs", json=TRAINING | {"model": model} | more).status_code == status
    assert client.get("/api/jobs").json() == {"jobs": []}


def test_a_collection_that_has_moved_trains_where_it_is(library: Path, model: str, tmp_path: Path) -> None:
    with Catalog.open(library) as catalog:
        recipe = {"epochs": 1, "train": "adapter"}
        job = catalog.jobs.add("train", {"model": model, "recipe": recipe, "skip_missing": False})
    moved = library.rename(tmp_path / "moved")
    with Collection.open(moved) as collection:
        done = run(collection, job, Settings(library=moved), lambda progress: None)
    assert done.result is not None
    assert done.result["out"] == f"{moved}/trained/{job.id}"
