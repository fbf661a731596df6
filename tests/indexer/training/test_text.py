"""How labels are said, and texts are read."""

from __future__ import annotations

from indexer.training.text import CONTEXT, label_texts, make_tokenizer


def test_a_label_in_every_template() -> None:
    assert label_texts(["tabby_cat"]) == ["tabby cat", "a photo of a tabby cat"]


def test_case_and_punctuation_say_nothing() -> None:
    one, other = make_tokenizer()(["A dog runs .", "a dog runs"])
    assert one.tolist() == other.tolist()
    assert len(one) == CONTEXT
