"""The base of a vector index as files, so that opening need neither read every row of the catalog nor build anything.

    vectors/cache.json                   says what the files below are, with their hashes; written last, by renaming
    vectors/ids-GENERATION.int64         (n,), ascending
    vectors/vectors-GENERATION.float16   (n, dimension)
    vectors/structure-GENERATION.faiss   what the kind of index needs besides; the exact ones need nothing
    vectors/plan.json                    what somebody chose for this collection; not there until somebody does

Every generation has names of its own, so a crash while one is written leaves the one before. All of it may be deleted
at any time: the catalog has everything but the plan.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import numpy as np
from blake3 import blake3
from numpy.typing import NDArray

from indexer.errors import InvalidSettings
from indexer.vectors import Ids
from indexer.vectors.planning import IndexPlan

FORMAT = 2
HEADER = "cache.json"
PLAN = "plan.json"

_READ = 1 << 20  # bytes hashed at a time
GENERATIONS = ("ids-*", "vectors-*", "structure-*")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """What a cache must agree with to be used."""

    catalog_uid: str
    weights_hash: str
    dimension: int


@dataclass(frozen=True, slots=True, eq=False)
class CachedBase:
    revision: int
    """Of the catalog, when its rows were read."""
    kind: str
    plan: IndexPlan
    """It was built by."""
    ids: Ids
    """Ascending."""
    vectors: NDArray[np.float16]
    """`(n, dimension)`, memory-mapped."""
    structure: NDArray[np.uint8] | None
    calibration: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class CacheSummary:
    """What a cache holds, without a look at the arrays."""

    revision: int
    kind: str
    plan: IndexPlan
    count: int
    structure_bytes: int
    calibration: dict[str, Any] | None


class CacheBusy(Exception):
    """Another process, or another thread, is writing this cache."""


class CacheUnusable(Exception):
    """Why a cache cannot be used, in a few words."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    size: int
    blake3: str


@dataclass(frozen=True, slots=True)
class _Header:
    format: int
    owner: Owner
    revision: int
    count: int
    kind: str
    plan: IndexPlan
    ids: _File
    vectors: _File
    structure: _File | None
    calibration: dict[str, Any] | None

    def files(self) -> list[_File]:
        return [file for file in (self.ids, self.vectors, self.structure) if file is not None]


