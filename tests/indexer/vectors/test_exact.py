from __future__ import annotations

import numpy as np
import pytest

from indexer.vectors import exact
from indexer.vectors.exact import ExactBase
from tests.indexer.vectors.clustered import image_queries, pictures


@pytest.mark.parametrize(("limit", "dtype"), [(1 << 28, np.float32), (10, np.float16)])
def test_few_vectors_are_widened_and_many_are_read_where_they_are(
    limit: int, dtype: type[np.float16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact, "WIDEN_UP_TO", limit)
    monkeypatch.setattr(exact, "_ROWS", 70)
    vectors = pictures(300)
    base = ExactBase.build(np.arange(300), vectors)
    assert base.vectors is vectors
    assert base._scanned.dtype == dtype
    assert np.array_equal(base._scanned.astype(np.float16), vectors)
    [found] = base.candidates(image_queries(1), base.depths(7), None, None)
    true = np.argsort(-(vectors.astype(np.float32) @ image_queries(1)[0]))[:7]
    assert set(true.tolist()) <= set(found.rows.tolist())
    assert found.cuts == (len(found.rows),)


def test_it_needs_nothing_but_its_vectors_and_no_calibration() -> None:
    base = ExactBase.build(np.arange(3), pictures(3))
    assert (base.kind, base.structure(), base.calibration) == ("exact", None, None)
