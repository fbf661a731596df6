from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.errors import InvalidTraining
from indexer.training.recipe import Recipe
from indexer.training.request import TrainingRequest

FULL = TrainingRequest(
    out=Path("/out"),
    model="mini",
    data=(Path("/a.tar"), Path("/b")),
    recipe=Recipe(train="lora", lora_rank=8, epochs=2),
    validation=Path("/measured"),
    skip_missing=True,
    weights="float32",
    threads=3,
)


def test_it_is_kept_as_json_and_read_again() -> None:
    kept = json.loads(json.dumps(FULL.arguments()))
    assert TrainingRequest.of(kept) == FULL
    assert next(iter(kept.values())) == "/out"  # what lists of jobs show


def test_the_collection_among_the_data(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    asked = TrainingRequest(tmp_path / "out", "mini", (tmp_path / "captions.csv", library), Recipe())
    assert asked.library is None
    (library / "catalog.db").touch()
    assert asked.library == library


def test_wrong_choices_are_named() -> None:
    with pytest.raises(InvalidTraining, match="--device must be auto or cpu or cuda, not 'tpu'"):
        TrainingRequest(Path("/out"), "mini", (), Recipe(), device="tpu")  # type: ignore[arg-type]
