from __future__ import annotations

from pathlib import Path

import pytest

from indexer.errors import InvalidRequest
from indexer.tags.labels import Label, labels_of_file, read_labels, shipped_labels, write_labels


def test_a_line_is_a_label_with_other_words_and_a_threshold() -> None:
    text = "# all of it\n\nDog: puppy,  old  hound , | 0.3  # best first\nred  car\n"
    assert read_labels(text) == (Label("dog", ("Dog", "puppy", "old hound"), 0.3), Label("red car", ("red car",)))


def test_what_is_written_is_read_as_the_same() -> None:
    for labels in (shipped_labels(), read_labels("Dog: puppy, hound | 0.3\nred car\na | b | 0.05\n")):
        assert read_labels(write_labels(labels)) == labels


def test_a_label_that_repeats_adds_its_words_to_the_first() -> None:
    assert read_labels("dog: puppy\nDOG: hound | 0.2\n") == (Label("dog", ("dog", "puppy", "DOG", "hound"), 0.2),)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "0 labels"),
        ("# nothing\n", "0 labels"),
        ("a\n: puppy\n", "line 2: '' is no tag"),
        ("dog | much", "line 1: 'much' is no threshold"),
        ("dog | 1", "above 0 and below 1"),
        ("dog | nan", "no threshold"),
        ("dog | 0.2\ndog | 0.3", "line 2: 'dog' has another threshold"),
        ("x" * 201, "1 to 200"),
        ("\n".join(map(str, range(10_001))), "10,001 labels"),
    ],
)
def test_what_is_no_list_is_refused(text: str, says: str) -> None:
    with pytest.raises(InvalidRequest, match=says):
        read_labels(text)


def test_files_that_cannot_be_read_are_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"caf\xe9")
    for name, says in (("nowhere", "No such file"), ("latin", "UTF-8")):
        with pytest.raises(InvalidRequest, match=says):
            labels_of_file(tmp_path / name)


def test_the_list_that_ships_has_no_label_twice() -> None:
    labels = shipped_labels()
    assert 600 <= len(labels) <= 1200
    names = [label.name for label in labels]
    assert len({text.casefold() for label in labels for text in label.texts}) >= len(names)
