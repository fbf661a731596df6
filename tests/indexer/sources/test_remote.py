"""Object stores, against moto's S3 server on this machine."""

from __future__ import annotations

import os
import socket
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from indexer.errors import BrokenInstallation, ImageTooLarge, SourceNotFound, UnreadableImage
from indexer.images import Limits
from indexer.originals import Originals
from indexer.sources.listed import ListSource
from indexer.sources.remote import RemoteSource
from tests.indexer.sources.conftest import Library, jpeg, listed


@pytest.fixture(scope="module")
def store() -> Iterator[Any]:
    """boto3's client of a store with nothing in it; s3fs finds it by the environment."""
    import boto3
    import s3fs
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        s3fs.S3FileSystem.clear_instance_cache()
        yield boto3.client("s3")
        s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


@pytest.fixture
def bucket(store: Any, request: pytest.FixtureRequest) -> str:
    name = f"b-{zlib.crc32(request.node.name.encode())}"
    store.create_bucket(Bucket=name)
    return name


def put(store: Any, bucket: str, *keys: str) -> None:
    for number, key in enumerate(keys):
        store.put_object(Bucket=bucket, Key=key, Body=jpeg(number))


def test_a_prefix_is_walked_in_order_and_synced(store: Any, bucket: str, library: Library) -> None:
    put(
        store,
        bucket,
        "p/b.jpg",
        "p/a/2.jpg",
        "p/a.jpg",
        "p/a-1.jpg",
        "p/a/x/é ü.jpg",
        "p/.hidden/x.jpg",
        "p/n.txt",
        "pq.jpg",
    )
    for folder in ("p/", "p/a/"):  # how consoles make folders
        store.put_object(Bucket=bucket, Key=folder, Body=b"")
    url = f"s3://{bucket}/p"
    found = listed(RemoteSource(url + "/"))
    assert found == [f"{url}/{name}" for name in ("a-1.jpg", "a.jpg", "a/2.jpg", "a/x/é ü.jpg", "b.jpg")]
    assert library.sync(RemoteSource(url)) == {"added": 5}
    before = library.ids
    assert library.sync(RemoteSource(url)) == {"unchanged": 5}
    put(store, bucket, "p/b.jpg", "p/a/2.jpg")
    store.put_object(Bucket=bucket, Key="p/b.jpg", Body=jpeg(9))
    store.delete_object(Bucket=bucket, Key="p/a.jpg")
    store.copy_object(Bucket=bucket, Key="p/z.jpg", CopySource=f"{bucket}/p/a-1.jpg")
    store.delete_object(Bucket=bucket, Key="p/a-1.jpg")
    assert library.sync(RemoteSource(url)) == {"changed": 1, "moved": 1, "removed": 1, "unchanged": 2}
    assert library.ids[f"{url}/z.jpg"] == before[f"{url}/a-1.jpg"]


def test_an_object_is_read_again_and_never_beyond_the_limit(store: Any, bucket: str) -> None:
    put(store, bucket, "a.jpg")
    path = f"s3://{bucket}/a.jpg"
    originals = Originals()
    assert originals.read(path) == jpeg(0)
    assert not originals.is_gone(path)
    with pytest.raises(ImageTooLarge):
        Originals(Limits(max_bytes=100)).read(path)
    store.delete_object(Bucket=bucket, Key="a.jpg")
    assert originals.is_gone(path)
    with pytest.raises(UnreadableImage, match="there is no such object"):
        originals.read(path)


def test_a_list_may_name_objects(store: Any, bucket: str, library: Library, tmp_path: Any) -> None:
    put(store, bucket, "a.jpg")
    (tmp_path / "list.txt").write_text(f"s3://{bucket}/a.jpg\ns3://{bucket}/none.jpg\n")
    report = library.report(ListSource(tmp_path / "list.txt"))
    assert (report.added, [failure.reason for failure in report.failures]) == (1, ["there is no such object"])


def test_what_is_not_there_is_said_at_once(store: Any, bucket: str) -> None:
    put(store, bucket, "a.jpg")
    for url, reason in {
        f"s3://{bucket}/none": "there is nothing below it",
        "s3://no-such-bucket-here": "no such bucket",
        f"s3://{bucket}/a.jpg": "give the prefix above it",
        "s3://": "no bucket is named",
        "ftp://host/folder": "no object store that is known",
    }.items():
        with pytest.raises(SourceNotFound, match=reason):
            RemoteSource(url)


def test_a_store_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    import s3fs

    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused.getsockname()[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setitem(os.environ, "AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(SourceNotFound, match="the store does not answer"):
            RemoteSource("s3://bucket/prefix")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def test_without_credentials_the_reason_is_said(monkeypatch: pytest.MonkeyPatch, store: Any) -> None:
    import s3fs

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    s3fs.S3FileSystem.clear_instance_cache()
    try:
        with pytest.raises(SourceNotFound, match="credentials"):
            RemoteSource("s3://bucket/prefix")
    finally:
        s3fs.S3FileSystem.clear_instance_cache()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("gcsfs", "adlfs"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BrokenInstallation, match=r"pip install 'sightline\[gcs\]'"):
        RemoteSource("gs://bucket/prefix")
    with pytest.raises(BrokenInstallation, match=r"pip install 'sightline\[azure\]'"):
        RemoteSource("az://container/prefix")


def check_credentials_after(requests: bytes) -> None:
    """So many requests go unchecked from now on; moto's own way to turn it on and off."""
    url = f"{os.environ['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    wish = urllib.request.Request(url, data=requests, headers={"Content-Type": "text/plain"})
    urllib.request.urlopen(wish).close()


def test_credentials_that_are_wrong_are_said_to_be(store: Any, bucket: str) -> None:
    put(store, bucket, "p/a.jpg")
    check_credentials_after(b"0")
    try:
        with pytest.raises(SourceNotFound, match=r"the store does not answer .*Access Key"):
            RemoteSource(f"s3://{bucket}/p")
        with pytest.raises(UnreadableImage):
            Originals().read(f"s3://{bucket}/p/a.jpg")
        assert not Originals().is_gone(f"s3://{bucket}/p/a.jpg")
    finally:
        check_credentials_after(b"inf")
