from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.feedback import USERS, WAYS, Task, first, five_right, measure, mixed, precision
from benchmarks.wordnet_groups import WordNet
from tests.palette import PaletteEncoder


def test_an_honest_user_marks_from_the_top_and_no_further_than_people_look() -> None:
    order = np.arange(100)[::-1]
    right = np.zeros(100, np.bool_)
    right[[99, 98, 97, 96, 65, 3]] = True
    assert first(order, right).tolist() == [99, 98, 97, 96, 95]
    assert mixed(order, right).tolist() == [99, 95, 98, 94, 97]
    assert five_right(order, right).tolist() == [99, 98, 97, 96, 65]
    right[:] = False
    right[3] = True  # far down
    assert mixed(order, right).tolist() == [99, 98, 97, 96, 95]
    assert five_right(order, right).tolist() == []


def test_what_was_marked_does_not_count() -> None:
    scores = np.linspace(1, 0, 40, dtype=np.float32)
    right = np.arange(40) < 10
    assert precision(scores, right, np.empty(0, np.int64)) == 50
    assert precision(scores, right, np.arange(5)) == 25


def test_every_way_is_measured_beside_the_goal() -> None:
    rows = np.random.default_rng(0).standard_normal((80, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    encoder = PaletteEncoder()
    right = encoder.encode_texts(["red", "blue"]) @ rows.T > 0
    lines = measure(Task("small", rows, ("red", "blue"), right), encoder, report=True)
    assert len(lines) == len(USERS) * (2 * (1 + len(WAYS)) + 1)
    assert [line.goal for line in lines].count(15) == len(USERS)


_NOUNS = """  1 the licence
00000001 05 n 01 animal 0 000 | lives
00000002 05 n 02 dog 0 hound 1 001 @ 00000006 n 0000 | barks
00000003 05 n 01 poodle 0 002 @ 00000002 n 0000 ~ 00000001 n 0000 | curls
00000004 05 n 01 terrier 0 001 @ 00000002 n 0000 | digs
00000005 05 n 01 eagle 0 001 @i 00000001 n 0000 | flies
00000006 05 n 01 canine 0 001 @ 00000001 n 0000 | what dogs are
"""


def test_groups_are_the_nouns_above_enough_photos(tmp_path: Path) -> None:
    (tmp_path / "data.noun").write_text(_NOUNS)
    photos = ["n00000003"] * 2 + ["n00000004"] * 2 + ["n00000005"]
    nouns = WordNet.read(tmp_path)
    groups = nouns.groups(photos, 2, 5)
    assert {name: int(right.sum()) for name, right in groups.items()} == {"dog": 4, "animal": 5}  # no canine but dogs
    assert nouns.groups(photos, 2, 4).keys() == {"dog"}
