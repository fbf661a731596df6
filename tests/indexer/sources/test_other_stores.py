"""Google's and Azure's object stores, against their emulators on this machine where these are installed."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from indexer.errors import ImageTooLarge, SourceNotFound
from indexer.images import Limits
from indexer.originals import Originals
from indexer.sources.remote import RemoteSource
from tests.indexer.sources.conftest import Library, jpeg, listed

pytestmark = pytest.mark.service

BUCKET = "photos"
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Azurite's own, which everybody knows."""


def free_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


@contextmanager
def google(patch: pytest.MonkeyPatch) -> Iterator[Any]:
    if not all(importlib.util.find_spec(name) for name in ("gcsfs", "gcp_storage_emulator")):
        pytest.skip("needs gcsfs and gcp-storage-emulator: `pip install -c constraints.txt '.[stores]'`")
    from gcp_storage_emulator.server import create_server

    port = free_port()
    patch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    patch.setenv("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")  # asked for by gRPC, which the emulator does not speak
    server = create_server("127.0.0.1", port, in_memory=True, default_bucket=BUCKET)
    server.start()
    try:
        yield _cleared("gs", token="anon")
    finally:
        server.stop()


@contextmanager
def azure(patch: pytest.MonkeyPatch) -> Iterator[Any]:
    program = shutil.which("azurite-blob")
    if not importlib.util.find_spec("adlfs") or program is None:
        pytest.skip("needs adlfs (`pip install -c constraints.txt '.[stores]'`) and azurite-blob (`npm i -g azurite`)")
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}/{_ACCOUNT}"
    patch.setenv(
        "AZURE_STORAGE_CONNECTION_STRING",
        f"DefaultEndpointsProtocol=http;AccountName={_ACCOUNT};AccountKey={_KEY};BlobEndpoint={endpoint};",
    )
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry"]
    with subprocess.Popen([program, "--blobPort", str(port), *options], stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(port, server)
            store = _cleared("az")
            store.mkdir(BUCKET)
            yield store
        finally:
            server.terminate()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        assert server.poll() is None, "the emulator ended"
        assert time.monotonic() < deadline
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def _cleared(scheme: str, **options: Any) -> Any:
    """fsspec keeps a file system as long as the program runs; this one is of this test's server."""
    import fsspec

    fsspec.get_filesystem_class(scheme).clear_instance_cache()
    return fsspec.filesystem(scheme, use_listings_cache=False, **options)


@pytest.fixture(params=[("gs", google), ("az", azure)], ids=["google", "azure"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """The protocol, and the file system that objects are put into by."""
    scheme, opened = request.param
    with opened(monkeypatch) as store:
        yield scheme, store


def put(store: Any, *keys: str, first: int = 0) -> None:
    for number, key in enumerate(keys, start=first):
        store.pipe_file(f"{BUCKET}/{key}", jpeg(number))


def test_a_prefix_is_walked_in_order_synced_and_read(place: tuple[str, Any], library: Library) -> None:
    scheme, store = place
    put(store, "p/b.jpg", "p/a/2.jpg", "p/a.jpg", "p/a-1.jpg", "p/a/x/é ü.jpg", "p/.hidden/x.jpg", "p/n.txt", "pq.jpg")
    url = f"{scheme}://{BUCKET}/p"
    names = ("a-1.jpg", "a.jpg", "a/2.jpg", "a/x/é ü.jpg", "b.jpg")
    assert listed(RemoteSource(url)) == [f"{url}/{name}" for name in names]
    assert library.sync(RemoteSource(url)) == {"added": 5}
    assert library.sync(RemoteSource(url)) == {"unchanged": 5}
    store.rm_file(f"{BUCKET}/p/b.jpg")
    store.rm_file(f"{BUCKET}/p/a.jpg")
    put(store, "p/b.jpg", first=20)
    assert library.sync(RemoteSource(url)) == {"changed": 1, "removed": 1, "unchanged": 3}
    assert Originals().read(f"{url}/b.jpg") == jpeg(20)
    assert Originals().is_gone(f"{url}/a.jpg")
    assert not Originals().is_gone(f"{url}/b.jpg")
    with pytest.raises(ImageTooLarge):
        Originals(Limits(max_bytes=100)).read(f"{url}/b.jpg")


def test_what_is_not_there_is_said_at_once(place: tuple[str, Any]) -> None:
    scheme, store = place
    put(store, "a.jpg")
    for url, reason in {
        f"{BUCKET}/none": "there is nothing below it",
        "no-such-bucket-here": "no such bucket",
        f"{BUCKET}/a.jpg": "give the prefix above it",
    }.items():
        with pytest.raises(SourceNotFound, match=reason):
            RemoteSource(f"{scheme}://{url}")
