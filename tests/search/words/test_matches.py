from __future__ import annotations

from indexer.texts import ImageText
from search.words.matches import SHOWN, matches

TEXTS = (
    ImageText("title", "Our holiday"),
    ImageText("caption", "A dog."),
    ImageText("caption", "Two DOGS and a d\u00f3g at the sea"),
    ImageText("keyword", "Animals|Dog"),
)


def shown(asked: set[str], path: str = "/a/b.jpg", tags: tuple[str, ...] = ()) -> dict[str, list[str]]:
    found = matches(asked, path, TEXTS, tags)
    return {match.field: [match.text[start:end] for start, end in match.spans] for match in found}


def test_of_each_field_the_text_with_the_most_words_is_shown() -> None:
    assert shown({"dog", "sea"}, tags=("our dog",)) == {
        "caption": ["d\u00f3g", "sea"],
        "keyword": ["Dog"],
        "tag": ["dog"],
    }


def test_parts_of_names_are_marked_and_whole_names_too() -> None:
    assert shown({"beach", "trip"}, "/Rome2019/IMG_beachTrip.jpg") == {"name": ["beach", "Trip"]}
    assert shown({"beachtrip", "2019"}, "/Rome2019/IMG_beachTrip.jpg") == {"name": ["beachTrip"], "folder": ["2019"]}


def test_of_a_long_text_the_part_around_the_words_is_shown() -> None:
    long = "x " * 500 + "the dog and the cat " + "y " * 500
    [match] = matches({"dog", "cat"}, "/a.jpg", [ImageText("caption", long)], ())
    assert len(match.text) == SHOWN
    assert [match.text[start:end] for start, end in match.spans] == ["dog", "cat"]
    [endless] = matches({"z" * 300}, "/a.jpg", [ImageText("caption", "z" * 300)], ())
    assert [endless.text[start:end] for start, end in endless.spans] == ["z" * SHOWN]
