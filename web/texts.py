"""What the pages say, by language: `text/<language>/<section>.json`, read by the templates and by the modules alike.

A text is a string with `{names}` to be filled in, or an object of plural forms (`one`, `other`, by CLDR) that
are chosen by `{count}`. `static/shared/say.js` is the same for the modules, which find the texts in the page as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

TEXTS: Final = Path(__file__).parent / "text"
DEFAULT_LANGUAGE: Final = "en"
RIGHT_TO_LEFT: Final = frozenset({"ar", "dv", "fa", "he", "ps", "ur", "yi"})


@dataclass(frozen=True, slots=True)
class Texts:
    """Of one language."""

    language: str
    sections: Mapping[str, Mapping[str, Any]]

    @property
    def direction(self) -> str:
        return "rtl" if self.language.partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    def __call__(self, key: str) -> str:
        """The text of `section.name`, which has no plural forms. Raises `KeyError` for an unknown key."""
        found: Any = self.sections
        for part in key.split("."):
            found = found[part]
        return str(found)


@cache
def texts(language: str) -> Texts:
    sections = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((TEXTS / language).glob("*.json"))}
    return Texts(language, sections)


@cache
def languages() -> frozenset[str]:
    return frozenset(path.name for path in TEXTS.iterdir() if path.is_dir())


def preferred(accept_language: str) -> Texts:
    """Of the language that a browser likes best among ours (RFC 9110, Accept-Language); English for all others."""
    for wanted in sorted(map(_weighed, accept_language.split(",")), reverse=True):
        name = wanted[1]
        for known in (name, name.partition("-")[0]):
            if wanted[0] > 0 and known in languages():
                return texts(known)
    return texts(DEFAULT_LANGUAGE)


def _weighed(part: str) -> tuple[float, str]:
    name, _, parameter = part.strip().partition(";")
    try:
        return (float(parameter.strip().removeprefix("q=")) if parameter else 1.0), name.strip()
    except ValueError:
        return 0.0, name.strip()
