"""Lets a CUDA build of torchvision be imported beside a CPU-only torch.

PyPI's torchvision for Linux is a CUDA build. Beside a CPU-only torch its compiled operators do not load, and then its
Python half fails on import with "operator torchvision::nms does not exist", and with it open_clip and timm. Nothing
here uses those operators; they only have to be declared before the first import of torchvision.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch.library

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def ensure_torchvision_ops() -> None:
    """Call before anything imports torchvision, open_clip or timm. Safe to call any number of times.

    Does nothing when torchvision is imported already, when torch has CUDA or HIP, or when torchvision's own operators
    load: then the real ones are there.
    """
    import torch

    if "torchvision" in sys.modules or torch.version.cuda or torch.version.hip or _operators_load():
        return
    if not hasattr(torch.ops.torchvision, "nms"):
        _declare_operators()


def _operators_load() -> bool:
    """Whether torchvision's compiled half loads into this torch; True too when there is no torchvision at all."""
    import torch

    package = importlib.util.find_spec("torchvision")
    if package is None or not package.submodule_search_locations:
        return True
    compiled = importlib.machinery.PathFinder.find_spec("_C", list(package.submodule_search_locations))
    if compiled is None or compiled.origin is None:
        return False
    try:
        torch.ops.load_library(compiled.origin)  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True


@cache
def _declare_operators() -> torch.library.Library:
    """The schemas vanish with the library object, so the cache keeps it for as long as the process lives."""
    import torch.library

    library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
    for schema in _SCHEMAS:
        library.define(schema)  # type: ignore[no-untyped-call]
    return library
