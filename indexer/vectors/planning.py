"""Which kind of index a collection gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from indexer.errors import InvalidSettings

BaseKind = Literal["exact", "pq", "rabitq", "ivf", "hnsw", "torch"]
IndexKind = Literal["auto", "exact", "pq", "rabitq", "ivf", "hnsw", "torch"]

EXACT_UP_TO = 50_000
"""Nothing is lost, and 512 dimensions take 7 ms for each 100,000; by codes 100,000 take 0.4 ms."""
PQ_UP_TO = 2_000_000
"""A pass over all codes takes 5 ms for each million on one thread, the vectors of the candidates another one."""
APPROXIMATE_FROM = 256
"""Fewer vectors are always searched exactly: there is nothing to save, nor enough to learn codes from."""


@dataclass(frozen=True, slots=True)
class IndexPlan:
    """What is wanted of an index. Raises InvalidSettings for what cannot be."""

    kind: IndexKind = "auto"
    recall: float = 0.99
    """Of the true best 10 and best 100, how many an approximate kind is to find, 0.5 to 1."""
    device: str = "auto"
    """Where `torch` keeps its matrix: `cpu`, `cuda`, `cuda:1`; `auto` is `cuda` where there is one, else `cpu`."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(IndexKind):
            raise InvalidSettings("index", self.kind, f"it is one of {', '.join(get_args(IndexKind))}")
        if not 0.5 <= self.recall <= 1:
            raise InvalidSettings("recall", str(self.recall), "it is from 0.5 to 1")


def choose_kind(plan: IndexPlan, size: int) -> BaseKind:
    """The kind asked for, else by the number of vectors; on a GPU, if there is one, exact at any size."""
    if size < APPROXIMATE_FROM and plan.kind != "torch":
        return "exact"
    if plan.kind != "auto":
        return plan.kind
    if size > EXACT_UP_TO and plan.device != "cpu" and has_cuda():
        return "torch"
    if size <= EXACT_UP_TO:
        return "exact"
    return "pq" if size <= PQ_UP_TO else "ivf"


def has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()
