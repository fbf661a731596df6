"""The exact kind on a GPU: the float16 matrix stays in its memory, a query is one matrix product and a selection there.

A product in float16 is rounded; its best rows, with a margin for that, are candidates which the host scores exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from indexer.errors import InvalidSettings
from indexer.vectors import Ids, Mask, Rows, Stored, Vectors
from indexer.vectors.base import Candidates
from indexer.vectors.calibration import Calibration
from indexer.vectors.planning import has_cuda

if TYPE_CHECKING:
    import torch

SLACK = 8 * 2.0**-11
"""How much lower than the k-th best a row's score may seem and still belong to the best k, vectors being of length 1:
query and score are each rounded by up to 2^-12 and two scores are compared; twice that for sums in halves."""

_GROUP = 32  # rows whose best score stands for them
_SCORES = 1 << 27  # in the device's memory at a time: 256 MB
_LOADED = 1 << 16  # rows brought there at a time
_GATHERED = 8  # where fewer than one in so many rows are eligible, they are copied together before the product


@dataclass(frozen=True, slots=True, eq=False)
class TorchBase:
    """See `Base`."""

    kind: ClassVar[str] = "torch"
    calibration: ClassVar[Calibration | None] = None

    ids: Ids
    vectors: Stored
    _matrix: torch.Tensor
    """`(n, dimension)` on the device: float16, on a CPU float32."""

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
        import torch

        with torch.inference_mode():
            found = self._found(queries, depths[-1], dead, rows)
        return [Candidates(best, (len(best),) * len(depths)) for best in found]

    def _found(self, queries: Vectors, k: int, dead: Mask | None, rows: Rows | None) -> list[Rows]:
        import torch

        matrix, device = self._matrix, self._matrix.device
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
            parts.append(_selected(scores, k, start))
        return _merged(parts, len(queries), k, rows if gathered else None)


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


def _merged(parts: list[tuple[Rows, Rows, Vectors]], number: int, k: int, rows: Rows | None) -> list[Rows]:
    """The rows of each query; `rows` are what their numbers stand for."""
    if not parts:
        return [np.empty(0, np.intp) for _ in range(number)]
    query, row, value = (np.concatenate(each) for each in zip(*parts, strict=True))
    found = []
    for of_query in range(number):
        mine = np.flatnonzero(query == of_query)
        if len(mine) > k:
            least = np.partition(value[mine], len(mine) - k)[len(mine) - k] - SLACK
            mine = mine[value[mine] >= least]
        found.append(row[mine] if rows is None else rows[row[mine]])
    return found
