from __future__ import annotations

from pathlib import Path

from benchmarks.catalog_filters import FILTERS, filled, measure


def test_every_filter_is_asked_and_passes_about_what_its_name_says(tmp_path: Path) -> None:
    with filled(tmp_path, 2000) as catalog:
        found = {line.name: line.value for line in measure(catalog, rounds=1)}
    assert len(found) == 5 * len(FILTERS)
    assert found["1 %: a folder: images that pass"] == 20
    assert 900 < float(found["50 %: one format: images that pass"]) < 1100
    assert 200 < float(found["14 %: a camera: images that pass"]) < 320
