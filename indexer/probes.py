"""Text queries to calibrate an index with: what people type lies elsewhere in the space than any picture."""

from __future__ import annotations

import io
import logging
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Final

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from indexer.encoder import Encoder
from indexer.errors import SightlineError
from indexer.manifest import Manifest

_SUBJECTS: Final = (
    "a dog", "two cats", "children", "my grandmother", "a bride and groom", "a man with a beard", "friends laughing",
    "a red car", "an old bicycle", "a motorcycle", "a train", "a sailing boat", "an airplane", "horses", "birds",
    "a mountain", "the sea", "a waterfall", "flowers", "a big tree", "a castle", "a church", "a bridge", "skyscrapers",
    "a street market", "a football match", "a concert", "a birthday cake", "pizza", "a cup of coffee", "a book",
    "a computer on a desk", "a whiteboard", "a handwritten letter", "a map", "a painting", "a selfie", "a group photo",
    "a teddy bear", "fireworks",
)  # fmt: skip
_FORMS: Final = ("{}", "a photo of {}", "{} in the snow", "{} at night", "{} seen from above")

TEXTS: Final = tuple(form.format(subject) for subject, form in product(_SUBJECTS, _FORMS))
"""200 short everyday queries."""
PROBES: Final = "probes"
_BATCH: Final = 256

_log = logging.getLogger(__name__)


def probes(
    folder: Path, manifest: Manifest, encoder: Encoder | None, texts: Sequence[str] = TEXTS, *, named: str = PROBES
) -> NDArray[np.float32] | None:
    """The texts as unit rows, `(len(texts), dimension)`: those kept in `folder`, else encoded, and kept for next time.

    Each set of texts has a name, a file of its own. None without an encoder, or with one that fails, which is logged:
    they only measure.
    """
    kept = _kept(folder, manifest, texts, named)
    if kept is not None or encoder is None:
        return kept
    try:
        rows = np.concatenate([encoder.encode_texts(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)])
    except SightlineError as error:
        _log.warning("nothing is calibrated with texts: %s", error)
        return None
    _keep(folder, rows, f"{named}-", _name(manifest, texts, named))
    return rows


def _kept(folder: Path, manifest: Manifest, texts: Sequence[str], named: str) -> NDArray[np.float32] | None:
    """From a file that is named by the hash of what it holds."""
    for path in folder.glob(f"{_name(manifest, texts, named)}-*.npy"):
        try:
            data = path.read_bytes()
            if path.stem.rpartition("-")[2] != blake3(data).hexdigest():
                continue
            rows: NDArray[np.float32] = np.load(io.BytesIO(data), allow_pickle=False)
        except (OSError, ValueError):
            continue
        if rows.shape == (len(texts), manifest.dimension) and rows.dtype == np.float32:
            return rows
    return None


def _keep(folder: Path, rows: NDArray[np.float32], others: str, name: str) -> None:
    """In place of the `others`: files whose names begin so."""
    buffer = io.BytesIO()
    np.save(buffer, rows, allow_pickle=False)
    data = buffer.getvalue()
    try:
        folder.mkdir(exist_ok=True)
        for old in folder.glob(f"{others}*.npy"):
            old.unlink(missing_ok=True)
        (folder / f"{name}-{blake3(data).hexdigest()}.npy").write_bytes(data)
    except OSError as error:
        _log.debug("the texts of %s cannot be kept: %s", name, error)


def _name(manifest: Manifest, texts: Sequence[str], named: str) -> str:
    """Of the model and the texts: other ones get another."""
    hashed = blake3(repr((manifest.weights_hash, manifest.tokenizer, tuple(texts))).encode()).hexdigest()
    return f"{named}-{hashed[:16]}"
