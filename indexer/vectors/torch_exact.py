"""The exact kind on a GPU: the float16 matrix stays in its memory, a query is one matrix product and a selection there.

A product in float16 is rounded; its best rows, with a margin for that, are candidates which the host scores exactly.
A product reads the whole matrix whatever the number of queries, so those that come one by one from many threads are
gathered into one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from indexer.errors import InvalidSettings
from indexer.microbatching import MicroBatcher
from indexer.vectors import Ids, Mask, Rows, Stored, Vectors
from indexer.vectors.base import Candidates
from indexer.vectors.calibration import Calibration
from indexer.vectors.planning import has_cuda
from indexer.vectors.scoring import NO_ROWS

if TYPE_CHECKING:
    import torch

SLACK = 8 * 2.0**-11
"""How much lower than the k-th best a row's score may seem and still belong to the best k, vectors being of length 1:
query and score are each rounded by up to 2^-12 and two scores are compared; twice that for sums in halves."""

TOGETHER = 64
"""So many queries of other threads are gathered at most."""

_GROUP = 32  # rows whose best score stands for them
_SCORES = 1 << 27  # in the device's memory at a time: 256 MB
_LOADED = 1 << 16  # rows brought there at a time
_GATHERED = 8  # where fewer than one in so many rows are eligible, they are copied together before the product


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    """One query, among all rows that are not dead."""

    query: Vectors
    """`(dimension,)`."""
    k: int
    dead: Mask | None


@dataclass(frozen=True, slots=True, eq=False)
class TorchBase:
    """See `Base`."""

    kind: ClassVar[str] = "torch"
    calibration: ClassVar[Calibration | None] = None

    ids: Ids
    vectors: Stored
    _matrix: torch.Tensor
    """`(n, dimension)` on the device: float16, on a CPU float32."""
    _gathered: MicroBatcher[_Asked, Rows] = field(init=False)

    def __post_init__(self) -> None:
        # Of the matrix alone: were it of `self`, each would keep the other, and the device's memory, from being freed.
        object.__setattr__(self, "_gathered", MicroBatcher(partial(_together, self._matrix), TOGETHER))

    @classmethod
    def build(cls, ids: Ids, vectors: Stored, device: str = "auto") -> TorchBase:
        """Raises InvalidSettings for a device that is not there or has too little memory."""
        import torch

        name = ("cuda" if has_cuda() else "cpu") if device == "auto" else device
        try:
            kind = torch.float32 if torch.device(name).type == "cpu" else torch.float16
            matrix = torch.empty(vectors.shape, dtype=kind, device=name)
            for start in range(0, len(vectors), _LOADED):
                matrix[start : start + _LOADED] = torch.from_numpy(np.array(vectors[start : start + _LOADED]))
        except (RuntimeError, AssertionError) as error:  # the latter where torch was built without CUDA
            reason = str(error).splitlines()[0]
            raise InvalidSettings(
                "device", device, f"{len(vectors):,} vectors cannot be kept there ({reason})"
            ) from error
        return cls(ids, vectors, matrix)

    @property
    def size(self) -> int:
        return len(self.ids)

    def extended(self, newer: Vectors) -> TorchBase:
        return self  # a scan of them takes no longer elsewhere

    def depths(self, k: int) -> tuple[int, ...]:
        return (k,)

    def structure(self) -> None:
        return None

    def candidates(
        self, queries: Vectors, depths: tuple[int, ...], dead: Mask | None, rows: Rows | None
    ) -> list[Candidates]:
        if len(queries) == 1 and rows is None:
            found = [self._gathered(_Asked(queries[0], depths[-1], dead))]
        else:
            found = _found(self._matrix, queries, [depths[-1]] * len(queries), dead, rows)
        return [Candidates(best, (len(best),) * len(depths)) for best in found]


def _together(matrix: torch.Tensor, asked: list[_Asked]) -> list[Rows]:
    """One product for all that have the same dead rows, however many results they want."""
    alike: dict[int, list[int]] = {}
    for number, one in enumerate(asked):
        alike.setdefault(id(one.dead), []).append(number)
    found = [NO_ROWS] * len(asked)
    for numbers in alike.values():
        queries = np.stack([asked[number].query for number in numbers])
        each = _found(matrix, queries, [asked[number].k for number in numbers], asked[numbers[0]].dead, None)
        for number, rows in zip(numbers, each, strict=True):
            found[number] = rows
    return found


def _found(
    matrix: torch.Tensor, queries: Vectors, ks: Sequence[int], dead: Mask | None, rows: Rows | None
) -> list[Rows]:
    """For each query the rows that may be among its best k."""
    import torch

    with torch.inference_mode():
        return _merged(_parts(matrix, queries, max(ks, default=1), dead, rows), ks)


def _parts(
    matrix: torch.Tensor, queries: Vectors, k: int, dead: Mask | None, rows: Rows | None
) -> list[tuple[Rows, Rows, Vectors]]:
    """Chunk by chunk what `_selected` gives, the numbers of the rows being those of the matrix."""
    import torch

    device = matrix.device
    asked = torch.from_numpy(queries).to(device, matrix.dtype)
    gathered = rows is not None and len(rows) * _GATHERED < len(matrix)
    there = torch.from_numpy(rows).to(device) if rows is not None else None
    hidden = None
    if there is not None and not gathered:
        hidden = torch.ones(len(matrix), dtype=torch.bool, device=device)
        hidden[there] = False
    elif dead is not None and rows is None:
        hidden = torch.from_numpy(dead).to(device)
    size = len(rows) if gathered and rows is not None else len(matrix)
    step = max(_GROUP, _SCORES // max(1, len(queries)))
    parts = []
    for start in range(0, size, step):
        chunk = slice(start, min(start + step, size))
        block = matrix[there[chunk]] if gathered and there is not None else matrix[chunk]
        scores = asked @ block.T
        if hidden is not None:
            scores.masked_fill_(hidden[chunk], -torch.inf)
        query, row, value = _selected(scores, k, start)
        parts.append((query, rows[row] if gathered and rows is not None else row, value))
    return parts


def _selected(scores: torch.Tensor, k: int, start: int) -> tuple[Rows, Rows, Vectors]:
    """Query, row and score of whatever may be among the best k of its query.

    Only the best of each group of rows is compared with the others: k groups with a best above some score hold k scores
    above it.
    """
    import torch

    count = scores.shape[1]
    whole = count // _GROUP * _GROUP
    grouped = scores[:, :whole].view(len(scores), -1, _GROUP)
    if k * 4 > grouped.shape[1]:
        least = scores.topk(min(k, count), sorted=True).values[:, -1]
        query, row = torch.nonzero((scores >= (least - SLACK)[:, None]) & (scores > -torch.inf), as_tuple=True)
        value = scores[query, row]
    else:
        best = grouped.amax(2)
        least = best.topk(k, sorted=True).values[:, -1] - SLACK
        of_group, group = torch.nonzero((best >= least[:, None]) & (best > -torch.inf), as_tuple=True)
        inside = grouped[of_group, group]
        number, place = torch.nonzero((inside >= least[of_group, None]) & (inside > -torch.inf), as_tuple=True)
        query, row, value = of_group[number], group[number] * _GROUP + place, inside[number, place]
        rest = scores[:, whole:]
        of_rest, column = torch.nonzero((rest >= least[:, None]) & (rest > -torch.inf), as_tuple=True)
        query, row = torch.cat([query, of_rest]), torch.cat([row, column + whole])
        value = torch.cat([value, rest[of_rest, column]])
    return query.cpu().numpy(), (row + start).cpu().numpy(), value.float().cpu().numpy()


def _merged(parts: list[tuple[Rows, Rows, Vectors]], ks: Sequence[int]) -> list[Rows]:
    """The rows of each query."""
    if not parts:
        return [NO_ROWS for _ in ks]
    query, row, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    found = []
    for of_query, k in enumerate(ks):
        mine = np.flatnonzero(query == of_query)
        if len(mine) > k:
            least = np.partition(value[mine], len(mine) - k)[len(mine) - k] - SLACK
            mine = mine[value[mine] >= least]
        found.append(row[mine])
    return found
