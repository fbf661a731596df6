from __future__ import annotations

from search.words.asked import MOST, asked_tags, asked_words


def test_function_words_say_nothing_and_words_count_once() -> None:
    assert asked_words(["A dog on the beach,", "dog IMG_2034"]) == ("dog", "beach", "img", "2034")
    assert asked_words(["what is it?"]) == ()


def test_accents_and_case_do_not_count_and_half_characters_do_no_harm() -> None:
    assert asked_words(["Caf\u00c9 \ud800"]) == ("cafe",)


def test_a_document_is_no_question() -> None:
    assert len(asked_words([" ".join(f"w{number}" for number in range(MOST))])) == MOST
    assert asked_words([" ".join(f"w{number}" for number in range(MOST + 1))]) == ()


def test_tags_are_up_to_four_words_in_a_row() -> None:
    assert asked_tags(["our Dog sleeps"]) == {
        "our dog": ("dog",),
        "our dog sleeps": ("dog", "sleeps"),
        "dog": ("dog",),
        "dog sleeps": ("dog", "sleeps"),
        "sleeps": ("sleeps",),
    }
    assert "a b c d e" not in asked_tags(["a b c d e"])
