"""Searches with terms, filters, the box, sorting and facets, over HTTP."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.web.test_api import colours, search
from tests.web.test_uploads import picture


def test_terms_with_weights_and_their_shares(client: TestClient) -> None:
    blue = search(client, text="blue", k=1)["hits"][0]["id"]
    terms = [
        {"text": "red"},
        {"image_id": blue, "weight": 0.9, "region": [0.5, 0, 0.5, 1]},
        {"text": "green", "weight": -0.5},
    ]
    answer = search(client, terms=terms, k=60)
    assert colours({"hits": answer["hits"][:12]}) == {"red", "blue"}
    assert colours({"hits": answer["hits"][-6:]}) == {"green"}
    for hit in answer["hits"]:
        assert sum(hit["shares"]) == pytest.approx(hit["score"], abs=1e-5)


def test_a_picture_sent_before_may_be_cropped(client: TestClient) -> None:
    sent = client.post("/api/search", files={"image": ("a.png", picture("cyan"))}).json()["query"]["query_image"]
    answer = search(client, terms=[{"query_image": sent, "region": [0.25, 0.25, 0.5, 0.5]}], k=6)
    assert colours(answer) == {"cyan"}


def test_what_facets_give_to_the_box_finds_what_they_counted(client: TestClient) -> None:
    answer = search(client, box="type:png", facets=True, timeline=True)
    assert {count["value"] for count in answer["facets"]["color"]} >= {"red", "blue", "yellow", "green"}
    for count in (*answer["facets"]["color"], *answer["timeline"]):
        found = search(client, box=f"type:png {count['box']}")
        assert found["matched"] == count["images"], count
    assert [month["month"] for month in answer["timeline"]] == ["2024-05"]


def test_a_timeline_of_a_search_counts_its_best_hits_and_gives_their_places(client: TestClient) -> None:
    answer = search(client, text="red", timeline=True, among=6, sort="newest")
    assert answer["facets"] is None
    assert [(month["images"], month["offset"]) for month in answer["timeline"]] == [(6, 0)]


def test_a_filter_facets_and_an_order(client: TestClient) -> None:
    asked = {"orientation": "portrait", "not": {"format": ["webp"]}}
    answer = search(client, filter=asked, sort="name", facets=True, k=100)
    assert answer["matched"] == len(answer["hits"]) == answer["facets"]["total"] == 10
    assert [hit["name"] for hit in answer["hits"]] == sorted(hit["name"] for hit in answer["hits"])
    assert answer["facets"]["orientation"] == [{"value": "portrait", "images": 10, "box": "orientation:portrait"}]
    assert answer["facets"]["year"] == [{"value": "2024", "images": 10, "box": "taken:2024"}]
    assert answer["facets"]["camera"] == [{"value": "Acme One", "images": 10, "box": 'camera:"Acme One"'}]
    assert {hit["score"] for hit in answer["hits"]} == {None}
    newest = search(client, text="red", sort="newest", among=6, filter=asked)
    assert [hit["taken_at"] for hit in newest["hits"]] == sorted(
        (hit["taken_at"] for hit in newest["hits"]), reverse=True
    )


def test_pages_of_a_listing_join_without_gap_or_repeat(client: TestClient) -> None:
    asked: dict[str, Any] = {"filter": {"format": ["png"]}, "sort": "oldest"}
    whole = search(client, **asked, k=100)["hits"]
    page = search(client, **asked, k=8)
    hits = page["hits"]
    while page["cursor"]:
        page = client.get("/api/search", params={"cursor": page["cursor"], "k": 8}).json()
        hits += page["hits"]
    assert hits == whole
    assert search(client, **asked, k=8, offset=8)["hits"] == whole[8:16]


def test_the_box_is_read_and_its_chips_come_back(client: TestClient) -> None:
    answer = search(client, box="red May 2024 -blue type:png OR type:jpeg", k=100)
    assert answer["meaning"] == "red"
    assert [(chip["kind"], chip["text"]) for chip in answer["chips"]] == [
        ("date", "May 2024"), ("not", "-blue"), ("format", "type:png"), ("format", "type:jpeg"),
    ]  # fmt: skip
    assert answer["chips"][0]["filter"] == {"taken": {"from": "2024-05-01T00:00:00", "before": "2024-06-01T00:00:00"}}
    assert answer["chips"][1]["excluded"] == "blue"
    assert answer["matched"] == 40
    assert colours({"hits": answer["hits"][:4]}) == {"red"}
    without = answer["chips"][3]["without"]
    assert without == "red May 2024 -blue type:png"
    assert search(client, box=without)["matched"] == 20
    assert search(client, filter=answer["chips"][2]["filter"])["matched"] == 20


def test_a_form_carries_terms_and_filters_as_json(client: TestClient) -> None:
    fields = {
        "terms": json.dumps([{"text": "blue", "weight": 0.1}]),
        "filter": json.dumps({"format": ["png"]}),
        "k": "2",
    }
    answer = client.post("/api/search", files={"image": ("a.png", picture("red"))}, data=fields)
    assert answer.status_code == 200, answer.text
    assert [hit["format"] for hit in answer.json()["hits"]] == ["png", "png"]
    assert len(answer.json()["hits"][0]["shares"]) == 2
    broken = client.post("/api/search", files={"image": ("a.png", picture("red"))}, data={"filter": "{"})
    assert (broken.status_code, "must be JSON" in broken.json()["detail"]) == (422, True)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"terms": [{"text": "a", "weight": 1}, {"text": "a", "weight": -1}]}, "cancel each other out"),
        ({"terms": [{"text": "people", "weight": -0.5}]}, "add what is"),
        ({"terms": [{"text": "a", "weight": 0}]}, "the weight 0"),
        ({"terms": [{"text": "a", "image_id": 1}]}, "a term is one of"),
        ({"terms": [{}]}, "a term is one of"),
        ({"terms": [{"text": "a", "region": [0, 0, 1, 1]}]}, "a text has no region"),
        ({"terms": [{"image_id": 1, "region": [0.5, 0, 0.6, 1]}]}, "outside the picture"),
        ({"text": "a", "filter": {"width": {"from": 10, "to": 5}}}, "swap the two"),
        ({"text": "a", "filter": {"taken": {"from": "2023-02-30"}}}, "is no date"),
        ({"text": "a", "filter": {}}, "a filter is an object"),
        ({"box": "from 2021 to 2019"}, "swap the two"),
        ({"box": "2023-02-31"}, "there is no day 31"),
        ({"box": " "}, "empty"),
        ({"text": "a", "prompts": ["a photo"]}, "in the place of the text"),
        ({"text": "a", "sort": "size"}, "sort: "),
        ({"cursor": "x.1", "facets": True}, "send nothing beside it"),
    ],
)
def test_what_cannot_be_asked_is_422(client: TestClient, body: dict[str, Any], says: str) -> None:
    answer = client.post("/api/search", json=body)
    assert answer.status_code == 422, answer.text
    assert says in answer.json()["detail"]
