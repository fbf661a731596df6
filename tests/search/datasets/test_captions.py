"""Captioned sets as JSON and text: each form read, and what is wrong with them told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.errors import IncompleteDataset, InvalidDataset, UnreadableImage
from search.datasets import CaptionedDataset, load_dataset
from tests.search.datasets.making import coco, jpeg, karpathy, pictures, write_json

NAMES = ["0.jpg", "1.jpg", "2.jpg"]


def captioned(path: Path, **options: object) -> CaptionedDataset:
    found = load_dataset(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, CaptionedDataset)
    return found


def assert_the_three_photos(found: CaptionedDataset) -> None:
    assert [item.key for item in found.items] == NAMES
    assert list(found.captions()) == [f"photo {row}, {c}" for row in range(3) for c in range(2)]
    assert found.image_of_caption.tolist() == [0, 0, 1, 1, 2, 2]
    assert [item.image.read() for item in found.items] == [jpeg(shade) for shade in range(3)]
    assert not found.origin.partial


def test_karpathy(tmp_path: Path) -> None:
    pictures(tmp_path / "photos", NAMES)
    found = captioned(write_json(tmp_path / "dataset_flickr8k.json", karpathy()), images=tmp_path / "photos")
    assert_the_three_photos(found)
    assert (found.origin.name, found.origin.split, found.origin.form) == ("Flickr8k", "test", "Karpathy JSON")
    assert set(found.origin.hashes) == {"dataset_flickr8k.json"}


def test_karpathy_takes_the_split_asked_for(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    data = karpathy()
    data["images"][1]["split"], data["images"][2]["split"] = "restval", "train"
    path = write_json(tmp_path / "dataset_coco.json", data)
    assert [item.key for item in captioned(path).items] == ["0.jpg"]
    assert [item.key for item in captioned(path, split="train+restval").items] == ["1.jpg", "2.jpg"]
    with pytest.raises(InvalidDataset, match=r"no split 'val'.*restval, test, train"):
        load_dataset(path, split="val")


def test_karpathy_finds_coco_by_its_file_path(tmp_path: Path) -> None:
    pictures(tmp_path / "val2014", ["0.jpg"])
    data = karpathy(1)
    data["images"][0]["filepath"] = "val2014"
    path = write_json(tmp_path / "dataset_coco.json", data)
    assert captioned(path).items[0].image.path == tmp_path / "val2014" / "0.jpg"
    assert captioned(path, images=tmp_path / "val2014").items[0].image.path == tmp_path / "val2014" / "0.jpg"


def test_coco(tmp_path: Path) -> None:
    pictures(tmp_path / "val2017", NAMES)
    (tmp_path / "annotations").mkdir()
    found = captioned(write_json(tmp_path / "annotations" / "captions_val2017.json", coco()))
    assert_the_three_photos(found)
    assert (found.origin.name, found.origin.split) == ("COCO", "val2017")
    assert "has 5,000 images and 25,014 captions: this has 3 and 6" in found.origin.standing.note


def test_flickr_token_file_with_its_split_list(tmp_path: Path) -> None:
    pictures(tmp_path / "Flicker8k_Dataset", NAMES)
    lines = [f"{row}.jpg#{c}\tphoto {row}, {c}" for row in (2, 0, 1) for c in range(2)]
    path = tmp_path / "Flickr8k.token.txt"
    path.write_text("\n".join([*lines, "gone.jpg.1#0\tin no split, and its file is not there"]) + "\n")
    listed = tmp_path / "Flickr_8k.devImages.txt"
    listed.write_text("".join(f"{name}\n" for name in NAMES))
    for split in ("dev", "val", str(listed)):
        found = captioned(path, split=split)
        assert_the_three_photos(found)
        assert (found.origin.name, found.origin.split) == ("Flickr8k", "val")
        assert set(found.origin.hashes) == {"Flickr8k.token.txt", "Flickr_8k.devImages.txt"}
    with pytest.raises(InvalidDataset, match="no file beside it lists the images of split 'test'"):
        load_dataset(path, split="test")
    with pytest.raises(IncompleteDataset, match=r"1 missing image \('gone.jpg.1'\)"):
        load_dataset(path)


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("image,caption", '{row}.jpg,"photo {row}, {c}"'),
        ("image,caption", "{row}.jpg,photo {row}, {c}"),  # no quotes, as CLIP_benchmark's lists have it
        ("image_name| comment_number| comment", "{row}.jpg| {c}| photo {row}, {c}"),
        ("caption\tfile_name", "photo {row}, {c}\t{row}.jpg"),
    ],
)
def test_captions_tables(tmp_path: Path, header: str, line: str) -> None:
    pictures(tmp_path / "Images", NAMES)
    rows = [line.format(row=row, c=c) for row in range(3) for c in range(2)]
    (tmp_path / "captions.txt").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8-sig")
    assert_the_three_photos(captioned(tmp_path / "captions.txt"))
    assert_the_three_photos(captioned(tmp_path))


def test_json_lines(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    lines = [{"image": "0.jpg", "captions": ["photo 0, 0", "photo 0, 1"]}]
    lines += [{"path": f"{row}.jpg", "caption": f"photo {row}, {c}"} for c in range(2) for row in (1, 2)]
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    assert_the_three_photos(captioned(path))


def test_the_same_caption_may_stand_twice(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    path = tmp_path / "mine.jsonl"
    path.write_text('{"image": "0.jpg", "captions": ["a dog", "a dog"]}\n{"image": "1.jpg", "caption": "a dog"}')
    assert list(captioned(path).captions()) == ["a dog"] * 3


def broken_karpathy(folder: Path) -> Path:
    pictures(folder, NAMES)
    data = karpathy(9)
    images = data["images"]
    images[2]["filename"] = "1.jpg"
    images[3]["filename"] = "../outside.jpg"
    images[4]["sentences"] = []
    images[5]["sentences"][1]["raw"] = " "
    images[6] = {"split": "test"}
    images[7]["sentences"][0]["sentid"] = 0
    pictures(folder, ["4.jpg", "5.jpg", "7.jpg"])
    return write_json(folder / "dataset_flickr8k.json", data)


def test_everything_wrong_is_told_in_one_line(tmp_path: Path) -> None:
    path = broken_karpathy(tmp_path)
    with pytest.raises(IncompleteDataset) as raised:
        load_dataset(path)
    assert set(raised.value.problems) == {
        "1 missing image ('8.jpg')",
        "2 duplicate ids ('1.jpg', 'sentence 0')",
        "1 image name that leads out of the image folder ('../outside.jpg')",
        "1 image without captions ('4.jpg')",
        "1 empty caption ('5.jpg')",
        "1 entry that cannot be read ('image 6')",
    }
    assert "--allow-partial" in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_partial_set_is_marked(tmp_path: Path) -> None:
    found = captioned(broken_karpathy(tmp_path), allow_partial=True)
    assert [item.key for item in found.items] == ["0.jpg", "1.jpg", "5.jpg", "7.jpg"]
    assert found.items[2].captions == ("photo 5, 0",)
    told = found.to_dict()
    assert told["partial"] is True
    assert len(told["problems"]) == 6
    assert told["standard"] is False
    assert told["note"].startswith("partial, not the standard Flickr8k test")
    assert (told["images"], told["captions"]) == (4, 7)


def test_many_problems_show_three(tmp_path: Path) -> None:
    with pytest.raises(IncompleteDataset, match=r"1,200 missing images \('0.jpg', '1.jpg', '2.jpg', \.\.\.\);"):
        load_dataset(write_json(tmp_path / "dataset_flickr8k.json", karpathy(1200)))


def test_nothing_left_is_no_set(tmp_path: Path) -> None:
    path = write_json(tmp_path / "dataset_flickr8k.json", karpathy(2))
    with pytest.raises(InvalidDataset, match="nothing in it to measure with; 2 missing images"):
        load_dataset(path, allow_partial=True)


def test_coco_with_captions_of_nobody(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    data = coco()
    data["annotations"] += [
        {"id": 90, "image_id": 77, "caption": "whose?"},
        {"id": 90, "image_id": 10, "caption": "again"},
        {"id": 91, "image_id": [1], "caption": "no number"},
        "not even an object",
    ]
    data["images"] += [{"id": 10, "file_name": "2.jpg"}, {"file_name": "x.jpg"}]
    path = write_json(tmp_path / "captions_val2014.json", data)
    with pytest.raises(IncompleteDataset) as raised:
        load_dataset(path)
    assert set(raised.value.problems) == {
        "1 caption for an unknown image ('image 77')",
        "2 duplicate ids ('annotation 90', 'image 10')",
        "3 entries that cannot be read ('annotation 8', 'annotation 9', 'image entry 4')",
    }
    assert [len(item.captions) for item in captioned(path, allow_partial=True).items] == [2, 2, 2]


def test_text_files_with_damaged_lines(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    token = tmp_path / "Flickr8k.token.txt"
    token.write_text("0.jpg#0\ta\n0.jpg#0\tb\nno tab\n1.jpg#0\tc\n")
    with pytest.raises(IncompleteDataset, match=r"1 duplicate id \('0.jpg#0'\); 1 entry .*\('line 3'\)"):
        load_dataset(token)
    table = tmp_path / "table.csv"
    table.write_text("image,caption\n0.jpg,fine\n1.jpg\n,nameless\n")
    with pytest.raises(IncompleteDataset, match=r"2 entries that cannot be read \('line 3', 'line 4'\)"):
        load_dataset(table)
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"image": "0.jpg", "caption": "a", "id": 1}\n{"image": "1.jpg", "caption": 5}\n{"imag\n')
    with pytest.raises(IncompleteDataset, match=r"2 entries that cannot be read \('line 2', 'line 3'\)"):
        load_dataset(lines)


def test_what_is_no_set_is_refused_in_one_line(tmp_path: Path) -> None:
    pictures(tmp_path / "plain", NAMES)
    for name, content in {
        "half.json": b'{"images": [{"sente',
        "deep.json": b"[" * 100_000,
        "other.json": b"[1, 2]",
        "latin.json": '{"images": "caf\u00e9"}'.encode("latin-1"),
        "gnd.pkl": b"\x80\x04.",
        "shard.tar.gz": b"\x1f\x8b",
        "empty.txt": b"",
        "photo.jpg": jpeg(),
        "not.tar": b"no tar at all" * 100,
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(InvalidDataset) as raised:
            load_dataset(path)
        assert str(path) in str(raised.value)
        assert "\n" not in str(raised.value)
    for path in (tmp_path / "nowhere", tmp_path / "plain"):
        with pytest.raises(InvalidDataset):
            load_dataset(path)


def test_several_sets_in_a_folder_are_not_guessed_at(tmp_path: Path) -> None:
    write_json(tmp_path / "captions_val2014.json", coco())
    write_json(tmp_path / "dataset_coco.json", karpathy())
    with pytest.raises(InvalidDataset, match=r"several sets; give one of captions_val2014.json, dataset_coco.json"):
        load_dataset(tmp_path)


def test_an_image_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidDataset, match="--images"):
        load_dataset(write_json(tmp_path / "dataset_coco.json", karpathy()), images=tmp_path / "nowhere")


def test_pictures_are_read_only_when_asked_for(tmp_path: Path) -> None:
    pictures(tmp_path, NAMES)
    found = captioned(write_json(tmp_path / "dataset_flickr8k.json", karpathy()))
    (tmp_path / "1.jpg").unlink()
    with pytest.raises(UnreadableImage, match="vanished"):
        found.items[1].image.read()
    assert found.items[2].image.read() == jpeg(2)
