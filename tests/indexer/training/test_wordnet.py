"""WordNet's files, a few lines of them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from indexer.errors import InvalidDataset
from indexer.training.wordnet import read_wordnet

LICENCE = "  1 This software and database is being provided to you\n"
NOUNS = (
    LICENCE + '00001740 03 n 01 entity 0 000 | that which is perceived; "an entity of its own kind"  \n'
    "02088632 05 n 02 English_setter 0 bird_dog 1 000 | a long-haired dog  \n"
    "02088633 05 n 01 dog_of_three_words 0 000 | rare  \n"
)
ADJECTIVES = (
    '00001741 00 a 02 able(p) 0 unheard 0 000 | having the means; "able to swim"; "she was able to program"  \n'
)
SENSES = "able%3:00:00:: 00001741 1 40\nentity%1:03:00:: 00001740 1 11\nunheard%3:00:00:: 00001741 1 0\n"


def write(folder: Path, nouns: str = NOUNS) -> Path:
    folder.mkdir()
    texts = {"data.noun": nouns, "data.verb": LICENCE, "data.adj": ADJECTIVES, "data.adv": "", "index.sense": SENSES}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="latin-1")
    return folder


def test_words_in_use_and_names_of_what_can_be_seen(tmp_path: Path) -> None:
    lexicon = read_wordnet(write(tmp_path / "dict"), random.Random(0))
    assert lexicon.words == ("entity", "english setter", "bird dog", "able")
    assert lexicon.examples == ("an entity of its own kind", "able to swim", "she was able to program")


def test_glosses_of_what_can_be_seen_half_of_them_with_their_word(tmp_path: Path) -> None:
    folder = write(tmp_path / "dict")
    glosses = {gloss for seed in range(20) for gloss in read_wordnet(folder, random.Random(seed)).glosses}
    assert glosses == {"a long-haired dog", "english setter, a long-haired dog", "rare", "dog of three words, rare"}


def test_a_folder_of_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match=r"index\.sense is missing"):
        read_wordnet(tmp_path, random.Random(0))
    with pytest.raises(InvalidDataset, match="another form"):
        read_wordnet(write(tmp_path / "dict", "not | WordNet"), random.Random(0))
