"""What may be begun from a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import HTTPException

from indexer.catalog import Catalog
from indexer.config import Settings
from indexer.jobs.leases import new_owner
from indexer.roots import Root
from tests.indexer.samples import MANIFEST
from web.permission import Permission


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.create(tmp_path / "library", MANIFEST) as catalog:
        yield catalog


def permission(catalog: Catalog, *folders: str) -> Permission:
    return Permission.of(catalog, Settings(job_folders=tuple(map(Path, folders))))


@pytest.mark.parametrize(
    ("folder", "is_allowed"),
    [
        ("/photos", True),
        ("/photos/", True),
        ("/photos/2024/may", True),
        ("/photos/../photos", True),
        ("/scans/box 1", True),
        ("/photos/../etc", False),
        ("/photos/.private", False),
        ("/photographs", False),
        ("/", False),
        ("photos", False),
        ("", False),
        ("/photos\0", False),
    ],
)
def test_folders_that_were_indexed_or_are_in_the_settings_and_below(
    catalog: Catalog, folder: str, is_allowed: bool
) -> None:
    catalog.jobs.add("index", {"folder": "/photos"})
    allowed = permission(catalog, "/scans")
    assert allowed.folders == ("/photos", "/scans")
    if is_allowed:
        assert Path(allowed.folder(folder)) in (Path("/photos"), Path(folder.rstrip("/")))
        return
    with pytest.raises(HTTPException, match="is in no folder that was indexed before") as refused:
        allowed.folder(folder)
    assert refused.value.status_code == 403


def test_folders_that_are_watched_may_be_indexed(catalog: Catalog) -> None:
    """They need not have had a job."""
    catalog.roots.put(Root("/watched"))
    assert permission(catalog).folder("/watched/2024") == "/watched/2024"


def test_other_sources_only_as_they_were_indexed(catalog: Catalog) -> None:
    catalog.roots.put(Root("s3://bucket/2024", "remote"), Root("/list.csv", "list", {"column": "copy"}))
    allowed = permission(catalog)
    assert allowed.source("/list.csv", "list").options == {"column": "copy"}
    assert allowed.folders == ()
    for place, kind in (("s3://bucket", "remote"), ("/list.csv", "tar"), ("/list.csv/..", "list")):
        with pytest.raises(HTTPException, match="that was indexed before"):
            allowed.source(place, kind)


def test_models_of_the_collection_and_those_that_were_trained_on_it(catalog: Catalog, tmp_path: Path) -> None:
    assert permission(catalog).models[:2] == (MANIFEST.model, "mini")
    trained, gone = tmp_path / "trained", tmp_path / "gone"
    trained.mkdir()
    (trained / "open_clip_config.json").write_text("{}")
    for out in (trained, gone):
        job, owner = catalog.jobs.add("train", {}), new_owner()
        catalog.jobs.claim(job.id, owner)
        catalog.jobs.end(job.id, owner, "done", "", {"model": f"local-dir:{out}"})
    allowed = permission(catalog)
    assert allowed.model(f"local-dir:{trained}") == f"local-dir:{trained}"
    for model in (f"local-dir:{gone}", "hf-hub:some/thing", str(trained)):
        with pytest.raises(HTTPException, match="is no model of this collection"):
            allowed.model(model)
