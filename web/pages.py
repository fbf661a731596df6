"""The pages' shells: HTML that names the styles and modules; everything that changes comes from the JSON API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from indexer import __version__
from web.texts import preferred

STATIC: Final = Path(__file__).parent / "static"
"""Plain ES modules, styles and the icon, served below `/static`."""

THEMES: Final = ("light", "dark")

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
_IMPORTED: Final = re.compile(r'^(?:import|export)\b[^"]*?from "([^"]+)";|^import "([^"]+)";', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """What a shell is made of: a template, and names below `/static`."""

    template: str
    script: str
    styles: tuple[str, ...]


SEARCH: Final = Page(
    "search.html",
    "search.js",
    (
        "base.css",
        "query/query.css",
        "query/crop.css",
        "results/results.css",
        "results/tools.css",
        "large/large.css",
        "large/details.css",
    ),
)
OVERVIEW: Final = Page("library/overview.html", "library/overview.js", ("base.css", "library/library.css"))
DUPLICATES: Final = Page(
    "library/duplicates.html", "library/duplicates.js", ("base.css", "library/library.css", "library/duplicates.css")
)

MAP: Final = Page("library/map.html", "map/map.js", ("base.css", "library/library.css", "map/map.css"))
TAGS: Final = Page("library/tags.html", "library/tags.js", ("base.css", "library/library.css", "library/tags.css"))


@router.get("/", response_class=HTMLResponse)
def search_page(request: Request) -> Response:
    """Where people search."""
    return _shell(request, SEARCH)


@router.get("/library", response_class=HTMLResponse)
def overview_page(request: Request) -> Response:
    """What is indexed, the models, and the jobs."""
    return _shell(request, OVERVIEW)


@router.get("/library/duplicates", response_class=HTMLResponse)
def duplicates_page(request: Request) -> Response:
    """What is there more than once, to be looked through."""
    return _shell(request, DUPLICATES)


@router.get("/map", response_class=HTMLResponse)
def map_page(request: Request) -> Response:
    """All pictures on a plane, to wander about in."""
    return _shell(request, MAP)


@router.get("/library/tags", response_class=HTMLResponse)
def tags_page(request: Request) -> Response:
    """The tags, the lists that they come from, and the concepts."""
    return _shell(request, TAGS)


def _shell(request: Request, page: Page) -> Response:
    """In the visitor's language and the theme chosen before, so that it never flashes in the other."""
    chosen = request.cookies.get("theme")
    return _templates.TemplateResponse(
        request,
        page.template,
        {
            "page": page,
            "modules": modules(page.script),
            "theme": chosen if chosen in THEMES else None,
            "say": preferred(request.headers.get("accept-language", "")),
            "version": __version__,
        },
        headers={"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"},
    )


@cache
def modules(script: str) -> tuple[str, ...]:
    """It and all that it imports. The shell names them, so that the browser fetches all at once, not one by one."""
    found: dict[Path, None] = {}
    waiting = [STATIC / script]
    while waiting:
        module = waiting.pop().resolve()
        if module not in found:
            found[module] = None
            names = (first or second for first, second in _IMPORTED.findall(module.read_text("utf-8")))
            waiting += [module.parent / name for name in names]
    return tuple(sorted(str(module.relative_to(STATIC.resolve())) for module in found))
