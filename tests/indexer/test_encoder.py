from __future__ import annotations

import hashlib
import json
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import indexer.checkpoints
import indexer.encoder
from indexer.checkpoints import CONFIG_FILE, MINI_FOLDER, VOCABULARY_FILE
from indexer.encoder import Encoder, OpenClipEncoder, load_encoder
from indexer.errors import ModelLoadFailed, UnknownModel
from indexer.precision import cpu_precision
from tests.checkpoints import CONTEXT_LENGTH, DIMENSION, IMAGE_SIZE, Kind, make_checkpoint

KINDS: list[Kind] = ["clip", "siglip", "convolutional"]
WEIGHTS_FILE = "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Path]:
    root = tmp_path_factory.mktemp("models")
    return {kind: make_checkpoint(root / kind, kind=kind) for kind in KINDS}


@pytest.fixture(scope="module")
def encoders(folders: dict[Kind, Path]) -> dict[Kind, OpenClipEncoder]:
    return {kind: load_encoder(str(folder), precision="float32") for kind, folder in folders.items()}


@pytest.fixture(scope="module")
def clip(encoders: dict[Kind, OpenClipEncoder]) -> OpenClipEncoder:
    return encoders["clip"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_checkpoint(tmp_path / "model")


def pictures(count: int, seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (count, IMAGE_SIZE, IMAGE_SIZE, 3), dtype=np.uint8)


def edit_config(folder: Path, change: Callable[[dict[str, dict[str, object]]], object]) -> None:
    config = json.loads((folder / CONFIG_FILE).read_text())
    change(config)
    (folder / CONFIG_FILE).write_text(json.dumps(config))


# What it computes


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_open_clip_computes(folders: dict[Kind, Path], kind: Kind) -> None:
    """Against open_clip's own transform and tokenizer, image by image, in float32."""
    import open_clip
    import torch
    from PIL import Image

    encoder: Encoder = load_encoder(str(folders[kind]), precision="float32")
    model, transform = open_clip.create_model_from_pretrained(f"local-dir:{folders[kind]}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folders[kind]}", bpe_path=str(folders[kind] / VOCABULARY_FILE))
    pixels, texts = pictures(3), ["the red dog", "A blue  DOG!"]
    with torch.inference_mode():
        images = [model.eval().encode_image(transform(Image.fromarray(p))[None], normalize=True) for p in pixels]
        words = model.encode_text(tokenizer(texts), normalize=True)
    np.testing.assert_allclose(encoder.encode_images(pixels), torch.cat(images).numpy(), atol=1e-5)
    np.testing.assert_allclose(encoder.encode_texts(texts), words.numpy(), atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "precision"), [*((kind, "bfloat16") for kind in KINDS), ("clip", "float16"), ("siglip", "float16")]
)
def test_half_precision_agrees_with_float32(
    folders: dict[Kind, Path], encoders: dict[Kind, OpenClipEncoder], kind: Kind, precision: str
) -> None:
    half = load_encoder(str(folders[kind]), precision=precision)  # type: ignore[arg-type]
    assert half.manifest.precision == precision
    assert encoders[kind].manifest.difference(half.manifest) is None
    for ours, theirs in (
        (half.encode_images(pictures(4)), encoders[kind].encode_images(pictures(4))),
        (half.encode_texts(["a red dog", "the"]), encoders[kind].encode_texts(["a red dog", "the"])),
    ):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
        assert ((ours * theirs).sum(1) > 0.999).all()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_unit_and_differ(encoders: dict[Kind, OpenClipEncoder], kind: Kind) -> None:
    rows = encoders[kind].encode_images(pictures(5))
    assert rows.shape == (5, DIMENSION)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    assert len(np.unique(rows.round(4), axis=0)) == 5


def test_batches_larger_than_it_holds_at_once_are_cut(clip: OpenClipEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, texts = pictures(7), [f"the dog {n}" for n in range(7)]
    images, words = clip.encode_images(pixels), clip.encode_texts(texts)
    monkeypatch.setattr(clip._tower, "most", 3)
    monkeypatch.setattr(indexer.encoder, "_TEXTS_AT_ONCE", 3)
    np.testing.assert_allclose(clip.encode_images(pixels), images, atol=1e-6)
    np.testing.assert_allclose(clip.encode_texts(texts), words, atol=1e-6)


def test_nothing_becomes_no_rows(clip: OpenClipEncoder) -> None:
    for rows in (clip.encode_images(pictures(0)), clip.encode_texts([])):
        assert rows.shape == (0, DIMENSION)
        assert rows.dtype == np.float32


def test_pixels_in_any_layout(clip: OpenClipEncoder) -> None:
    pixels = pictures(3)
    expected = clip.encode_images(pixels)
    read_only = np.frombuffer(pixels.tobytes(), np.uint8).reshape(pixels.shape)
    planes = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).transpose(0, 2, 3, 1)
    np.testing.assert_allclose(clip.encode_images(read_only), expected, atol=1e-6)
    np.testing.assert_allclose(clip.encode_images(planes), expected, atol=1e-6)
    np.testing.assert_allclose(clip.encode_images(pixels[::-1]), expected[::-1], atol=1e-6)


