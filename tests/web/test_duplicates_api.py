"""Duplicates over HTTP."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from indexer.catalog import Catalog
from indexer.duplicates.kinds import Link
from tests.web.conftest import app_over, client_of


@pytest.fixture
def client(library: Path, tmp_path: Path) -> Iterator[TestClient]:
    """Of a library where the images 1 to 3 are linked, and 4 and 5."""
    own = Path(shutil.copytree(library, tmp_path / "own"))
    with Catalog.open(own) as catalog:
        hashes = [catalog.get(image_id).content_hash for image_id in range(1, 6)]
        pairs = [(0, 1, "same", 0.98), (0, 2, "crop", 0.93), (3, 4, "burst", 0.9)]
        links = [Link(*sorted((hashes[a], hashes[b])), kind, sure) for a, b, kind, sure in pairs]  # type: ignore[arg-type]
        catalog.duplicate_store.replace(links)
    with client_of(app_over(own)) as client:
        yield client


def _ids(answer: dict[str, list[dict[str, list[dict[str, int]]]]]) -> list[set[int]]:
    return sorted(({image["id"] for image in group["images"]} for group in answer["groups"]), key=min)


def test_groups_page_by_page(client: TestClient) -> None:
    first = client.get("/api/duplicates?limit=1").json()
    second = client.get(f"/api/duplicates?limit=1&after={first['next_after']}").json()
    assert _ids({"groups": first["groups"] + second["groups"]}) == [{1, 2, 3}, {4, 5}]
    assert second["next_after"] is None
    [group] = client.get("/api/duplicates?class=crop").json()["groups"]
    assert (group["class"], group["confidence"]) == ("crop", 0.93)
    assert [(link["first"], link["second"], link["class"]) for link in group["links"]] == [
        (1, 2, "same"),
        (1, 3, "crop"),
    ]
    assert [image["keep"] for image in group["images"]] == [True, False, False]
    assert client.get("/api/duplicates?class=twins").status_code == 422


def test_groups_of_a_class_and_those_that_wait_for_a_decision(client: TestClient) -> None:
    assert _ids(client.get("/api/duplicates?only=crop").json()) == [{1, 2, 3}]
    assert _ids(client.get("/api/duplicates?only=same").json()) == []
    summary = client.get("/api/duplicates/summary").json()
    assert summary["groups"] == {"identical": 0, "same": 0, "crop": 1, "burst": 1, "look-alike": 0}
    assert (summary["undecided"], summary["looked_at"]) == (summary["groups"], None)
    client.post("/api/duplicates/decisions", json={"decision": "keep", "images": [3]})
    assert client.get("/api/duplicates/summary").json()["undecided"]["crop"] == 0
    assert _ids(client.get("/api/duplicates?undecided=true").json()) == [{4, 5}]


def test_files_beside_those_to_keep(client: TestClient) -> None:
    paths = {image["id"]: image["path"] for image in client.get("/api/images?limit=100").json()["images"]}
    same = client.get("/api/duplicates/others")  # of groups by what is the same picture: 1 and 2
    assert same.text == f"{paths[1]}\n"
    assert same.headers["content-disposition"].startswith("attachment")
    client.post("/api/duplicates/decisions", json={"decision": "keep", "images": [2]})
    only = client.get("/api/duplicates/others?class=burst&only=crop&null=true")
    assert set(only.text.split("\0")) == {paths[1], paths[3], ""}


def test_one_that_does_not_belong(client: TestClient) -> None:
    def decide(undo: bool) -> list[set[int]]:
        body = {"decision": "outside", "images": [3], "others": [1, 2], "undo": undo}
        answer = client.post("/api/duplicates/decisions", json=body)
        assert answer.status_code == 200, answer.text
        return _ids(answer.json())

    assert decide(False) == [{1, 2}]
    assert decide(True) == [{1, 2, 3}]


def test_the_group_of_an_image(client: TestClient) -> None:
    assert _ids(client.get("/api/images/2/duplicates").json()) == [{1, 2, 3}]
    of_three = client.get("/api/images/3/duplicates?class=same").json()
    assert (of_three["groups"], {image["id"] for image in of_three["images"]}) == ([], {1, 2, 3})
    of_six = client.get("/api/images/6/duplicates").json()
    assert (of_six["groups"], [image["id"] for image in of_six["images"]]) == ([], [6])
    assert client.get("/api/images/999999/duplicates").status_code == 404


def test_decisions_show_at_once(client: TestClient) -> None:
    def decide(decision: str, *images: int, undo: bool = False) -> dict[str, list[dict[str, object]]]:
        body = {"decision": decision, "images": images, "undo": undo}
        answer = client.post("/api/duplicates/decisions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()  # type: ignore[no-any-return]

    [group] = decide("keep", 3)["groups"]
    assert [image["id"] for image in group["images"] if image["decided"]] == [3]  # type: ignore[attr-defined]
    assert decide("apart", 4, 5) == {"groups": []}
    assert _ids(client.get("/api/duplicates").json()) == [{1, 2, 3}]
    decide("apart", 4, 5, undo=True)
    assert _ids(client.get("/api/duplicates").json()) == [{1, 2, 3}, {4, 5}]
    missing = client.post("/api/duplicates/decisions", json={"decision": "keep", "images": [999]})
    assert missing.status_code == 404
    alone = client.post("/api/duplicates/decisions", json={"decision": "apart", "images": [1]})
    assert alone.status_code == 422
    elsewhere = {"Origin": "http://elsewhere.example"}
    refused = client.post("/api/duplicates/decisions", json={"decision": "keep", "images": [1]}, headers=elsewhere)
    assert refused.status_code == 403


def test_results_without_the_duplicates(client: TestClient) -> None:
    plain = client.post("/api/search", json={"text": "red", "k": 100}).json()
    body = {"text": "red", "k": 20, "collapse_duplicates": True}
    page = client.post("/api/search", json=body).json()
    hits = page["hits"]
    assert len(hits) == 20
    while page["cursor"]:
        page = client.get(f"/api/search?cursor={page['cursor']}&k=20").json()
        hits += page["hits"]
    assert len(hits) == len(plain["hits"]) - 3
    assert sorted(hit["duplicates"] for hit in hits)[-2:] == [1, 2]
    assert {hit["duplicates"] for hit in plain["hits"]} == {0}
    form = client.post("/api/search", data={"text": "red", "k": "100", "collapse_duplicates": "true"}, files={"x": b""})
    assert form.status_code == 422  # `x` is none of its fields
    sent = {"text": (None, "red"), "k": (None, "100"), "collapse_duplicates": (None, "true")}
    assert len(client.post("/api/search", files=sent).json()["hits"]) == len(hits)
