"""A backup: a collection as of one moment in one file or folder, with the hash of everything that is in it.

backup.json        what it is of, and the size and BLAKE3 of every other member; the first member of an archive
catalog.db         a consistent copy, whoever reads and writes meanwhile
vectors/plan.json  what was chosen for its index; the index itself is made again from the catalog
trained/...        models that were trained in the collection, whole ones
vectors/..., thumbnails/...   only when asked for: they save the time to make them again
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import sqlalchemy as sa
from blake3 import blake3

from indexer import __version__, database
from indexer.care.archives import is_archive, writing_tar
from indexer.catalog import Catalog
from indexer.errors import CollectionDamaged, CollectionTooNew, InvalidBackup
from indexer.library_folder import THUMBNAILS, VECTORS
from indexer.schema import HEAD
from indexer.staging import StagingBusy, is_free, publish, staged
from indexer.training.own_models import own_models
from indexer.vectors.cache import GENERATIONS, HEADER, PLAN

FORMAT = 1
_READ = 1 << 20  # bytes copied at a time
CONTENTS = "backup.json"

Progress = Callable[[int, int], None]
"""Called with how much is done, and how much there is to do."""


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    size: int
    blake3: str


@dataclass(frozen=True, slots=True)
class BackupContents:
    """What `backup.json` says."""

    format: int
    sightline: str
    """The version that made it."""
    schema: str
    """Of its catalog."""
    made_at: str
    """UTC, ISO 8601."""
    library: str
    """Where the collection was."""
    model: str
    images: int
    revision: int
    members: tuple[Member, ...]

    def to_json(self) -> str:
        return json.dumps(dataclasses.asdict(self), indent=1)

    @staticmethod
    def format_of(text: bytes) -> int:
        """Which is looked at first: another format has other fields. Raises ValueError."""
        fields = json.loads(text)
        if not isinstance(fields, dict) or not isinstance(fields.get("format"), int):
            raise ValueError(f"its {CONTENTS} says no format")
        return int(fields["format"])

    @classmethod
    def from_json(cls, text: bytes) -> BackupContents:
        """Raises ValueError for anything else."""
        try:
            fields = json.loads(text)
            return cls(**{**fields, "members": tuple(Member(**member) for member in fields["members"])})
        except (TypeError, KeyError) as error:
            raise ValueError(f"{CONTENTS} is damaged ({error})") from error


@dataclass(frozen=True, slots=True)
class BackupReport:
    path: Path
    images: int
    size: int
    """Bytes."""
    members: int


def back_up(library: Path, target: Path, *, with_cache: bool = False, progress: Progress | None = None) -> BackupReport:
    """Write the collection in `library` to `target`: an archive if it ends with .tar or .tar.zst, else a folder.

    Others may search and index meanwhile; what is committed when it begins is in it. The copy has this program's
    schema. `target` appears whole or not at all, and is never replaced. Raises InvalidBackup, BrokenInstallation (zstd
    without pyarrow), CollectionDamaged, and what opening a collection raises.
    """
    target = target.absolute()
    database.check_file(library)
    _check_free(target)
    with _making(target) as folder:
        whole = folder / "whole"
        whole.mkdir()
        contents = _gather(library, whole, with_cache, progress)
        (whole / CONTENTS).write_text(contents.to_json(), "utf-8")
        made = whole
        if is_archive(target):
            made = folder / "packed"
            _pack(whole, [CONTENTS, *(member.name for member in contents.members)], made, target.suffix == ".zst")
            shutil.rmtree(whole)  # before it is published: a kill right after leaves nothing large behind
        size = sum(path.stat().st_size for path in ([made] if made.is_file() else made.rglob("*")))
        _check_free(target)  # again: it has taken a while
        publish(made, target)
    return BackupReport(target, contents.images, size, len(contents.members))


def _check_free(target: Path) -> None:
    if not is_free(target) or (is_archive(target) and target.exists()):
        raise InvalidBackup(str(target), "it is there already, and no backup is ever replaced; choose another name")


@contextmanager
def _making(target: Path) -> Iterator[Path]:
    try:
        with database.translated(target.parent), staged(target) as folder:
            yield folder
    except StagingBusy as busy:
        raise InvalidBackup(str(target), str(busy)) from busy


def _gather(library: Path, whole: Path, with_cache: bool, progress: Progress | None) -> BackupContents:
    """Everything into the folder `whole`. The catalog comes last: what is derived must not be newer than it."""
    members = []
    for name in _beside(library, with_cache):
        try:
            members.append(_copied(library, whole, name))
        except FileNotFoundError:  # swept away meanwhile: a cache that lacks a file is made again
            continue
    engine = database.open_engine(database.check_file(library))
    try:
        with database.translated(library):
            _check_known(engine, library)
            database.copy(engine, whole / database.FILE_NAME, progress)
    finally:
        engine.dispose()
    with _opened(whole, library) as catalog:
        contents = BackupContents(
            format=FORMAT,
            sightline=__version__,
            schema=HEAD,
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            library=str(library),
            model=catalog.manifest.model,
            images=catalog.count(),
            revision=catalog.revision(),
            members=(),
        )
    with (whole / database.FILE_NAME).open("rb") as file:
        members.append(Member(database.FILE_NAME, *copied(file, None)))
    return dataclasses.replace(contents, members=tuple(members))


def _check_known(engine: sa.Engine, library: Path) -> None:
    with engine.connect() as connection:
        schema = database.stored_schema(connection)
    if schema is not None and not database.is_known(schema):
        raise CollectionTooNew(str(library), schema)


@contextmanager
def _opened(whole: Path, library: Path) -> Iterator[Catalog]:
    """The copy. What is wrong with it is wrong with the collection in `library`."""
    try:
        with Catalog.open(whole) as catalog:
            if damage := catalog.damage(quick=True):
                raise CollectionDamaged(str(whole), damage[0])
            yield catalog
    except CollectionDamaged as error:
        raise CollectionDamaged(str(library), f"{error.reason}; `sightline doctor` says more") from error


def _beside(library: Path, with_cache: bool) -> Iterator[str]:
    """Files to copy besides the catalog, as paths below the library, with slashes."""
    caches = sorted(path.name for path in library.glob(f"{VECTORS}*") if path.is_dir())  # one a model
    for cache in caches:
        if (library / cache / PLAN).is_file():
            yield f"{cache}/{PLAN}"
    for model in own_models(library):
        for path in sorted(file for file in model.iterdir() if file.is_file()):
            yield path.relative_to(library).as_posix()
    if not with_cache:
        return
    wanted = [(THUMBNAILS, "*/*.jpg")]
    for cache in caches:
        if (library / cache / HEADER).is_file():
            yield f"{cache}/{HEADER}"  # before the files it names, which another process may replace
        wanted += [(cache, pattern) for pattern in (*GENERATIONS, "probes-*.npy")]
    for folder, pattern in wanted:
        for path in sorted((library / folder).glob(pattern)):
            yield path.relative_to(library).as_posix()


def _copied(library: Path, whole: Path, name: str) -> Member:
    (whole / name).parent.mkdir(parents=True, exist_ok=True)
    with (library / name).open("rb") as source, (whole / name).open("wb") as target:
        return Member(name, *copied(source, target))


def copied(source: IO[bytes], target: IO[bytes] | None) -> tuple[int, str]:
    """Size and BLAKE3 of what is left of `source`, which goes to `target` if there is one."""
    hasher, size = blake3(), 0
    while block := source.read(_READ):
        hasher.update(block)
        size += len(block)
        if target is not None:
            target.write(block)
    return size, hasher.hexdigest()


def _pack(whole: Path, names: Iterable[str], packed: Path, compressed: bool) -> None:
    with writing_tar(packed, compressed=compressed) as tar:
        for name in names:
            tar.add(whole / name, name, recursive=False)
