"""Tags, marks and concepts over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from indexer.collection import Collection
from indexer.tags.labels import read_labels
from indexer.tags.tagging import add_list, refresh
from search.box_text import box_text
from tests.palette import PaletteEncoder
from tests.web.conftest import app_over, client_of


@pytest.fixture(scope="module")
def client(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    own = Path(shutil.copytree(library, tmp_path_factory.mktemp("tags") / "own"))
    with Collection.open(own) as collection, collection.writing():
        add_list(collection.catalog.tags, "colours", read_labels("red\ngreen"))
        refresh(collection, PaletteEncoder())
    with client_of(app_over(own)) as client:
        yield client


def _ids(client: TestClient, **asked: object) -> list[int]:
    answer = client.post("/api/search", json=asked)
    assert answer.status_code == 200, answer.text
    return [hit["id"] for hit in answer.json()["hits"]]


def test_lists_and_tags_are_counted_and_facets_say_the_same(client: TestClient) -> None:
    answer = client.get("/api/tags?limit=1").json()
    assert answer["lists"] == [{"name": "colours", "labels": 2}]
    [most] = answer["tags"]
    found = client.post("/api/search", json={"filter": {"tag": most["name"]}, "facets": True}).json()
    assert found["matched"] == most["images"] > 0
    assert found["facets"]["tag"][0] == {
        "value": most["name"],
        "images": most["images"],
        "box": box_text("tag", most["name"]),
    }


def test_a_list_is_put_read_and_forgotten(client: TestClient) -> None:
    put = client.put("/api/tag-lists/Warm", json={"text": "red: crimson | 0.2\norange\n"})
    assert put.json() == {"name": "warm", "labels": 2, "text": "red: crimson | 0.2\norange\n"}
    assert client.get("/api/tag-lists/warm").json() == put.json()
    assert {"name": "warm", "labels": 2} in client.get("/api/tags").json()["lists"]
    assert client.delete("/api/tag-lists/warm").status_code == 200
    for method, name, body in (
        ("GET", "warm", None),
        ("DELETE", "warm", None),
        ("PUT", "everyday", {"text": "red"}),
        ("PUT", "warm", {"text": "red | 7"}),
        ("PUT", "warm", {}),
        ("PUT", "concepts", {"text": "red"}),
    ):
        assert client.request(method, f"/api/tag-lists/{name}", json=body).status_code == 422


def test_examples_of_a_tag_are_those_that_it_fits_best(client: TestClient) -> None:
    images = client.get("/api/tag-examples?tag=green&limit=3").json()["images"]
    scores = [
        next(
            tag["score"]
            for tag in client.get(f"/api/images/{image['id']}/tags").json()["tags"]
            if tag["name"] == "green"
        )
        for image in images
    ]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert client.get("/api/tag-examples?tag=nothing").json() == {"images": []}


def test_a_tag_by_hand_is_found_hidden_and_taken_back(client: TestClient) -> None:
    [red] = _ids(client, text="red", k=1)
    tags = client.post(f"/api/images/{red}/tags", json={"add": ["Holiday"], "remove": ["red"]}).json()["tags"]
    assert tags == client.get(f"/api/images/{red}/tags").json()["tags"]
    assert [tag["name"] for tag in tags] == ["holiday"]
    assert _ids(client, box="tag:holiday") == [red]
    assert red not in _ids(client, box="red -tag:holiday", k=100)
    client.post(f"/api/images/{red}/tags", json={"remove": ["holiday"]})
    answer = client.post("/api/search", json={"box": "red -tag:holiday"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:sightline:invalid-query")
    assert client.get("/api/images/999/tags").status_code == 404


def test_marks_rank_again_and_a_concept_remembers_them(client: TestClient) -> None:
    before = _ids(client, text="blue", k=20)
    [cyan], wrong = _ids(client, text="cyan", k=1), before[0]
    after = _ids(client, text="blue", feedback={"right": [cyan], "wrong": [wrong]}, k=20)
    assert wrong not in after
    assert after.index(cyan) < len(after) - 1
    taught = client.put("/api/concepts/Sea", json={"query": "cyan", "right": [cyan], "wrong": [wrong]})
    assert taught.json()["name"] == "sea"
    assert cyan in _ids(client, box="concept:sea", k=60)
    assert len(_ids(client, filter={"tag": "sea"}, k=60)) == taught.json()["images"]
    assert client.get("/api/concepts").json() == {
        "concepts": [{"name": "sea", "query": "cyan", "right": 1, "wrong": 1}]
    }
    assert client.get("/api/concepts/sea").json() == {"name": "sea", "query": "cyan", "right": [cyan], "wrong": [wrong]}
    [renamed] = client.patch("/api/concepts/sea", json={"name": "The Sea"}).json()["concepts"]
    assert renamed["name"] == "the sea"
    assert len(_ids(client, filter={"tag": "the sea"}, k=60)) == taught.json()["images"]
    assert client.patch("/api/concepts/sea", json={"name": "x"}).status_code == 422
    assert client.delete("/api/concepts/the sea").json() == {"concepts": []}
    assert client.delete("/api/concepts/sea").status_code == 422
