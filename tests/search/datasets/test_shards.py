"""WebDataset shards, ours and CLIP_benchmark's, whole and half copied."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from indexer.errors import IncompleteDataset, InvalidDataset, UnreadableImage
from indexer.images import Limits
from search.datasets import CaptionedDataset, LabelledDataset, load_dataset
from tests.search.datasets.making import captioned_tar, jpeg, write_tar


def captioned(path: Path, **options: object) -> CaptionedDataset:
    found = load_dataset(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, CaptionedDataset)
    return found


def labelled(path: Path, **options: object) -> LabelledDataset:
    found = load_dataset(path, **options)  # type: ignore[arg-type]
    assert isinstance(found, LabelledDataset)
    return found


def test_our_shards(tmp_path: Path) -> None:
    found = captioned(captioned_tar(tmp_path / "flickr8k-dev.tar", 4))
    assert [item.key for item in found.items] == ["000000", "000001", "000002", "000003"]
    assert found.items[3].captions == ("caption 3.0", "caption 3.1")
    assert [item.image.read() for item in found.items] == [jpeg(shade) for shade in range(4)]
    assert (found.origin.name, found.origin.split) == ("Flickr8k", "val")
    assert len(found.origin.hashes["flickr8k-dev.tar"]) == 64


def clip_benchmark_shards(folder: Path, *, shards: int = 2) -> Path:
    """As its converter writes them: images in any of three formats, captions a line each."""
    for shard in range(shards):
        members = []
        for row in range(3):
            key = f"s{shard * 3 + row:07}"
            members += [(f"{key}.webp", jpeg(row)), (f"{key}.txt", f"first {key}\nsecond {key}".encode())]
        write_tar(folder / "test" / f"{shard}.tar", members)
    (folder / "test" / "nshards.txt").write_text(f"{shards}\n")
    (folder / "dataset_type.txt").write_text("retrieval\n")
    return folder


def test_clip_benchmarks_shards(tmp_path: Path) -> None:
    found = captioned(clip_benchmark_shards(tmp_path / "wds_flickr30k"))
    assert [item.key for item in found.items][2:4] == ["0/s0000002", "1/s0000003"]
    assert found.items[3].captions == ("first s0000003", "second s0000003")
    assert found.items[4].image.read() == jpeg(1)
    assert (found.origin.name, found.origin.split) == ("Flickr30k", "test")
    assert set(found.origin.hashes) == {"0.tar", "1.tar"}


def test_twelve_shards_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    found = captioned(clip_benchmark_shards(tmp_path, shards=12))
    assert [item.key for item in found.items] == [f"{row // 3}/s{row:07}" for row in range(36)]


def test_a_missing_shard_is_told(tmp_path: Path) -> None:
    folder = clip_benchmark_shards(tmp_path, shards=3)
    (folder / "test" / "1.tar").unlink()
    with pytest.raises(IncompleteDataset, match=r"1 missing shard \('1.tar'\)"):
        load_dataset(folder)
    assert captioned(folder, allow_partial=True).origin.partial
    (folder / "test" / "nshards.txt").write_text("<html>")
    with pytest.raises(InvalidDataset, match="number of shards, not '<html>'"):
        load_dataset(folder)


def test_class_shards(tmp_path: Path) -> None:
    members = []
    for row, number in enumerate((1, 0, 1, 7)):
        members += [(f"s{row}.jpg", jpeg(row)), (f"s{row}.cls", str(number).encode())]
    write_tar(tmp_path / "test" / "0.tar", members)
    (tmp_path / "classnames.txt").write_text("cat\nguinea pig\n")
    (tmp_path / "zeroshot_classification_templates.txt").write_text("a photo of a {c}.\n")
    with pytest.raises(IncompleteDataset, match=r"1 image without a known class \('s3'\)"):
        load_dataset(tmp_path)
    found = labelled(tmp_path, allow_partial=True)
    assert found.classes == ("cat", "guinea pig")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.templates == ("a photo of a {c}.",)


def test_captions_and_labels_in_one_shard(tmp_path: Path) -> None:
    members = []
    for row, label in enumerate(("shoe", "hat", "shoe")):
        fields = {"captions": [f"a {label}"], "label": label}
        members += [(f"{row}.jpg", jpeg(row)), (f"{row}.json", json.dumps(fields).encode())]
    path = write_tar(tmp_path / "products.tar", members)
    assert len(captioned(path).items) == 3
    found = labelled(path, kind="labels")
    assert (found.classes, found.labels.tolist()) == (("hat", "shoe"), [1, 0, 1])
    assert found.items[1].image.read() == jpeg(1)


@pytest.mark.parametrize("keep", [0.3, 0.55, 0.7, 0.85])
def test_a_half_downloaded_shard_is_told_wherever_it_breaks_off(tmp_path: Path, keep: float) -> None:
    path = captioned_tar(tmp_path / "mine.tar", 40)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])
    with pytest.raises(IncompleteDataset, match=r"1 shard that is cut short \('mine.tar'\)"):
        load_dataset(path)
    found = captioned(path, allow_partial=True)
    assert found.origin.partial
    assert 0 < len(found.items) < 40
    assert [item.image.read() for item in found.items] == [jpeg(shade) for shade in range(len(found.items))]


def test_a_shard_cut_between_members_or_in_its_last_picture(tmp_path: Path) -> None:
    path = captioned_tar(tmp_path / "mine.tar", 3)
    whole = path.read_bytes()
    last = captioned(path).items[2].image
    for end in (last.offset - 512, last.offset + 100):
        path.write_bytes(whole[:end])
        with pytest.raises(IncompleteDataset, match="cut short"):
            load_dataset(path)
        assert len(captioned(path, allow_partial=True).items) == 2


def test_members_that_do_not_make_an_example(tmp_path: Path) -> None:
    members = [
        ("0.jpg", jpeg()),
        ("0.json", b'{"captions": ["a"]}'),
        ("1.json", b'{"captions": ["no picture"]}'),
        ("2.jpg", jpeg()),
        ("3.jpg", jpeg()),
        ("3.json", b"{broken"),
        ("4.jpg", jpeg()),
        ("4.txt", b"\xff\xfe"),
        ("README", b"not a part of anything"),
        ("0.jpg", jpeg(1)),
        ("0.json", b'{"captions": ["again"]}'),
    ]
    path = write_tar(tmp_path / "odd.tar", members)
    with pytest.raises(IncompleteDataset) as raised:
        load_dataset(path)
    assert set(raised.value.problems) == {
        "1 missing image ('1')",
        "3 images without captions ('2', '3', '4')",
        "2 entries that cannot be read ('3.json', '4.txt')",
        "1 duplicate id ('0')",
    }
    assert list(captioned(path, allow_partial=True).captions()) == ["a"]


def test_reading_is_bounded_and_notices_a_changed_file(tmp_path: Path) -> None:
    path = captioned_tar(tmp_path / "mine.tar", 2)
    image = captioned(path).items[1].image
    with pytest.raises(UnreadableImage, match="SIGHTLINE_MAX_FILE_MB"):
        image.read(Limits(max_bytes=100))
    path.write_bytes(b"")
    with pytest.raises(UnreadableImage, match="cut short"):
        image.read()
    path.unlink()
    with pytest.raises(UnreadableImage, match="cannot be read"):
        image.read()
