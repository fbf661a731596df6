"""WebDataset shards -> examples: a picture's bytes with the captions or the label that go with it."""

from __future__ import annotations

import json
import logging
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from indexer.errors import InvalidDataset, SourceNotFound

_LOG = logging.getLogger(__name__)
_MAX_MEMBER_BYTES = 64 * 1024 * 1024
_PICTURES = ("jpg", "jpeg")


@dataclass(frozen=True, slots=True)
class Example:
    """One picture and what is said of it: captions, a label, or both."""

    key: str
    jpeg: bytes
    captions: tuple[str, ...]
    label: str | None
    offset: int = field(default=0, compare=False)
    """Where in an uncompressed tar file the picture's bytes begin."""


def read_shard(path: Path) -> Iterator[Example]:
    """The examples of a tar file in its order: `KEY.jpg` next to `KEY.json`, as WebDataset writes them.

    The JSON holds `captions` (a list of texts) and `label` (a text or null). Members that are no plain file, over
    64 MiB, without their partner, with JSON of another shape, or with neither captions nor a label are left out,
    each with a warning in the log. Raises `SourceNotFound` when there is no such file and `InvalidDataset` when the
    tar itself breaks off.
    """
    if not path.is_file():
        raise SourceNotFound(str(path), "there is no such shard")
    key, parts, offset = "", dict[str, bytes](), 0
    try:
        with tarfile.open(path) as tar:
            for member in tar:
                stem, _, extension = member.name.rpartition(".")
                if stem != key:
                    yield from _example(key, parts, offset)
                    key, parts = stem, {}
                content = _content(tar, member)
                if content is None:
                    continue
                if extension.lower() in _PICTURES:
                    parts["jpg"], offset = content, member.offset_data
                else:
                    parts[extension.lower()] = content
    except (tarfile.TarError, EOFError) as error:
        raise InvalidDataset(str(path), f"the shard is damaged ({error}); copy it again") from error
    yield from _example(key, parts, offset)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes | None:
    if not member.isreg():
        return None
    if member.size > _MAX_MEMBER_BYTES:
        _LOG.warning("left out %s: %d bytes are over %d", member.name, member.size, _MAX_MEMBER_BYTES)
        return None
    file = tar.extractfile(member)
    return file.read() if file else None


def _example(key: str, parts: dict[str, bytes], offset: int) -> Iterator[Example]:
    """One example, or none where the parts do not make one."""
    if not parts:
        return
    reason = None
    if "jpg" not in parts or "json" not in parts:
        reason = "it needs both a .jpg and a .json"
    else:
        try:
            captions, label = _texts(json.loads(parts["json"]))
        except (ValueError, KeyError, TypeError) as error:
            reason = f"its JSON is not as expected: {error}"
        else:
            if captions or label:
                yield Example(key, parts["jpg"], captions, label, offset)
                return
            reason = "it has neither captions nor a label"
    _LOG.warning("left out %s: %s", key, reason)


def _texts(fields: Any) -> tuple[tuple[str, ...], str | None]:
    captions, label = fields["captions"], fields["label"]
    if not isinstance(captions, list) or not all(isinstance(caption, str) for caption in captions):
        raise TypeError("captions must be a list of texts")
    if not isinstance(label, str | None):
        raise TypeError("label must be a text or null")
    return tuple(caption for caption in captions if caption.strip()), (label or "").strip() or None
