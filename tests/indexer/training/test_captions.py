"""Captions from shards and tables, and what is said of those that do not fit."""

from __future__ import annotations

import gzip
import json
import tarfile
from pathlib import Path

import pytest

from indexer.catalog import Catalog
from indexer.errors import InvalidDataset, SourceNotFound, UndecodableImage
from indexer.training.captions import fingerprint, hold_out, read_captions
from tests.indexer.samples import MANIFEST, put
from tests.indexer.training.colours import paint
from tests.indexer.training.madeup import add_example


def table(folder: Path, name: str, text: str, pictures: int = 5) -> Path:
    folder.mkdir(exist_ok=True)
    for i in range(pictures):
        (folder / f"{i}.jpg").write_bytes(b"jpeg")
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def shard(path: Path, count: int = 5) -> Path:
    with tarfile.open(path, "w") as tar:
        for i in range(count):
            add_example(tar, f"{i:06}", [f"dog {i}", "an animal"], picture=f"picture {i}".encode())
        add_example(tar, "label", [], "tabby_cat", picture=b"a cat")
    return path


def test_a_shard_gives_pictures_that_are_read_when_needed(tmp_path: Path) -> None:
    pictures = read_captions([shard(tmp_path / "a.tar")])
    assert [picture.read() for picture in pictures] == [*(f"picture {i}".encode() for i in range(5)), b"a cat"]
    assert pictures[0].captions == ("dog 0", "an animal")
    assert pictures[5].captions == ("tabby cat", "a photo of a tabby cat")
    (tmp_path / "a.tar").unlink()
    with pytest.raises(UndecodableImage):
        pictures[0].read()


def test_a_csv_and_json_lines_say_the_same(tmp_path: Path) -> None:
    rows = "".join(f"{i}.jpg,dog {i}\n{i}.jpg,an animal\n" for i in range(5))
    lines = "".join(json.dumps({"file": f"{i}.jpg", "captions": [f"dog {i}", "an animal"]}) + "\n" for i in range(5))
    from_csv = read_captions([table(tmp_path / "a", "captions.csv", "\ufeffImage,Caption\n" + rows)])
    from_lines = read_captions([table(tmp_path / "b", "any.jsonl", lines) / "any.jsonl"])
    assert [(p.key, p.captions) for p in from_csv] == [(p.key, p.captions) for p in from_lines]
    assert fingerprint(from_csv) == fingerprint(from_lines) != fingerprint(from_csv[1:])
    assert from_csv[0].captions == ("dog 0", "an animal")


def test_captions_without_pictures_are_an_error_or_left_out(tmp_path: Path) -> None:
    folder = table(tmp_path / "a", "c.csv", "file,text\n" + "".join(f"{i}.jpg,dog {i}\n" for i in range(7)))
    with pytest.raises(InvalidDataset, match=r"2 of 7 .*5\.jpg, 6\.jpg.*--skip-missing"):
        read_captions([folder])
    assert len(read_captions([folder], skip_missing=True)) == 5


def test_pictures_may_lie_elsewhere(tmp_path: Path) -> None:
    folder = table(tmp_path / "a", "c.csv", "file,text\n" + "".join(f"{i}.jpg,dog {i}\n" for i in range(5)))
    moved = (folder / "c.csv").rename(tmp_path / "c.csv")
    assert len(read_captions([moved], images=folder)) == 5


