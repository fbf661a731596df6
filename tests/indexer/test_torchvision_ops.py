"""Each case runs in a process of its own: what is imported and which operators exist can be set up only once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OPERATORS = "[hasattr(torch.ops.torchvision, name) for name in ('nms', 'qnms')]"


def run(code: str, *paths: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT]))}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def torchvision(tmp_path: Path) -> Path:
    """A package of that name whose compiled half is not a library."""
    package = tmp_path / "packages" / "torchvision"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_C.so").write_bytes(b"not a library")
    return package


ENSURE = "import torch; from indexer.torchvision_ops import ensure_torchvision_ops as ensure; "


def test_operators_that_do_not_load_are_declared_once(torchvision: Path) -> None:
    code = ENSURE + f"import gc; ensure(); ensure(); gc.collect(); ensure(); print({OPERATORS})"
    assert run(code, torchvision.parent) == "[True, True]"


def test_a_declaration_by_somebody_else_is_kept(torchvision: Path) -> None:
    declare = "library = torch.library.Library('torchvision', 'DEF'); library.define('nms(Tensor x) -> Tensor'); "
    code = ENSURE + declare + "ensure(); print(torch.ops.torchvision.nms.default._schema)"
    assert run(code, torchvision.parent) == "torchvision::nms(Tensor x) -> Tensor"


def test_nothing_is_declared_when_torchvision_loads_its_own(torchvision: Path) -> None:
    import torch

    (torchvision / "_C.so").unlink()
    library = next((Path(torch.__file__).parent / "lib").glob("libc10.*"))
    (torchvision / "_C.so").symlink_to(library)
    assert run(ENSURE + f"ensure(); print({OPERATORS})", torchvision.parent) == "[False, False]"


@pytest.mark.parametrize("build", ["cuda", "hip"])
def test_nothing_is_declared_beside_a_torch_for_gpus(torchvision: Path, build: str) -> None:
    code = ENSURE + f"torch.version.{build} = '12.8'; ensure(); print({OPERATORS})"
    assert run(code, torchvision.parent) == "[False, False]"


def test_nothing_is_declared_without_torchvision(tmp_path: Path) -> None:
    hide = "import sys; sys.path = [p for p in sys.path if 'site-packages' not in p]; "
    assert run(ENSURE + hide + f"ensure(); print({OPERATORS})") == "[False, False]"


def test_the_installed_open_clip_can_be_imported() -> None:
    assert run(ENSURE + "ensure(); import open_clip, timm, torchvision; ensure(); print('imported')") == "imported"
