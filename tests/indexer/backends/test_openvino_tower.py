"""The OpenVINO back end beside torch's, on real checkpoints."""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import indexer.backends.openvino_tower as openvino_tower
from indexer.backends.conversions import Conversion, Conversions
from indexer.checkpoints import CONFIG_FILE
from indexer.collection import Collection
from indexer.encoder import OpenClipEncoder, load_encoder
from indexer.errors import ModelLoadFailed
from indexer.images import Limits
from indexer.pipeline import sync
from indexer.sources import FolderSource
from search.engine import SearchEngine
from search.query import Query
from tests.checkpoints import DIMENSION, IMAGE_SIZE, Kind, make_checkpoint
from tests.pictures import photo, write

KINDS: list[Kind] = ["clip", "siglip", "convolutional"]
SAME_TEN = 0.002
"""How far apart in cosine two pictures may lie that bfloat16 puts in another order."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: make_checkpoint(root / kind, kind=kind) for kind in KINDS}


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def conversions_made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One item for each conversion, which is what the cache saves."""
    made: list[int] = []
    convert = openvino_tower._convert

    def counted(*arguments: object) -> object:
        made.append(1)
        return convert(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(openvino_tower, "_convert", counted)
    return made


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("precision", "cosine"), [("float32", 0.99999), ("bfloat16", 0.999)])
def test_it_computes_what_torch_computes(
    folders: dict[Kind, Path], cache: Path, kind: Kind, precision: str, cosine: float
) -> None:
    torch_own = load_encoder(str(folders[kind]), precision="float32")
    ours = load_encoder(str(folders[kind]), backend="openvino", precision=precision, cache=cache)  # type: ignore[arg-type]
    assert ours.manifest.precision == precision
    assert ours.manifest.difference(torch_own.manifest) is None
    for count in (1, 7, 0, 3):
        rows, expected = ours.encode_images(pictures(count)), torch_own.encode_images(pictures(count))
        assert (rows.shape, rows.dtype) == ((count, DIMENSION), np.float32)
        assert ((rows * expected).sum(1) > cosine).all()
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    texts = ["a red dog", "the"]
    assert ((ours.encode_texts(texts) * torch_own.encode_texts(texts)).sum(1) > 0.999).all()


def test_every_back_end_finds_the_same_ten(folders: dict[Kind, Path], cache: Path, tmp_path: Path) -> None:
    """A collection made by torch in float32, searched with pictures by each back end in turn.

    The same ten, but for pictures that lie as far from the query as the tenth, to `SAME_TEN`.
    """
    for number in range(40):
        write(tmp_path / "photos" / f"{number:02}.jpg", photo(48, 40, seed=number))
    model = str(folders["clip"])
    with Collection.open_or_create(
        tmp_path / "library", (reference := load_encoder(model, precision="float32")).manifest
    ) as collection:
        sync(collection, reference, FolderSource(tmp_path / "photos"))
        queries = [Query.of(image=(tmp_path / "photos" / f"{n:02}.jpg").read_bytes(), k=10) for n in range(0, 40, 5)]
        everything = [Query.of(image=query.terms[0].data, k=40) for query in queries]  # type: ignore[union-attr]
        cosines = [
            {hit.image.id: hit.score for hit in results.hits}
            for results in SearchEngine(collection, reference, Limits()).search_many(everything)
        ]
        for backend, precision in (("torch", "bfloat16"), ("openvino", "float32"), ("openvino", "bfloat16")):
            encoder = load_encoder(model, backend=backend, precision=precision, cache=cache)  # type: ignore[arg-type]
            for results, exact in zip(SearchEngine(collection, encoder).search_many(queries), cosines, strict=True):
                tenth = sorted(exact.values())[-10]
                assert len(results.hits) == 10
                assert all(exact[hit.image.id] >= tenth - SAME_TEN for hit in results.hits)
                assert all(abs(exact[hit.image.id] - hit.score) < SAME_TEN for hit in results.hits)


def test_many_threads_get_what_one_gets(folders: dict[Kind, Path], cache: Path) -> None:
    encoder = load_encoder(str(folders["clip"]), backend="openvino", precision="float32", cache=cache)
    some = [pictures(1 + n % 5, seed=n) for n in range(40)]
    alone = [encoder.encode_images(pixels) for pixels in some]
    with ThreadPoolExecutor(8) as pool:
        for rows, expected in zip(pool.map(encoder.encode_images, some), alone, strict=True):
            np.testing.assert_allclose(rows, expected, atol=1e-6)


