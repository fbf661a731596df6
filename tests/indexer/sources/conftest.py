"""A collection that sources of any kind are synced into, with the palette encoder."""

from __future__ import annotations

import io
import tarfile
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.images import Limits
from indexer.pipeline import sync
from indexer.reports import SyncReport
from indexer.sources import ImageSource, SourceFile, SourceProblem
from tests.palette import PaletteEncoder
from tests.pictures import encoded, photo

Member = tuple[str, bytes]


def jpeg(seed: int) -> bytes:
    return encoded(photo(48, 32, seed=seed))


def make_tar(path: Path, members: Sequence[Member]) -> Path:
    """Packed by gzip if its name says so."""
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def make_zip(path: Path, members: Sequence[Member], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def listed(source: ImageSource) -> list[str]:
    """Paths in the order of the walk, checked to be one; problems behind a question mark, with their reasons."""
    found = list(source.walk())
    files = [one.path for one in found if isinstance(one, SourceFile)]
    assert files == sorted(files, key=lambda path: path.encode("utf-8", "surrogateescape"))
    return [f"? {one.path}: {one.reason}" if isinstance(one, SourceProblem) else one.path for one in found]


@dataclass
class Library:
    """Syncs sources into one collection, each time with an encoder that counts."""

    folder: Path
    encoder: PaletteEncoder = field(default_factory=PaletteEncoder)

    def sync(self, source: ImageSource, limits: Limits | None = None) -> dict[str, int]:
        """What the report counts, without zeros."""
        report = self.report(source, limits)
        names = ("added", "changed", "moved", "removed", "unchanged", "failed")
        return {name: getattr(report, name) for name in names if getattr(report, name)}

    def report(self, source: ImageSource, limits: Limits | None = None) -> SyncReport:
        self.encoder = PaletteEncoder()
        with Collection.open_or_create(self.folder, self.encoder.manifest) as collection:
            return sync(collection, self.encoder, source, limits=limits, threads=2)

    @property
    def ids(self) -> dict[str, int]:
        """Of every image, by path."""
        with Collection.open(self.folder) as collection:
            return {record.path: record.id for record in collection.catalog.latest(1000)}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@dataclass
class Site:
    """A web server on this machine: what is asked for is in `asked`, what it answers in `pages`."""

    url: str
    pages: dict[str, Callable[[BaseHTTPRequestHandler], None] | bytes]
    asked: list[str]


@contextmanager
def serving(pages: Mapping[str, bytes]) -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            site.asked.append(self.path)
            page = site.pages.get(self.path)
            if callable(page):
                page(self)
                return
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            """Silence."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        site = Site(f"http://127.0.0.1:{server.server_address[1]}", dict(pages), [])
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield site
        server.shutdown()
        thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving({}) as site:
        yield site
