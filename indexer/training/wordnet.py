"""WordNet's database files -> words, what they mean, and sentences that use them."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from indexer.errors import InvalidDataset

_PARTS = ("noun", "verb", "adj", "adv")
_VISIBLE = {
    "04": "act",
    "05": "animal",
    "06": "artifact",
    "08": "body",
    "13": "food",
    "17": "object",
    "18": "person",
    "20": "plant",
    "27": "substance",
}
"""Numbers of the lexicographer files of nouns that a picture can show, by `man lexnames`."""
_LONGEST_GLOSS = 100
_GLOSSES_KEPT = 0.7
"""A share of the glosses is as good as all of them, and leaves more room for other texts."""


@dataclass(frozen=True, slots=True)
class Lexicon:
    words: tuple[str, ...]
    """Those that WordNet's own texts use, and the names, of one or two words, of what a picture can show."""
    glosses: tuple[str, ...]
    """Of what a picture can show; half of them after their word: `spaniel, any of several breeds of...`"""
    examples: tuple[str, ...]
    """Sentences and phrases of 3 to 16 words."""


@dataclass(frozen=True, slots=True)
class _Synset:
    file: str
    words: tuple[str, ...]
    gloss: str


def read_wordnet(folder: Path, rng: random.Random) -> Lexicon:
    """Reads `index.sense` and `data.noun`, `.verb`, `.adj`, `.adv`, as WordNet 3 has them in `dict`.

    Raises `InvalidDataset` when one is missing or of another form.
    """
    for name in ("index.sense", *(f"data.{part}" for part in _PARTS)):
        if not (folder / name).is_file():
            raise InvalidDataset(str(folder), f"it is no folder of WordNet's files: {name} is missing")
    words, glosses, examples = list[str](), list[str](), list[str]()
    try:
        uses = _uses(folder / "index.sense")
        for part in _PARTS:
            for synset in _synsets(folder / f"data.{part}"):
                visible = synset.file in _VISIBLE
                words += [w for w in synset.words if uses[w] or (visible and len(w.split()) <= 2)]
                gloss, *rest = synset.gloss.split('"')
                gloss = gloss.strip("; ")
                if visible and len(gloss) < _LONGEST_GLOSS and rng.random() < _GLOSSES_KEPT:
                    glosses.append(f"{synset.words[0]}, {gloss}" if rng.random() < 0.5 else gloss)
                examples += [example for example in rest[::2] if 3 <= len(example.split()) <= 16]
    except (OSError, ValueError, IndexError) as error:
        raise InvalidDataset(str(folder), f"WordNet's files are of another form ({error})") from error
    return Lexicon(tuple(dict.fromkeys(words)), tuple(glosses), tuple(examples))


def _uses(file: Path) -> Counter[str]:
    """How often each word, in lower case, is used in WordNet's own tagged texts, in all its senses."""
    uses = Counter[str]()
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            key, _, _, count = line.split()
            uses[key.split("%")[0].replace("_", " ")] += int(count)
    return uses


def _synsets(file: Path) -> Iterator[_Synset]:
    with file.open(encoding="latin-1") as lines:
        for line in lines:
            if line.startswith("  "):  # the licence
                continue
            data, gloss = line.split(" | ", 1)
            fields = data.split()
            count = int(fields[3], 16)
            words = (fields[4 + 2 * i].replace("_", " ").split("(")[0].lower() for i in range(count))
            yield _Synset(fields[1], tuple(words), gloss.strip())
