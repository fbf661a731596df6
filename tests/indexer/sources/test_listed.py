"""Lists of paths and URLs, against a real server on this machine."""

from __future__ import annotations

import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from indexer.errors import ImageTooLarge, SourceNotFound, UnreadableImage
from indexer.images import Limits
from indexer.originals import Originals
from indexer.sources import http
from indexer.sources.http import Fetcher, is_public
from indexer.sources.listed import ListSource
from tests.indexer.sources.conftest import Library, Site, jpeg, listed

HERE = Limits(private_hosts=frozenset({"127.0.0.1"}))


def write(path: Path, content: bytes | str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """In the order of the bytes."""
    return [write(tmp_path / "photos" / f"{number}.jpg", jpeg(number)) for number in range(3)]


@pytest.mark.parametrize("form", ["csv", "tsv", "jsonl", "parquet", "txt"])
def test_every_form_of_list(form: str, tmp_path: Path, library: Library, pictures: list[str]) -> None:
    entries = [pictures[2], "photos/0.jpg", pictures[1], "photos/0.jpg"]
    place = tmp_path / f"list.{form}"
    if form == "csv":
        place.write_text("caption,Path\n" + "".join(f'"one, two",{entry}\n' for entry in entries))
    elif form == "tsv":
        place.write_text("caption\tpath\n" + "".join(f"one\t{entry}\n" for entry in entries))
    elif form == "jsonl":
        lines = [*({"path": entry, "n": 1} for entry in entries[:2]), *entries[2:]]
        place.write_text("\n".join(map(json.dumps, lines)) + "\n\n")
    elif form == "parquet":
        pq.write_table(pa.table({"path": entries, "n": [1, 2, 3, 4]}), place)
    else:
        place.write_text("\r\n".join(entries) + "\r\n\r\n")
    source = ListSource(str(place))
    assert listed(source) == [f"{place}!//{p.lstrip('/')}" for p in pictures[1:]] + [f"{place}!/photos/0.jpg"]
    assert source.count() == 4
    assert library.sync(source) == {"added": 3}
    assert library.sync(ListSource(str(place))) == {"unchanged": 3}
    assert Originals().read(f"{place}!/photos/0.jpg") == jpeg(0)


def test_what_is_listed_no_more_is_taken_out_and_what_changed_is_read(
    tmp_path: Path, library: Library, pictures: list[str]
) -> None:
    place = write(tmp_path / "list.txt", "\n".join(pictures))
    library.sync(ListSource(place))
    write(tmp_path / "list.txt", "\n".join(pictures[:2]))
    write(Path(pictures[0]), jpeg(9))
    Path(pictures[1]).unlink()
    report = library.report(ListSource(place))
    assert (report.changed, report.removed, report.failed) == (1, 2, 1)
    assert report.failures[0].reason == f"there is no file {pictures[1]}"


def test_the_column_can_be_named_and_one_that_is_missing_is_said(tmp_path: Path, pictures: list[str]) -> None:
    place = write(tmp_path / "list.csv", f"url,local copy\nhttps://x.org/a.jpg,{pictures[0]}\n")
    assert listed(ListSource(place)) == [f"{place}!/https://x.org/a.jpg"]
    assert listed(ListSource(place, column="Local copy")) == [f"{place}!/{pictures[0]}"]
    with pytest.raises(SourceNotFound, match="no column 'picture'; its columns are url, local copy"):
        ListSource(place, column="picture")
    unknown = write(tmp_path / "other.jsonl", '{"a": 1}\n')
    with pytest.raises(SourceNotFound, match="its columns are a: name one with --column"):
        ListSource(unknown)


def test_lines_that_name_nothing_are_counted_and_protect_what_was_indexed(
    tmp_path: Path, library: Library, pictures: list[str]
) -> None:
    place = write(tmp_path / "list.jsonl", "\n".join(json.dumps({"path": path}) for path in pictures))
    library.sync(ListSource(place))
    broken = ["{damaged", '{"path": null}', '{"other": "x.jpg"}', *["[]"] * 30]
    write(tmp_path / "list.jsonl", "\n".join([json.dumps({"path": pictures[0]}), *broken]))
    report = library.report(ListSource(place))
    assert (report.unchanged, report.removed, report.failed) == (1, 0, 21)
    assert report.failures[0].reason == "line 2 names no picture"
    assert report.failures[-1].reason == "13 lines more cannot be read"


@pytest.mark.parametrize("name", ["list.parquet", "list.xlsx"])
def test_what_is_no_list(name: str, tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        ListSource(write(tmp_path / name, b"nothing of the kind"))


# --- URLs


def test_urls_are_fetched_once(tmp_path: Path, library: Library, site: Site) -> None:
    site.pages.update({"/a.jpg": jpeg(1), "/b%20c.jpg?size=large": jpeg(2)})
    place = write(tmp_path / "list.txt", f"{site.url}/a.jpg\n{site.url}/b c.jpg?size=large\n")
    assert library.sync(ListSource(place, limits=HERE)) == {"added": 2}
    assert sorted(site.asked) == ["/a.jpg", "/b%20c.jpg?size=large"]
    assert library.sync(ListSource(place, limits=HERE)) == {"unchanged": 2}
    assert len(site.asked) == 2
    assert Originals(HERE).read(f"{place}!/{site.url}/a.jpg") == jpeg(1)


def test_each_url_that_fails_is_reported_and_the_others_are_indexed(
    tmp_path: Path, library: Library, site: Site
) -> None:
    site.pages.update({"/good.jpg": jpeg(1), "/text.jpg": b"<html>no picture</html>", "/big.jpg": bytes(200_000)})
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = f"http://127.0.0.1:{unused.getsockname()[1]}"
    entries = [
        *(f"{site.url}/{name}.jpg" for name in ("good", "text", "big", "missing")),
        f"{closed}/x.jpg",
        "ftp://x/y",
    ]
    place = write(tmp_path / "list.txt", "\n".join(entries))
    limits = Limits(max_bytes=100_000, private_hosts=HERE.private_hosts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "RETRIES", 0)
        report = library.report(ListSource(place, limits=limits), limits)
    reasons = {failure.path.rpartition("!/")[2]: failure.reason for failure in report.failures}
    assert report.added == 1
    assert "not a picture" in reasons[f"{site.url}/text.jpg"]
    assert "200,000 bytes is over the limit of 100,000" in reasons[f"{site.url}/big.jpg"]
    assert reasons[f"{site.url}/missing.jpg"] == "the server answers 404 Not Found"
    assert "cannot be fetched" in reasons[f"{closed}/x.jpg"]
    assert "no object store that is known" in reasons["ftp://x/y"]


def test_private_addresses_are_not_asked_unless_they_are_named(site: Site) -> None:
    site.pages["/a.jpg"] = jpeg(1)
    port = site.url.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "127.1", "2130706433"):
        with pytest.raises(UnreadableImage):
            Fetcher(Limits()).get(f"http://{host}:{port}/a.jpg")
    assert site.asked == []
    with pytest.raises(UnreadableImage, match="in a private network; if that is meant, name it with --private-host"):
        Fetcher(Limits()).get(f"{site.url}/a.jpg")
    assert Fetcher(HERE).get(f"{site.url}/a.jpg") == jpeg(1)


@pytest.mark.parametrize(
    ("address", "public"),
    [("8.8.8.8", True), ("2606:4700::1111", True), ("10.1.2.3", False), ("192.168.0.1", False), ("127.0.0.1", False),
     ("169.254.169.254", False), ("::1", False), ("fe80::1%eth0", False), ("::ffff:10.0.0.1", False),
     ("224.0.0.1", False), ("0.0.0.0", False), ("100.64.0.1", False)],
)  # fmt: skip
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) == public


