"""How a base of each kind is built, and restored from what was saved of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids, Stored, Vectors, fastscan
from indexer.vectors.approximate import ApproximateBase
from indexer.vectors.base import Base
from indexer.vectors.calibration import Calibration, Effort, calibrate
from indexer.vectors.exact import ExactBase
from indexer.vectors.faiss_library import limited_threads, load_faiss
from indexer.vectors.fastscan import build_fastscan, restore_fastscan
from indexer.vectors.hnsw import build_hnsw, restore_hnsw
from indexer.vectors.planning import IndexPlan, choose_kind

__all__ = ["Base", "build_base", "restore_base"]


def build_base(
    plan: IndexPlan, ids: Ids, vectors: Stored, probes: Vectors | None = None, *, threads: int | None = None
) -> Base:
    """Of the kind the plan chooses at this size. `ids` ascend; `vectors` `(n, dimension)` are kept as they are.

    `probes` `(m, dimension)` are text queries to calibrate with; `threads` limits the build, None to all cores.
    """
    kind = choose_kind(plan, len(ids))
    vectors = _plain(vectors)
    if kind == "exact":
        return ExactBase.build(ids, vectors)
    if kind == "torch":
        from indexer.vectors.torch_exact import TorchBase

        return TorchBase.build(ids, vectors, plan.device)
    with limited_threads(load_faiss(), threads):
        structure = build_hnsw(vectors) if kind == "hnsw" else build_fastscan(kind, vectors)
        return calibrate(ApproximateBase(structure, ids, vectors, Effort(1, 1)), plan.recall, probes)


def restore_base(
    kind: str,
    ids: Ids,
    vectors: Stored,
    structure: NDArray[np.uint8] | None,
    calibration: Calibration | None,
    device: str = "auto",
) -> Base:
    """A base as it was built, without building. Raises ValueError if the parts do not fit together."""
    if len(ids) != len(vectors):
        raise ValueError(f"{len(ids)} ids and {len(vectors)} vectors")
    vectors = _plain(vectors)
    if kind == "exact":
        return ExactBase.build(ids, vectors)
    if kind == "torch":
        from indexer.vectors.torch_exact import TorchBase

        return TorchBase.build(ids, vectors, device)
    if kind not in (*fastscan.KINDS, "hnsw"):
        raise ValueError(f"unknown kind of index {kind!r}")
    if structure is None or calibration is None:
        raise ValueError(f"an index of kind {kind!r} without its structure or its calibration")
    found = restore_hnsw(structure) if kind == "hnsw" else restore_fastscan(kind, structure)
    if (found.index.ntotal, found.index.d) != vectors.shape:
        raise ValueError(f"a structure over {found.index.ntotal} x {found.index.d}, not {vectors.shape}")
    try:
        effort = Effort(calibration.parameters["fetch"], calibration.parameters["probes"])
    except KeyError as error:
        raise ValueError(f"a calibration without {error}") from error
    return ApproximateBase(found, ids, vectors, effort, calibration)


def _plain(vectors: Stored) -> Stored:
    """Not a memmap, which makes an object of everything it is asked for; what is mapped stays mapped."""
    return vectors.view(np.ndarray)
