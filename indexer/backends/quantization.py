"""int8: a network quantised on pictures of the collection, and taken only if it does as well on others of them."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from indexer.backends.conversions import Conversion, Conversions
from indexer.backends.openvino_library import load_nncf
from indexer.backends.openvino_tower import OpenVinoTower, conversion_key
from indexer.backends.samples import Quantising, Sample
from indexer.precision import Precision
from indexer.recall import count_ranks, recall_at

if TYPE_CHECKING:
    from indexer.encoder import OpenClipEncoder

Rows = NDArray[np.float32]

CALIBRATED_ON: Final = 300
"""NNCF's own choice."""
TRIED_ON: Final = 300
FEWEST: Final = 40
"""Pictures, half to calibrate with and half to try: of fewer, no top ten says anything."""

LEAST_COSINE: Final = 0.999
MOST_RECALL_LOST: Final = 0.3
"""Points of text-to-image Recall@10, where there are captions."""
LEAST_OVERLAP: Final = 0.95
"""Where there are none: the share of a picture's ten nearest that have to stay. Half a picture in ten is what bfloat16
moves in `mini` (0.948 among 200 photos)."""
_FEWEST_CAPTIONS: Final = 100
_K: Final = 10
_BATCH: Final = 32
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trial:
    """int8 beside float32, on pictures that it was not calibrated on."""

    pictures: int
    cosine: float
    """Mean of the cosines of each picture's two embeddings."""
    worst_cosine: float
    overlap: float
    """Share, 0 to 1, of each picture's ten nearest by float32 that are its ten nearest by int8."""
    captions: int = 0
    recall_lost: float | None = None
    """Points of text-to-image Recall@10 among these pictures; None with too few captions to say."""

    @property
    def accepted(self) -> bool:
        if self.cosine < LEAST_COSINE:
            return False
        if self.recall_lost is not None:
            return self.recall_lost <= MOST_RECALL_LOST
        return self.overlap >= LEAST_OVERLAP

    def __str__(self) -> str:
        found = (
            f"on {self.pictures} other pictures of the collection its cosine to float32 is {self.cosine:.4f} "
            f"(worst {self.worst_cosine:.4f}, at least {LEAST_COSINE} is asked for), "
        )
        if self.recall_lost is not None:
            return f"{found}it loses {self.recall_lost:.1f} points of Recall@10 (at most {MOST_RECALL_LOST})"
        return f"{found}{self.overlap:.1%} of the ten nearest stay (at least {LEAST_OVERLAP:.0%})"


@dataclass(frozen=True, slots=True)
class Outcome:
    network: Any | None
    """None: int8 is not to be used."""
    why: str