def test_a_network_is_converted_once(folders: dict[Kind, Path], tmp_path: Path, conversions_made: list[int]) -> None:
    def encode() -> NDArray[np.float32]:
        encoder = load_encoder(str(folders["clip"]), backend="openvino", precision="float32", cache=tmp_path)
        return encoder.encode_images(pictures(3))

    first = encode()
    np.testing.assert_array_equal(encode(), first)
    assert len(conversions_made) == 1
    [entry] = (tmp_path / "openvino").iterdir()
    (entry / "network.bin").write_bytes((entry / "network.bin").read_bytes()[:-8] + b"damaged!")
    np.testing.assert_array_equal(encode(), first)
    np.testing.assert_array_equal(encode(), first)
    assert len(conversions_made) == 2


def test_the_same_weights_with_another_normalisation_or_activation_are_another_network(
    folders: dict[Kind, Path], tmp_path: Path, conversions_made: list[int]
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(folders["clip"], folder)
    for part, change in (("preprocess_cfg", {"mean": [0.1, 0.2, 0.3]}), ("model_cfg", {"quick_gelu": True})):
        config = json.loads((folder / CONFIG_FILE).read_text())
        config[part] |= change
        (folder / CONFIG_FILE).write_text(json.dumps(config))
        expected = load_encoder(str(folder), precision="float32").encode_images(pictures(3))
        ours = load_encoder(str(folder), backend="openvino", precision="float32", cache=tmp_path / "cache")
        assert ((ours.encode_images(pictures(3)) * expected).sum(1) > 0.99999).all()
    assert len(conversions_made) == 2


@pytest.mark.parametrize("damage", ["network.xml", "network.bin", "about.json"])
def test_what_is_damaged_is_said_and_made_again(
    folders: dict[Kind, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    load_encoder(str(folders["clip"]), backend="openvino", cache=tmp_path)
    [entry] = (tmp_path / "openvino").iterdir()
    (entry / damage).unlink()
    assert Conversions(tmp_path / "openvino").find(entry.name) is None
    assert "made again" in caplog.text
    assert not entry.exists()


def test_a_folder_that_cannot_be_written_costs_only_time(
    folders: dict[Kind, Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("not a folder")
    encoder = load_encoder(str(folders["clip"]), backend="openvino", cache=tmp_path / "file")
    assert encoder.encode_images(pictures(2)).shape == (2, DIMENSION)
    assert "cannot be kept" in caplog.text


def test_a_finding_without_a_network_is_kept_as_well(tmp_path: Path) -> None:
    conversions = Conversions(tmp_path)
    conversions.keep("key", Conversion(None, {"cosine": 0.5}))
    assert conversions.find("key") == Conversion(None, {"cosine": 0.5})
    assert conversions.find("other") is None


def test_what_cannot_be_converted_is_an_error_when_asked_for_and_torchs_otherwise(
    folders: dict[Kind, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(openvino_tower, "_convert", refuse)
    with pytest.raises(ModelLoadFailed, match="no such operation"):
        load_encoder(str(folders["clip"]), backend="openvino", cache=tmp_path)
    encoder: OpenClipEncoder = load_encoder(str(folders["clip"]), backend="auto", device="cpu", cache=tmp_path)
    assert encoder.choice.backend == "torch"
    assert "no such operation" in caplog.text
    assert encoder.encode_images(pictures(2)).shape == (2, DIMENSION)


def test_a_conversion_that_computes_something_else_is_refused(
    folders: dict[Kind, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openvino_tower, "_SAME", 1.1)
    with pytest.raises(ModelLoadFailed, match="something else"):
        load_encoder(str(folders["clip"]), backend="openvino", cache=tmp_path)


def test_what_encodes_is_said(folders: dict[Kind, Path], cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="indexer.encoder"):
        load_encoder(str(folders["clip"]), backend="openvino", precision="float32", cache=cache)
    assert "encoding with OpenVINO in float32 on the CPU: float32 was asked for; OpenVINO was asked for" in caplog.text


def test_nothing_is_sent_to_anybody() -> None:
    """Neither library finds the package that sends; imported in a process of its own, as a user would."""
    code = (
        "import socket, sys\n"
        "def refuse(*_): raise AssertionError('the network was asked for')\n"
        "socket.socket.connect = refuse\n"
        "from indexer.backends.openvino_library import load_nncf, load_openvino\n"
        "load_openvino(); load_nncf()\n"
        "from openvino.tools.ovc import telemetry_utils\n"
        "print(telemetry_utils.tm.__name__, sys.modules['openvino_telemetry'])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["openvino.tools.ovc.telemetry_stub", "None"]