@pytest.mark.parametrize("wrong", [pictures(1)[:, :-1], pictures(1).astype(np.float32), pictures(1)[0]])
def test_pixels_of_another_shape_are_refused(clip: OpenClipEncoder, wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match=f"{IMAGE_SIZE}, {IMAGE_SIZE}, 3"):
        clip.encode_images(wrong)


def test_texts_over_the_context_length_are_cut(clip: OpenClipEncoder) -> None:
    start = "the dog " * CONTEXT_LENGTH
    same = clip.encode_texts([start + "red", start + "blue"])
    np.testing.assert_array_equal(same[0], same[1])
    other = clip.encode_texts(["the dog red", "the dog blue"])
    assert float(other[0] @ other[1]) < 0.9999


@pytest.mark.parametrize("text", ["", " ", "\udcff\udc80", "😀" * 500, "犬", "<end_of_text>", "a\0b\n\tc"])
def test_any_text_has_a_vector(encoders: dict[Kind, OpenClipEncoder], text: str) -> None:
    for encoder in encoders.values():
        np.testing.assert_allclose(np.linalg.norm(encoder.encode_texts([text])), 1, atol=1e-5)


def test_many_threads_get_what_one_gets(clip: OpenClipEncoder) -> None:
    texts = [f"the {word} dog {n}" for n in range(20) for word in ("red", "blue")]
    alone = [clip.encode_texts([text]) for text in texts]
    start = threading.Barrier(8)

    def work(worker: int) -> list[NDArray[np.float32]]:
        start.wait()
        order = np.random.default_rng(worker).permutation(len(texts))
        rows = {int(n): clip.encode_texts([texts[n]]) for n in order}
        return [rows[n] for n in range(len(texts))]

    with ThreadPoolExecutor(8) as pool:
        for rows in pool.map(work, range(8)):
            np.testing.assert_allclose(np.stack(rows), np.stack(alone), atol=1e-6)


def test_the_words_it_remembers_are_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import indexer.tokenizer

    encoder = load_encoder(str(folder))
    before = encoder.encode_texts(["the red dog<end_of_text>"])
    monkeypatch.setattr(indexer.tokenizer, "_CACHED_WORDS", 50)
    for n in range(200):
        encoder.encode_texts([f"{'abcdefghij'[n % 10]}{'klmnopqrst'[n // 10 % 10]}{'uv'[n // 100]}"])
    assert len(encoder._tokenizer._tokenizer.cache) <= 51
    np.testing.assert_array_equal(encoder.encode_texts(["the red dog<end_of_text>"]), before)


# What it says of itself


def test_the_manifest_of_a_folder(folders: dict[Kind, Path], encoders: dict[Kind, OpenClipEncoder]) -> None:
    folder, manifest = folders["siglip"], encoders["siglip"].manifest
    vocabulary = hashlib.sha256((folder / VOCABULARY_FILE).read_bytes()).hexdigest()
    assert manifest.model == f"local-dir:{folder}"
    assert manifest.weights_hash == hashlib.sha256((folder / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert manifest.dimension == DIMENSION
    assert manifest.tokenizer == f"SimpleTokenizer/{CONTEXT_LENGTH}/lower/vocabulary-{vocabulary[:12]}"
    assert manifest.precision == "float32"
    shape = manifest.preprocessing
    assert (shape.height, shape.width, shape.resize_mode) == (IMAGE_SIZE, IMAGE_SIZE, "squash")
    assert (shape.interpolation, shape.mean, shape.std) == ("bilinear", (0.5,) * 3, (0.5,) * 3)


def test_another_seed_is_another_model(folders: dict[Kind, Path], folder: Path, tmp_path: Path) -> None:
    ours = load_encoder(str(folder)).manifest
    assert ours.difference(load_encoder(str(folders["clip"])).manifest) is None
    other = load_encoder(str(make_checkpoint(tmp_path / "other", seed=1))).manifest
    assert ours.weights_hash != other.weights_hash
    assert ours.difference(other) is not None


def test_a_picture_need_not_be_square(folder: Path) -> None:
    edit_config(folder, lambda config: config["model_cfg"]["vision_cfg"].update(image_size=[16, 64]))  # type: ignore[attr-defined]
    encoder = load_encoder(str(folder))
    assert (encoder.manifest.preprocessing.height, encoder.manifest.preprocessing.width) == (16, 64)
    assert encoder.encode_images(np.zeros((2, 16, 64, 3), np.uint8)).shape == (2, DIMENSION)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({}, "float32"),
        ({"avx512_f": True, "amx_bf16": False, "avx512_bf16": False}, "float32"),
        ({"amx_bf16": True}, "bfloat16"),
        ({"avx512_bf16": True}, "bfloat16"),
    ],
)
def test_the_precision_a_processor_does_well(capabilities: dict[str, object], expected: str) -> None:
    assert cpu_precision(capabilities) == expected


def test_auto_asks_the_processor(folder: Path) -> None:
    import torch

    encoder = load_encoder(str(folder), device="cpu", precision="auto")
    assert encoder.manifest.precision == cpu_precision(torch.cpu.get_capabilities())
    assert next(encoder._model.parameters()).dtype == getattr(torch, encoder.manifest.precision)