def int8(
    network: Any, identity: str, encoder: OpenClipEncoder, quantising: Quantising | None, conversions: Conversions
) -> Outcome:
    """The network of `encoder` in int8, made or found, if it is accepted for this collection; if not, that is logged.

    What was refused once is not tried again.
    """
    manifest, chosen = encoder.manifest, encoder.choice.weights
    if quantising is None:
        return _refused("it is made for a collection, and none was named", chosen)
    collection = blake3(quantising.collection.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    key = conversion_key(identity, f"int8-{collection}")
    conversion = conversions.find(key)
    if conversion is None:
        if quantising.samples is None:
            return _refused("it was not made for this collection; `sightline index --precision int8` does", chosen)
        samples = quantising.samples(manifest.preprocessing, CALIBRATED_ON + TRIED_ON)
        if len(samples) < FEWEST:
            return _refused(f"it takes {FEWEST} pictures to calibrate and try it, there are {len(samples)}", chosen)
        conversion = quantised(network, samples, chosen, encoder.encode_texts)
        conversions.keep(key, conversion)
    found = Trial(**conversion.about)
    if conversion.network is None:
        return _refused(str(found), chosen)
    return Outcome(conversion.network, f"int8 was asked for and is accepted: {found}")


def _refused(why: str, chosen: Precision) -> Outcome:
    _log.warning("int8 is not used, but %s: %s", chosen, why)
    return Outcome(None, f"int8 was asked for and is not used: {why}")


def quantised(
    network: Any, samples: Sequence[Sample], precision: Precision, texts: Callable[[Sequence[str]], Rows]
) -> Conversion:
    """The network in int8 with its `Trial`; without it if it is not accepted. `precision`: of what stays in floats.

    `texts` gives the embeddings of captions. Calibrates on the first half of the samples, tries on the second. Takes
    a minute or two.
    """
    half = len(samples) // 2
    quantised_network = quantise(network, [sample.pixels for sample in samples[:half]])
    exact = unit_rows(OpenVinoTower(network, "float32"), [sample.pixels for sample in samples[half:]])
    found = trial(exact, OpenVinoTower(quantised_network, precision), samples[half:], texts)
    return Conversion(quantised_network if found.accepted else None, asdict(found))


def trial(
    before: Rows,
    quick: Callable[[NDArray[np.uint8]], Any],
    samples: Sequence[Sample],
    texts: Callable[[Sequence[str]], Rows],
) -> Trial:
    """An image tower beside `before`, the float32 embeddings of the same pictures."""
    after = unit_rows(quick, [sample.pixels for sample in samples])
    cosines = (before * after).sum(axis=1)
    captions = [caption for sample in samples for caption in sample.captions]
    lost = None
    if len(captions) >= _FEWEST_CAPTIONS:
        right = np.repeat(np.arange(len(samples)), [len(sample.captions) for sample in samples])
        words = texts(captions)
        lost = 100 * (_recall(words, before, right) - _recall(words, after, right))
    return Trial(
        pictures=len(samples),
        cosine=float(cosines.mean()),
        worst_cosine=float(cosines.min()),
        overlap=_overlap(before, after),
        captions=len(captions),
        recall_lost=lost,
    )


def quantise(network: Any, pictures: Sequence[NDArray[np.uint8]]) -> Any:
    """An `openvino.Model` like `network` in int8, calibrated on these pictures."""
    nncf = load_nncf()
    attention = any(op.get_type_name() in ("ScaledDotProductAttention", "Softmax") for op in network.get_ops())
    _log.info("quantising on %d pictures of the collection, once: it takes a minute or two", len(pictures))
    with redirect_stdout(io.StringIO()):  # it draws progress bars there, between our JSON
        return nncf.quantize(
            network,
            nncf.Dataset([picture[None] for picture in pictures]),
            # Smooths outliers before attention; signed and unsigned, as activations are not symmetric.
            model_type=nncf.ModelType.TRANSFORMER if attention else None,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(pictures),
        )


def unit_rows(tower: Callable[[NDArray[np.uint8]], Any], pictures: Sequence[NDArray[np.uint8]]) -> Rows:
    """`(n, dimension)`, whatever the tower's batch."""
    starts = range(0, len(pictures), _BATCH)
    rows = np.concatenate([np.asarray(tower(np.stack(pictures[start : start + _BATCH]))) for start in starts])
    unit: Rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _recall(words: Rows, pictures: Rows, right: NDArray[np.int64]) -> float:
    return recall_at(_K, count_ranks(words @ pictures.T, right).worst)


def _overlap(before: Rows, after: Rows) -> float:
    """Each picture among the others, itself left out."""
    first, second = (_nearest(rows @ before.T) for rows in (before, after))
    return float(np.mean([len(set(a) & set(b)) / len(a) for a, b in zip(first, second, strict=True)]))


def _nearest(scores: NDArray[np.float32]) -> list[list[int]]:
    np.fill_diagonal(scores, -np.inf)
    nearest: list[list[int]] = np.argsort(-scores, axis=1)[:, : min(_K, len(scores) - 1)].tolist()
    return nearest