def test_pictures_without_captions_are_left_out_with_a_word(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = "".join(f"{i}.jpg,{'dog' if i < 4 else ''} {i if i < 4 else ''}\n" for i in range(5))
    folder = table(tmp_path / "a", "c.csv", "file,text\n" + rows)
    assert len(read_captions([folder])) == 4
    assert "left out 1 pictures without a caption" in caplog.text
    assert "4.jpg" in caplog.text


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("c.csv", "file,text\n" + "".join(f"{i}.jpg,a Dog\n" for i in range(5)), "same caption"),
        ("c.csv", "file,text\n0.jpg,a dog\n1.jpg,a cat\n", "too few"),
        ("c.csv", "", "too few"),
        ("c.csv", "a,b\n0.jpg,a dog\n", "entry 1 names no picture"),
        ("c.jsonl", "[1]\n", "JSON object"),
        ("c.jsonl", "{\n", "cannot be read"),
        ("c.parquet", "", "no captions in it"),
    ],
)
def test_tables_of_no_use(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(InvalidDataset, match=message):
        read_captions([table(tmp_path / "a", name, text)])


def test_files_of_no_use(tmp_path: Path) -> None:
    with pytest.raises(SourceNotFound):
        read_captions([tmp_path / "nowhere"])
    folder = table(tmp_path / "a", "one.csv", "")
    (folder / "two.jsonl").write_text("")
    with pytest.raises(InvalidDataset, match=r"one\.csv, two\.jsonl"):
        read_captions([folder])
    (tmp_path / "packed.tar").write_bytes(gzip.compress(shard(tmp_path / "b.tar").read_bytes()))
    with pytest.raises(InvalidDataset, match="unpack"):
        read_captions([tmp_path / "packed.tar"])
    with pytest.raises(InvalidDataset, match="unpack"):
        read_captions([(tmp_path / "packed.tar").rename(tmp_path / "packed.tar.gz")])


def test_holding_out_is_drawn_by_the_seed(tmp_path: Path) -> None:
    pictures = read_captions([paint(tmp_path / "a", shades=2)])
    train, held = hold_out(pictures, 0.25, seed=0)
    assert (len(train), len(held)) == (15, 5)
    assert set(train) | set(held) == set(pictures)
    assert (train, held) == hold_out(pictures, 0.25, seed=0) != hold_out(pictures, 0.25, seed=1)
    assert len(hold_out(pictures, 0.0, seed=0)[1]) == 2
    assert len(hold_out(pictures[:4], 0.9, seed=0)[0]) == 2


def collection(folder: Path, pictures: Path) -> Path:
    """One of all the pictures below a folder."""
    with Catalog.create(folder, MANIFEST) as catalog:
        put(catalog, *(str(path) for path in sorted(pictures.rglob("*.jpg"))))
    return folder


def said(library: Path, **choices: bool) -> dict[str, tuple[str, ...]]:
    return {picture.key: picture.captions for picture in read_captions([library], **choices)}


def test_a_collection_has_captions_in_sidecars_and_tables_among_its_pictures(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = table(tmp_path / "photos", "captions.csv", "file,caption\n0.jpg,a dog\nmore/1.jpg,a cat\ngone.jpg,x\n")
    table(photos / "more", "captions.jsonl", json.dumps({"image": "2.jpg", "captions": ["a bird", "wings"]}) + "\n")
    (photos / "0.txt").write_text("an animal\na dog\n")
    (photos / "1.jpg.json").write_text(json.dumps({"caption": "a fish"}))
    (photos / "2.json").write_text("{")
    library = collection(tmp_path / "library", photos)
    assert said(library) == {
        "0.jpg": ("a dog", "an animal"),
        "1.jpg": ("a fish",),
        "more/1.jpg": ("a cat",),
        "more/2.jpg": ("a bird", "wings"),
    }
    assert "2.json: it cannot be read" in caplog.text
    assert "left out 6 pictures without a caption" in caplog.text


def test_originals_that_are_gone_are_an_error_or_left_out(tmp_path: Path) -> None:
    photos = table(
        tmp_path / "photos", "captions.txt", "image,caption\n" + "".join(f"{i}.jpg,dog {i}\n" for i in range(5))
    )
    library = collection(tmp_path / "library", photos)
    (photos / "3.jpg").unlink()
    with pytest.raises(InvalidDataset, match=r"1 of 5 .*3\.jpg.*index the folder again.*--skip-missing"):
        said(library)
    assert list(said(library, skip_missing=True)) == ["0.jpg", "1.jpg", "2.jpg", "4.jpg"]


def test_a_collection_without_captions_says_where_to_write_them(tmp_path: Path) -> None:
    photos = table(tmp_path / "photos", "notes.csv", "a,b\n")
    with pytest.raises(InvalidDataset, match=r"none of its 5 images has captions; write them into IMAGE\.txt"):
        said(collection(tmp_path / "library", photos))
    with pytest.raises(InvalidDataset, match="none of its 0 images"):
        said(collection(tmp_path / "empty", tmp_path / "nowhere"))
