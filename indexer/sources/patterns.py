"""Which files of a folder are wanted, in the language of .gitignore."""

from __future__ import annotations

from collections.abc import Iterable

from pathspec import GitIgnoreSpec

from indexer.errors import InvalidRequest


class Patterns:
    """Paths are relative to the folder. A path is wanted if it fits `include`, or that is empty, and not `exclude`.

    As in .gitignore: `*.png` fits at any depth, `/raw/` only at the top, `raw/` a folder with all in it, `!keep.png`
    takes back, but not what is in a folder that is excluded as a whole.
    """

    def __init__(self, include: Iterable[str] = (), exclude: Iterable[str] = ()) -> None:
        """Raises InvalidRequest for what is no pattern."""
        self._include, self._exclude = _spec("--include", include), _spec("--exclude", exclude)

    def wants(self, path: str) -> bool:
        """Whether a file is."""
        if self._exclude and self._exclude.match_file(path):
            return False
        return not self._include or bool(self._include.match_file(path))

    def enters(self, folder: str) -> bool:
        """Whether anything in the folder may be wanted."""
        return not self._exclude or not self._exclude.match_file(f"{folder}/")

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self._include or self._exclude)


def _spec(option: str, patterns: Iterable[str]) -> GitIgnoreSpec | None:
    lines = [pattern for pattern in patterns if pattern.strip()]
    for line in lines:
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError as error:
            message = f"{option} {line!r} is not a pattern as in .gitignore; such as '*.png', 'raw/' or '!keep.png'"
            raise InvalidRequest(message) from error
    return GitIgnoreSpec.from_lines(lines) if lines else None
