"""A report as a file of the kind that its name asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from indexer.errors import InvalidReport
from search.benchmark import html, markdown
from search.benchmark.report import BenchmarkReport


def write(report: BenchmarkReport, path: Path, *, thumbnails: Mapping[str, str] | None = None) -> None:
    """By suffix: `.json` (can be read again and compared), `.md` or `.html` (one file, pictures in it).

    `thumbnails` are pictures in base64 by image key; those that the report holds unless given. Raises `InvalidReport`
    for another suffix, and where the file cannot be written.
    """
    shown = report if thumbnails is None else replace(report, thumbnails=thumbnails)
    write_as(
        path,
        {
            ".json": shown.to_json,
            ".md": lambda: markdown.of_report(shown),
            ".html": lambda: html.of_report(shown),
        },
    )


def check(path: Path) -> None:
    """Whether `write` will know the suffix: to ask before hours of work. Raises `InvalidReport`."""
    if path.suffix.lower() not in (".json", ".md", ".html"):
        raise InvalidReport(str(path), "its name must end in .json, .md or .html")


def write_as(path: Path, kinds: Mapping[str, Callable[[], str]]) -> None:
    check(path)
    text = kinds[path.suffix.lower()]()
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidReport(str(path), f"it cannot be written ({error.strerror or error})") from error