def redirect(to: str) -> object:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", to)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def test_redirects_are_followed_a_few_times_and_never_into_a_private_network(site: Site) -> None:
    port = site.url.rpartition(":")[2]
    site.pages.update({"/end.jpg": jpeg(1), "/short": redirect("/end.jpg"), "/loop": redirect("/loop")})  # type: ignore[dict-item]
    site.pages["/in"] = redirect(f"http://localhost:{port}/end.jpg")  # type: ignore[assignment]
    site.pages["/file"] = redirect("file:///etc/passwd")  # type: ignore[assignment]
    fetcher = Fetcher(HERE)
    assert fetcher.get(f"{site.url}/short") == jpeg(1)
    asked = len(site.asked)
    with pytest.raises(UnreadableImage, match="too many redirects"):
        fetcher.get(f"{site.url}/loop")
    assert len(site.asked) == asked + http.REDIRECTS + 1
    with pytest.raises(UnreadableImage, match="localhost is in a private network"):
        fetcher.get(f"{site.url}/in")
    with pytest.raises(UnreadableImage):
        fetcher.get(f"{site.url}/file")


def test_a_server_that_is_busy_is_asked_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "PAUSE", 0.001)
    answers = [503, 429, 200]

    def busy(handler: BaseHTTPRequestHandler) -> None:
        status = answers.pop(0)
        handler.send_response(status)
        handler.send_header("Retry-After", "0")
        handler.send_header("Content-Length", "2")
        handler.end_headers()
        handler.wfile.write(b"ok")

    site.pages["/busy"] = busy
    assert Fetcher(HERE).get(f"{site.url}/busy") == b"ok"
    assert answers == []


def test_a_server_that_sends_for_ever_or_says_nothing_of_the_size(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            handler.close_connection = True

    def slow(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(100 * http._PIECE))
        handler.end_headers()
        try:
            for _ in range(100):
                handler.wfile.write(bytes(http._PIECE))
                time.sleep(0.01)
        except OSError:
            handler.close_connection = True

    site.pages.update({"/endless": endless, "/slow": slow})
    with pytest.raises(ImageTooLarge):
        Fetcher(Limits(max_bytes=1_000_000, private_hosts=HERE.private_hosts)).get(f"{site.url}/endless")
    monkeypatch.setattr(http, "WHOLE_SECONDS", 0.05)
    with pytest.raises(UnreadableImage, match="it was not here after"):
        Fetcher(HERE).get(f"{site.url}/slow")
