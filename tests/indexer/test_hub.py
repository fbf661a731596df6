"""A hub of our own on this machine, so that downloads are real and nothing leaves it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from indexer import hub
from indexer.encoder import load_encoder
from tests.checkpoints import make_checkpoint

ROOT = Path(__file__).parents[2]
REPOSITORY = "some/model"


class Hub(ThreadingHTTPServer):
    def __init__(self, files: dict[str, Path]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = files
        self.requests: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self.server.requests.append(self.path)
        prefix = f"/{REPOSITORY}/resolve/"
        path = self.server.files.get(self.path.removeprefix(prefix).partition("/")[2])
        if path is None or not self.path.startswith(prefix):
            self.send_response(404)
            known = self.path.startswith(prefix)
            self.send_header("X-Error-Code", "EntryNotFound" if known else "RepoNotFound")
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = path.read_bytes()
        self.send_response(200)
        self.send_header("X-Repo-Commit", "a" * 40)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    do_GET = do_HEAD  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Without a vocabulary of its own, since the hub has no such rule: 49,408 tokens."""
    return make_checkpoint(tmp_path / "model", own_vocabulary=False)


@pytest.fixture
def server(model: Path) -> Iterator[Hub]:
    with Hub({path.name: path for path in model.iterdir()}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


LOAD = """
import json, sys
from indexer.encoder import load_encoder
from indexer.errors import SightlineError

for model in sys.argv[1:]:
    try:
        encoder = load_encoder(model, precision="float32")
        print(json.dumps([encoder.manifest.weights_hash, encoder.encode_texts(["a dog"])[0].tolist()]))
    except SightlineError as error:
        print(json.dumps([type(error).__name__, str(error)]))
"""


def load(server: Hub, cache: Path, *models: str) -> list[list[object]]:
    """Each model in turn, in a process that knows this hub only: its address is read when the client is imported."""
    environment = {key: value for key, value in os.environ.items() if key not in ("HF_HUB_OFFLINE", "HF_TOKEN")}
    environment |= {"HF_ENDPOINT": server.address, "HF_HUB_CACHE": str(cache), "PYTHONPATH": str(ROOT)}
    environment |= {"HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", "HF_HOME": str(cache / "home")}
    command = [sys.executable, "-c", LOAD, *models]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_model_is_downloaded_once_and_then_loads_without_a_request(server: Hub, model: Path, tmp_path: Path) -> None:
    first, missing = load(server, tmp_path / "cache", f"hf-hub:{REPOSITORY}", "hf-hub:no/model")
    assert first[0] == hashlib.sha256((model / "open_clip_model.safetensors").read_bytes()).hexdigest()
    assert first[1] == load_encoder(str(model), precision="float32").encode_texts(["a dog"])[0].tolist()
    assert missing[0] == "UnknownModel"
    assert "no/model" in str(missing[1])
    asked = len(server.requests)
    assert asked > 0
    assert load(server, tmp_path / "cache", f"hf-hub:{REPOSITORY}") == [first]
    assert len(server.requests) == asked


def test_a_repository_that_is_no_open_clip_model(server: Hub, tmp_path: Path) -> None:
    del server.files["open_clip_model.safetensors"]
    ((kind, message),) = load(server, tmp_path / "cache", f"hf-hub:{REPOSITORY}")
    assert kind == "ModelLoadFailed"
    assert "open_clip_model.safetensors" in str(message)


def test_an_answer_of_any_kind_is_a_network(server: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert hub.reachable()


def test_no_answer_is_no_network_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{silent.getsockname()[1]}")
        start = time.monotonic()
        assert not hub.reachable(0.3)
        assert time.monotonic() - start < 5
    assert not hub.reachable()  # closed now


def test_offline_lasts_as_long_as_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)

    def fail_inside() -> None:
        with hub.offline():
            assert hub.forbidden()
            raise RuntimeError("inside")

    with pytest.raises(RuntimeError, match="inside"):
        fail_inside()
    assert not hub.forbidden()
