"""The evaluation as a whole: what it holds, how runs compare, what a breakdown says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from search.evaluation import Evaluation, breakdown, compare, evaluate, length_group


def made(noise: float, seed: int = 0, images: int = 60) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray]:
    """Unit images, five captions each that are their image with noise."""
    rng = np.random.default_rng(seed)
    pictures = rng.standard_normal((images, 32)).astype(np.float32)
    owner = np.repeat(np.arange(images), 5)
    texts = pictures[owner] + noise * rng.standard_normal((len(owner), 32)).astype(np.float32)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (pictures, texts)]
    return unit[0], unit[1], owner


@pytest.fixture(scope="module")
def good() -> Evaluation:
    return evaluate(*made(1.0))


@pytest.fixture(scope="module")
def poor() -> Evaluation:
    return evaluate(*made(2.5))


def test_the_dictionary_is_plain_json(good: Evaluation) -> None:
    found = json.loads(json.dumps(good.to_dict(), allow_nan=False))
    assert (found["images"], found["captions"]) == (60, 300)
    assert (found["text_to_image"]["queries"], found["image_to_text"]["queries"]) == (300, 60)
    for direction in (found["text_to_image"], found["image_to_text"]):
        assert 0 < direction["R@1"] <= direction["R@5"] <= direction["R@10"] <= 100
        low, high = direction["intervals"]["R@5"]
        assert low <= direction["R@5"] <= high
        assert direction["in_favour"]["R@1"] == direction["R@1"]


def test_one_image_has_figures_but_no_interval() -> None:
    found = json.loads(json.dumps(evaluate(np.eye(1), np.eye(1), np.array([0])).to_dict(), allow_nan=False))
    assert found["text_to_image"]["R@1"] == 100
    assert found["text_to_image"]["intervals"]["R@1"] == [None, None]


def test_nothing_to_evaluate_is_no_number() -> None:
    none = np.zeros((0, 3), np.float32)
    found = json.loads(json.dumps(evaluate(none, none, np.zeros(0, np.int64)).to_dict(), allow_nan=False))
    assert found["image_to_text"]["R@10"] is None


def test_an_image_without_captions_distracts_but_does_not_ask() -> None:
    images, captions, owner = made(1.0)
    more = np.concatenate([images, captions[[7]]])  # exactly caption 7: it pushes caption 7's own image down
    found = evaluate(more, captions, owner)
    assert found.text_to_image.ranks[7] > evaluate(images, captions, owner).text_to_image.ranks[7]
    assert found.image_to_text.queries.tolist() == list(range(60))


def test_without_resamples_there_are_no_intervals() -> None:
    assert evaluate(*made(1.0), resamples=0).text_to_image.intervals == {}


def test_hardest_and_easiest(poor: Evaluation) -> None:
    ranks = poor.text_to_image.ranks
    assert ranks[poor.text_to_image.hardest(4)].tolist() == sorted(ranks.tolist(), reverse=True)[:4]
    assert ranks[poor.text_to_image.easiest(4)].tolist() == [1, 1, 1, 1]


def test_a_better_run_is_told_from_a_poorer(good: Evaluation, poor: Evaluation) -> None:
    found = compare(poor.text_to_image, good.text_to_image)
    assert found.tests["R@1"].difference > 0
    assert found.tests["R@1"].p_value < 0.01
    assert found.mcnemar["R@1"].only_b > found.mcnemar["R@1"].only_a
    gain = poor.text_to_image.ranks - good.text_to_image.ranks
    assert gain[found.gained].tolist() == sorted(gain[gain > 0].tolist(), reverse=True)
    assert gain[found.lost].tolist() == sorted(gain[gain < 0].tolist())


def test_runs_on_other_images_do_not_compare(good: Evaluation) -> None:
    with pytest.raises(ValueError, match="same images"):
        compare(good.text_to_image, evaluate(*made(1.0, images=59)).text_to_image)
    with pytest.raises(ValueError, match="same images"):
        compare(good.text_to_image, good.image_to_text)


def test_a_breakdown_keeps_the_gallery_whole(poor: Evaluation) -> None:
    groups = ["short", "long", "long", "long", "long"] * 60
    found = breakdown(poor.text_to_image, groups)
    assert list(found) == ["short", "long"]
    assert (found["short"]["queries"], found["long"]["queries"]) == (60, 240)
    total = (60 * found["short"]["R@5"] + 240 * found["long"]["R@5"]) / 300
    assert total == pytest.approx(poor.text_to_image.figures["R@5"])


@pytest.mark.parametrize(
    ("words", "group"),
    [(1, "1-5 words"), (5, "1-5 words"), (6, "6-10 words"), (20, "16-20 words"), (21, "over 20 words")],
)
def test_length_groups(words: int, group: str) -> None:
    assert length_group("word " * words) == group


def test_the_script_in_the_docs_gives_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text()
    script = page.partition("## Check it yourself")[2].partition("```python\n")[2].partition("```")[0]
    assert len([line for line in script.splitlines() if line and not line.startswith("import")]) == 8
    # Whole numbers, so that ties are ties in float32, too.
    rng = np.random.default_rng(0)
    images, captions = (rng.integers(-2, 3, (rows, 6)).astype(np.float32) for rows in (80, 400))
    owner = np.arange(400) % 80
    for name, array in {"images": images, "captions": captions, "image_of_caption": owner}.items():
        np.save(tmp_path / f"{name}.npy", array)
    monkeypatch.chdir(tmp_path)
    exec(compile(script, "docs/evaluation.md", "exec"), {})
    found = evaluate(images, captions, owner)
    expected = [
        f"{name} " + " ".join(f"R@{k} {direction.figures[f'R@{k}']:.2f}" for k in (1, 5, 10))
        for name, direction in (("text->image", found.text_to_image), ("image->text", found.image_to_text))
    ]
    assert found.text_to_image.tied > 0
    assert capsys.readouterr().out.splitlines() == expected
