"""Every text once, of one kind."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from indexer.errors import InvalidDataset
from indexer.training import corpus as corpus_module
from indexer.training.corpus import Corpus, add_texts_without_pictures, plain_caption
from tests.indexer.training import test_wordnet


def test_a_text_keeps_its_number_and_its_first_kind() -> None:
    corpus = Corpus()
    assert [corpus.add("a  dog", "caption"), corpus.add("cat", "name"), corpus.add(" a dog ", "name")] == [0, 1, 0]
    corpus.extend(["", " ", "cup"], "name")
    assert corpus.texts == ["a dog", "cat", "cup"]
    assert corpus.kinds == {"caption": [0], "name": [1, 2]}
    assert corpus.of("name", "caption") == ["cat", "cup", "a dog"]
    assert len(corpus) == 3


def test_captions_end_without_a_stop() -> None:
    assert plain_caption("A dog runs .") == "A dog runs"
    assert plain_caption(" . ") == ""


def begun() -> Corpus:
    corpus = Corpus()
    corpus.extend(["two dogs on a beach", "a man riding a horse"], "caption")
    corpus.extend(["tench"], "name")
    return corpus


def test_all_parts(tmp_path: Path) -> None:
    descriptions = tmp_path / "classes.json"
    descriptions.write_text(json.dumps({"imagenet1k": {"carp": ["A carp is a fish."], "tench": ["A green fish."]}}))
    wordnet_folder = test_wordnet.write(tmp_path / "dict")
    made = []
    for _ in range(2):
        corpus = begun()
        add_texts_without_pictures(corpus, descriptions=descriptions, wordnet_folder=wordnet_folder, seed=3)
        made.append(corpus.texts)
    assert made[0] == made[1]
    assert corpus.of("name") == ["tench", "carp", "a photo of a carp", "a photo of a tench"]
    assert corpus.of("description") == ["A carp is a fish", "A green fish"]
    assert corpus.of("word") == ["entity", "english setter", "bird dog", "able"]
    assert {"red tench", "two dogs riding a horse"} <= set(corpus.texts)
    assert all(corpus.of(kind) for kind in ("gloss", "example", "crossed", "fragment", "phrase"))


def test_parts_that_are_not_given_are_left_out_with_a_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corpus_module.importlib.util, "find_spec", lambda name: None)
    corpus = begun()
    with caplog.at_level(logging.INFO):
        add_texts_without_pictures(corpus, descriptions=None, wordnet_folder=None, seed=0)
    assert not corpus.of("description", "word", "gloss", "example")
    assert "--class-sentences" in caplog.text
    assert "--wordnet" in caplog.text


@pytest.mark.parametrize("content", ["not json", "[1]", '{"a": "b"}', '{"a": [1]}'])
def test_descriptions_of_another_form_are_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "classes.json"
    file.write_text(content)
    with pytest.raises(InvalidDataset, match=r"classes\.json"):
        add_texts_without_pictures(begun(), descriptions=file, wordnet_folder=None, seed=0)
