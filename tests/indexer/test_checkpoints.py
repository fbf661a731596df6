from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from indexer import hub
from indexer.checkpoints import find_checkpoint, published_file, sha256_of
from indexer.encoder import load_encoder
from indexer.errors import ModelLoadFailed, WeightsNotFound
from tests.checkpoints import make_checkpoint

NAME = "ViT-B-32/laion2b_s34b_b79k"


def test_a_published_model_is_found_on_the_hub() -> None:
    found = find_checkpoint("ViT-B/32/LAION2B-s34b-b79k")
    assert (found.name, found.open_clip_name, found.tag) == (NAME, "ViT-B-32", "laion2b_s34b_b79k")
    assert found.source == hub.HubFile(
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K", ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
    )
    assert not found.quick_gelu


def test_quick_gelu_follows_the_weights() -> None:
    assert find_checkpoint("ViT-B-32/openai").quick_gelu
    assert find_checkpoint("ViT-H-14-quickgelu/dfn5b").quick_gelu


def test_a_named_file_is_preferred_as_safetensors() -> None:
    assert published_file("a/b/weights.bin").names == ("weights.safetensors", "weights.bin")
    assert published_file("a/b/weights.safetensors").names == ("weights.safetensors",)


def test_all_that_open_clip_publishes_can_be_named() -> None:
    import open_clip

    for architecture, tag in open_clip.list_pretrained():
        found = find_checkpoint(f"{architecture}/{tag}")
        assert (found.open_clip_name, found.tag) == (architecture, tag)
        assert isinstance(found.source, hub.HubFile)
        assert found.source.repository.count("/") == 1


def test_folders_are_searched_in_the_order_open_clip_searches_them(tmp_path: Path) -> None:
    """Or else the hash in the manifest would be of other weights than those in use."""
    import open_clip.factory

    folder = make_checkpoint(tmp_path / "model")
    for name in ("pytorch_model.bin", "model.safetensors", "open_clip_pytorch_model.bin", "a.safetensors"):
        (folder / name).touch()
    while True:
        chosen = find_checkpoint(str(folder)).weights()
        assert str(chosen) == open_clip.factory._find_checkpoint_in_dir(folder)
        assert chosen is not None
        chosen.unlink()
        if not any((folder / name).exists() for name in ("pytorch_model.bin", "model.safetensors")):
            break
    with pytest.raises(WeightsNotFound, match=r"open_clip_model\.safetensors"):
        find_checkpoint(str(folder))


def test_the_hash_of_a_file_in_the_hub_cache_is_its_name(tmp_path: Path) -> None:
    content = b"weights"
    blob = tmp_path / "blobs" / hashlib.sha256(content).hexdigest()
    blob.parent.mkdir()
    blob.write_bytes(content)
    link = tmp_path / "snapshots" / "abc" / "model.safetensors"
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    assert hub.recorded_sha256(link) == blob.name == sha256_of(link)
    # Small files are stored there under a git hash, and files elsewhere say nothing.
    assert hub.recorded_sha256(tmp_path / "blobs" / ("0" * 40)) is None
    assert hub.recorded_sha256(tmp_path / ("0" * 64)) is None


def test_no_network_allowed_is_an_error_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub, "reachable", lambda: pytest.fail("asked the network"))
    with pytest.raises(WeightsNotFound) as caught:
        load_encoder(NAME)
    message = str(caught.value)
    assert all(part in message for part in (NAME, str(tmp_path), "HF_HUB_OFFLINE", "--model mini"))


@pytest.mark.parametrize("name", [NAME, "hf-hub:some/model"])
def test_no_network_is_an_error_that_names_the_places(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "reachable", lambda: False)
    with pytest.raises(WeightsNotFound) as caught:
        load_encoder(name)
    assert all(part in str(caught.value) for part in (name, str(tmp_path), constants.ENDPOINT, "--model mini"))


def test_a_missing_tokenizer_does_not_wait_for_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights in the cache, but nothing else: the config is asked for offline, and the hub is probed once."""
    from huggingface_hub import constants

    snapshot = tmp_path / "models--some--model" / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("abc")
    (snapshot / "open_clip_model.safetensors").touch()
    probes: list[bool] = []
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(hub, "reachable", lambda: bool(probes.append(False)))
    with pytest.raises(ModelLoadFailed, match="hf-hub:some/model"):
        load_encoder("hf-hub:some/model")
    assert probes == [False]
    assert not constants.HF_HUB_OFFLINE
