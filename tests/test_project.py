"""What `pyproject.toml` promises holds: packages, pins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_every_direct_dependency_is_pinned() -> None:
    """`make` installs with `-c constraints.txt`; what is not pinned there is another version every week."""
    project = PYPROJECT["project"]
    wanted = list(project["dependencies"])
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {_normal(re.split(r"[\[<>=~!; ]", requirement)[0]) for requirement in wanted} - {"sightline"}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = {_normal(line.split("==")[0]) for line in lines if "==" in line and not line.startswith("#")}
    assert names <= pins, sorted(names - pins)


def test_every_package_is_installed() -> None:
    """An editable install finds a folder without `__init__.py`, a wheel does not."""
    found = set(find_packages(str(ROOT), include=PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"]))
    folders = {module.parent for top in ("indexer", "search", "web") for module in (ROOT / top).rglob("*.py")}
    assert {".".join(folder.relative_to(ROOT).parts) for folder in folders} == found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
