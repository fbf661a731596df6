"""The benchmark of reindexing embeds every row, apart from itself, and holds the rate against the stub's."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import reindex
from indexer.catalog import Catalog


def test_every_row_is_embedded_and_the_model_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reindex, "_ALONE", 0.05)
    reindex.make_catalog(tmp_path / "library", 2500)
    found = reindex.run(tmp_path / "library", 20_000.0, 2)
    assert 0 < found["speed"] <= 20_000
    assert 0 < found["alone"] <= 20_000
    assert found["peak"] > 10
    with Catalog.open(tmp_path / "library") as catalog:
        assert catalog.count() == 2500
        assert len(catalog.models.all()) == 1
        [job] = catalog.jobs.all()
        assert (job.state, job.done, job.total) == ("done", 2500, 2500)


def test_lines_and_goals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter([(950, 1000, 200), (4000, 0, 0), (880, 1000, 210), (3000, 0, 0)])

    def apart(library: Path, rate: float, threads: int) -> dict[str, float]:
        return dict(zip(("speed", "alone", "peak"), next(runs), strict=True))

    monkeypatch.setattr(reindex, "_apart", apart)
    lines = {line.name: line for line in reindex.measure(tmp_path, 20, 1000.0, 2)}
    assert lines["10 rows, reindex over the stub alone"].met is True
    assert lines["20 rows, reindex over the stub alone"].met is False
    assert lines["20 rows, a stub that costs nothing: images a second"].value == 3000
    assert lines["peak memory of the many rows over that of the few"].value == pytest.approx(1.05)
