"""The map over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from indexer.collection import Collection
from indexer.projection.making import make_map
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, client_of


@pytest.fixture
def own(library: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(library, tmp_path / "own"))


@pytest.fixture
def client(own: Path) -> Iterator[TestClient]:
    with client_of(app_over(own)) as client:
        yield client


def test_the_map_and_its_points(client: TestClient, own: Path) -> None:
    none = client.get("/api/map").json()
    assert (none["shown"], none["version"], none["regions"]) == (0, None, [])
    assert client.get("/api/map/points").status_code == 404
    with Collection.open(own) as collection:
        make_map(collection, PaletteEncoder(), lambda done, total: None, threads=1)
        ids = collection.catalog.ids()
    found = client.get("/api/map").json()
    assert (found["images"], found["shown"], found["stale"]) == (len(ids), len(ids), False)
    assert found["regions"][0]["level"] == 0
    answer = client.get("/api/map/points")
    data, count = answer.content, found["shown"]
    assert len(data) == 12 * count
    assert np.frombuffer(data[: 8 * count], "<i8").tolist() == ids.tolist()
    assert np.frombuffer(data[8 * count :], "<u2").max() == 65535
    known = {"If-None-Match": answer.headers["etag"]}
    assert client.get("/api/map/points", headers=known).status_code == 304
    with Collection.open(own) as collection:
        collection.catalog.remove(ids[:1].tolist())
    assert client.get("/api/map/points", headers=known).status_code == 200
    assert client.get("/api/map").json()["shown"] == count - 1