@pytest.mark.gpu
@pytest.mark.parametrize("kind", KINDS)
def test_a_gpu_agrees_with_the_processor(
    folders: dict[Kind, Path], encoders: dict[Kind, OpenClipEncoder], kind: Kind
) -> None:
    encoder = load_encoder(str(folders[kind]), device="cuda")
    assert encoder.manifest.precision in ("bfloat16", "float16")
    images = encoder.encode_images(pictures(4))
    assert ((images * encoders[kind].encode_images(pictures(4))).sum(1) > 0.999).all()
    texts = encoder.encode_texts(["a red dog"])
    assert ((texts * encoders[kind].encode_texts(["a red dog"])).sum(1) > 0.999).all()


# How it is named


def test_a_folder_by_scheme_and_by_relative_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    names = {load_encoder(name).manifest.model for name in (f"local-dir:{folder}", "local-dir:model", "model")}
    assert names == {f"local-dir:{folder}"}


def test_mini_is_the_folder_in_the_package(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer.checkpoints, "MINI_FOLDER", folder)
    assert load_encoder("mini").manifest.model == "mini"
    assert load_encoder("mini").manifest.difference(load_encoder(str(folder)).manifest) is None


@pytest.mark.skipif(not (MINI_FOLDER / CONFIG_FILE).is_file(), reason="the built-in model is not in this checkout")
def test_the_built_in_model_loads() -> None:
    encoder = load_encoder("mini")
    rows = encoder.encode_texts(["a dog running on the beach", "a dog on a beach", "two men in an office"])
    assert rows[0] @ rows[1] > rows[0] @ rows[2]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("ViT-B-32", "ViT-B-32/openai"),
        ("ViT-B-32/laion2b", "laion2b_s34b_b79k"),
        ("vit-b-32/OpenAI", "ViT-B-32/openai"),
        ("minni", "mini"),
        ("", "names no folder"),
        ("local-dir:", "names no folder"),
        ("local-dir:/no/such/folder", "/no/such/folder"),
        ("./no-such-folder", "no-such-folder"),
        ("hf-hub:one/two/three", "organisation/name"),
        ("hf-hub:../..", "organisation/name"),
        ("%%%%", "no folder"),
    ],
)
def test_a_name_that_means_nothing(name: str, says: str) -> None:
    with pytest.raises(UnknownModel) as caught:
        load_encoder(name)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


# What goes wrong


def refused(folder: Path, **arguments: str) -> str:
    with pytest.raises(ModelLoadFailed) as caught:
        load_encoder(str(folder), **arguments)  # type: ignore[arg-type]
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 500
    return message


def test_a_folder_that_is_no_model(tmp_path: Path) -> None:
    assert CONFIG_FILE in refused(tmp_path)


def test_a_config_that_is_no_json(folder: Path) -> None:
    (folder / CONFIG_FILE).write_text("{")
    assert "config" in refused(folder)


def test_a_config_without_a_model(folder: Path) -> None:
    edit_config(folder, lambda config: config.pop("model_cfg"))
    assert "model_cfg" in refused(folder)


def test_weights_cut_short(folder: Path) -> None:
    with (folder / WEIGHTS_FILE).open("rb+") as file:
        file.truncate(50_000)
    refused(folder)


def test_weights_of_another_shape(folder: Path) -> None:
    edit_config(folder, lambda config: config["model_cfg"].update(embed_dim=32))
    assert "size mismatch" in refused(folder)


def test_weights_that_lack_a_tensor(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / WEIGHTS_FILE)
    del tensors["text_projection"]
    save_file(tensors, folder / WEIGHTS_FILE)
    assert "text_projection" in refused(folder)


def test_weights_that_are_not_numbers(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / WEIGHTS_FILE)
    tensors["visual.proj"].fill_(float("nan"))
    save_file(tensors, folder / WEIGHTS_FILE)
    assert "finite" in refused(folder)


def test_a_vocabulary_larger_than_the_table(folder: Path) -> None:
    (folder / VOCABULARY_FILE).unlink()
    refused(folder)


class Payload:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
        return os.mkdir, (str(self.path),)


def test_pickled_weights_run_no_code(folder: Path, tmp_path: Path) -> None:
    (folder / WEIGHTS_FILE).unlink()
    (folder / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps(Payload(tmp_path / "ran")))
    refused(folder)
    assert not (tmp_path / "ran").exists()


def test_pickled_tensors_load(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    expected = load_encoder(str(folder)).encode_texts(["a dog"])
    torch.save(load_file(folder / WEIGHTS_FILE), folder / "open_clip_pytorch_model.bin")
    (folder / WEIGHTS_FILE).unlink()
    np.testing.assert_array_equal(load_encoder(str(folder)).encode_texts(["a dog"]), expected)


def test_a_gpu_that_is_not_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert "--device cpu" in refused(folder, device="cuda")


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'torchvision', 'open_clip', 'timm', 'faiss', 'transformers', 'huggingface_hub'}"
    code = f"import sys, indexer.encoder; print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
