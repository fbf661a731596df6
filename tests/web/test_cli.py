"""The program as a whole: exit codes, one-line errors, and a start that loads nothing it does not need."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest

from indexer import __version__
from indexer.config import Settings, load_settings
from indexer.errors import InvalidSettings
from tests.pictures import photo, write
from web.cli import PORTS_TRIED, _bind

HEAVY = ("torch", "open_clip", "faiss", "sqlalchemy", "fastapi")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "web.cli", *arguments], capture_output=True, text=True, check=False)


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
sys.argv = ["sightline", "--help"]
from web.cli import main
try:
    main()
except SystemExit as end:
    assert end.code == 0
loaded = [name for name in {HEAVY!r} if name in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for command in ("index", "search", "serve", "stats", "models", "settings"):
        assert command in done.stdout


def test_version_and_nothing_else() -> None:
    done = _run("--version")
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, __version__, "")


def test_exit_code_3_and_the_remedy_without_a_collection(tmp_path: Path) -> None:
    done = _run("search", "a dog", "--library", str(tmp_path / "none"))
    assert done.returncode == 3
    assert done.stderr.count("\n") == 1
    assert "sightline index FOLDER" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [["search"], ["nonsense"], ["search", "x", "--image", "/no/such/file.jpg"], ["index", "/no/such/folder"],
     ["index", ".", "--device", "tpu"], ["index", ".", "--model", "no-such-model"]],
)  # fmt: skip
def test_exit_code_2_for_wrong_use(arguments: list[str], tmp_path: Path) -> None:
    done = _run(*arguments, "--library", str(tmp_path / "library")) if arguments != ["nonsense"] else _run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_index_reports_failures_with_exit_code_1_and_keeps_the_rest(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "good.jpg", photo(64, 48))
    write(tmp_path / "photos" / "text.jpg", b"not a picture")
    arguments = ["index", str(tmp_path / "photos"), "--library", str(tmp_path / "library"), "--json"]
    done = _run(*arguments)
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    counts = {name: report[name] for name in ("added", "unchanged", "changed", "moved", "removed", "failed")}
    assert counts == {"added": 1, "unchanged": 0, "changed": 0, "moved": 0, "removed": 0, "failed": 1}
    assert [failure["path"] for failure in report["failures"]] == [str(tmp_path / "photos" / "text.jpg")]
    assert report["failures"][0]["reason"]
    stats = json.loads(_run("stats", "--json", "--library", str(tmp_path / "library")).stdout)
    assert (stats["images"], stats["model"], stats["index"]["kind"]) == (1, "mini", "exact")


def test_a_busy_port_that_was_asked_for_is_an_error_and_the_default_moves_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SIGHTLINE_PORT", raising=False)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidSettings, match=str(port)):
            _bind(load_settings(port=port))
        by_default = Settings.model_construct(_fields_set=set(), host="127.0.0.1", port=port)
        with closing(_bind(by_default)) as next_free:
            assert port < next_free.getsockname()[1] <= port + PORTS_TRIED
    with closing(_bind(load_settings(port=0))) as free:
        assert free.getsockname()[0] == "127.0.0.1"


def test_ctrl_c_ends_the_service_also_while_a_page_listens_and_is_no_failure(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "good.jpg", photo(64, 48))
    library = str(tmp_path / "library")
    assert _run("index", str(tmp_path / "photos"), "--library", library).returncode == 0
    command = [sys.executable, "-u", "-m", "web.cli", "serve", "--library", library, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        address = service.stdout.readline().split()[3]
        with urlopen(f"{address}healthz", timeout=20) as answer:
            assert answer.status == 200
        with urlopen(f"{address}api/jobs/events", timeout=20) as listening:
            assert listening.readline() == b"event: jobs\n"
            service.send_signal(signal.SIGINT)
            rest, errors = service.communicate(timeout=20)
    assert (service.returncode, rest) == (0, "")
    [says_what_encodes] = errors.splitlines()
    assert says_what_encodes.startswith("INFO: encoding with torch in")


def test_a_watch_beside_the_service_ends_with_it(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "good.jpg", photo(64, 48))
    library, twin = str(tmp_path / "library"), str(tmp_path / "twin")
    assert _run("index", str(tmp_path / "photos"), "--library", library).returncode == 0
    shutil.copytree(library, twin)  # of the same folder
    command = [sys.executable, "-u", "-m", "web.cli", "serve", "--port", "0", "--watch"]
    command += ["--library", library, "--library", twin]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        assert service.stderr is not None
        address = service.stdout.readline().split()[3]
        write(tmp_path / "photos" / "new.jpg", photo(64, 48, seed=1))
        said = []
        while said.count("1 added\n") < 2:
            said.append(service.stderr.readline())
            assert said[-1], said
        for name in ("library", "twin"):
            with urlopen(f"{address}api/stats?collection={name}", timeout=20) as answer:
                assert json.load(answer)["images"] == 2
        service.send_signal(signal.SIGINT)
        service.communicate(timeout=60)  # until the watch has let go of stderr, too
    assert service.returncode == 0
