"""Both sides of the benchmark of writing keep every row and vector."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from benchmarks import catalog


@pytest.mark.parametrize("tuned", [False, True])
def test_one_commit_a_row_keeps_what_ours_keeps(tmp_path: Path, tuned: bool) -> None:
    rows, vectors = catalog.images(5), catalog.unit_vectors(5)
    assert catalog.one_commit_a_row(tmp_path, rows, vectors, tuned) > 0
    database = sqlite3.connect(tmp_path / "naive.db")
    kept = database.execute("SELECT path, content_hash, vector FROM image JOIN embedding ON image_id = id").fetchall()
    database.close()
    assert [row[:2] for row in kept] == [(row.path, row.content_hash) for row in rows]
    assert [row[2] for row in kept] == [vector.tobytes() for vector in vectors]


def test_lines_and_goals() -> None:
    lines = {line.name: line for line in catalog.measure(300, 1)}
    assert lines["batches of 32 over one commit a row"].goal == 10
    assert all(float(line.value) > 0 for line in lines.values())
