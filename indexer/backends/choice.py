"""Which back end encodes, on which device, in which number format, and why: one table, one sentence."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.errors import BrokenInstallation, InvalidSettings
from indexer.precision import AnyPrecision, Precision, PrecisionChoice, cpu_precision, cuda_precision

Backend = Literal["torch", "openvino"]
BackendChoice = Literal["auto", "torch", "openvino"]
Device = Literal["cpu", "cuda"]
DeviceChoice = Literal["auto", "cpu", "cuda"]

_NAMES: dict[Backend, str] = {"torch": "torch", "openvino": "OpenVINO"}
_INSTALL = "`pip install -c constraints.txt '.[cpu,openvino]'`"


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to compute with."""

    capabilities: Mapping[str, object]
    """Of the processor, by torch's names for them."""
    cuda: Precision | None = None
    """The number format that the GPU does best; None without a GPU."""
    openvino: bool = False
    """Whether it is installed."""

    @property
    def cpu(self) -> Precision:
        """The number format that the processor does best."""
        return cpu_precision(self.capabilities)


@dataclass(frozen=True, slots=True)
class Choice:
    backend: Backend
    device: Device
    precision: AnyPrecision
    weights: Precision
    """Of what is not int8: the text tower, and the image tower should int8 be refused."""
    why: str
    asked: bool = True
    """Whether the back end was asked for; one that was not may be left for another."""

    def __str__(self) -> str:
        where = "the CPU" if self.device == "cpu" else "the GPU"
        return f"encoding with {_NAMES[self.backend]} in {self.precision} on {where}: {self.why}"


def this_machine() -> Machine:
    import torch

    gpu = torch.cuda.is_available()
    return Machine(
        capabilities=torch.cpu.get_capabilities(),
        cuda=cuda_precision(torch.device("cuda")) if gpu else None,
        openvino=importlib.util.find_spec("openvino") is not None,
    )


def choose(backend: BackendChoice, device: DeviceChoice, precision: PrecisionChoice, machine: Machine) -> Choice:
    """What was asked for, and what is fastest for the rest (docs/encoders.md has the figures).

    A GPU before a CPU; on a CPU OpenVINO where it is installed, in the number format that the CPU has units for. int8
    only where it is asked for: it has to be tried on a collection first. Raises `InvalidSettings` for what does not go
    together, `BrokenInstallation` for OpenVINO that is asked for and not installed.
    """
    _check(backend, device, precision)
    if device != "cpu" and machine.cuda and backend != "openvino" and precision != "int8":
        weights = machine.cuda if precision == "auto" else precision
        return Choice("torch", "cuda", weights, weights, _number_format_on_gpu(precision, machine))
    chosen, reason = _cpu_backend(backend, precision, machine)
    weights = machine.cpu if precision == "auto" or precision == "int8" else precision
    return Choice(
        backend=chosen,
        device="cpu",
        precision="int8" if precision == "int8" else weights,
        weights=weights,
        why="; ".join((_number_format_on_cpu(precision, machine), reason)),
        asked=backend == chosen or precision == "int8",
    )


def _check(backend: BackendChoice, device: DeviceChoice, precision: PrecisionChoice) -> None:
    if backend == "openvino" and device == "cuda":
        raise InvalidSettings("backend", "openvino", "OpenVINO runs on the CPU here; use `--device cpu`, or torch")
    if backend == "openvino" and precision == "float16":
        reason = "OpenVINO computes it in bfloat16 on a CPU; use bfloat16, float32 or int8, or `--backend torch`"
        raise InvalidSettings("precision", "float16", reason)
    if precision == "int8" and (backend == "torch" or device == "cuda"):
        reason = "only OpenVINO computes it, and on a CPU; use `--backend openvino --device cpu`, or bfloat16"
        raise InvalidSettings("precision", "int8", reason)


def _cpu_backend(backend: BackendChoice, precision: PrecisionChoice, machine: Machine) -> tuple[Backend, str]:
    """And the reason. torch does float16, and has the better kernels on processors that are not x86."""
    if backend == "torch":
        return "torch", "torch was asked for"
    if backend == "openvino" or precision == "int8":
        if not machine.openvino:
            what = "OpenVINO was asked for" if backend == "openvino" else "int8 needs OpenVINO, which"
            raise BrokenInstallation(
                f"{what} {'and ' if backend == 'openvino' else ''}is not installed; run {_INSTALL}"
            )
        return "openvino", "OpenVINO was asked for" if backend == "openvino" else "only OpenVINO does int8"
    if precision == "float16":
        return "torch", "OpenVINO does no float16 on a CPU"
    if machine.capabilities.get("architecture") != "x86_64":
        return "torch", "OpenVINO was measured on x86-64 alone"
    if not machine.openvino:
        return "torch", "OpenVINO, which was faster where we measured, is not installed"
    return "openvino", "OpenVINO was faster than torch where we measured"


def _number_format_on_cpu(precision: PrecisionChoice, machine: Machine) -> str:
    if precision != "auto":
        return f"{precision} was asked for"
    units = next((name for name in ("amx_bf16", "avx512_bf16") if machine.capabilities.get(name)), None)
    return f"it has {units}" if units else "it has neither amx_bf16 nor avx512_bf16"


def _number_format_on_gpu(precision: PrecisionChoice, machine: Machine) -> str:
    return f"{precision} was asked for" if precision != "auto" else f"it does {machine.cuda} best"
