"""The `search` command as a person and a script use it, over a real checkpoint of random weights."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from indexer.errors import ImageTooLarge, InvalidQuery, InvalidRequest, SightlineError
from tests.checkpoints import make_checkpoint
from tests.pictures import photo, write
from web.cli import app

NAMES = ["one.jpg", "two words.png", "with\nnewline.jpg", os.fsdecode(b"not-utf8-\xe9.jpg")]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(NAMES):
        write(folder / name, photo(80, 60, seed=seed))
    return folder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, photos: Path) -> Path:
    folder = tmp_path_factory.mktemp("sightline")
    checkpoint = make_checkpoint(folder / "model")
    arguments = [
        "index",
        str(photos),
        "--library",
        str(folder / "library"),
        "--model",
        f"local-dir:{checkpoint}",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return folder / "library"


def _search(library: Path, *arguments: str, stdin: str | bytes | None = None) -> bytes:
    result = CliRunner().invoke(app, ["search", *arguments, "--library", str(library)], input=stdin)
    if isinstance(result.exception, SightlineError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout_bytes


def test_a_picture_finds_itself_and_json_says_everything(library: Path, photos: Path) -> None:
    hits = json.loads(_search(library, "--image", str(photos / "one.jpg"), "--json", "-k", "3"))
    assert [hit["rank"] for hit in hits] == [1, 2, 3]
    best = hits[0]
    assert best["path"] == str(photos / "one.jpg")
    assert best["score"] == pytest.approx(1.0, abs=2e-3)
    assert (best["width"], best["height"], best["format"]) == (80, 60, "jpeg")
    assert best["size"] == (photos / "one.jpg").stat().st_size
    assert set(best) == {
        "rank", "score", "shares", "id", "path", "width", "height", "format", "size", "taken_at", "camera",
        "probability", "rating", "seconds", "duplicates", "title", "captions", "keywords", "routes", "words",
    }  # fmt: skip


def test_every_name_survives_json_and_the_pipe(library: Path, photos: Path) -> None:
    expected = {os.fsencode(photos / name) for name in NAMES}
    hits = json.loads(_search(library, "anything", "--json"))
    assert {os.fsencode(hit["path"]) for hit in hits} == expected
    assert set(_search(library, "anything", "--print0").rstrip(b"\0").split(b"\0")) == expected


def test_paths_alone_one_a_line(library: Path, photos: Path) -> None:
    assert _search(library, "--image", str(photos / "one.jpg"), "--paths", "-k", "1") == (
        os.fsencode(photos / "one.jpg") + b"\n"
    )


def test_the_readable_list_keeps_one_line_a_hit(library: Path) -> None:
    lines = _search(library, "anything").decode().splitlines()
    assert len(lines) == len(NAMES)
    assert any("with\\nnewline.jpg" in line for line in lines)


def test_the_id_of_a_hit_finds_that_image(library: Path) -> None:
    hit = json.loads(_search(library, "anything", "--json"))[2]
    again = json.loads(_search(library, "--id", str(hit["id"]), "--json"))
    assert again[0]["id"] == hit["id"]


def test_queries_from_a_file_or_stdin_give_one_json_line_each(library: Path, tmp_path: Path) -> None:
    texts = ["red", "blue dog", "grün"]
    file = tmp_path / "queries.txt"
    file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    from_file = _search(library, "--queries", str(file), "-k", "2")
    from_stdin = _search(library, "--queries", "-", "-k", "2", stdin="\n".join(texts).encode())
    assert from_file == from_stdin
    answers = [json.loads(line) for line in from_file.splitlines()]
    assert [answer["query"] for answer in answers] == texts
    single = json.loads(_search(library, "red", "--json", "-k", "2"))
    assert answers[0]["hits"] == single


def test_a_bad_line_is_answered_with_its_error_and_the_rest_is_searched(library: Path) -> None:
    runner = CliRunner()
    result = runner.invoke(app, ["search", "--queries", "-", "--library", str(library)], input="red\n\nblue\n")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert ["hits" in answer for answer in answers] == [True, False, True]
    assert "empty" in answers[1]["error"]
    assert result.exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nothing to search by"),
        (["  "], "empty"),
        (["x" * 100_000], "100,000 characters"),
        (["red", "-k", "0"], "1 to 10,000"),
        (["red", "--likely"], "among 50 images or more; leave out --likely"),
        (["red", "-k", "1000000"], "1 to 10,000"),
        (["--queries", "-", "-k", "0"], "1 to 10,000"),
        (["red", "--queries", "-"], "--queries takes its queries from the file"),
    ],
)
def test_wrong_use_is_one_clear_line(library: Path, arguments: list[str], words: str) -> None:
    with pytest.raises(InvalidQuery, match=words) as caught:
        _search(library, *arguments)
    assert "\n" not in str(caught.value)


def test_a_mark_at_the_start_of_a_file_is_no_part_of_its_first_query(library: Path, tmp_path: Path) -> None:
    (tmp_path / "queries.txt").write_bytes(b"\xef\xbb\xbfred car\r\nsunset\r\n")
    lines = _search(library, "--queries", str(tmp_path / "queries.txt"), "-k", "1").splitlines()
    assert [json.loads(line)["query"] for line in lines] == ["red car", "sunset"]


def test_a_picture_over_the_limit_is_refused_without_being_read(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(1 << 40)  # a hole: reading it would take a terabyte of memory
    monkeypatch.setenv("SIGHTLINE_MAX_FILE_MB", "1")
    for endless in (str(tmp_path / "huge.jpg"), "/dev/zero"):
        with pytest.raises(ImageTooLarge, match="SIGHTLINE_MAX_FILE_MB"):
            _search(library, "--image", endless)


def _names(library: Path, *arguments: str) -> list[str]:
    return [Path(hit["path"]).name for hit in json.loads(_search(library, *arguments, "--json"))]


def test_terms_have_weights_and_shares(library: Path, photos: Path) -> None:
    one = str(photos / "one.jpg")
    arguments = ["red", "--text", "a chair:0.5", "--image", f"{one}:2", "--id", "1:0.1", "--not", "people"]
    for hit in json.loads(_search(library, *arguments, "--prompt", "a photo of {}", "--json")):
        assert len(hit["shares"]) == 5
        assert sum(hit["shares"]) == pytest.approx(hit["score"], abs=1e-4)
    first = _search(library, "red", "--image", f"{one}:9").decode().splitlines()[0]
    assert first.endswith(one)
    assert first.count("+") + first.count("-") >= 2  # what each term gave
    assert json.loads(_search(library, "--image", one, "--region", "0,0,1,1", "--json"))[0]["path"] == one


def test_a_name_that_ends_like_a_weight_is_a_name(library: Path, photos: Path, tmp_path: Path) -> None:
    odd = tmp_path / "chair:0.5"
    odd.write_bytes((photos / "one.jpg").read_bytes())
    assert _names(library, "--image", str(odd), "-k", "1") == ["one.jpg"]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["--filter", "type:png"], ["two words.png"]),
        (["--filter", '{"not": {"format": ["jpeg"]}}'], ["two words.png"]),
        (["--type", "png"], ["two words.png"]),
        (["--box", "-type:jpeg"], ["two words.png"]),
        (["--filter", "path:one OR path:two", "--sort", "name"], ["one.jpg", "two words.png"]),
        (["anything", "--filter", "path:one OR path:two", "--sort", "name"], ["one.jpg", "two words.png"]),
        (["--folder", "/nowhere"], []),
        (["--from", "2023"], []),
        (["--to", "summer 2023"], []),
    ],
)
def test_only_what_passes_is_listed(library: Path, arguments: list[str], names: list[str]) -> None:
    assert _names(library, *arguments) == names


def test_colours_ratings_and_a_zip_of_the_originals(library: Path, tmp_path: Path) -> None:
    target = tmp_path / "found.zip"
    _search(library, "--filter", "path:one", "--color", "red,green,blue,orange,purple,pink", "--zip", str(target))
    with zipfile.ZipFile(target) as archive:
        assert archive.namelist() == ["one.jpg"]
    assert _search(library, "--filter", "path:one", "--rating", ">=1", "--paths") == b""
    with pytest.raises(InvalidRequest, match="cannot be written"):
        _search(library, "x", "--zip", str(tmp_path / "no" / "where.zip"))


def test_facets_are_printed_and_in_the_json(library: Path) -> None:
    assert "format: jpeg 3, png 1" in _search(library, "anything", "--facets").decode()
    found = json.loads(_search(library, "--filter", "path:one", "--facets", "--json"))
    assert found["facets"]["format"] == [{"value": "jpeg", "images": 1, "box": "type:jpeg"}]
    assert len(found["hits"]) == 1


def test_nothing_that_passes_is_said(library: Path) -> None:
    result = CliRunner().invoke(app, ["search", "--filter", "1999", "--library", str(library)])
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no image passes the filter" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--not", "people"], "add what is"),
        (["red", "--text", "red:-1"], "cancel each other out"),
        (["red", "--region", "0,0,1,1"], "--region is of one picture"),
        (["--id", "1", "--region", "0.5,0,1,1"], "outside the picture"),
        (["--id", "one"], "is no id"),
        (["red", "--filter", "a dog"], "'a dog' is no filter"),
        (["red", "--filter", "-dog"], "'dog' is no filter"),
        (["red", "--filter", "{"], "is no JSON"),
        (["red", "--type", "docx"], "no format is called"),
        (["red", "--from", "2024", "--to", "2023"], "swap the two"),
        (["red", "--from", "soon"], "is no date"),
        (["red", "--sort", "size"], "cannot sort by"),
    ],
)
def test_what_cannot_be_meant_is_refused(library: Path, arguments: list[str], says: str) -> None:
    with pytest.raises(InvalidQuery, match=says):
        _search(library, *arguments)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    """60 photos, enough to claim something of."""
    folder = tmp_path_factory.mktemp("many")
    for seed in range(60):
        write(folder / f"{seed}.jpg", photo(40, 30, seed=seed))
    model = f"local-dir:{library.parent / 'model'}"
    result = CliRunner().invoke(app, ["index", str(folder), "--library", str(folder / "l"), "--model", model])
    assert result.exit_code == 0, result.output
    return folder / "l"


def test_words_come_with_what_is_likely_if_it_is_asked_for(many: Path) -> None:
    asked = json.loads(_search(many, "red", "--relevance", "--json", "-k", "60"))
    assert {"low", "about", "high"} == set(asked["matches"])
    assert isinstance(asked["no_match"], bool)
    likely = [hit["probability"] for hit in asked["hits"]]
    assert all(0 <= probability <= 1 for probability in likely)
    line = json.loads(_search(many, "--queries", "-", "--relevance", "-k", "60", stdin="red"))
    assert (line["matches"], line["no_match"]) == (asked["matches"], asked["no_match"])
    assert [hit["probability"] for hit in line["hits"]] == likely
    surest = json.loads(_search(many, "red", "--likely", "--json", "-k", "60"))
    assert len(surest["hits"]) == sum(probability >= 0.5 for probability in likely)
    printed = CliRunner().invoke(app, ["search", "red", "--relevance", "-k", "60", "--library", str(many)])
    assert "match" in printed.stderr
    lines = printed.stdout.splitlines()
    assert len(lines) == 60  # none is hidden
    assert all("%" in line for line in lines)


def test_words_of_a_name_find_it_and_can_be_left_out(library: Path) -> None:
    found = json.loads(_search(library, "words", "--json"))
    [hit] = [hit for hit in found if hit["routes"] == ["meaning", "words"]]
    assert hit["words"] == [{"field": "name", "text": "two words.png", "spans": [[4, 9]]}]
    assert {tuple(hit["routes"]) for hit in json.loads(_search(library, "words", "--no-words", "--json"))} == {
        ("meaning",)
    }
    assert [hit["words"] for hit in json.loads(_search(library, "--box", '"Two words"', "--json"))] == [[]]
