"""Images and texts -> unit vectors: the `Encoder` seam, and the open_clip encoder behind it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer import hub
from indexer.backends.choice import BackendChoice, Choice, DeviceChoice, choose, this_machine
from indexer.backends.options import default_cache
from indexer.backends.samples import Quantising
from indexer.backends.tower import ImageTower, TorchTower, pixel_tower
from indexer.checkpoints import Checkpoint, download_weights, find_checkpoint, one_line, sha256_of
from indexer.errors import ModelLoadFailed, ModelTooLarge, SightlineError
from indexer.fusion import folded
from indexer.images import Preprocessing
from indexer.manifest import Manifest
from indexer.precision import Precision, PrecisionChoice
from indexer.text_tower import shortened
from indexer.tokenizer import Tokenizer
from indexer.torchvision_ops import ensure_torchvision_ops

if TYPE_CHECKING:
    import torch

Embeddings = NDArray[np.float32]
"""Unit rows, `(n, dimension)`."""

Loaded = TypeVar("Loaded")

_TEXTS_AT_ONCE = 256
"""Larger batches are cut, so that memory stays bounded whatever the caller hands in."""

_log = logging.getLogger(__name__)


class Encoder(Protocol):
    """A dual encoder: images and texts into one space, where the dot product is the cosine."""

    @property
    def manifest(self) -> Manifest:
        """What a collection made with this encoder has to remember; its `preprocessing` says what pixels it takes."""
        ...

    @property
    def batch_size(self) -> int:
        """Images a call at which it is about as fast as it gets; more and fewer are taken as well."""
        ...

    def encode_images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """`(n, height, width, 3)` uint8 RGB, as `manifest.preprocessing` asks -> `(n, dimension)` float32 unit rows."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """n texts -> `(n, dimension)` float32 unit rows. Texts over the context length are cut, as in training."""
        ...


def load_encoder(
    model: str,
    *,
    backend: BackendChoice = "torch",
    device: DeviceChoice = "auto",
    precision: PrecisionChoice = "auto",
    cache: Path | None = None,
    quantising: Quantising | None = None,
) -> OpenClipEncoder:
    """The encoder of `mini`, `ARCHITECTURE/TAG`, `hf-hub:organisation/name`, `local-dir:FOLDER` or a folder's path.

    Weights that are not on this machine are downloaded once. `cache` keeps the networks that OpenVINO converted.
    What encodes, and why, is logged as information. int8 that is refused or was not made is a warning, and the fastest
    other format is taken. Raises `UnknownModel`, `WeightsNotFound` (within seconds when there is no network),
    `ModelLoadFailed`, and what `choose` raises.
    """
    checkpoint = find_checkpoint(model)
    machine = this_machine()
    choice = choose(backend, device, precision, machine)
    if device == "cuda" and choice.device != "cuda":
        raise ModelLoadFailed(model, "device 'cuda' was asked for and torch finds none here; use `--device cpu`")
    encoder = _with_weights(checkpoint, lambda: _load(checkpoint, choice, cache or default_cache(), quantising))
    _log.info("%s", encoder.choice)
    return encoder


@dataclass(frozen=True, slots=True)
class ModelParts:
    """An open_clip model to train: float32, on the CPU."""

    checkpoint: Checkpoint
    weights_hash: str
    model: Any
    tokenizer: Tokenizer
    preprocessing: Preprocessing


def load_parts(model: str) -> ModelParts:
    """The model behind an encoder, for training. Names, downloads and errors are those of `load_encoder`."""
    checkpoint = find_checkpoint(model)
    return _with_weights(checkpoint, lambda: _parts(checkpoint))


def _with_weights(checkpoint: Checkpoint, load: Callable[[], Loaded]) -> Loaded:
    """What `load` makes of the checkpoint, after a download where one is needed, and without a request where not."""
    if checkpoint.weights() is None:
        download_weights(checkpoint)
        return load()
    try:
        with hub.offline():
            return load()
    except ModelLoadFailed:
        # Of a model of the hub the weights may be here and the tokenizer not; only the network can tell.
        if checkpoint.folder is not None or hub.forbidden() or not hub.reachable():
            raise
    return load()


class OpenClipEncoder:
    """Any open_clip model. Safe to use from many threads at once.

    Made by `load_encoder`. A row is the same, to rounding, alone or among others.
    """

    def __init__(self, parts: ModelParts, images: ImageTower, choice: Choice) -> None:
        """`parts.model` with its text tower where and as `choice` says."""
        import torch

        self.choice = choice
        self._name = parts.checkpoint.name
        self._model = parts.model
        self._tokenizer = parts.tokenizer
        self._tower = images
        self._device = torch.device(choice.device)
        self._dtype: torch.dtype = getattr(torch, choice.weights)
        probe = parts.tokenizer(["photo", "a longer text, of ten words or so"]).to(self._device)
        self._text_tower = shortened(parts.model, probe)
        self.manifest = Manifest(
            model=self._name,
            weights_hash=parts.weights_hash,
            dimension=self._try_both_towers(parts.preprocessing),
            preprocessing=parts.preprocessing,
            tokenizer=parts.tokenizer.rule,
            precision=choice.precision,
        )

    @property
    def batch_size(self) -> int:
        """See `Encoder`."""
        return self._tower.batch_size

    def encode_images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """`(n, height, width, 3)` uint8 RGB, as `manifest.preprocessing` asks -> `(n, dimension)` float32 unit rows."""
        expected = (self.manifest.preprocessing.height, self.manifest.preprocessing.width, 3)
        if pixels.dtype != np.uint8 or pixels.shape[1:] != expected:
            raise ValueError(f"pixels must be uint8 (n, {expected}), not {pixels.dtype} {pixels.shape}")
        most = self._tower.most
        return self._stack([self._images(pixels[start : start + most]) for start in range(0, len(pixels), most)])

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """n texts -> `(n, dimension)` float32 unit rows. Texts over the context length are cut, as in training."""
        starts = range(0, len(texts), _TEXTS_AT_ONCE)
        return self._stack([self._texts(texts[start : start + _TEXTS_AT_ONCE]) for start in starts])

    def _images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        import torch

        try:
            return self._unit_rows(self._tower(pixels))
        except torch.OutOfMemoryError as error:
            raise ModelTooLarge(self._name, one_line(error)) from error

    def _texts(self, texts: Sequence[str]) -> Embeddings:
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer(texts).to(self._device)
            return self._unit_rows(self._text_tower(tokens))

    def _unit_rows(self, features: torch.Tensor) -> Embeddings:
        import torch

        rows = torch.nn.functional.normalize(features.to(torch.float32), dim=-1).cpu()
        if not bool(torch.isfinite(rows).all()):
            remedy = "" if self._dtype == torch.float32 else "; use `--precision float32`"
            raise ModelLoadFailed(self._name, f"its output in {self._dtype} is not finite{remedy}")
        embeddings: Embeddings = rows.numpy()
        return embeddings

    def _stack(self, parts: list[Embeddings]) -> Embeddings:
        if len(parts) == 1:
            return parts[0]
        return np.concatenate([np.empty((0, self.manifest.dimension), np.float32), *parts])

    def _try_both_towers(self, preprocessing: Preprocessing) -> int:
        """The dimension, from one black picture and one word: what cannot encode these fails now, not in mid-index."""
        image = self._images(np.zeros((1, preprocessing.height, preprocessing.width, 3), np.uint8))
        text = self._texts(["photo"])
        if image.shape != text.shape:
            raise ValueError(f"images have {image.shape[1]} dimensions, texts {text.shape[1]}")
        return int(image.shape[1])


def _load(checkpoint: Checkpoint, choice: Choice, cache: Path, quantising: Quantising | None) -> OpenClipEncoder:
    parts = _parts(checkpoint)
    with _translated(checkpoint):
        if choice.backend == "torch":
            return _in_torch(parts, choice)
        try:
            return _in_openvino(parts, choice, cache, quantising)
        except Exception as error:
            if choice.asked:
                raise
            _log.warning("OpenVINO cannot run %s (%s); torch does", checkpoint.name, one_line(error))
    return _load(checkpoint, replace(choice, backend="torch", why="OpenVINO cannot run this model"), cache, quantising)


def _in_torch(parts: ModelParts, choice: Choice) -> OpenClipEncoder:
    import torch

    device, dtype = torch.device(choice.device), getattr(torch, choice.weights)
    _place(parts, device, choice.weights)
    tower = pixel_tower(parts.model, parts.preprocessing, dtype).to(device)
    if choice.device == "cpu":
        return OpenClipEncoder(parts, TorchTower(tower), choice)
    from indexer.backends.cuda_tower import on_every_gpu

    return OpenClipEncoder(parts, on_every_gpu(tower, (parts.preprocessing.height, parts.preprocessing.width)), choice)


def _in_openvino(parts: ModelParts, choice: Choice, cache: Path, quantising: Quantising | None) -> OpenClipEncoder:
    """Pictures in OpenVINO, words in torch."""
    import torch

    from indexer.backends.conversions import Conversions
    from indexer.backends.openvino_tower import OpenVinoTower, converted, network_identity

    conversions = Conversions(cache / "openvino")
    identity = network_identity(parts.model, parts.preprocessing, parts.weights_hash)
    network = converted(parts.model, parts.preprocessing, identity, conversions)
    parts.model.visual = torch.nn.Identity()  # its weights are not needed twice
    _place(parts, torch.device("cpu"), choice.weights)
    plain = replace(choice, precision=choice.weights)
    encoder = OpenClipEncoder(parts, OpenVinoTower(network, choice.weights), plain)
    if choice.precision != "int8":
        return encoder
    from indexer.backends.quantization import int8

    quantised = int8(network, identity, encoder, quantising, conversions)
    if quantised.network is None:
        encoder.choice = replace(plain, why=quantised.why)
        return encoder
    return OpenClipEncoder(parts, OpenVinoTower(quantised.network, choice.weights), replace(choice, why=quantised.why))


def _parts(checkpoint: Checkpoint) -> ModelParts:
    weights = checkpoint.weights()
    if weights is None:
        raise ModelLoadFailed(checkpoint.name, "its weights vanished while it was being loaded")
    with _translated(checkpoint):
        model, tokenizer = _open_clip_parts(checkpoint)
        preprocessing = _preprocessing(model.visual.preprocess_cfg)
        return ModelParts(checkpoint, sha256_of(weights), model, tokenizer, preprocessing)


@contextmanager
def _translated(checkpoint: Checkpoint) -> Iterator[None]:
    """Everything that open_clip, torch, safetensors and the hub raise becomes `ModelLoadFailed` here."""
    try:
        yield
    except SightlineError:
        raise
    except ModuleNotFoundError as error:
        reason = f"it needs the package {error.name!r}; `pip install {error.name}`"
        raise ModelLoadFailed(checkpoint.name, reason) from error
    except Exception as error:
        raise ModelLoadFailed(checkpoint.name, one_line(error)) from error


def _open_clip_parts(checkpoint: Checkpoint) -> tuple[Any, Tokenizer]:
    """The one place that calls open_clip's factory. Without `require_pretrained` it only warns of random weights."""
    ensure_torchvision_ops()
    import open_clip

    with _without_random_weights():
        model = open_clip.create_model(
            checkpoint.open_clip_name,
            pretrained=checkpoint.tag,
            force_quick_gelu=checkpoint.quick_gelu,
            pretrained_text=False,
            require_pretrained=True,
        )
    vocabulary = checkpoint.vocabulary()
    own = {"bpe_path": str(vocabulary)} if vocabulary else {}
    return model, Tokenizer(open_clip.get_tokenizer(checkpoint.open_clip_name, **own), vocabulary)


