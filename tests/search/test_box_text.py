from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.box import read_box
from search.box_text import box_text
from search.filters import Camera, Folder, Tag

NOW = datetime(2024, 5, 15)  # noqa: DTZ001 - cameras have no zone


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("canon", "camera:canon"),
        ("Canon EOS 5D", 'camera:"Canon EOS 5D"'),
        ("X-T4", "camera:X-T4"),
        ("Acme.", 'camera:"Acme."'),
        ('14" lens', 'camera:"14"" lens"'),
        ("caf\u00e9", 'camera:"caf\u00e9"'),
        (" ", None),
        ("half \ud800", None),
        ("nul\0", None),
        ("x" * 501, None),
    ],
)
def test_what_the_box_is_given(value: str, text: str | None) -> None:
    assert box_text("camera", value) == text


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(value=st.text(min_size=1, max_size=40), before=st.sampled_from(["", "a dog ", "summer ", "type:png "]))
def test_the_box_reads_it_back(value: str, before: str) -> None:
    for rule, kind in (("camera", Camera), ("folder", lambda path: Folder("/" + path))):
        said = "/" + value if rule == "folder" else value
        text = box_text(rule, said)
        if text is None:
            continue
        chip = read_box(before + text, NOW).chips[-1]
        assert (chip.text, chip.filter) == (text, kind(value))


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(value=st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40))
def test_tags_are_read_back(value: str) -> None:
    text = box_text("tag", value)
    assert text is None or read_box(text, NOW).filter == Tag(value)
