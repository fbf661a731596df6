"""A service over a small, real collection: generated pictures, SQLite, FAISS, and the palette encoder."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from indexer.collection import Collection
from indexer.config import Settings
from indexer.pipeline import sync
from indexer.sources import FolderSource
from tests.palette import COLOURS, PaletteEncoder
from web.app import create_app
from web.server import Server

Serve = Callable[[FastAPI], AbstractContextManager[str]]
SHAPES = ((160, 120), (120, 160), (200, 100), (128, 128), (240, 90), (90, 150))
PICTURES = len(COLOURS) * len(SHAPES)
SUFFIXES = (".png", ".jpg", ".webp")


def draw(path: Path, colour: str, size: tuple[int, int], mark: int) -> None:
    """Mostly `colour`, with a grey bar whose width is `mark` twentieths: near the others of its colour, never equal."""
    picture = Image.new("RGB", size, COLOURS[colour])
    picture.paste((mark * 9, mark * 9, mark * 9), (0, 0, size[0] * mark // 20, size[1]))
    exif = Image.Exif()
    exif[0x010F], exif[0x0110] = "Acme", "Acme One"
    exif.get_ifd(0x8769)[0x9003] = f"2024:05:{mark + 1:02d} 17:42:08"
    picture.save(path, quality=95, exif=exif)


def index(folder: Path, library: Path, failures: int = 0) -> None:
    encoder = PaletteEncoder()
    with Collection.open_or_create(library, encoder.manifest) as collection:
        report = sync(collection, encoder, FolderSource(folder))
    assert report.failed == failures, report.failures


@pytest.fixture(scope="session")
def picture_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 pictures, six of each colour, named `red-0.png`, `red-1.jpg`, ..."""
    folder = tmp_path_factory.mktemp("pictures")
    for colour in COLOURS:
        for mark, size in enumerate(SHAPES):
            draw(folder / f"{colour}-{mark}{SUFFIXES[mark % 3]}", colour, size, mark)
    return folder


@pytest.fixture(scope="session")
def library(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a collection of `picture_folder`. Shared by the session's tests: change nothing in it."""
    library = tmp_path_factory.mktemp("library")
    index(picture_folder, library)
    return library


@pytest.fixture
def own_library(tmp_path: Path) -> tuple[Path, Path]:
    """A folder with `red.jpg` and `blue.png`, and its collection, for tests that change them: `(folder, library)`."""
    folder, library = tmp_path / "pictures", tmp_path / "library"
    folder.mkdir()
    draw(folder / "red.jpg", "red", (160, 120), 1)
    draw(folder / "blue.png", "blue", (1600, 900), 2)
    index(folder, library)
    return folder, library


def app_over(library: Path, **settings: object) -> FastAPI:
    return create_app(Settings(library=library, **settings), encoder=PaletteEncoder())  # type: ignore[arg-type]


@contextmanager
def client_of(app: FastAPI) -> Iterator[TestClient]:
    """A client of the started app; what the app lets through unhandled fails the test."""
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.fixture(scope="session")
def client(library: Path) -> Iterator[TestClient]:
    with client_of(app_over(library)) as client:
        yield client


@contextmanager
def _serving(app: FastAPI) -> Iterator[str]:
    server = Server(app, host="127.0.0.1", port=0, ws="none")
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it had started"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)


@pytest.fixture(scope="session")
def serve() -> Serve:
    """`with serve(app) as base_url`: the app behind a real server on a free local port."""
    return _serving


@pytest.fixture(scope="session")
def live_server(library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Base URL, such as `http://127.0.0.1:41234`, of a real server over a copy of `library`: requests may change it."""
    own = Path(shutil.copytree(library, tmp_path_factory.mktemp("live") / "library"))
    with _serving(app_over(own)) as base_url:
        yield base_url
