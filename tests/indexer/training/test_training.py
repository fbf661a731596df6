"""Training on pictures made here: the reader, the loss, the loop, and the folder that comes out."""

from __future__ import annotations

import io
import json
import math
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import indexer.mini
from indexer.encoder import load_encoder
from indexer.errors import InvalidDataset, ModelLoadFailed, SourceNotFound
from indexer.recall import count_ranks, recall_at
from indexer.training.__main__ import main
from indexer.training.backbone import build_trunk, load_backbone, pooled_features
from indexer.training.contrastive import PairSource, Progress, TrainingConfig, contrastive_loss, train
from indexer.training.export import CONFIG_FILE, WEIGHTS_FILE, export
from indexer.training.mini import full_state, model_config
from indexer.training.shards import Example, read_shard
from indexer.training.sources import Groups, captioned_source
from indexer.training.text import Vocabulary, make_tokenizer, shortened
from tests.palette import COLOURS

# Features of 12 numbers do not survive the dropout and noise that 1,280 need.
TINY = TrainingConfig(
    dimension=16,
    width=32,
    heads=2,
    layers=1,
    epochs=12,
    batch=20,
    side_batch=8,
    warm_up=5,
    weight_decay=0.0,
    feature_dropout=0.0,
    feature_noise=0.05,
    token_mask=0.1,
)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (24, 16)) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "JPEG", quality=95)
    return file.getvalue()


def add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def add_example(tar: tarfile.TarFile, key: str, captions: Any, label: Any = None, picture: bytes = b"jpeg") -> None:
    add(tar, f"{key}.jpg", picture)
    add(tar, f"{key}.json", json.dumps({"captions": captions, "label": label}).encode())


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return make_tokenizer()


