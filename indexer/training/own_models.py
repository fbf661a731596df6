"""The models that a collection trained for itself: in its own folder, each in one named after its job."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from indexer.checkpoints import CONFIG_FILE
from indexer.errors import JobNotFound
from indexer.jobs.store import ENDED, Jobs
from indexer.library_folder import TRAINED


def folder_of(library: Path, job_id: int) -> Path:
    """Where that job writes its model if it was told no other folder."""
    return library.absolute() / TRAINED / str(job_id)


def own_models(library: Path) -> Iterator[Path]:
    """Folders of models that are whole."""
    for folder in sorted((library / TRAINED).glob("*")):
        if (folder / CONFIG_FILE).is_file():
            yield folder


def clear_abandoned(library: Path, jobs: Jobs) -> None:
    """Remove what trainings left that were cancelled: gigabytes of checkpoints that nobody can go on with."""
    whole = set(own_models(library))
    for folder in (library / TRAINED).glob("*"):
        if folder not in whole and _is_over(folder.name, jobs):
            with suppress(OSError):
                shutil.rmtree(folder)


def _is_over(name: str, jobs: Jobs) -> bool:
    """Of a folder that no job is named like, too: jobs that are over are forgotten in the end."""
    try:
        return jobs.get(int(name)).state in ENDED
    except (ValueError, JobNotFound):
        return True
