from __future__ import annotations

import numpy as np

from benchmarks.feedback import Task, first, measure, mixed, precision


def test_an_honest_user_marks_in_turn_and_on_the_first_page_only() -> None:
    order = np.arange(100)[::-1]
    right = np.zeros(100, np.bool_)
    right[[99, 98, 97, 96, 3]] = True
    assert first(order, right).tolist() == [99, 98, 97, 96, 95]
    assert mixed(order, right).tolist() == [99, 95, 98, 94, 97]
    right[:] = False
    right[3] = True  # far down
    assert mixed(order, right).tolist() == [99, 98, 97, 96, 95]


def test_what_was_marked_does_not_count() -> None:
    images = np.linspace(1, 0, 40, dtype=np.float32)[:, None]
    right = np.arange(40) < 10
    vector = np.ones(1, np.float32)
    assert precision(images, vector, right, np.empty(0, np.int64)) == 50
    assert precision(images, vector, right, np.arange(5)) == 25


def test_every_way_is_measured_beside_the_goal() -> None:
    rows = np.random.default_rng(0).standard_normal((80, 8)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    lines = measure(Task("small", rows, rows[:2], rows[:2] @ rows.T > 0), 15)
    assert len(lines) == 9
    assert [line.goal for line in lines].count(15) == 1
