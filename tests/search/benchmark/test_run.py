"""A whole benchmark over real files, real FAISS and a real (tiny) encoder: what the report says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.collection import Collection
from indexer.errors import IncompleteDataset, InvalidDataset, InvalidRequest, ModelMismatch
from indexer.pipeline import sync
from indexer.sources import FolderSource
from search.benchmark.report import BenchmarkReport
from search.benchmark.run import benchmark, benchmark_collection
from search.datasets import load_dataset
from tests.palette import PaletteEncoder
from tests.pictures import plain, write
from tests.search.benchmark.sets import class_folders, colour_set, task

SEVEN = [f"{word} red" for word in ("a", "the", "one", "bright", "deep", "so", "very")]
HAND_MADE = {
    "red": SEVEN,
    "green": ["green", "a blue thing"],
    "green-twin": ["a green thing"],
    "blue": ["blue", "a blue thing"],
}
"""A tie (two green pictures of the same pixels), a duplicate caption, and an image with seven captions."""


@pytest.fixture(scope="module")
def hand_made(tmp_path_factory: pytest.TempPathFactory) -> BenchmarkReport:
    path = colour_set(tmp_path_factory.mktemp("set"), HAND_MADE)
    return benchmark(load_dataset(path), task(thumbnails=True, command="sightline benchmark"))


def test_a_hand_made_set_has_its_exact_values(hand_made: BenchmarkReport) -> None:
    """Seven reds and two blues are first. Both greens tie: in the order of the set the first is 1st, the twin 2nd.
    The green picture's `a blue thing` finds blue, and then the greens, which tie."""
    texts, images = hand_made.text_to_image, hand_made.image_to_text
    assert texts is not None
    assert images is not None
    assert hand_made.queries["text_to_image"].rank == (1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 1, 1)
    assert (texts.queries, texts.tied) == (12, 3)
    assert texts.figures["R@1"] == pytest.approx(100 * 10 / 12)
    assert texts.against["R@1"] == pytest.approx(100 * 9 / 12)
    assert texts.in_favour["R@1"] == pytest.approx(100 * 11 / 12)
    assert texts.against["mean_rank"] == pytest.approx((9 * 1 + 2 * 2 + 3) / 12)
    assert texts.figures["mean_rank"] == pytest.approx((10 * 1 + 2 * 2) / 12)
    assert texts.figures["R@5"] == 100
    # Of the greens' captions the twin's is nearer to both, so the first one's own is 2nd; blue has `blue` besides the
    # caption that it shares.
    assert hand_made.queries["image_to_text"].rank == (1, 2, 1, 1)
    assert images.figures["R@1"] == images.in_favour["R@1"] == 75
    # All of red's captions are before all others: AP@5 is 5/7, and nothing is beyond 7.
    assert images.figures["mAP@10"] is not None
    assert images.against["mAP@10"] != images.figures["mAP@10"]  # the shared caption ties as blue's second right answer


def test_the_report_is_whole(hand_made: BenchmarkReport) -> None:
    assert hand_made.dataset.images == 4
    assert hand_made.dataset.captions == 12
    assert hand_made.dataset.partial is False
    assert hand_made.dataset.standard is None
    assert hand_made.model.name == "palette"
    assert hand_made.prompt is None
    assert set(hand_made.by_prompt) == {"{}"}
    assert list(hand_made.by_length) == ["1-5 words"]
    assert hand_made.by_length["1-5 words"]["queries"] == 12
    assert hand_made.speed.encode_images_per_second
    assert hand_made.speed.search_ms
    assert sum(hand_made.speed.search_ms.histogram.counts) >= 12
    assert hand_made.speed.peak_memory_mb
    assert BenchmarkReport.from_dict(json.loads(hand_made.to_json())) == hand_made


def test_the_exact_index_costs_nothing_but_the_order_of_ties(hand_made: BenchmarkReport) -> None:
    index = hand_made.index
    assert index is not None
    assert index.kind == "exact"
    assert index.recall == {"10": None, "100": None}  # of four pictures the top 10 are all
    assert index.cost["R@5"] == 0


def test_the_worst_and_best_queries_say_what_came_instead(hand_made: BenchmarkReport) -> None:
    worst = hand_made.examples.worst[0]
    assert (worst.direction, worst.query, worst.answer) == ("text_to_image", "a blue thing", "green.png")
    assert worst.returned[0].key == "blue.png"
    assert not worst.returned[0].right
    assert [returned.score for returned in worst.returned] == sorted((r.score for r in worst.returned), reverse=True)
    assert hand_made.examples.best[0].returned[0].right
    images = [example.image for example in hand_made.examples.worst if example.direction == "text_to_image"]
    assert len(images) == len(set(images)) == 4
    assert set(hand_made.thumbnails) == {"red.png", "green.png", "green-twin.png", "blue.png"}


