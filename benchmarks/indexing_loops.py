"""Three ordinary ways to embed a folder of photos, written as others write them; see benchmarks/indexing.py."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from indexer.encoder import load_parts
from indexer.torchvision_ops import ensure_torchvision_ops

BATCH, RCLIP_BATCH = 32, 8


@dataclass(frozen=True, slots=True)
class Reference:
    """The model as open_clip gives it: float32, with its own transform."""

    model: Any
    transform: Callable[[Image.Image], Any]

    @classmethod
    def load(cls, name: str) -> Reference:
        ensure_torchvision_ops()
        from open_clip.transform import PreprocessCfg, image_transform_v2

        model = load_parts(name).model.eval()
        return cls(model, image_transform_v2(PreprocessCfg(**model.visual.preprocess_cfg), is_train=False))

    def rows(self, batch: list[Any]) -> np.ndarray:
        import torch

        with torch.no_grad():
            features = self.model.encode_image(torch.stack(batch))
            return torch.nn.functional.normalize(features, dim=-1).cpu().numpy()


def naive(folder: Path, scratch: Path, reference: Reference, threads: int) -> np.ndarray:
    paths, rows = sorted(folder.iterdir()), []
    for start in range(0, len(paths), BATCH):
        pictures = [Image.open(path).convert("RGB") for path in paths[start : start + BATCH]]
        rows.append(reference.rows([reference.transform(picture) for picture in pictures]))
    return _kept(np.concatenate(rows), scratch)


def rclip_like(folder: Path, scratch: Path, reference: Reference, threads: int) -> np.ndarray:
    rows = []
    database = sqlite3.connect(scratch / "rclip.db")
    database.execute("CREATE TABLE images (path TEXT UNIQUE, vector BLOB)")
    for paths, pictures in _ahead(sorted(folder.iterdir()), threads):
        found = reference.rows([reference.transform(picture) for picture in pictures])
        for path, row in zip(paths, found, strict=True):
            database.execute("INSERT INTO images VALUES (?, ?)", (str(path), row.tobytes()))
        database.commit()
        rows.append(found)
    database.close()
    (scratch / "rclip.db").unlink()
    return np.concatenate(rows)


def _ahead(paths: list[Path], threads: int) -> Iterator[tuple[list[Path], list[Image.Image]]]:
    """Batches of decoded pictures, the next one being decoded meanwhile."""
    batches = [paths[start : start + RCLIP_BATCH] for start in range(0, len(paths), RCLIP_BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque[tuple[list[Path], list[Any]]] = deque()
        for batch in [*batches, None]:
            if batch:
                waiting.append((batch, [pool.submit(_opened, path) for path in batch]))
            while waiting and (len(waiting) > 1 or batch is None):
                done, futures = waiting.popleft()
                yield done, [future.result() for future in futures]


def _opened(path: Path) -> Image.Image:
    return Image.open(path).convert("RGB")


@dataclass(frozen=True, slots=True)
class _Dataset:
    paths: list[Path]
    transform: Callable[[Image.Image], Any]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[Any, str]:
        return self.transform(Image.open(self.paths[number]).convert("RGB")), str(self.paths[number])


def clip_retrieval_like(folder: Path, scratch: Path, reference: Reference, threads: int) -> np.ndarray:
    from torch.utils.data import DataLoader

    dataset: Any = _Dataset(sorted(folder.iterdir()), reference.transform)
    rows = [reference.rows(list(images)) for images, _ in DataLoader(dataset, batch_size=BATCH, num_workers=threads)]
    return _kept(np.concatenate(rows), scratch)


def _kept(rows: np.ndarray, scratch: Path) -> np.ndarray:
    np.save(scratch / "rows.npy", rows)
    return rows


LOOPS = {"naive": naive, "rclip-like": rclip_like, "clip-retrieval-like": clip_retrieval_like}