class VectorCache:
    """The cache in `folder`. Several processes may load it while one drafts the next."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self.folder = folder
        self._owner = owner

    def load(self) -> CachedBase | None:
        """What was published last, checked by hash; if it cannot be used None, a line in the log, and it is gone."""
        try:
            return self._loaded()
        except (CacheUnusable, OSError):
            pass  # perhaps another process published, and swept away what we were about to read
        try:
            return self._loaded()
        except (CacheUnusable, OSError) as error:
            self.reject(str(error))
            return None

    def summary(self) -> CacheSummary | None:
        """None if there is no cache, or none that can be used."""
        try:
            header = self._header()
        except (CacheUnusable, OSError):
            return None
        if header is None:
            return None
        structure = header.structure.size if header.structure else 0
        return CacheSummary(header.revision, header.kind, header.plan, header.count, structure, header.calibration)

    def plan(self) -> IndexPlan | None:
        """What was chosen for this collection, if anything was."""
        try:
            return _plan(json.loads((self.folder / PLAN).read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, InvalidSettings) as error:
            _log.warning("%s cannot be used: %s; the default is taken", self.folder / PLAN, error)
            return None

    def choose(self, plan: IndexPlan) -> None:
        """Remember that. Raises OSError."""
        self.folder.mkdir(exist_ok=True)
        _replace(self.folder / PLAN, {"kind": plan.kind, "recall": plan.recall})

    def damage(self) -> str | None:
        """Why what was published last cannot be used, every file compared with its hash; None if it can, or is not."""
        try:
            self._loaded()
        except (CacheUnusable, OSError) as error:
            return str(error)
        return None

    def leftovers(self) -> list[Path]:
        """Files of a process that was killed; none while another is writing. Raises OSError."""
        if not self.folder.is_dir():
            return []
        try:
            with filelock.FileLock(self.folder / "write.lock", timeout=0):
                return sorted([*self._unnamed(), *self.folder.glob("*.new")])
        except filelock.Timeout:
            return []

    def reject(self, reason: str) -> None:
        """Forget what is there, with a line in the log."""
        _log.warning("the vector cache in %s is not used: %s; it is rebuilt from the catalog", self.folder, reason)
        with _ignored_os_errors():
            (self.folder / HEADER).unlink(missing_ok=True)

    @contextmanager
    def draft(self) -> Iterator[Draft]:
        """Write what may be published in place of what is there. Raises CacheBusy and OSError."""
        self.folder.mkdir(exist_ok=True)
        with ExitStack() as stack:
            try:
                stack.enter_context(filelock.FileLock(self.folder / "write.lock", timeout=0))
            except filelock.Timeout:
                raise CacheBusy(f"the vector cache in {self.folder} is being written") from None
            self._sweep()
            draft = Draft(self.folder, self._owner)
            try:
                yield draft
            finally:
                self._sweep()

    def _loaded(self) -> CachedBase | None:
        header = self._header()
        if header is None:
            return None
        count, dimension = header.count, self._owner.dimension
        self._check_size(header.ids, 8 * count)
        self._check_size(header.vectors, 2 * count * dimension)
        ids = np.frombuffer(self._read(header.ids), "<i8").astype(np.int64, copy=False)
        structure = np.frombuffer(self._read(header.structure), np.uint8) if header.structure else None
        vectors = self._mapped(header.vectors, (count, dimension))
        return CachedBase(header.revision, header.kind, header.plan, ids, vectors, structure, header.calibration)

    def _header(self) -> _Header | None:
        try:
            text = (self.folder / HEADER).read_text("utf-8")
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise CacheUnusable(f"{HEADER}: {error}") from error
        header = _parse(text)
        if header.owner != self._owner:
            raise CacheUnusable("it belongs to another catalog or model")
        return header

    def _check_size(self, file: _File, size: int) -> None:
        if file.size != size:
            raise CacheUnusable(f"{file.name} should have {size:,} bytes, not {file.size:,}")

    def _read(self, file: _File) -> bytes:
        data = (self.folder / file.name).read_bytes()
        if blake3(data).hexdigest() != file.blake3:
            raise CacheUnusable(f"{file.name} is damaged")
        return data

    def _mapped(self, file: _File, shape: tuple[int, int]) -> NDArray[np.float16]:
        path = self.folder / file.name
        with path.open("rb", buffering=0) as opened:
            if _hash(opened) != file.blake3:
                raise CacheUnusable(f"{file.name} is damaged")
            return _map(opened, shape)

    def _sweep(self) -> None:
        """Delete generations that are not named. Who has one open keeps it until it is closed."""
        for path in self._unnamed():
            with _ignored_os_errors():
                path.unlink()

    def _unnamed(self) -> list[Path]:
        try:
            header = self._header()
        except (CacheUnusable, OSError):
            header = None
        named = {file.name for file in header.files()} if header else set()
        return [path for pattern in GENERATIONS for path in self.folder.glob(pattern) if path.name not in named]


class Draft:
    """The next generation, of which nothing is seen until it is published. Made by `VectorCache.draft`."""

    def __init__(self, folder: Path, owner: Owner) -> None:
        self._folder, self._owner = folder, owner
        self._generation = secrets.token_hex(8)

    def write(self, chunks: Iterable[tuple[Ids, NDArray[np.float16]]]) -> tuple[Ids, NDArray[np.float16]]:
        """Store ids, ascending from chunk to chunk, and their vectors; gives them back, the vectors memory-mapped."""
        ids: list[Ids] = []
        with self._writing("vectors", "float16") as file:
            for chunk_ids, chunk in chunks:
                ids.append(chunk_ids)
                file.write(np.ascontiguousarray(chunk, "<f2"))
        self._vectors = file.written()
        every = np.concatenate([np.empty(0, np.int64), *ids])
        with self._writing("ids", "int64") as file:
            file.write(every.astype("<i8", copy=False))
        self._ids = file.written()
        self._count = len(every)
        with (self._folder / self._vectors.name).open("rb") as opened:
            return every, _map(opened, (len(every), self._owner.dimension))

    def publish(
        self,
        revision: int,
        kind: str,
        plan: IndexPlan,
        structure: NDArray[np.uint8] | None,
        calibration: dict[str, Any] | None,
    ) -> None:
        """Make what was written the cache, with the structure that was built from it."""
        stored = None
        if structure is not None:
            with self._writing("structure", "faiss") as file:
                file.write(structure)
            stored = file.written()
        header = _Header(
            FORMAT, self._owner, revision, self._count, kind, plan, self._ids, self._vectors, stored, calibration
        )
        _replace(self._folder / HEADER, dataclasses.asdict(header))

    @contextmanager
    def _writing(self, what: str, ending: str) -> Iterator[_HashedFile]:
        with (self._folder / f"{what}-{self._generation}.{ending}").open("wb") as opened:
            file = _HashedFile(opened)
            yield file
            _flush(opened)


class _HashedFile:
    """Hashes what is written on its way to the disk, so that it need not be read again."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = blake3()
        self._size = 0

    def write(self, data: Any) -> None:
        """Anything with a contiguous buffer."""
        view = memoryview(data).cast("B") if memoryview(data).nbytes else b""
        self._hash.update(view)
        self._file.write(view)
        self._size += len(view)

    def written(self) -> _File:
        return _File(Path(self._file.name).name, self._size, self._hash.hexdigest())


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Make the file hold that, whole or not at all, also after a power cut."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1)
        _flush(file)
    fresh.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _plan(fields: Any) -> IndexPlan:
    return IndexPlan(fields["kind"], fields["recall"])


def _parse(text: str) -> _Header:
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise CacheUnusable(f"its format is {fields['format']}, not {FORMAT}")
        if not all(isinstance(fields[name], int) for name in ("revision", "count")):
            raise ValueError("revision and count must be numbers")
        names = ("ids", "vectors", "structure") if fields["structure"] is not None else ("ids", "vectors")
        files = {name: _File(**fields[name]) for name in names}
        header = _Header(**{**fields, "owner": Owner(**fields["owner"]), "plan": _plan(fields["plan"]), **files})
        elsewhere = any(Path(file.name).name != file.name for file in files.values())
    except (ValueError, TypeError, KeyError, InvalidSettings) as error:
        raise CacheUnusable(f"{HEADER} is damaged ({error})") from error
    if elsewhere:
        raise CacheUnusable(f"{HEADER} names files elsewhere")
    return header


def _hash(file: BinaryIO) -> str:
    """BLAKE3 of a file, read and not mapped: of 1 GB 0.4 s on one thread where SHA-256 takes 1.0 (see decision 0008).

    A mapped file takes as long where it is in memory, and three times as long where it is not.
    """
    hasher = blake3()
    buffer = memoryview(bytearray(_READ))
    while size := file.readinto(buffer):  # type: ignore[attr-defined]
        hasher.update(buffer[:size])
    return hasher.hexdigest()


def _map(file: BinaryIO, shape: tuple[int, int]) -> NDArray[np.float16]:
    if not all(shape):  # nothing cannot be mapped
        return np.empty(shape, np.float16)
    return np.memmap(file, "<f2", "r", shape=shape)


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
