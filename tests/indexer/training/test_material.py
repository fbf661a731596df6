"""What is read, what is kept apart, and what goes with what."""

from __future__ import annotations

import logging
import tarfile
from pathlib import Path

import pytest

from indexer.training import corpus as corpus_module
from indexer.training.backbone import load_backbone
from indexer.training.features import FeatureStore
from indexer.training.material import Material, MiniSources, Views, gather
from indexer.training.views import View
from tests.indexer.training.madeup import add_example, jpeg, write_backbone
from tests.palette import COLOURS

_WHOLE = (View("whole"),)


def gathered(folder: Path, hold_out: int = 0) -> Material:
    shards = folder / "shards"
    shards.mkdir()
    with tarfile.open(shards / "flickr8k-train.tar", "w") as tar:
        for name in ("red", "blue", "white"):
            add_example(tar, name, [f"a {name} wall near a {name} hill .", "a wall", " ."], picture=jpeg(COLOURS[name]))
        add_example(tar, "labelled only", [], "dog", picture=jpeg(COLOURS["black"]))
    with tarfile.open(shards / "fashion-products.tar", "w") as tar:
        for i, name in enumerate(("red", "green", "cyan", "black")):
            add_example(tar, name, [f"{name} shoe {i}"], "Thing0", picture=jpeg(COLOURS[name]))
    backbone = load_backbone(write_backbone(folder / "backbone"))
    store = FeatureStore(folder / "cache", backbone)
    sources = MiniSources(shards, folder / "backbone")
    return gather(sources, backbone, store, views=Views(_WHOLE, _WHOLE, _WHOLE), hold_out=hold_out, seed=0)


@pytest.fixture(autouse=True)
def no_descriptions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(corpus_module, "_installed_descriptions", lambda: None)


def test_pictures_with_their_texts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        material = gathered(tmp_path)
    texts = material.corpus.texts
    assert len(material.captioned) == 3  # a caption of a full stop alone says nothing, and a label is no caption
    assert [texts[text.number] for text in material.captioned.texts[0]] == ["a red wall near a red hill", "a wall"]
    groups = [text.group for picture in material.captioned.texts for text in picture]
    assert len(set(groups)) == 4  # `a wall` is the same thing in all of them
    (fashion,) = material.sides
    first = [texts[text.number] for text in fashion.pairs.texts[0]]
    assert first == ["red shoe 0", "red shoe 0", "Thing0", "a photo of a Thing0"]
    assert fashion.pairs.texts[0][-1].group == 0  # that of the backbone's class of this name
    assert "no flowers.tar" in caplog.text
    assert "--rendered" in caplog.text


def test_the_last_quarter_of_the_products_is_never_seen(tmp_path: Path) -> None:
    material = gathered(tmp_path)
    assert len(material.sides[0].pairs) == 3
    assert "cyan shoe 2" in material.corpus.texts
    assert "black shoe 3" not in material.corpus.texts


def test_no_text_is_made_of_what_is_held_out(tmp_path: Path) -> None:
    material = gathered(tmp_path, hold_out=1)
    assert len(material.captioned) == 2
    assert material.held_out is not None
    assert len(material.held_out) == 1
    assert material.corpus.of("held_out") == ["a white wall near a white hill"]
    learned = {text for kind in material.corpus.kinds if kind != "held_out" for text in material.corpus.of(kind)}
    assert not any("white wall" in text for text in learned)
