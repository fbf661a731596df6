"""Several collections behind one service: searched together or apart, and one that is away."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from indexer.catalog import Catalog
from indexer.config import Settings
from indexer.errors import CollectionNotFound
from indexer.jobs.store import Jobs
from tests.palette import PaletteEncoder
from tests.web.conftest import client_of, draw, index
from web import collections as web_collections
from web.app import create_app
from web.collections import open_collections


@pytest.fixture
def libraries(tmp_path: Path) -> dict[str, Path]:
    """`warm` and `cold` of three pictures each, and `away`, which is not there."""
    for name, colours in {"warm": ("red", "orange", "yellow"), "cold": ("blue", "cyan", "red")}.items():
        folder = tmp_path / f"{name}-pictures"
        folder.mkdir()
        for mark, colour in enumerate(colours):
            draw(folder / f"{name}-{colour}.png", colour, (64, 48), mark)
        index(folder, tmp_path / name)
    return {name: tmp_path / name for name in ("warm", "cold", "away")}


@pytest.fixture
def client(libraries: dict[str, Path]) -> Iterator[TestClient]:
    settings = Settings(library=libraries["warm"])
    with (
        open_collections(settings, libraries, PaletteEncoder()) as collections,
        client_of(create_app(settings, collections=collections)) as client,
    ):
        yield client


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [hit["name"] for hit in answer["hits"]]


def test_they_are_listed_with_what_is_wrong(client: TestClient) -> None:
    warm, cold, away = client.get("/api/collections").json()["collections"]
    assert (warm["name"], warm["images"], warm["model"], warm["problem"]) == ("warm", 3, "palette", None)
    assert (cold["name"], cold["images"]) == ("cold", 3)
    assert (away["name"], away["images"]) == ("away", None)
    assert "no collection in" in away["problem"]


def test_together_unless_some_are_named(client: TestClient) -> None:
    answer = client.post("/api/search", json={"text": "red", "k": 2}).json()
    assert {hit["collection"]: hit["name"] for hit in answer["hits"]} == {
        "warm": "warm-red.png",
        "cold": "cold-red.png",
    }
    assert (answer["images"], answer["joined"], answer["next_offset"]) == (6, "score", 2)
    assert [missing["collection"] for missing in answer["unanswered"]] == ["away"]
    following = client.get("/api/search", params={"cursor": answer["cursor"], "k": 10}).json()
    assert [hit["rank"] for hit in following["hits"]] == [3, 4, 5, 6]
    assert not set(names(answer)) & set(names(following))

    alone = client.post("/api/search?collection=cold", json={"text": "red", "k": 2}).json()
    assert {hit["collection"] for hit in alone["hits"]} == {"cold"}
    assert (alone["joined"], alone["unanswered"], alone["images"]) == (None, [], 3)
    more = client.get("/api/search", params={"cursor": alone["cursor"], "collection": "cold"}).json()
    assert len(more["hits"]) == 1


def test_every_route_takes_the_collection_and_links_name_it(client: TestClient) -> None:
    [hit] = client.post("/api/search?collection=cold", json={"text": "blue", "k": 1}).json()["hits"]
    assert hit["name"] == "cold-blue.png"
    for url in (hit["thumbnail_url"], hit["original_url"]):
        assert "collection=cold" in url
        assert client.get(url).status_code == 200
    assert client.get(f"/api/images/{hit['id']}?collection=cold").json()["name"] == "cold-blue.png"
    assert client.get(f"/api/images/{hit['id']}").json()["name"].startswith("warm-")
    assert {image["collection"] for image in client.get("/api/images?collection=cold").json()["images"]} == {"cold"}
    assert client.get("/api/stats?collection=cold").json()["library"].endswith("/cold")
    like = client.post("/api/search?collection=cold", json={"image_id": hit["id"], "k": 1}).json()
    assert names(like) == ["cold-blue.png"]


def test_a_picture_that_was_sent_is_searched_with_everywhere(client: TestClient, tmp_path: Path) -> None:
    picture = (tmp_path / "cold-pictures" / "cold-blue.png").read_bytes()
    sent = client.post("/api/search", data={"k": "1"}, files={"image": ("mine.png", picture)}).json()
    assert names(sent) == ["cold-blue.png"]
    again = client.post("/api/search?collection=cold", json={"query_image": sent["query"]["query_image"], "k": 1})
    assert names(again.json()) == ["cold-blue.png"]


def test_jobs_are_of_their_collection(
    client: TestClient, libraries: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []
    monkeypatch.setattr("web.library_api.start_worker", lambda library, job_id: begun.append(library))
    job = client.post("/api/jobs?collection=cold", json={"kind": "reindex", "model": "mini"}).json()["id"]
    assert begun == [libraries["cold"]]
    with Catalog.open(libraries["cold"]) as catalog:
        assert isinstance(catalog.jobs, Jobs)
        assert catalog.jobs.get(job).state == "queued"
    assert client.get("/api/jobs").json() == {"jobs": []}


def test_what_cannot_be_asked_for(client: TestClient) -> None:
    assert client.get("/api/stats?collection=nothing").status_code == 404
    assert client.post("/api/search?collection=nothing", json={"text": "red"}).status_code == 404
    assert client.get("/api/stats?collection=away").status_code == 503
    both = client.post("/api/search", json={"image_id": 1})
    assert (both.status_code, both.json()["type"]) == (422, "urn:sightline:invalid-query")


def test_one_that_comes_back_is_taken_in(
    client: TestClient, libraries: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(libraries["cold"], libraries["away"])
    assert client.get("/api/stats?collection=away").status_code == 503  # not tried again at once
    monkeypatch.setattr(web_collections, "RETRY_SECONDS", 0.0)
    deadline = time.monotonic() + 30
    while (answer := client.get("/api/stats?collection=away")).status_code == 503:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert answer.json()["images"] == 3
    assert client.post("/api/search", json={"text": "red"}).json()["unanswered"] == []


def test_none_that_can_be_opened(tmp_path: Path) -> None:
    nowhere = {name: tmp_path / name for name in ("a", "b")}
    with pytest.raises(CollectionNotFound, match="/a'"), open_collections(Settings(library=tmp_path), nowhere):
        pass


def test_collections_of_one_model_share_it(libraries: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []

    def load(model: str, **_: object) -> PaletteEncoder:
        loaded.append(model)
        return PaletteEncoder()

    monkeypatch.setattr(web_collections, "load_encoder", load)
    with open_collections(Settings(library=libraries["warm"]), libraries) as collections:
        assert [member is not None for member in collections.members(["warm", "cold"]).values()] == [True, True]
    assert loaded == ["palette"]
