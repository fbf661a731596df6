"""The whole benchmark, tiny."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks import search
from benchmarks.vector_search.engines import PEERS

ROOT = Path(__file__).parents[2]


def test_results_page_and_table(tmp_path: Path) -> None:
    """By its path, as the docs say; its folder must not stand in for the package `search`."""
    options = ["--sizes", "300", "--dimensions", "512", "--threads", "1", "--parts", "engines,gpu", "--queries", "4"]
    command = [sys.executable, "benchmarks/search.py", *options, "--output", str(tmp_path)]
    printed = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    entries = json.loads((tmp_path / "search.json").read_text())
    assert all(
        set(entry) == {"name", "value", "goal", "bound", "met", "command", "machine", "date"} for entry in entries
    )
    assert entries[0]["command"].startswith("python benchmarks/search.py --sizes 300")
    assert {"300 x 512, Sightline exact: p50, times faster than NumPy"} < {entry["name"] for entry in entries}
    page = (tmp_path / "vector-search.md").read_text()
    assert "### 300 x 512, one thread" in page
    for name in PEERS:
        assert f"| {name}" in printed


def test_the_kinds_of_each_size() -> None:
    assert search.kinds(10_000)[0] == "exact"
    assert set(search.kinds(100_000)) >= {"exact", "ivf", "hnsw"}
    assert search.kinds(1_000_000)[0] != "exact"
    assert "hnswlib" in search.peers(100_000)
    assert "hnswlib" not in search.peers(1_000_000)
