"""What number format a device multiplies well in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Precision = Literal["float32", "bfloat16", "float16"]
"""Of weights, by torch's names."""
AnyPrecision = Literal["float32", "bfloat16", "float16", "int8"]
"""int8 is a network of its own, made by quantisation."""
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16", "int8"]


def fastest_precision(device: torch.device) -> Precision:
    """The fastest format that the device has units for."""
    if device.type == "cuda":
        return cuda_precision(device)
    if device.type == "cpu":
        import torch

        return cpu_precision(torch.cpu.get_capabilities())
    return "float32"


def cpu_precision(capabilities: Mapping[str, object]) -> Precision:
    """From what the processor can do, by torch's names for it.

    With AMX, bfloat16 weights encode 3.5 times as many images a second as float32. Without such units bfloat16 is
    emulated: on a Xeon with AVX-512 alone it took 4 times (ViT-B-32) to 10 times (MobileNetV2) as long as float32.
    """
    return "bfloat16" if capabilities.get("amx_bf16") or capabilities.get("avx512_bf16") else "float32"


def cuda_precision(device: torch.device) -> Precision:
    """bfloat16 from Ampere on, float16 on the tensor cores of Volta and Turing; before that neither is faster."""
    import torch

    with torch.cuda.device(device):
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bfloat16"
    return "float16" if torch.cuda.get_device_capability(device) >= (7, 0) else "float32"
