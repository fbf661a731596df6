"""Another model is promoted while searches go on: no search fails, and none is answered by two models."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.collection import Collection
from indexer.encoder import Encoder
from indexer.errors import CursorExpired, ModelLoadFailed
from search.query import Query
from search.serving import Serving
from tests.indexer.samples import an_image
from tests.palette import COLOURS, PaletteEncoder


class Turned(PaletteEncoder):
    """Another model: what the palette says, in another order of its dimensions, so that the two do not mix."""

    def __init__(self) -> None:
        super().__init__(model="turned", weights_hash="1" * 64)

    def encode_images(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().encode_images(pixels)[:, ::-1])

    def encode_texts(self, texts: object) -> NDArray[np.float32]:
        return np.ascontiguousarray(super().encode_texts(texts)[:, ::-1])  # type: ignore[arg-type]


ENCODERS: dict[str, Callable[[], Encoder]] = {"palette": PaletteEncoder, "turned": Turned}


def load(model: str) -> Encoder:
    return ENCODERS[model]()


def pictures() -> NDArray[np.uint8]:
    return np.stack([np.full((16, 16, 3), COLOURS[name], np.uint8) for name in COLOURS])


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """One picture of each colour, by two models, of which the palette serves."""
    encoder = PaletteEncoder()
    with Collection.open_or_create(tmp_path / "library", encoder.manifest) as collection:
        images = [an_image(f"/photos/{name}.png") for name in COLOURS]
        collection.catalog.put(images, encoder.encode_images(pictures()).astype(np.float16))
        turned = Turned()
        other = collection.catalog.of_model(collection.catalog.models.add(turned.manifest))
        other.fill(other.missing(100), turned.encode_images(pictures()).astype(np.float16))
    return tmp_path / "library"


@pytest.fixture
def serving(library: Path) -> Iterator[Serving]:
    with Serving.open(library, load, look_seconds=0.0) as serving:
        yield serving


def promote(library: Path, model: str) -> None:
    with Collection.open(library) as collection:
        collection.promote(collection.catalog.models.find(model).id)


def found(serving: Serving, colour: str) -> str:
    return Path(serving.engine.search(Query.of(text=colour, k=1)).hits[0].image.path).stem


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def takes_over(serving: Serving, model: str) -> None:
    def has_changed() -> bool:
        found(serving, "red")
        return serving.collection.manifest.model == model

    until(has_changed)


def test_a_promoted_model_takes_over_and_goes_back(serving: Serving, library: Path) -> None:
    for model in ("turned", "palette", "turned"):
        promote(library, model)
        takes_over(serving, model)
        assert [found(serving, colour) for colour in COLOURS] == list(COLOURS)


def test_under_load_no_search_fails_and_none_is_mixed(serving: Serving, library: Path) -> None:
    wrong, errors, stop, answered = list[str](), list[BaseException](), threading.Event(), [0]

    def ask() -> None:
        number = 0
        while not stop.is_set():
            colour = list(COLOURS)[number % len(COLOURS)]
            number += 1
            try:
                if found(serving, colour) != colour:
                    wrong.append(colour)
                answered[0] += 1
            except BaseException as error:  # noqa: BLE001  (shown by the test)
                errors.append(error)

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for model in ("turned", "palette", "turned"):
        promote(library, model)
        until(lambda model=model: serving.collection.manifest.model == model)  # type: ignore[misc]
    seen = answered[0]
    until(lambda: answered[0] > seen + 10)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert not wrong


def test_a_page_of_the_model_before_can_be_turned(serving: Serving, library: Path) -> None:
    first = serving.engine.search(Query.of(text="red", k=3))
    assert first.cursor is not None
    expected = [hit.image.path for hit in serving.next_page(first.cursor, 3).hits]
    promote(library, "turned")
    takes_over(serving, "turned")
    assert [hit.image.path for hit in serving.next_page(first.cursor, 3).hits] == expected
    with pytest.raises(CursorExpired):
        serving.next_page("nobody.3", 3)


def test_whoever_comes_late_does_not_change_over_again(serving: Serving, library: Path) -> None:
    promote(library, "turned")
    takes_over(serving, "turned")
    now = serving.collection
    serving._change()  # a thread that was started before the other had changed over
    assert serving.collection is now


def test_a_model_that_cannot_be_loaded_changes_nothing(
    library: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> Encoder:
        raise ModelLoadFailed("turned", "its weights are damaged")

    monkeypatch.setitem(ENCODERS, "turned", fail)
    with Serving.open(library, load, look_seconds=0.0) as serving:
        promote(library, "turned")
        until(lambda: found(serving, "red") == "red" and "cannot be used, the one before it goes on" in caplog.text)
        assert serving.collection.manifest.model == "palette"
        assert found(serving, "blue") == "blue"


def test_closing_may_be_repeated(library: Path) -> None:
    serving = Serving.open(library, load)
    serving.close()
    serving.close()