def test_prompts_are_measured_beside_each_other_and_the_first_is_the_result(tmp_path: Path) -> None:
    path = colour_set(tmp_path, {"red": ["red"], "blue": ["blue"]})
    found = benchmark(load_dataset(path), task(prompts=("yellow {} and yellow", "{}")))
    assert found.prompt == "yellow {} and yellow"
    assert list(found.by_prompt) == ["yellow {} and yellow", "{}"]
    assert found.by_prompt["{}"].text_to_image.figures["R@1"] == 100
    assert found.text_to_image == found.by_prompt["yellow {} and yellow"].text_to_image


def test_a_picture_that_cannot_be_read_ends_it_or_makes_it_partial(tmp_path: Path) -> None:
    path = colour_set(tmp_path, {"red": ["red"], "blue": ["blue", "so blue"], "green": ["green"]})
    (tmp_path / "blue.png").write_bytes(b"half of it")
    with pytest.raises(IncompleteDataset, match=r"1 entry that cannot be read \('blue.png: not a picture"):
        benchmark(load_dataset(path), task())
    found = benchmark(load_dataset(path), task(allow_partial=True))
    assert found.dataset.partial
    assert (found.dataset.images, found.dataset.captions) == (2, 2)
    assert "blue.png" in found.dataset.warnings[0]
    assert "partial" in found.dataset.warnings[-1]
    assert set(found.queries["text_to_image"].image) == {"red.png", "green.png"}
    assert found.text_to_image is not None
    assert found.text_to_image.figures["R@1"] == 100


def test_nothing_that_can_be_read_is_no_result(tmp_path: Path) -> None:
    path = colour_set(tmp_path, {"red": ["red"]})
    (tmp_path / "red.png").write_bytes(b"")
    with pytest.raises(InvalidDataset, match="not one picture"):
        benchmark(load_dataset(path), task(allow_partial=True))


def test_a_limit_spreads_over_the_set_and_is_partial(tmp_path: Path) -> None:
    colours = ["red", "green", "blue", "cyan", "white"]
    path = colour_set(tmp_path, {colour: [colour] for colour in colours})
    encoder = PaletteEncoder()
    found = benchmark(load_dataset(path), task(limit=3, encoder=encoder))
    assert found.queries["image_to_text"].key == ("red.png", "blue.png", "white.png")
    assert found.dataset.warnings[0] == "only 3 of its 5 images (--limit)"
    assert found.dataset.partial
    assert sum(encoder.image_batches) == 3


def test_class_folders_are_classified(tmp_path: Path) -> None:
    classes = ["red", "green", "blue", "yellow", "cyan", "magenta"]
    class_folders(tmp_path, classes)
    write(tmp_path / "red" / "wrong.png", plain("blue"))
    found = benchmark(load_dataset(tmp_path), task(prompts=("a photo of {c}",)))
    assert found.zero_shot is not None
    assert found.zero_shot.top1 == pytest.approx(100 * 12 / 13)
    assert found.zero_shot.mean_per_class == pytest.approx(100 * (5 + 2 / 3) / 6)
    assert found.zero_shot.top5 == pytest.approx(100 * 12 / 13)  # red is the last of six for blue
    assert found.text_to_image is None
    worst = found.examples.worst[0]
    assert (worst.query, worst.answer, worst.returned[0].key) == ("red/wrong.png", "red", "blue")
    assert len(found.queries["image_to_class"].rank) == 13
    assert BenchmarkReport.from_dict(found.to_dict()) == found


def test_few_classes_have_no_top_five(tmp_path: Path) -> None:
    dataset = load_dataset(class_folders(tmp_path, ["red", "green"]))
    found = benchmark(dataset, task(prompts=("{c}", "some {c}")))
    assert found.zero_shot is not None
    assert (found.zero_shot.top1, found.zero_shot.top5) == (100, None)
    assert found.zero_shot.templates == ("{c}", "some {c}")
    plain_one = benchmark(dataset, task()).zero_shot
    assert plain_one is not None
    assert plain_one.templates == ("a photo of a {c}.",)


def _instances(folder: Path) -> Path:
    """A red and a blue query, the red one boxed out of a red and green picture."""
    names = [f"{name}.png" for name in ("red", "orange", "green", "blue", "cyan")]
    for name in names:
        write(folder / name, plain(name.partition(".")[0]))
    both = plain("green", (40, 20))
    both.paste(plain("red", (20, 20)), (0, 0))
    write(folder / "query.png", both)
    judged = [
        {"bbx": [0, 0, 20, 20], "easy": [0], "hard": [1], "junk": []},
        {"bbx": None, "easy": [3], "hard": [], "junk": [4]},
    ]
    path = folder / "gnd.json"
    path.write_text(json.dumps({"imlist": names, "qimlist": ["query.png", "blue.png"], "gnd": judged}))
    return path


