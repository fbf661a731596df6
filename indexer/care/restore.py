"""A backup becomes a collection again, whole or not at all."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from indexer import database
from indexer.care.archives import reading_tar
from indexer.care.backup import CONTENTS, FORMAT, BackupContents, Member, Progress, copied
from indexer.catalog import Catalog
from indexer.errors import CollectionDamaged, CollectionTooNew, InvalidBackup
from indexer.staging import StagingBusy, is_free, publish, staged

_NAME = re.compile(r"(?:vectors|thumbnails|trained)(?:/[\w-][\w.-]*)+|" + re.escape(database.FILE_NAME))
"""What a backup may hold, `backup.json` aside: nothing that leads out of the library."""

_Opened = tuple[str, IO[bytes]]


@dataclass(frozen=True, slots=True)
class RestoreReport:
    library: Path
    images: int
    model: str
    made_at: str
    """When the backup was made; UTC, ISO 8601."""


def restore(backup: Path, library: Path, *, progress: Progress | None = None) -> RestoreReport:
    """Make the collection that `backup` holds in `library`, a folder that is not there yet, or empty.

    Every member is checked by its hash, and the catalog is opened before the folder appears. Raises InvalidBackup for
    a backup that is not there, damaged or incomplete and for a folder that is in use, CollectionTooNew for a backup of
    a newer Sightline, BrokenInstallation (zstd without pyarrow), and what opening a collection raises.
    """
    library = library.absolute()
    if not is_free(library):
        raise InvalidBackup(str(backup), f"it is restored into an empty folder only, and {str(library)!r} is in use")
    with _making(backup, library) as folder:
        whole = folder / "whole"
        whole.mkdir()
        with _opened(backup) as members:
            contents = _read_contents(backup, members)
            _write_members(backup, contents, members, whole, progress)
        try:
            with Catalog.open(whole) as catalog:
                images, model = catalog.count(), catalog.manifest.model
        except CollectionDamaged as error:
            raise InvalidBackup(str(backup), f"its catalog cannot be used ({error.reason})") from error
        if not is_free(library):
            raise InvalidBackup(str(backup), f"something has appeared in {str(library)!r} meanwhile")
        publish(whole, library)
    return RestoreReport(library, images, model, contents.made_at)


@contextmanager
def _making(backup: Path, library: Path) -> Iterator[Path]:
    try:
        with database.translated(library), staged(library) as folder:
            yield folder
    except StagingBusy as busy:
        raise InvalidBackup(str(backup), str(busy)) from busy


@contextmanager
def _opened(backup: Path) -> Iterator[Iterator[_Opened]]:
    """Names and contents one after the other, `backup.json` first, from an archive or a folder."""
    try:
        if backup.is_dir():
            yield _in_folder(backup)
        else:
            with reading_tar(backup) as tar:
                yield _in_archive(tar)
    except (tarfile.TarError, EOFError) as error:
        raise InvalidBackup(str(backup), f"it is no backup, or a damaged one ({error})") from error
    except OSError as error:
        if error.errno is None:  # pyarrow's, of bytes that are not zstd's
            raise InvalidBackup(str(backup), f"it is damaged ({error})") from error
        if not str(error.filename or "").startswith(str(backup)):
            raise
        raise InvalidBackup(str(backup), f"{error.filename!r} cannot be read ({error.strerror})") from error


def _in_folder(backup: Path) -> Iterator[_Opened]:
    names = sorted(path.relative_to(backup).as_posix() for path in backup.rglob("*") if path.is_file())
    for name in [CONTENTS, *(name for name in names if name != CONTENTS)]:
        with (backup / name).open("rb") as file:
            yield name, file


def _in_archive(tar: tarfile.TarFile) -> Iterator[_Opened]:
    for entry in tar:
        file = tar.extractfile(entry)
        if file is None:
            raise tarfile.ReadError(f"{entry.name!r} is no file")
        with file:
            yield entry.name, file


def _read_contents(backup: Path, members: Iterator[_Opened]) -> BackupContents:
    name, file = next(members, ("", None))
    if file is None or name != CONTENTS:
        raise InvalidBackup(str(backup), f"it is no backup: it does not begin with {CONTENTS}")
    text = file.read()
    try:
        if (newer := BackupContents.format_of(text)) > FORMAT:
            raise CollectionTooNew(str(backup), f"of backup format {newer}")
        contents = BackupContents.from_json(text)
    except ValueError as error:
        raise InvalidBackup(str(backup), str(error)) from error
    if not database.is_known(contents.schema):
        raise CollectionTooNew(str(backup), contents.schema)
    for member in contents.members:
        if not _NAME.fullmatch(member.name):
            raise InvalidBackup(str(backup), f"it names {member.name!r}, which no backup of ours holds")
    return contents


def _write_members(
    backup: Path, contents: BackupContents, members: Iterator[_Opened], whole: Path, progress: Progress | None
) -> None:
    missing = {member.name: member for member in contents.members}
    total, done = sum(member.size for member in contents.members), 0
    for name, file in members:
        if name not in missing:
            raise InvalidBackup(str(backup), f"it holds {name!r}, which {CONTENTS} does not name, or twice")
        (whole / name).parent.mkdir(parents=True, exist_ok=True)
        with (whole / name).open("wb") as target:
            found = Member(name, *copied(file, target))
        if found != missing.pop(name):
            raise InvalidBackup(str(backup), f"its {name} is damaged: size or hash is not what {CONTENTS} says")
        done += found.size
        if progress:
            progress(done, total)
    if missing:
        raise InvalidBackup(str(backup), f"its {sorted(missing)[0]} is missing")
    if database.FILE_NAME not in {member.name for member in contents.members}:
        raise InvalidBackup(str(backup), f"it has no {database.FILE_NAME}")
