"""An image of the collection as a row of a table that others read."""

from __future__ import annotations

from typing import Any

from indexer.moving.embedded import Seen, mtime_seconds
from indexer.records import ImageRecord

COLUMNS = (
    "id", "path", "size", "mtime_ns", "content_hash", "width", "height", "format", "taken_at", "camera", "indexed_at",
    "model",
)  # fmt: skip


def row(record: ImageRecord, model: str) -> dict[str, Any]:
    """`COLUMNS` in their order; times in ISO 8601, `indexed_at` with its zone and `taken_at` by the camera's clock."""
    fields = {name: getattr(record, name, model) for name in COLUMNS}
    taken_at = record.taken_at.isoformat() if record.taken_at else None
    return {**fields, "taken_at": taken_at, "indexed_at": record.indexed_at.isoformat()}


def seen(fields: dict[str, Any]) -> Seen:
    """What such a row, or one with fewer columns, says of the file."""
    mtime_ns = fields.get("mtime_ns")
    mtime = mtime_seconds(mtime_ns) if isinstance(mtime_ns, int) else None
    return Seen(fields.get("size"), mtime, fields.get("content_hash"))
