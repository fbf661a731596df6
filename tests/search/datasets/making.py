"""Small sets of every form, with real JPEG files."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image


def jpeg(shade: int = 0) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (shade % 256, 40, 200)).save(buffer, "JPEG")
    return buffer.getvalue()


def pictures(folder: Path, names: Iterable[str]) -> Path:
    for shade, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(shade))
    return folder


def write_json(path: Path, data: Any) -> Path:
    path.write_text(json.dumps(data))
    return path


def write_tar(path: Path, members: Iterable[tuple[str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def captioned_tar(path: Path, count: int, *, captions: int = 2) -> Path:
    """Our own shards."""
    members = []
    for row in range(count):
        fields = {"captions": [f"caption {row}.{c}" for c in range(captions)], "label": None, "file_name": f"{row}.jpg"}
        members += [(f"{row:06}.jpg", jpeg(row)), (f"{row:06}.json", json.dumps(fields).encode())]
    return write_tar(path, members)


def karpathy(count: int = 3, *, split: str = "test", captions: int = 2, dataset: str = "flickr8k") -> dict[str, Any]:
    images = [
        {
            "filename": f"{row}.jpg",
            "imgid": row,
            "split": split,
            "sentences": [{"raw": f"photo {row}, {c}", "sentid": row * captions + c} for c in range(captions)],
        }
        for row in range(count)
    ]
    return {"dataset": dataset, "images": images}


def coco(count: int = 3, *, captions: int = 2) -> dict[str, Any]:
    return {
        "images": [{"id": 10 + row, "file_name": f"{row}.jpg"} for row in range(count)],
        "annotations": [
            {"id": row * captions + c, "image_id": 10 + row, "caption": f"photo {row}, {c}"}
            for c in range(captions)
            for row in range(count)
        ],
    }
