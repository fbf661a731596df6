"""Every text that `mini` learns from, each once, numbered, and of one kind. Most of them have no picture."""

from __future__ import annotations

import importlib.util
import json
import logging
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from indexer.errors import InvalidDataset
from indexer.training import phrases, wordnet

_LOG = logging.getLogger(__name__)

Kind = Literal[
    "caption",  # of the captioned pictures
    "title",  # of the other shards' pictures
    "name",  # of labels and classes, alone and in a template
    "description",  # of a class: "A tench is a freshwater fish of the carp family."
    "word",  # WordNet's
    "gloss",  # what WordNet says that a word means
    "example",  # WordNet's sentences
    "crossed",  # the beginning of one caption with the end of another
    "fragment",  # the beginning or the end of a caption
    "phrase",  # of colours, numbers and positions
    "rendered",  # captions of rendered pictures
    "held_out",  # of pictures to measure with; never learned
]

_DESCRIPTIONS_A_CLASS = 25


class Corpus:
    """`texts[number]` is a text; `kinds[kind]` holds the numbers of a kind. A text keeps the first kind it is given."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.kinds: dict[Kind, list[int]] = {}
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, text: str, kind: Kind) -> int:
        """The text's number, a new one unless it is here already. White space counts as one space."""
        plain = " ".join(text.split())
        number = self._numbers.setdefault(plain, len(self.texts))
        if number == len(self.texts):
            self.texts.append(plain)
            self.kinds.setdefault(kind, []).append(number)
        return number

    def extend(self, texts: Iterable[str], kind: Kind) -> None:
        for text in texts:
            if text.strip():
                self.add(text, kind)

    def of(self, *kinds: Kind) -> list[str]:
        return [self.texts[number] for kind in kinds for number in self.kinds.get(kind, ())]


def plain_caption(caption: str) -> str:
    """Flickr8k's captions end with ` .`; queries do not."""
    return caption.rstrip(" .")


def add_texts_without_pictures(
    corpus: Corpus, *, descriptions: Path | None, wordnet_folder: Path | None, seed: int
) -> None:
    """Class descriptions, WordNet, crossed captions and phrases, to a corpus that has captions and names already.

    `descriptions` is a JSON file `{"class name": ["sentence", ...]}`, or that one level deeper, by default the
    `cupl_prompts.json` of an installed clip-benchmark; `wordnet_folder` holds `data.noun`, `index.sense` and their
    sisters. What is not there is left out, with a line in the log. Raises `InvalidDataset`.
    """
    rng = random.Random(seed)
    descriptions = descriptions or _installed_descriptions()
    if descriptions is None:
        _LOG.info("no descriptions of classes: --class-sentences is not given and clip-benchmark is not installed")
    else:
        _add_descriptions(corpus, descriptions, rng)
    if wordnet_folder is None:
        _LOG.info("no words of WordNet: --wordnet is not given")
    else:
        lexicon = wordnet.read_wordnet(wordnet_folder, rng)
        corpus.extend(lexicon.words, "word")
        corpus.extend(lexicon.glosses, "gloss")
        corpus.extend(lexicon.examples, "example")
    crossed, fragments = phrases.cross(corpus.of("caption"), rng)
    corpus.extend(crossed, "crossed")
    corpus.extend(fragments, "fragment")
    corpus.extend(phrases.phrases(_short(corpus.of("name", "word")), rng), "phrase")
    counts = ", ".join(f"{len(numbers):,} {kind}" for kind, numbers in corpus.kinds.items())
    _LOG.info("%d texts: %s", len(corpus), counts)


def _short(names: Iterable[str]) -> list[str]:
    return [name for name in names if len(name.split()) <= 2]


def _installed_descriptions() -> Path | None:
    package = importlib.util.find_spec("clip_benchmark")
    folders: Sequence[str] = (package and package.submodule_search_locations) or ()
    files = (Path(folder) / "datasets" / "cupl_prompts.json" for folder in folders)
    return next((file for file in files if file.is_file()), None)


def _add_descriptions(corpus: Corpus, file: Path, rng: random.Random) -> None:
    for name, sentences in _read_descriptions(file).items():
        corpus.extend((name, f"a photo of a {name}"), "name")
        chosen = rng.sample(sentences, min(_DESCRIPTIONS_A_CLASS, len(sentences)))
        corpus.extend(map(plain_caption, chosen), "description")


def _read_descriptions(file: Path) -> dict[str, list[str]]:
    try:
        found: Any = json.loads(file.read_text(encoding="utf-8"))
        while found and all(isinstance(value, dict) for value in found.values()):
            found = {name: value for inner in found.values() for name, value in inner.items()}
        whole = all(isinstance(value, list) and all(isinstance(x, str) for x in value) for value in found.values())
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidDataset(str(file), f"it cannot be read as descriptions of classes ({error})") from error
    if not whole:
        raise InvalidDataset(str(file), 'descriptions of classes are {"class name": ["sentence", ...]}')
    return dict(found)
