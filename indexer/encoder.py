"""Images and texts -> unit vectors: the `Encoder` seam, and the open_clip encoder behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer import hub
from indexer.checkpoints import Checkpoint, download_weights, find_checkpoint, one_line, sha256_of
from indexer.errors import ModelLoadFailed
from indexer.fusion import folded
from indexer.images import Preprocessing
from indexer.manifest import Manifest
from indexer.precision import Precision, PrecisionChoice, choose_precision
from indexer.text_tower import shortened
from indexer.tokenizer import Tokenizer
from indexer.torchvision_ops import ensure_torchvision_ops

if TYPE_CHECKING:
    import torch

Embeddings = NDArray[np.float32]
"""Unit rows, `(n, dimension)`."""

DeviceChoice = Literal["auto", "cpu", "cuda"]
Loaded = TypeVar("Loaded")

_IMAGES_AT_ONCE = 128
_TEXTS_AT_ONCE = 256
"""Larger batches are cut, so that memory stays bounded whatever the caller hands in."""


class Encoder(Protocol):
    """A dual encoder: images and texts into one space, where the dot product is the cosine."""

    @property
    def manifest(self) -> Manifest:
        """What a collection made with this encoder has to remember; its `preprocessing` says what pixels it takes."""
        ...

    def encode_images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """`(n, height, width, 3)` uint8 RGB, as `manifest.preprocessing` asks -> `(n, dimension)` float32 unit rows."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """n texts -> `(n, dimension)` float32 unit rows. Texts over the context length are cut, as in training."""
        ...


def load_encoder(model: str, *, device: DeviceChoice = "auto", precision: PrecisionChoice = "auto") -> OpenClipEncoder:
    """The encoder of `mini`, `ARCHITECTURE/TAG`, `hf-hub:organisation/name`, `local-dir:FOLDER` or a folder's path.

    Weights that are not on this machine are downloaded once. Raises `UnknownModel`, `WeightsNotFound` (within seconds
    when there is no network) or `ModelLoadFailed`.
    """
    checkpoint = find_checkpoint(model)
    import torch

    gpu = torch.cuda.is_available()
    if device == "cuda" and not gpu:
        raise ModelLoadFailed(model, "device 'cuda' was asked for and torch finds none here; use `--device cpu`")
    where = torch.device("cuda" if gpu and device != "cpu" else "cpu")
    number_format = choose_precision(precision, where)
    return _with_weights(checkpoint, lambda: _load(checkpoint, where, number_format))


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

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        name: str,
        weights_hash: str,
        device: torch.device,
        precision: Precision,
    ) -> None:
        import torch

        self._name = name
        self._model = model
        self._tokenizer = tokenizer
        self._device = device
        self._dtype: torch.dtype = getattr(torch, precision)
        preprocessing = _preprocessing(model.visual.preprocess_cfg)
        # (x / 255 - mean) / std as one multiplication and one subtraction.
        mean, std = (torch.tensor(v, device=device).view(1, 3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
        self._scale, self._shift = 1 / (255 * std), mean / std
        self._text_tower = shortened(model, tokenizer(["photo", "a longer text, of ten words or so"]).to(device))
        self.manifest = Manifest(
            model=name,
            weights_hash=weights_hash,
            dimension=self._try_both_towers(preprocessing),
            preprocessing=preprocessing,
            tokenizer=tokenizer.rule,
            precision=precision,
        )

    def encode_images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        """`(n, height, width, 3)` uint8 RGB, as `manifest.preprocessing` asks -> `(n, dimension)` float32 unit rows."""
        expected = (self.manifest.preprocessing.height, self.manifest.preprocessing.width, 3)
        if pixels.dtype != np.uint8 or pixels.shape[1:] != expected:
            raise ValueError(f"pixels must be uint8 (n, {expected}), not {pixels.dtype} {pixels.shape}")
        starts = range(0, len(pixels), _IMAGES_AT_ONCE)
        return self._stack([self._images(pixels[start : start + _IMAGES_AT_ONCE]) for start in starts])

    def encode_texts(self, texts: Sequence[str]) -> Embeddings:
        """n texts -> `(n, dimension)` float32 unit rows. Texts over the context length are cut, as in training."""
        starts = range(0, len(texts), _TEXTS_AT_ONCE)
        return self._stack([self._texts(texts[start : start + _TEXTS_AT_ONCE]) for start in starts])

    def _images(self, pixels: NDArray[np.uint8]) -> Embeddings:
        import torch

        with torch.inference_mode():
            # A read-only array, such as one from `np.frombuffer`, is copied: torch warns about sharing it.
            batch = torch.from_numpy(np.require(pixels, requirements=["C", "W"])).to(self._device)
            # Height, width, channels as they come are torch's channels_last, 1.3 to 1.6 times as fast as copying them
            # into planes (ViT-B-32 and MobileNetV2, float32, batch 16).
            planes = batch.permute(0, 3, 1, 2).to(torch.float32).mul_(self._scale).sub_(self._shift)
            return self._unit_rows(self._model.encode_image(planes.to(self._dtype)))

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


def _load(checkpoint: Checkpoint, device: torch.device, precision: Precision) -> OpenClipEncoder:
    parts = _parts(checkpoint)
    with _translated(checkpoint):
        return OpenClipEncoder(
            _placed(parts.model, device, precision),
            parts.tokenizer,
            name=checkpoint.name,
            weights_hash=parts.weights_hash,
            device=device,
            precision=precision,
        )


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
    except ModelLoadFailed:
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


def _placed(model: Any, device: torch.device, precision: Precision) -> Any:
    """On the device and with weights of that precision, ready to encode.

    Not open_clip's own `precision`: in 3.3.0 its `bf16` fails on text towers whose projection has a bias, and on CLIP
    it gains no accuracy (cosine to float32 0.99995 either way). Batch norms that follow a convolution become part of
    it; the others keep their running statistics in float32.
    """
    import torch

    model = model.eval()
    preprocessing = _preprocessing(model.visual.preprocess_cfg)
    model.visual = folded(model.visual, preprocessing.height, preprocessing.width)
    model = model.to(device=device, dtype=getattr(torch, precision))
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.float()
    return model


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