def _place(parts: ModelParts, device: torch.device, precision: Precision) -> None:
    """The model on the device and with weights of that precision, ready to encode.

    Not open_clip's own `precision`: in 3.3.0 its `bf16` fails on text towers whose projection has a bias, and on CLIP
    it gains no accuracy (cosine to float32 0.99995 either way). Batch norms that follow a convolution become part of
    it; the others keep their running statistics in float32.
    """
    import torch

    model = parts.model.eval()
    model.visual = folded(model.visual, parts.preprocessing.height, parts.preprocessing.width)
    model.to(device=device, dtype=getattr(torch, precision))
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.float()


def _without_random_weights() -> torch.overrides.TorchFunctionMode:
    """torch.nn.init does nothing meanwhile: the checkpoint, loaded strictly, overwrites every weight anyway.

    It halves the time to load: ViT-B-32 1.8 -> 0.9 s, MobileNetV2 with a small text tower 0.27 -> 0.1 s.
    """
    import torch.overrides

    class WithoutRandomWeights(torch.overrides.TorchFunctionMode):
        def __torch_function__(
            self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            kwargs = kwargs or {}
            if getattr(func, "__module__", None) == "torch.nn.init":
                return kwargs["tensor"] if "tensor" in kwargs else args[0]
            return func(*args, **kwargs)

    return WithoutRandomWeights()


def _preprocessing(config: dict[str, Any]) -> Preprocessing:
    """From open_clip's `preprocess_cfg`, with its defaults for what is missing or, as `random`, for training only."""
    size = config["size"]
    height, width = (size, size) if isinstance(size, int) else (size[0], size[-1])
    return Preprocessing(
        height=int(height),
        width=int(width),
        resize_mode=config.get("resize_mode") or "shortest",
        interpolation="bilinear" if config.get("interpolation") == "bilinear" else "bicubic",
        mean=_per_channel(config["mean"]),
        std=_per_channel(config["std"]),
        fill_color=int(config.get("fill_color") or 0),
    )


def _per_channel(value: float | Sequence[float]) -> tuple[float, float, float]:
    red, green, blue = (value,) * 3 if isinstance(value, int | float) else value
    return float(red), float(green), float(blue)
