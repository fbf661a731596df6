"""A collection's ids and float16 matrix as files, so that opening need not read every row of the catalog.

    vectors/cache.json                  names the two files below and says what they are; written last, by renaming
    vectors/ids-GENERATION.npy          (n,) int64, ascending
    vectors/vectors-GENERATION.npy      (n, dimension) float16

Every generation has names of its own, so a crash while one is written leaves the one before. All of it may be deleted
at any time: the catalog has everything.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import numpy as np
from numpy.typing import NDArray

from indexer.vectors import Ids

FORMAT = 1
HEADER = "cache.json"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """What a cache must agree with to be used."""

    catalog_uid: str
    weights_hash: str
    dimension: int


@dataclass(frozen=True, slots=True, eq=False)
class CachedVectors:
    revision: int
    """Of the catalog, when these were written."""
    ids: Ids
    """Ascending."""
    vectors: NDArray[np.float16]
    """`(n, dimension)`, memory-mapped."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Header:
    format: int
    owner: Owner
    revision: int
    count: int
    ids: _File
    vectors: _File


class _Unusable(Exception):
    """Why a cache cannot be used."""


class VectorCache:
    """The cache in `folder`. Several processes may load and save it at once."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self._folder = folder
        self._owner = owner

    def load(self) -> CachedVectors | None:
        """What was saved last, checked by hash; if that cannot be used None, a line in the log, and it is discarded."""
        try:
            return self._loaded()
        except (_Unusable, OSError):
            pass  # perhaps another process saved, and swept away what we were about to read
        try:
            return self._loaded()
        except (_Unusable, OSError) as error:
            _log.warning("the vector cache in %s is not used: %s; it is rebuilt from the catalog", self._folder, error)
            self.discard()
            return None

    def revision(self) -> int | None:
        """The catalog's when the cache was saved, without looking at the arrays; None if there is none."""
        try:
            header = self._header()
        except (_Unusable, OSError):
            return None
        return header.revision if header else None

    def save(self, ids: Ids, vectors: NDArray[np.float16], revision: int) -> bool:
        """Replace what is there; False, and a line in the log, if it cannot be written or another process is at it."""
        generation = f"{revision}-{secrets.token_hex(4)}"
        try:
            self._folder.mkdir(exist_ok=True)
            with filelock.FileLock(self._folder / "write.lock", timeout=0):
                header = _Header(
                    FORMAT,
                    self._owner,
                    revision,
                    len(ids),
                    self._write(f"ids-{generation}.npy", ids.astype("<i8", copy=False)),
                    self._write(f"vectors-{generation}.npy", vectors.astype("<f2", copy=False)),
                )
                self._publish(header)
                self._sweep({header.ids.name, header.vectors.name})
        except filelock.Timeout:
            _log.info("the vector cache in %s is being saved by another process", self._folder)
            return False
        except OSError as error:
            _log.warning("the vector cache in %s cannot be saved: %s", self._folder, error)
            return False
        return True

    def discard(self) -> None:
        """Forget what is there."""
        with _ignored_os_errors():
            (self._folder / HEADER).unlink(missing_ok=True)

    def _loaded(self) -> CachedVectors | None:
        header = self._header()
        if header is None:
            return None
        ids = self._array(header.ids, (header.count,), np.int64)
        vectors = self._array(header.vectors, (header.count, self._owner.dimension), np.float16)
        return CachedVectors(header.revision, np.array(ids), vectors)

    def _header(self) -> _Header | None:
        try:
            text = (self._folder / HEADER).read_text("utf-8")
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise _Unusable(f"{HEADER}: {error}") from error
        header = _parse(text)
        if header.format != FORMAT:
            raise _Unusable(f"its format is {header.format}, not {FORMAT}")
        if header.owner != self._owner:
            raise _Unusable("it belongs to another catalog or model")
        return header

    def _array(self, file: _File, shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        path = self._folder / file.name
        if _sha256(path) != file.sha256:
            raise _Unusable(f"{file.name} is damaged")
        try:
            array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise _Unusable(f"{file.name}: {error}") from error
        if array.shape != shape or array.dtype != dtype:
            raise _Unusable(f"{file.name} holds {array.dtype} {array.shape}, not {np.dtype(dtype)} {shape}")
        return array

    def _write(self, name: str, array: NDArray[Any]) -> _File:
        path = self._folder / name
        try:
            with path.open("wb") as file:
                np.save(file, array, allow_pickle=False)
                _flush(file)
            return _File(name, _sha256(path))
        except OSError:
            with _ignored_os_errors():
                path.unlink(missing_ok=True)
            raise

    def _publish(self, header: _Header) -> None:
        fresh = self._folder / f"{HEADER}.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(dataclasses.asdict(header), file, indent=1)
            _flush(file)
        fresh.replace(self._folder / HEADER)
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _sweep(self, keep: set[str]) -> None:
        """Delete generations that are no longer named. Who has one open keeps it until it is closed."""
        for path in self._folder.glob("*-*.npy"):
            if path.name not in keep:
                with _ignored_os_errors():
                    path.unlink()


def _parse(text: str) -> _Header:
    try:
        fields = json.loads(text)
        owner, ids, vectors = Owner(**fields["owner"]), _File(**fields["ids"]), _File(**fields["vectors"])
        header = _Header(**{**fields, "owner": owner, "ids": ids, "vectors": vectors})
        elsewhere = any(Path(file.name).name != file.name for file in (ids, vectors))
    except (ValueError, TypeError, KeyError) as error:
        raise _Unusable(f"{HEADER} is damaged ({error})") from error
    if elsewhere:
        raise _Unusable(f"{HEADER} names files elsewhere")
    return header


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _flush(file: Any) -> None:
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def _ignored_os_errors() -> Iterator[None]:
    """Around tidying, whose failure costs some disk space and nothing else."""
    try:
        yield
    except OSError as error:
        _log.debug("%s", error)
