"""The one place that imports FAISS, and checks that it is installed once."""

from __future__ import annotations

import importlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import metadata
from typing import Any

from indexer.errors import BrokenInstallation

PACKAGES = ("faiss-cpu", "faiss-gpu", "faiss-gpu-cu11", "faiss-gpu-cu12")
"""All install the module `faiss`, silently on top of each other."""


def load_faiss() -> Any:
    """The module `faiss`. Raises BrokenInstallation if there is none, or more than one in the same place."""
    check_packages(installed_packages())
    try:
        return importlib.import_module("faiss")
    except ImportError as error:
        raise BrokenInstallation(
            f"FAISS cannot be loaded ({error}); install it with `pip install 'sightline[cpu]'`"
        ) from error


def installed_packages() -> list[str]:
    found = []
    for name in PACKAGES:
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def check_packages(installed: Collection[str]) -> None:
    """Raises BrokenInstallation if several packages have installed FAISS over one another."""
    if len(installed) > 1:
        names = " and ".join(sorted(installed))
        raise BrokenInstallation(
            f"{names} are both installed and overwrite each other; run `pip uninstall {' '.join(sorted(installed))}`, "
            "then `pip install 'sightline[cpu]'` or `pip install 'sightline[gpu]'`"
        )


@contextmanager
def limited_threads(faiss: Any, count: int | None) -> Iterator[None]:
    """FAISS takes `count` threads inside, None for as many as it would. OpenMP keeps this for each calling thread."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(count or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


def one_thread(faiss: Any) -> AbstractContextManager[None]:
    """For a single query, which FAISS does not divide: a second thread would only spin, at twice the processor time."""
    return limited_threads(faiss, 1)
