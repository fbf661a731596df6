from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from indexer.vectors import calibration
from indexer.vectors.approximate import ApproximateBase
from indexer.vectors.calibration import Calibration, Effort, calibrate
from indexer.vectors.fastscan import build_fastscan
from indexer.vectors.segmented import SegmentedIndex
from tests.indexer.samples import brute_force
from tests.indexer.vectors.clustered import image_queries, pictures, text_queries

SIZE = 4000
VECTORS = pictures(SIZE)
PROBES = text_queries(60, seed=300)


@pytest.fixture(scope="module")
def flat() -> ApproximateBase:
    return ApproximateBase(build_fastscan("pq", VECTORS), np.arange(SIZE), VECTORS, Effort(1, 1))


@pytest.fixture(scope="module")
def listed() -> ApproximateBase:
    return ApproximateBase(build_fastscan("ivf", VECTORS), np.arange(SIZE), VECTORS, Effort(1, 1))


def of(base: ApproximateBase) -> Calibration:
    assert base.calibration is not None
    return base.calibration


def test_the_target_holds_for_queries_it_was_not_found_with(flat: ApproximateBase) -> None:
    calibrated = calibrate(flat, 0.95, PROBES)
    index = SegmentedIndex.of(calibrated)
    for queries in (image_queries(100), text_queries(100)):
        for k in (10, 100):
            true = [set(brute_force(np.arange(SIZE), VECTORS, query, k)[0]) for query in queries]
            found = [set(matches.ids.tolist()) for matches in index.search(queries, k)]
            assert sum(len(a & b) for a, b in zip(true, found, strict=True)) / (100 * k) >= 0.94


def test_a_higher_target_takes_more_effort_and_the_curve_rises(flat: ApproximateBase) -> None:
    low, high = of(calibrate(flat, 0.6, PROBES)), of(calibrate(flat, 0.99, PROBES))
    assert low.chosen < high.chosen
    assert low.reached
    assert high.reached
    for found in (low, high):
        efforts = [point.effort for point in found.curve]
        assert efforts == sorted(set(efforts))
        assert found.chosen in efforts
        recalls = [(point.recall10_images, point.recall10_texts) for point in found.curve]
        assert all(later[0] >= earlier[0] for earlier, later in itertools.pairwise(recalls))
        assert found.queries == {"images": 200, "texts": 60}
        chosen = next(point for point in found.curve if point.effort == found.chosen)
        assert chosen.recall10_texts is not None
        assert min(chosen.recall10_images, chosen.recall100_images, chosen.recall10_texts) >= found.target


def test_probes_that_are_harder_than_images_raise_the_effort(flat: ApproximateBase) -> None:
    nowhere = np.random.default_rng(0).standard_normal((200, 32)).astype(np.float32)
    nowhere /= np.linalg.norm(nowhere, axis=1, keepdims=True)
    images, both = of(calibrate(flat, 0.95)), of(calibrate(flat, 0.95, nowhere))
    assert images.queries == {"images": 200, "texts": 0}
    assert {point.recall10_texts for point in images.curve} == {None}
    assert images.chosen < both.chosen


def test_lists_are_raised_after_candidates(listed: ApproximateBase) -> None:
    calibrated = calibrate(listed, 0.9, PROBES)
    found = of(calibrated)
    lists = listed.found_by.lists
    assert lists > 8
    assert found.reached
    assert found.chosen == found.parameters["probes"] == calibrated.effort.probes < lists
    assert found.parameters["fetch"] == calibrated.effort.fetch
    assert found.parameters["lists"] == lists


def test_everything_is_scored_where_no_number_of_candidates_is_enough() -> None:
    vectors = pictures(400)
    poor = ApproximateBase(build_fastscan("rabitq", vectors), np.arange(400), vectors, Effort(1, 1))
    found = calibrate(poor, 1.0, PROBES)
    assert of(found).reached
    assert of(found).chosen == poor.exhaustive_fetch
    [exact] = SegmentedIndex.of(found).search(PROBES[:1], 50)
    assert exact.ids.tolist() == brute_force(np.arange(400), vectors, PROBES[0], 50)[0]


def test_a_target_that_cannot_be_reached_is_said(
    flat: ApproximateBase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(calibration, "_ladder", lambda last: [11, 12])
    found = of(calibrate(flat, 0.999, PROBES))
    assert (found.reached, found.chosen) == (False, 12)
    assert "reaches a recall of" in caplog.text


def test_an_image_is_left_out_of_its_own_answers(flat: ApproximateBase) -> None:
    asked = calibration._of_images(flat)
    for query, own, least in zip(asked.queries[:20], asked.own[:20], asked.least[10][:20], strict=True):
        others = np.delete(np.arange(SIZE), own)
        tenth = brute_force(others, VECTORS[others], query, 10)[1][-1]
        assert abs(tenth - least) < 1e-6


def test_the_record_survives_json(flat: ApproximateBase) -> None:
    found = of(calibrate(flat, 0.9, PROBES))
    assert Calibration.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize("fields", [{}, {"curve": [{"effort": 1}]}, {"curve": 3}])
def test_another_record_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a calibration"):
        Calibration.from_json(fields)


def test_equal_efforts_measure_equal_recall(flat: ApproximateBase) -> None:
    first, second = of(calibrate(flat, 0.9, PROBES)), of(calibrate(flat, 0.9, PROBES))
    points = [tuple(replace(point, ms=0.0) for point in found.curve) for found in (first, second)]
    assert points[0] == points[1]
