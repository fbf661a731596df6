from __future__ import annotations

import pytest

from indexer.sources import address


@pytest.mark.parametrize(
    ("path", "kind", "container", "inner"),
    [
        ("/photos/beach.jpg", "file", "/photos/beach.jpg", ""),
        ("/data/shard-000.tar!/a/000123.jpg", "tar", "/data/shard-000.tar", "a/000123.jpg"),
        ("/a/photos.ZIP!/b/c.png", "zip", "/a/photos.ZIP", "b/c.png"),
        ("/a/x.zip!/y.tar!/z.jpg", "zip", "/a/x.zip", "y.tar!/z.jpg"),
        ("/a/x.tar.gz!/y.jpg", "tar", "/a/x.tar.gz", "y.jpg"),
        ("/a/xtar-gz!/y.jpg", "file", "/a/xtar-gz!/y.jpg", ""),
        ("/l/list.csv!/https://example.com/a.jpg?b=c#d", "list", "/l/list.csv", "https://example.com/a.jpg?b=c#d"),
        ("/l/list.txt!//photos/a.jpg", "list", "/l/list.txt", "/photos/a.jpg"),
        ("/v/dive.mp4#t=000012.480", "video", "/v/dive.mp4", "000012.480"),
        ("s3://bucket/a/x.zip!/b.jpg", "remote", "s3://bucket/a/x.zip!/b.jpg", ""),
        # files whose names only look like it
        ("/v/dive.mp4#t=12.jpg", "file", "/v/dive.mp4#t=12.jpg", ""),
        ("/photos/wow!/beach.jpg", "file", "/photos/wow!/beach.jpg", ""),
        ("/photos/x.zip/beach.jpg", "file", "/photos/x.zip/beach.jpg", ""),
        ("/photos/.zip!/beach.jpg", "zip", "/photos/.zip", "beach.jpg"),
    ],
)
def test_a_path_is_taken_apart_by_its_form(path: str, kind: str, container: str, inner: str) -> None:
    found = address.parse(path)
    assert (found.kind, found.container, found.inner) == (kind, container, inner)


def test_what_is_made_is_what_is_taken_apart() -> None:
    assert address.parse(address.inside("/a/b.tar", "c.jpg")).inner == "c.jpg"
    frames = [address.frame("/v/a.mp4", seconds) for seconds in (2.0, 9.9996, 12.48, 3600.0)]
    assert frames == sorted(frames)
    assert [address.parse(frame).seconds for frame in frames] == [2.0, 10.0, 12.48, 3600.0]


def test_what_a_path_lies_in() -> None:
    assert list(address.above("/d/a.tar!/b/c.jpg")) == [
        "/d/a.tar!/b/c.jpg", "/d/a.tar!/b", "/d/a.tar!", "/d/a.tar", "/d", "/",
    ]  # fmt: skip
    assert list(address.above("/d/a.mp4#t=000001.000"))[:3] == ["/d/a.mp4#t=000001.000", "/d/a.mp4", "/d"]
    assert "s3://bucket/a" in address.above("s3://bucket/a/b.jpg")


@pytest.mark.parametrize(
    ("path", "shown", "name", "location"),
    [
        ("/p/a.jpg", "/p/a.jpg", "a.jpg", "/p/a.jpg"),
        ("/v/x.mp4#t=000012.480", "/v/x.mp4 at 0:12", "x.mp4 at 0:12", "/v/x.mp4#t=000012.480"),
        ("/v/x.mp4#t=003723.000", "/v/x.mp4 at 1:02:03", "x.mp4 at 1:02:03", "/v/x.mp4#t=003723.000"),
        ("/l/a.csv!/b/c.jpg", "/l/b/c.jpg", "c.jpg", "/l/b/c.jpg"),
        ("/l/a.csv!/../c.jpg", "/c.jpg", "c.jpg", "/c.jpg"),
        ("/l/a.csv!/https://x.org/a%20b.jpg?s=9", "https://x.org/a%20b.jpg?s=9", "a b.jpg", "https://x.org/a%20b.jpg?s=9"),
        ("/l/a.csv!/https://x.org/", "https://x.org/", "https://x.org/", "https://x.org/"),
        ("/d/a.tar!/b.jpg", "/d/a.tar!/b.jpg", "b.jpg", "/d/a.tar!/b.jpg"),
    ],
)  # fmt: skip
def test_how_people_and_programs_are_told(path: str, shown: str, name: str, location: str) -> None:
    assert (address.shown(path), address.name(path), address.location(path)) == (shown, name, location)
