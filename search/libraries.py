"""The names of collections that are asked together: `FOLDER`, called as its last part, or `NAME=FOLDER`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from indexer.config import load_settings
from indexer.errors import InvalidSettings

NAME = r"[\w][\w .-]{0,63}"
_NAMED = re.compile(rf"({NAME})=(.+)", re.DOTALL)

Libraries = Annotated[
    list[Path] | None,
    typer.Option(
        "--library",
        metavar="[NAME=]FOLDER",
        help="Folder of the collection (environment: SIGHTLINE_LIBRARY); several by several --library.",
        show_default=False,
    ),
]


def named_libraries(given: Sequence[Path] | None) -> dict[str, Path]:
    """Absolute folders by name, in order; without any, that of the settings.

    Raises `InvalidSettings` for several of which two have one name, or one whose folder's name cannot be its own.
    """
    named: dict[str, Path] = {}
    texts = [str(path) for path in given or (load_settings().library,)]
    for text in texts:
        found = None if Path(text).exists() else _NAMED.fullmatch(text)
        library = load_settings(library=Path(found[2] if found else text)).library
        name = found[1] if found else library.name
        if len(texts) > 1 and not re.fullmatch(NAME, name):
            raise InvalidSettings("library", text, "its folder's name cannot be its own; give one as NAME=FOLDER")
        if name in named:
            raise InvalidSettings("library", text, f"two collections are called {name!r}; give names as NAME=FOLDER")
        named[name] = library
    return named