def test_instance_lists_give_map_by_protocol(tmp_path: Path) -> None:
    found = benchmark(load_dataset(_instances(tmp_path)), task())
    assert found.instances is not None
    assert set(found.instances) == {"easy", "medium", "hard"}
    assert found.instances["easy"].mAP == pytest.approx(100)
    assert found.instances["easy"].queries == 2
    assert found.instances["hard"].queries == 1
    assert BenchmarkReport.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("choices", [{"limit": 3}, {"prompts": ("a {}",)}])
def test_what_means_nothing_for_instance_lists_is_refused(tmp_path: Path, choices: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest, match="does not go with instance lists"):
        benchmark(load_dataset(_instances(tmp_path)), task(**choices))


def test_an_instance_list_loses_a_picture_from_all_its_lists(tmp_path: Path) -> None:
    dataset = load_dataset(_instances(tmp_path))
    (tmp_path / "red.png").write_bytes(b"gone")
    with pytest.raises(IncompleteDataset, match="red"):
        benchmark(dataset, task())
    found = benchmark(dataset, task(allow_partial=True))
    assert found.dataset.partial
    assert found.instances is not None
    assert found.instances["easy"].queries == 1  # the red query has no right answer left
    assert found.instances["easy"].mAP == pytest.approx(100)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"prompts": ("a photo",)}, "no {c} or {}"),
        ({"index": "lsh"}, "unknown index kind 'lsh'"),
        ({"limit": 0}, "--limit must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_encoded(
    tmp_path: Path, choices: dict[str, object], message: str
) -> None:
    encoder = PaletteEncoder()
    dataset = load_dataset(colour_set(tmp_path, {"red": ["red"]}))
    with pytest.raises(InvalidRequest, match=message):
        benchmark(dataset, task(encoder=encoder, **choices))
    assert encoder.image_batches == []


@pytest.fixture
def collection(tmp_path: Path) -> Collection:
    """Red, green and blue pictures, indexed; the first two with side-cars."""
    folder = tmp_path / "photos"
    for name in ("red", "green", "blue"):
        write(folder / f"{name}.png", plain(name))
    (folder / "red.txt").write_text("red\na red thing\n\n")
    (folder / "green.png.json").write_text(json.dumps({"captions": ["green"]}))
    (folder / "blue.json").write_text(json.dumps({"camera": "not a caption"}))
    encoder = PaletteEncoder()
    made = Collection.open_or_create(tmp_path / "library", encoder.manifest)
    sync(made, encoder, FolderSource(folder))
    return made


def test_a_collection_is_measured_by_its_sidecars_without_encoding_a_picture(collection: Collection) -> None:
    encoder = PaletteEncoder()
    with collection:
        found = benchmark_collection(collection, None, task(encoder=encoder))
    assert encoder.image_batches == []
    assert found.speed.encode_images_per_second is None
    assert (found.dataset.images, found.dataset.captions) == (3, 3)
    assert found.dataset.format == "own collection, side-cars"
    assert found.dataset.partial is False
    assert found.image_to_text is not None
    assert found.image_to_text.queries == 2  # blue has no captions: it distracts, and nobody asks for it
    assert found.text_to_image is not None
    assert found.text_to_image.figures["R@1"] == 100


def test_a_collection_is_measured_by_a_file_of_captions(collection: Collection, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    write(photos / "white.png", plain("white"))  # not indexed
    lines = [{"path": f"{name}.png", "caption": f"so {name}"} for name in ("blue", "white")]
    (photos / "mine.jsonl").write_text("\n".join(map(json.dumps, lines)))
    dataset = load_dataset(photos / "mine.jsonl")
    with collection:
        with pytest.raises(IncompleteDataset, match=r"1 caption for an unknown image \('white.png'\)"):
            benchmark_collection(collection, dataset, task())
        found = benchmark_collection(collection, dataset, task(allow_partial=True))
    assert found.dataset.partial
    assert found.queries["text_to_image"].text == ("so blue",)


def test_a_collection_that_cannot_be_measured_says_why(collection: Collection, tmp_path: Path) -> None:
    with collection:
        (tmp_path / "photos" / "red.json").write_text("{")
        with pytest.raises(IncompleteDataset, match=r"red\.json"):
            benchmark_collection(collection, None, task())
        for path in (tmp_path / "photos").glob("*.[jt]*"):
            path.unlink()
        with pytest.raises(InvalidDataset, match="none of its 3 images has captions"):
            benchmark_collection(collection, None, task())
        with pytest.raises(ModelMismatch):
            benchmark_collection(collection, None, task(encoder=PaletteEncoder(weights_hash="1" * 64)))
