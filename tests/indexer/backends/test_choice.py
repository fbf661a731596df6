from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from indexer.backends.choice import BackendChoice, DeviceChoice, Machine, choose, this_machine
from indexer.errors import BrokenInstallation, InvalidSettings
from indexer.precision import PrecisionChoice, cpu_precision

PLAIN = Machine({"architecture": "x86_64", "avx512_f": True})
BF16 = Machine({"architecture": "x86_64", "avx512_bf16": True}, openvino=True)
AMX = Machine({"architecture": "x86_64", "amx_bf16": True, "avx512_bf16": True}, openvino=True)
ARM = Machine({"architecture": "aarch64"}, openvino=True)
GPU = replace(BF16, cuda="float16")


@pytest.mark.parametrize(
    ("machine", "asked", "expected", "why"),
    [
        (PLAIN, ("auto", "auto", "auto"), ("torch", "cpu", "float32"), "neither amx_bf16 nor avx512_bf16"),
        (PLAIN, ("auto", "auto", "auto"), ("torch", "cpu", "float32"), "not installed"),
        (replace(PLAIN, openvino=True), ("auto", "auto", "auto"), ("openvino", "cpu", "float32"), "faster"),
        (BF16, ("auto", "auto", "auto"), ("openvino", "cpu", "bfloat16"), "it has avx512_bf16"),
        (AMX, ("auto", "auto", "auto"), ("openvino", "cpu", "bfloat16"), "it has amx_bf16"),
        (ARM, ("auto", "auto", "auto"), ("torch", "cpu", "float32"), "x86-64"),
        (BF16, ("torch", "auto", "auto"), ("torch", "cpu", "bfloat16"), "torch was asked for"),
        (ARM, ("openvino", "auto", "auto"), ("openvino", "cpu", "float32"), "OpenVINO was asked for"),
        (BF16, ("auto", "auto", "float32"), ("openvino", "cpu", "float32"), "float32 was asked for"),
        (BF16, ("auto", "auto", "float16"), ("torch", "cpu", "float16"), "no float16"),
        (BF16, ("auto", "auto", "int8"), ("openvino", "cpu", "int8"), "only OpenVINO does int8"),
        (GPU, ("auto", "auto", "auto"), ("torch", "cuda", "float16"), "it does float16 best"),
        (GPU, ("torch", "cuda", "float32"), ("torch", "cuda", "float32"), "float32 was asked for"),
        (GPU, ("auto", "cpu", "auto"), ("openvino", "cpu", "bfloat16"), "avx512_bf16"),
        (GPU, ("openvino", "auto", "auto"), ("openvino", "cpu", "bfloat16"), "asked for"),
    ],
)
def test_the_table(
    machine: Machine,
    asked: tuple[BackendChoice, DeviceChoice, PrecisionChoice],
    expected: tuple[str, str, str],
    why: str,
) -> None:
    choice = choose(*asked, machine)
    assert (choice.backend, choice.device, choice.precision) == expected
    assert why in choice.why
    assert choice.asked == (asked[0] == choice.backend or asked[2] == "int8" or choice.device == "cuda")


def test_the_sentence_is_the_one_that_people_read() -> None:
    assert str(choose("auto", "auto", "auto", replace(BF16, openvino=False))) == (
        "encoding with torch in bfloat16 on the CPU: it has avx512_bf16; "
        "OpenVINO, which was faster where we measured, is not installed"
    )


def test_what_is_not_int8_is_what_the_processor_does_best() -> None:
    assert choose("openvino", "cpu", "int8", BF16).weights == "bfloat16"
    assert choose("openvino", "cpu", "int8", replace(PLAIN, openvino=True)).weights == "float32"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (("openvino", "cuda", "auto"), ["openvino", "--device cpu"]),
        (("openvino", "auto", "float16"), ["float16", "bfloat16"]),
        (("torch", "auto", "int8"), ["int8", "--backend openvino"]),
        (("auto", "cuda", "int8"), ["int8", "--device cpu"]),
    ],
)
def test_what_does_not_go_together(
    asked: tuple[BackendChoice, DeviceChoice, PrecisionChoice], words: list[str]
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        choose(*asked, GPU)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("asked", [("openvino", "auto", "auto"), ("auto", "auto", "int8")])
def test_openvino_that_is_not_installed(asked: tuple[BackendChoice, DeviceChoice, PrecisionChoice]) -> None:
    with pytest.raises(BrokenInstallation, match=r"pip install -c constraints.txt '\.\[cpu,openvino\]'"):
        choose(*asked, PLAIN)


def test_this_machine_is_what_torch_says() -> None:
    machine = this_machine()
    assert (machine.cuda is not None) == torch.cuda.is_available()
    assert machine.cpu == cpu_precision(torch.cpu.get_capabilities())
