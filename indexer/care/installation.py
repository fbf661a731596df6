"""Is what Sightline is built on installed, once, and in which versions?"""

from __future__ import annotations

import platform
import sqlite3
from collections.abc import Iterator
from importlib import metadata

from indexer import __version__
from indexer.care.findings import Finding
from indexer.errors import BrokenInstallation
from indexer.vectors.faiss_library import installed_packages, load_faiss

_PACKAGES = ("torch", "torchvision", "open_clip_torch", "timm", "numpy", "pillow", "sqlalchemy")


def versions() -> Iterator[Finding]:
    found = {"Sightline": __version__, "Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    missing = []
    for name in (*_PACKAGES, *installed_packages()):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        remedy = "`pip install -c constraints.txt '.[cpu]'`"
        yield Finding("versions", "broken", f"{', '.join(missing)} is not installed", remedy)
    else:
        yield Finding("versions", "ok", ", ".join(f"{name} {version}" for name, version in found.items()))


def faiss() -> Iterator[Finding]:
    try:
        load_faiss()
    except BrokenInstallation as error:
        what, _, remedy = str(error).partition("; ")
        yield Finding("FAISS", "broken", what, remedy)
    else:
        yield Finding("FAISS", "ok", f"installed once, by {' and '.join(installed_packages())}")
