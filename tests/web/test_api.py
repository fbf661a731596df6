from __future__ import annotations

import os
import time
from base64 import b64decode
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from indexer import __version__
from indexer.collection import Collection
from indexer.roots import Root
from indexer.vectors.segmented import SegmentedIndex
from tests.indexer.test_xmp import packet
from tests.web.conftest import PICTURES, app_over, client_of, draw, index

FIELDS = {
    "id", "path", "name", "seconds",
    "width", "height", "format", "size", "taken_at", "camera", "thumbnail_url", "original_url",
    "preview", "collection",
}  # fmt: skip


def search(client: TestClient, **body: Any) -> dict[str, Any]:
    answer = client.post("/api/search", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def colours(answer: dict[str, Any]) -> set[str]:
    return {hit["name"].partition("-")[0] for hit in answer["hits"]}


def test_a_text_finds_the_pictures_it_names(client: TestClient, picture_folder: Path) -> None:
    answer = search(client, text="magenta", k=6)
    assert colours(answer) == {"magenta"}
    assert answer["images"] == PICTURES
    assert answer["seconds"] > 0
    assert answer["query"] == {"text": "magenta", "image_id": None, "query_image": None}
    first = answer["hits"][0]
    assert set(first) == FIELDS | {"rank", "score", "shares", "probability", "duplicates", "routes", "words"}
    assert first["rank"] == 1
    assert 0.5 < first["score"] <= 1
    assert first["path"] == str(picture_folder / first["name"])
    assert first["size"] == (picture_folder / first["name"]).stat().st_size


def test_words_come_with_what_is_likely_if_it_is_asked_for(client: TestClient) -> None:
    plain = search(client, text="magenta", k=20)
    assert plain["matches"] is plain["no_match"] is plain["hits"][0]["probability"] is None
    answer = search(client, text="magenta", k=20, relevance=True)
    assert [hit["id"] for hit in answer["hits"]] == [hit["id"] for hit in plain["hits"]]
    likely = [hit["probability"] for hit in answer["hits"]]
    assert all(0 <= probability <= 1 for probability in likely)
    assert min(likely[:6]) > max(likely[6:])
    assert answer["matches"]["low"] <= answer["matches"]["about"] <= answer["matches"]["high"]
    assert answer["no_match"] is False
    least = sorted(likely)[-3]
    surest = search(client, text="magenta", min_probability=least, k=2)
    assert [hit["probability"] for hit in surest["hits"]] == [p for p in likely if p >= least][:2]
    rest = client.get("/api/search", params={"cursor": surest["cursor"], "k": 20}).json()
    assert (len(rest["hits"]), rest["next_offset"]) == (1, None)
    assert rest["matches"] == answer["matches"]


def test_probabilities_go_with_their_hits_in_duplicates_filters_and_later_pages(client: TestClient) -> None:
    answer = search(client, text="magenta", k=60, relevance=True)
    likely = {hit["id"]: hit["probability"] for hit in answer["hits"]}
    first = search(client, text="magenta", k=25, relevance=True, collapse_duplicates=True)
    later = client.get("/api/search", params={"cursor": first["cursor"], "k": 25}).json()
    for hit in first["hits"] + later["hits"]:
        assert hit["probability"] == pytest.approx(likely[hit["id"]], abs=1e-4)
    none = search(client, text="magenta", relevance=True, filter={"format": ["gif"]})
    assert (none["matched"], none["matches"]["about"], none["no_match"]) == (0, 0, True)


def test_of_pictures_nothing_is_claimed(client: TestClient) -> None:
    answer = search(client, image_id=1, k=3, relevance=True)
    assert [hit["probability"] for hit in answer["hits"]] == [None] * 3
    assert answer["matches"] is answer["no_match"] is None
    refused = client.post("/api/search", json={"image_id": 1, "min_probability": 0.5})
    assert refused.status_code == 422
    assert "texts alone" in refused.json()["detail"]


def test_an_indexed_image_finds_itself_first(client: TestClient) -> None:
    wanted = search(client, text="green", k=1)["hits"][0]
    found = search(client, image_id=wanted["id"])["hits"][0]
    assert found["id"] == wanted["id"]
    assert found["score"] == pytest.approx(1, abs=2e-3)


def test_a_blank_text_beside_a_picture_says_nothing(client: TestClient) -> None:
    image_id = search(client, text="green", k=1)["hits"][0]["id"]
    assert search(client, image_id=image_id, text="  ")["hits"] == search(client, image_id=image_id)["hits"]


def test_pages_join_without_gap_or_repeat(client: TestClient) -> None:
    whole = search(client, text="blue", k=PICTURES)
    assert whole["next_offset"] is None
    pages: list[dict[str, Any]] = []
    offset: int | None = 0
    while offset is not None:
        page = search(client, text="blue", k=25, offset=offset)
        pages += page["hits"]
        offset = page["next_offset"]
    assert pages == whole["hits"]
    assert [hit["rank"] for hit in pages] == list(range(1, PICTURES + 1))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_cursor_goes_on_where_the_page_ended(client: TestClient, method: str) -> None:
    whole = search(client, text="blue", k=PICTURES)
    assert whole["cursor"] is None
    page = search(client, text="blue", k=25)
    hits = page["hits"]
    while page["cursor"] is not None:
        asked = {"cursor": page["cursor"], "k": 25}
        answer = client.get("/api/search", params=asked) if method == "GET" else client.post("/api/search", json=asked)
        page = answer.json()
        assert (answer.status_code, page["query"]) == (200, None)
        hits += page["hits"]
        assert page["next_offset"] == (len(hits) if page["cursor"] else None)
    assert hits == whole["hits"]


def test_a_cursor_and_an_offset_are_another_place_in_the_same_search(client: TestClient) -> None:
    whole = search(client, text="blue", k=PICTURES)
    cursor = search(client, text="blue", k=5)["cursor"]
    answer = client.get("/api/search", params={"cursor": cursor, "k": 10, "offset": 30}).json()
    assert answer["hits"] == whole["hits"][30:40]
    assert answer["next_offset"] == 40


def test_an_order_alone_lists_every_image(client: TestClient) -> None:
    answer = search(client, sort="name", k=PICTURES)
    names = [hit["name"] for hit in answer["hits"]]
    assert names == sorted(names)
    assert len(names) == answer["matched"] == PICTURES


def test_an_expired_cursor_is_410_and_says_what_to_do(client: TestClient) -> None:
    for answer in (
        client.get("/api/search", params={"cursor": "long-gone.40"}),
        client.post("/api/search", json={"cursor": "long-gone.40"}),
    ):
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:sightline:cursor-expired"
        assert "search again" in answer.json()["detail"]


def test_a_word_of_a_name_finds_an_image_and_the_answer_says_where(client: TestClient) -> None:
    first = search(client, text="still-life")["hits"][0]
    assert search(client, text="still-life", words=False)["hits"][0]["words"] == []
    assert first["routes"] == ["meaning"]
    name = first["name"].partition(".")[0]
    found = search(client, text=name, k=50)["hits"]
    [hit] = [hit for hit in found if hit["name"] == first["name"]]
    assert hit["routes"] == ["meaning", "words"]
    [match, *_] = hit["words"]
    assert match["field"] == "name"
    assert "-".join(match["text"][start:end] for start, end in match["spans"]) == name
    [chip] = search(client, box=f'"{name}"')["chips"]
    assert (chip["kind"], chip["filter"]) == ("exact", {"phrase": name})


def test_a_page_keeps_its_place_while_the_collection_changes(own_library: tuple[Path, Path]) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        first = search(client, text="red", k=1)
        draw(folder / "redder.jpg", "red", (160, 120), 0)
        (folder / "blue.png").rename(folder / "still-blue.png")
        index(folder, library)
        second = client.get("/api/search", params={"cursor": first["cursor"], "k": 5}).json()
        assert [(hit["rank"], hit["name"]) for hit in second["hits"]] == [(2, "still-blue.png")]
        assert search(client, text="red", k=1, words=False)["hits"][0]["name"] == "redder.jpg"


def test_an_offset_beyond_the_end_is_an_empty_last_page(client: TestClient) -> None:
    answer = search(client, text="blue", offset=10_000)
    assert answer["hits"] == []
    assert answer["next_offset"] is None


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({}, 422, "nothing to search by"),
        ({"text": ""}, 422, "empty"),
        ({"text": " \n "}, 422, "empty"),
        ({"text": "a" * 100_000}, 422, "100,000 characters; the limit is 2,000"),
        ({"text": "a", "k": 0}, 422, "k: "),
        ({"text": "a", "k": 1_000_000}, 422, "k: "),
        ({"text": "a", "k": "40"}, 422, "k: "),
        ({"text": "a", "offset": -1}, 422, "offset: "),
        ({"text": 5}, 422, "text: "),
        ({"colour": "red"}, 422, "colour: "),
        ({"image_id": 987_654}, 404, "no image with id 987654"),
        ({"image_id": 2**63}, 422, "image_id: "),
        ({"query_image": "0" * 64}, 404, "no query picture"),
        ({"query_image": "../../catalog.db"}, 422, "query_image: "),
        ({"cursor": "a.1", "text": "a"}, 422, "nothing beside it but k"),
        ({"cursor": 5}, 422, "cursor: "),
        ([], 422, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_searches_that_are_refused(client: TestClient, body: object, status: int, says: str) -> None:
    answer = client.post("/api/search", json=body)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("body", [b"", b"null", b"{", b'{"text": "\xff"}', b'{"text": "\\ud800"}', b"[" * 100_000])
def test_a_body_that_is_no_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/api/search", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_json_body_over_its_limit_is_413(client: TestClient) -> None:
    assert client.post("/api/search", json={"text": "a" * (2 * 1024 * 1024)}).status_code == 413


def test_the_newest_images_come_first_page_by_page(client: TestClient) -> None:
    first = client.get("/api/images").json()
    assert len(first["images"]) == 40
    second = client.get("/api/images", params={"before": first["next_before"]}).json()
    assert second["next_before"] is None
    ids = [image["id"] for image in first["images"] + second["images"]]
    assert len(ids) == PICTURES
    assert ids == sorted(ids, reverse=True)
    within = client.get("/api/images", params={"before": ids[9], "offset": 5, "limit": 3}).json()
    assert [image["id"] for image in within["images"]] == ids[15:18]


def test_what_is_said_of_an_image_and_what_belongs_to_it(own_library: tuple[Path, Path]) -> None:
    folder, library = own_library
    (folder / "red.txt").write_text("a red bar")
    (folder / "red.xmp").write_bytes(
        packet("<dc:subject><rdf:Bag><rdf:li>bar</rdf:li></rdf:Bag></dc:subject>", 'xmp:Rating="5" dc:title="Bar"')
    )
    (folder / "red.CR2").touch()
    index(folder, library)
    with client_of(app_over(library)) as client:
        (found,) = (i for i in client.get("/api/images").json()["images"] if i["name"] == "red.jpg")
        image = client.get(f"/api/images/{found['id']}").json()
    said = {name: image[name] for name in ("title", "captions", "keywords", "rating", "companions")}
    assert said == {
        "title": "Bar",
        "captions": ["a red bar"],
        "keywords": ["bar"],
        "rating": 5,
        "companions": [str(folder / "red.CR2")],
    }


def test_stats_say_which_roots_are_offline(own_library: tuple[Path, Path]) -> None:
    folder, library = own_library
    with Collection.open(library) as collection:
        collection.catalog.roots.put(Root(str(folder)))
        collection.catalog.roots.offline(Root(str(folder)), "unplugged")
    with client_of(app_over(library)) as client:
        [root] = client.get("/api/stats").json()["roots"]
    assert root == {
        "path": str(folder), "kind": "folder", "state": "offline", "reason": "unplugged", "synced_at": None
    }  # fmt: skip


def test_a_last_page_that_is_full_names_no_next_one(client: TestClient) -> None:
    assert client.get("/api/images", params={"limit": PICTURES}).json()["next_before"] is None


def test_an_image_is_described(client: TestClient, picture_folder: Path) -> None:
    (found,) = (i for i in client.get("/api/images?limit=100").json()["images"] if i["name"] == "red-1.jpg")
    image = client.get(f"/api/images/{found['id']}").json()
    said = {"title": None, "captions": [], "keywords": [], "rating": None, "companions": []}
    assert image == found | said
    assert set(found) == FIELDS
    assert (image["width"], image["height"], image["format"]) == (120, 160, "jpeg")
    assert image["taken_at"] == "2024-05-02T17:42:08"
    assert image["camera"] == "Acme One"
    kind, _, preview = image["preview"].partition(";base64,")
    assert kind == "data:image/webp"
    assert Image.open(BytesIO(b64decode(preview))).size == (12, 16)


@pytest.mark.parametrize("suffix", ["", "/thumbnail", "/original"])
@pytest.mark.parametrize(
    ("image_id", "status"), [("987654", 404), ("0", 404), ("-1", 422), (str(2**63), 422), ("x", 422)]
)
def test_ids_that_are_not_there(client: TestClient, image_id: str, suffix: str, status: int) -> None:
    answer = client.get(f"/api/images/{image_id}{suffix}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_an_original_is_the_file_itself_and_can_run_nothing(client: TestClient, picture_folder: Path) -> None:
    (found,) = (i for i in client.get("/api/images?limit=100").json()["images"] if i["name"] == "red-1.jpg")
    answer = client.get(found["original_url"])
    assert answer.content == (picture_folder / "red-1.jpg").read_bytes()
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["content-disposition"].startswith('inline; filename="red-1.jpg"')
    known = client.get(found["original_url"], headers={"If-None-Match": answer.headers["etag"]})
    assert known.status_code == 304
    assert known.content == b""


def test_an_original_is_typed_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    folder, library = tmp_path / "pictures", tmp_path / "library"
    folder.mkdir()
    draw(folder / "page.png", "red", (40, 40), 1)
    (folder / "page.png").rename(folder / "page.jpg")
    index(folder, library)
    with client_of(app_over(library)) as client:
        (image,) = client.get("/api/images").json()["images"]
        assert client.get(image["original_url"]).headers["content-type"] == "image/png"


def test_names_that_no_header_and_no_json_can_hold_are_served(tmp_path: Path) -> None:
    folder, library = tmp_path / "pictures", tmp_path / "library"
    folder.mkdir()
    draw(folder / "plain.png", "red", (40, 40), 1)
    name = b'caf\xe9 "\n\xc3\xb6.png'
    os.rename(folder / "plain.png", os.path.join(os.fsencode(folder), name))
    index(folder, library)
    with client_of(app_over(library)) as client:
        (hit,) = search(client, text="red")["hits"]
        original = client.get(hit["original_url"])
        thumbnail = client.get(hit["thumbnail_url"])
    assert hit["name"] == 'caf\N{REPLACEMENT CHARACTER} "\nö.png'
    assert original.status_code == thumbnail.status_code == 200
    assert original.headers["content-disposition"] == (
        "inline; filename=\"caf_ ___.png\"; filename*=UTF-8''caf%EF%BF%BD%20%22%0A%C3%B6.png"
    )


def test_the_collection_in_numbers(client: TestClient, library: Path, picture_folder: Path) -> None:
    stats = client.get("/api/stats").json()
    assert stats["images"] == PICTURES
    assert stats["model"] == "palette"
    assert stats["dimension"] == 64
    assert stats["index"] == {
        "kind": "exact", "base": PICTURES, "tail": 0, "dead": 0, "bytes_per_vector": 4 * 64 + 9, "calibration": None,
        "folding": False,
    }  # fmt: skip
    assert stats["precision"] == "float32"
    assert stats["formats"] == {"png": 20, "jpeg": 20, "webp": 20}
    assert stats["bytes"] == sum(path.stat().st_size for path in picture_folder.iterdir())
    assert stats["bytes_on_disk"] > 0
    assert stats["library"] == str(library)
    assert stats["version"] == __version__
    assert stats["max_upload_mb"] == 32


def test_a_service_builds_a_new_base_in_the_background(
    own_library: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, library = own_library
    draw(folder / "green.jpg", "green", (160, 120), 1)
    index(folder, library)
    monkeypatch.setattr(SegmentedIndex, "outgrown", lambda index: index.tail_size > 0)
    with client_of(app_over(library)) as client:
        end = time.monotonic() + 20
        while (stats := client.get("/api/stats").json()["index"])["tail"]:
            assert time.monotonic() < end, stats
        assert stats["base"] == 3


def test_an_empty_collection_answers_everything(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    index(tmp_path / "pictures", tmp_path / "library")
    with client_of(app_over(tmp_path / "library")) as client:
        assert search(client, text="red")["hits"] == []
        assert client.get("/api/images").json() == {"images": [], "next_before": None, "total": 0}
        assert client.get("/api/stats").json()["images"] == 0


def test_the_service_is_healthy(client: TestClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_images_indexed_while_serving_are_found(own_library: tuple[Path, Path]) -> None:
    folder, library = own_library
    with client_of(app_over(library)) as client:
        before = search(client, text="yellow", k=1)
        draw(folder / "yellow.png", "yellow", (50, 50), 1)
        index(folder, library)
        after = search(client, text="yellow", k=1)
    assert (before["images"], after["images"]) == (2, 3)
    assert after["hits"][0]["name"] == "yellow.png"
