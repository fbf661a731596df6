"""An image tower in OpenVINO: converted from the torch model, compiled for this CPU."""

from __future__ import annotations

import queue
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from indexer.backends.conversions import Conversion, Conversions
from indexer.backends.openvino_library import load_openvino
from indexer.backends.tower import CPU_BATCH, pixel_tower
from indexer.images import Preprocessing
from indexer.precision import Precision

if TYPE_CHECKING:
    import torch

_HINTS: Final[dict[Precision, str]] = {"float32": "f32", "bfloat16": "bf16"}
_SAME: Final = 0.9999
"""Cosine of two float32 embeddings of one picture: rounding alone moves it by 1e-6."""
_MOST: Final = 128


class OpenVinoTower:
    """Takes batches of any size. Each call has a request of its own, so many threads may call at once."""

    batch_size = CPU_BATCH

    def __init__(self, network: Any, precision: Precision) -> None:
        """`precision`: what it computes in where the network does not say int8. As many threads as torch takes."""
        import torch

        self.most = _MOST
        properties = {
            "INFERENCE_PRECISION_HINT": _HINTS[precision],
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            # All threads on one batch; `THROUGHPUT` would divide them among requests, of which there is mostly one.
            "PERFORMANCE_HINT": "LATENCY",
        }
        self._compiled = load_openvino().Core().compile_model(network, "CPU", properties)
        self._idle: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def __call__(self, pixels: NDArray[np.uint8]) -> torch.Tensor:
        import torch

        try:
            request = self._idle.get_nowait()
        except queue.Empty:
            request = self._compiled.create_infer_request()
        try:
            rows: NDArray[np.float32] = request.infer([np.ascontiguousarray(pixels)], share_inputs=True)[0]
        finally:
            self._idle.put(request)
        return torch.from_numpy(rows)


def converted(model: Any, preprocessing: Preprocessing, identity: str, conversions: Conversions) -> Any:
    """The image tower of a float32 model as `openvino.Model`, from uint8 pixels to float32 features; kept for later.

    `identity`: see `network_identity`. Raises `ValueError` if it does not compute what torch computes, and whatever the
    conversion raises.
    """
    key = conversion_key(identity, "float32")
    if found := conversions.find(key):
        return found.network
    network = _convert(model, preprocessing)
    conversions.keep(key, Conversion(network))
    return network


def network_identity(model: Any, preprocessing: Preprocessing, weights_hash: str) -> str:
    """What a network computes: by its weights, its layers (the same weights may be meant for another activation), and
    the normalisation that becomes part of it.
    """
    return blake3(f"{weights_hash}\n{preprocessing}\n{model}".encode()).hexdigest()[:32]


def conversion_key(identity: str, kind: str) -> str:
    """Another version of OpenVINO converts anew."""
    version = load_openvino().__version__.partition("-")[0]
    return f"{identity}-{version}-{kind}"


def _convert(model: Any, preprocessing: Preprocessing) -> Any:
    import torch

    openvino = load_openvino()
    size = (preprocessing.height, preprocessing.width, 3)
    tower = pixel_tower(model, preprocessing, torch.float32)
    pictures = torch.randint(0, 256, (2, *size), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings(), torch.no_grad():
        # OpenVINO converts by torch.jit.trace. torch calls it deprecated, and what it offers instead, torch.export,
        # warns of itself as well. Tracing warns of Python values that it takes as constants: the sizes of a picture.
        warnings.filterwarnings("ignore", message=r"`torch\.jit", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=torch.jit.TracerWarning)  # type: ignore[attr-defined]
        network = openvino.convert_model(
            tower, example_input=pictures, input=[(openvino.PartialShape([-1, *size]), openvino.Type.u8)]
        )
        want = tower(pictures)
    likeness = torch.nn.functional.cosine_similarity(OpenVinoTower(network, "float32")(pictures.numpy()), want)
    if not float(likeness.min()) >= _SAME:  # nor if it is not a number
        raise ValueError(f"converted, it computes something else (cosine {float(likeness.min()):.4f})")
    return network
