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


_LIBRARY: Final = ("base.css", "library/library.css")
PAGES: Final = {
    "/": Page(
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
    ),
    "/library": Page("library/overview.html", "library/overview.js", _LIBRARY),
    "/library/duplicates": Page(
        "library/duplicates.html", "library/duplicates.js", (*_LIBRARY, "library/duplicates.css")
    ),
    "/library/tags": Page("library/tags.html", "library/tags.js", (*_LIBRARY, "library/tags.css")),
    "/map": Page("library/map.html", "map/map.js", (*_LIBRARY, "map/map.css")),
}


def _page(request: Request) -> Response:
    return _shell(request, PAGES[request.scope["route"].path])


for _path in PAGES:
    router.add_api_route(_path, _page, response_class=HTMLResponse)


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
