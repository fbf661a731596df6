"""The quick examination over HTTP."""

from __future__ import annotations

from pathlib import Path

from indexer.catalog import Catalog
from tests.web.conftest import app_over, client_of


def test_what_is_wrong_is_told_with_its_remedy(own_library: tuple[Path, Path]) -> None:
    with client_of(app_over(own_library[1])) as client:
        fine = {
            finding["check"]: finding["severity"] for finding in client.get("/api/health-report").json()["findings"]
        }
        assert (fine["schema"], fine["pairs"]) == ("ok", "ok")
        (own_library[1] / "catalog.db.new-1").write_bytes(b"left by a process that was killed")
        [left] = [one for one in client.get("/api/health-report").json()["findings"] if one["check"] == "leftovers"]
        assert left["severity"] == "warning"
        assert "--fix" in left["remedy"]
    with Catalog.open(own_library[1]) as catalog:
        assert catalog.count() == 2  # nothing was touched
