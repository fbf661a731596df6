from __future__ import annotations

from indexer.texts import MAX_CHARACTERS, MAX_TEXTS, ImageText, description, of_kind


def test_each_text_once_and_of_titles_the_first() -> None:
    said = description(
        captions=["a dog", " a dog ", "", "\ud800 odd\0"],
        keywords=["x" * (MAX_CHARACTERS + 5), "dog"],
        titles=["One", "Two"],
        rating=3,
        sidecars="m",
    )
    assert said.texts[:3] == (ImageText("title", "One"), ImageText("caption", "a dog"), ImageText("caption", "? odd"))
    assert of_kind(said.texts, "keyword") == ["x" * MAX_CHARACTERS, "dog"]
    assert (said.rating, said.sidecars) == (3, "m")


def test_no_more_than_a_few_hundred() -> None:
    many = description(captions=map(str, range(1000)), keywords=[], titles=[], rating=None, sidecars="")
    assert len(many.texts) == MAX_TEXTS
