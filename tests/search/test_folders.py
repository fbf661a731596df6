from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from indexer.catalog import Catalog
from indexer.schema import image
from search.folders import _NextFolder, next_folders, next_folders_where
from tests.indexer.samples import MANIFEST, an_image, unit_rows


@pytest.mark.parametrize(
    ("paths", "folders"),
    [
        (["/a/b/1.jpg", "/a/b/2.jpg"], {}),
        (["/a/b/1.jpg", "/a/c/2.jpg", "/a/c/d/3.jpg", "/a/4.jpg"], {"/a/b": 1, "/a/c": 2}),
        (["/a/b/c/1.jpg", "/a/b/d/2.jpg"], {"/a/b/c": 1, "/a/b/d": 1}),  # what has but one folder is passed over
        (["/ab/1.jpg", "/abc/2.jpg"], {"/ab": 1, "/abc": 1}),
        (["/a/x.zip!/1.jpg", "/a/x.zip!/b/2.jpg", "/a/3.jpg"], {"/a/x.zip!": 2}),
        (["/a/1.jpg", "s3://photos/2023/1.jpg"], {"/": 1, "s3:": 1}),
        (["s3://photos/2023/1.jpg", "s3://photos/2024/1.jpg"], {"s3://photos/2023": 1, "s3://photos/2024": 1}),
        (["/a/caf\udce9/1.jpg", "/a/b/1.jpg"], {"/a/caf\udce9": 1, "/a/b": 1}),
    ],
)
@pytest.mark.parametrize("scanned", [0, 30_000])
def test_the_next_folders_below_what_is_common(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, paths: list[str], folders: dict[str, int], scanned: int
) -> None:
    assert next_folders(paths) == Counter(folders)
    monkeypatch.setattr("search.folders.SCANNED", scanned)
    with Catalog.create(tmp_path, MANIFEST) as catalog:
        catalog.put([an_image(path) for path in paths], unit_rows(len(paths)))
        assert next_folders_where(catalog, sa.true(), len(paths)) == Counter(folders)
        assert next_folders_where(catalog, image.c.id < 0, 0) == Counter()


def test_postgresql_is_asked_in_its_own_words() -> None:
    said = str(sa.select(_NextFolder(image.c.path, 9)).compile(dialect=postgresql.dialect()))
    assert "substring(image.path from 9) for position(" in said