def test_shard_gives_its_examples_in_order(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add_example(tar, "000001", ["a dog", " "], picture=b"one")
        add_example(tar, "000000", [], "cat", picture=b"two")
    assert list(read_shard(tmp_path / "s.tar")) == [
        Example("000001", b"one", ("a dog",), None),
        Example("000000", b"two", (), "cat"),
    ]


def test_bad_members_are_left_out_and_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add(tar, "lonely.jpg", b"x")
        add(tar, "text.json", b"{}")
        add(tar, "broken.jpg", b"x")
        add(tar, "broken.json", b"{not json")
        add_example(tar, "shape", "not a list")
        add_example(tar, "number", ["a"], 3)
        add_example(tar, "silent", [], None)
        add(tar, "latin.jpg", b"x")
        add(tar, "latin.json", b'{"captions": ["\xff"], "label": null}')
        link = tarfile.TarInfo("link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
        add_example(tar, "good", ["a dog"])
    assert [example.key for example in read_shard(tmp_path / "s.tar")] == ["good"]
    for name in ("lonely", "text", "broken", "shape", "number", "silent", "latin"):
        assert f"left out {name}:" in caplog.text


def test_shard_that_breaks_off_or_is_not_there(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as tar:
        add_example(tar, "a", ["a dog"], picture=bytes(4000))
    (tmp_path / "s.tar").write_bytes((tmp_path / "s.tar").read_bytes()[:2000])
    with pytest.raises(InvalidDataset, match=r"s\.tar"):
        list(read_shard(tmp_path / "s.tar"))
    with pytest.raises(SourceNotFound, match=r"none\.tar"):
        list(read_shard(tmp_path / "none.tar"))


def test_loss_by_hand() -> None:
    pairs = torch.eye(2)
    groups = torch.tensor([0, 1])
    # Each row's softmax holds e^s for the right one and e^0 for the other: log(1 + e^-s).
    assert float(contrastive_loss(pairs, pairs, torch.tensor(2.0), groups)) == pytest.approx(
        math.log(1 + math.exp(-2.0))
    )
    assert float(contrastive_loss(pairs, pairs.flip(0), torch.tensor(2.0), groups)) == pytest.approx(
        math.log(1 + math.exp(2.0))
    )


def test_the_same_group_is_no_wrong_answer() -> None:
    rows = torch.nn.functional.normalize(torch.ones(3, 4), dim=1)
    assert float(contrastive_loss(rows, rows, torch.tensor(9.0), torch.zeros(3, dtype=torch.int64))) == 0.0


def test_vocabulary_keeps_order_and_knows_the_unknown() -> None:
    sot, end = 98, 99
    seen = torch.tensor([[sot, 7, 40, end, 0]])
    vocabulary = Vocabulary.of([seen], 100)
    assert vocabulary.kept.tolist() == [0, 7, 40, 97, sot, end]
    assert vocabulary.compact(seen).tolist() == [[4, 1, 2, 5, 0]]
    assert vocabulary.compact(torch.tensor([8, 96, end])).tolist() == [vocabulary.unknown] * 2 + [vocabulary.end]
    table = torch.arange(6.0)[:, None]
    full = vocabulary.expand(table)
    assert full.shape == (100, 1)
    assert full[[0, 7, 40, sot, end], 0].tolist() == [0, 1, 2, 4, 5]
    assert full[8, 0] == vocabulary.unknown


def test_mask_spares_padding_and_special_tokens() -> None:
    vocabulary = Vocabulary.of([torch.arange(1, 50)], 100)
    tokens = vocabulary.compact(torch.tensor([[98, 7, 40, 99, 0]]))
    masked = vocabulary.mask(tokens, 1.0)
    assert masked[0, 1:3].tolist() == [vocabulary.unknown] * 2
    assert masked[0, [0, 3, 4]].tolist() == tokens[0, [0, 3, 4]].tolist()
    assert torch.equal(vocabulary.mask(tokens, 0.0), tokens)


def test_shortened_text_still_ends() -> None:
    tokens = torch.tensor([[8, 1, 2, 3, 9, 0], [8, 1, 9, 0, 0, 0]])
    assert shortened(tokens, 3).tolist() == [[8, 1, 9], [8, 1, 9]]
    assert shortened(tokens, 4).tolist() == [[8, 1, 2, 9], [8, 1, 9, 0]]


def test_synonyms_share_a_group() -> None:
    groups = Groups([("tabby", "tabby cat"), ("corgi",)])
    assert groups.of("Tabby_cat") == groups.of("tabby") == 0
    assert groups.of("sofa") == groups.of("sofa") == 2
    assert groups.of("chair") == 3


def colour_source(tokenizer: Any, count: int, seed: int) -> PairSource:
    """Noisy mean colours, with captions that name them among words that say nothing."""
    rng = np.random.default_rng(seed)
    names = [list(COLOURS)[i % len(COLOURS)] for i in range(count)]
    colours = np.array([COLOURS[name] for name in names]) / 255 + rng.normal(0, 0.05, (count, 3))
    features = torch.from_numpy(np.tile(colours, 4).astype(np.float32))[None]
    examples = [Example(str(i), b"", (f"a {n} wall .", f"it is {n}"), None) for i, n in enumerate(names)]
    return captioned_source("colours", features, examples, Groups([]), tokenizer)


def colour_recall(towers: Any, vocabulary: Vocabulary, source: PairSource) -> float:
    first = len(COLOURS)
    with torch.inference_mode():
        images = towers.images(source.features[0, :first])
        texts = towers.texts(vocabulary.compact(source.tokens[:first, 0]))
    return recall_at(1, count_ranks((texts @ images.T).numpy(), np.arange(first)).worst)


def test_a_few_steps_lift_recall_far_above_chance_and_the_seed_fixes_them(tokenizer: Any) -> None:
    source, side = colour_source(tokenizer, 100, 0), colour_source(tokenizer, 10, 1)
    vocabulary = Vocabulary.of([source.tokens], tokenizer.vocab_size)
    reports: list[Progress] = []
    towers = train([source, side], vocabulary, TINY, reports.append)
    assert len(reports) == TINY.epochs
    assert reports[-1].step == reports[-1].steps == 60
    assert reports[-1].loss < reports[0].loss
    assert colour_recall(towers, vocabulary, colour_source(tokenizer, 10, 2)) >= 0.8  # by chance 0.1
    again = train([source, side], vocabulary, TINY)
    assert torch.equal(towers.projection.weight, again.projection.weight)


def test_exported_folder_is_an_open_clip_model_that_agrees_with_training(tmp_path: Path, tokenizer: Any) -> None:
    import open_clip

    source = colour_source(tokenizer, 20, 0)
    source = PairSource("wide", source.features.repeat(1, 1, 107)[..., :1280], source.tokens, source.groups)
    vocabulary = Vocabulary.of([source.tokens], tokenizer.vocab_size)
    towers = train([source], vocabulary, TINY)
    trunk = build_trunk()
    export(tmp_path / "m", model_config(TINY, tokenizer.vocab_size), full_state(towers, trunk, vocabulary))

    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{tmp_path / 'm'}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path / 'm'}")(["A red wall.", "it is blue", "zebra zebra"])
    image = preprocess(Image.new("RGB", (30, 20), (255, 0, 0)))[None]
    with torch.inference_mode():
        expected = towers.texts(vocabulary.compact(tokens))
        # float16 weights and a float8 token table.
        assert float((model.eval().encode_text(tokens, normalize=True) * expected).sum(1).min()) > 0.999
        features = trunk(image)
        assert float((model.encode_image(image, normalize=True) * towers.images(features)).sum()) > 0.999


def fake_backbone(folder: Path) -> Path:
    """The right shapes, small random weights."""
    generator = torch.Generator().manual_seed(0)
    convolutions = [module for module in build_trunk().modules() if isinstance(module, torch.nn.Conv2d)]
    weights = {"classifier.weight": torch.randn(1001, 1280, 1, 1, generator=generator).half()}
    for i, convolution in enumerate(convolutions):
        inputs = convolution.weight[0].numel()
        noise = torch.randn(convolution.weight.shape, generator=generator) * math.sqrt(2 / inputs)
        weights[f"conv{i:02d}.weight"] = noise.half()
        weights[f"conv{i:02d}.bias"] = torch.zeros(len(noise)).half()
    folder.mkdir()
    save_file(weights, folder / "mobilenet_v2_imagenet.safetensors")
    names = ["background", *(f"thing{i}, object{i}" for i in range(1000))]
    (folder / "imagenet_labels.txt").write_text("\n".join(names) + "\n")
    return folder


def test_one_command_makes_a_model_folder(tmp_path: Path) -> None:
    backbone, shards, out = fake_backbone(tmp_path / "backbone"), tmp_path / "shards", tmp_path / "mini"
    shards.mkdir()
    with tarfile.open(shards / "flickr8k-train.tar", "w") as tar:
        for i, (name, colour) in enumerate(list(COLOURS.items())[:4]):
            add_example(tar, f"{i}", [f"a {name} wall", f"all {name}"], picture=jpeg(colour))
    with tarfile.open(shards / "flowers.tar", "w") as tar:
        add_example(tar, "0", [], "daisy", picture=jpeg(COLOURS["white"]))
    arguments = ["--shards", str(shards), "--backbone", str(backbone), "--out", str(out), "--epochs", "1"]
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--cache", str(tmp_path / "cache")])
    assert end.value.code == 0
    assert (out / WEIGHTS_FILE).stat().st_size < 25_000_000
    assert json.loads((out / CONFIG_FILE).read_text())["model_cfg"]["vision_cfg"]["image_size"] == [225, 224]
    assert len(list((tmp_path / "cache").iterdir())) == 5  # four views of the captioned pictures, one of the others
    encoder = load_encoder(f"local-dir:{out}")
    assert encoder.manifest.dimension == TrainingConfig().dimension
    assert encoder.encode_texts(["a red wall", "all blue"]).shape == (2, encoder.manifest.dimension)


def test_no_shards_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    backbone = fake_backbone(tmp_path / "backbone")
    with pytest.raises(SystemExit) as end:
        main(["--shards", str(tmp_path), "--backbone", str(backbone), "--out", str(tmp_path / "out")])
    assert end.value.code == 2
    assert "flickr8k-train.tar" in capsys.readouterr().err


def test_a_folder_without_a_backbone_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelLoadFailed, match="cannot load model"):
        load_backbone(tmp_path)


def test_mirrored_picture_has_the_features_of_the_mirrored_view() -> None:
    trunk = build_trunk()
    picture = Image.new("RGB", (40, 30), (200, 30, 30))
    picture.paste((0, 0, 255), (0, 0, 13, 30))
    files = []
    for image in (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)):
        file = io.BytesIO()
        image.save(file, "PNG")
        files.append(file.getvalue())
    mirrored = pooled_features(trunk, files[:1], view="mirrored")
    assert np.allclose(mirrored, pooled_features(trunk, files[1:]), atol=1e-4)
    assert pooled_features(trunk, []).shape == (0, 1280)


def test_the_built_in_model_is_small_and_needs_nothing_but_open_clip() -> None:
    import open_clip

    folder = Path(indexer.mini.__file__).parent
    assert sum(file.stat().st_size for file in folder.glob("*.*")) <= 25_000_000
    model, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{folder}", require_pretrained=True)
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    with torch.inference_mode():
        texts = model.eval().encode_text(tokenizer(["A dog.", "a dog", "a puppy", "a bicycle"]), normalize=True)
        image = model.encode_image(preprocess(Image.new("RGB", (300, 200)))[None], normalize=True)
    assert image.shape == (1, 384)
    assert torch.equal(texts[0], texts[1])
    assert texts[1] @ texts[2] > texts[1] @ texts[3]
