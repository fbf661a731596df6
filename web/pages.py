"""The pages' shells: HTML that names the styles and modules; everything that changes comes from the JSON API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.templating import Jinja2Templates

from indexer import __version__

STATIC: Final = Path(__file__).parent / "static"
"""Plain ES modules, styles and the icon, served below `/static`."""

THEMES: Final = ("light", "dark")

router = APIRouter(include_in_schema=False)
_templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
# Named in the shells, so that the browser fetches all modules at once instead of one import after the other.
_SEARCH_MODULES: Final = sorted(path.name for path in STATIC.glob("*.js"))
_SHARED_MODULES: Final = tuple(
    f"{name}.js" for name in ("api", "collection-choice", "facts", "messages", "reference", "status", "theme")
)
_LIBRARY_MODULES: Final = sorted((*(f"library/{path.name}" for path in STATIC.glob("library/*.js")), *_SHARED_MODULES))


@router.get("/", response_class=HTMLResponse)
def search_page(request: Request) -> Response:
    """Where people search."""
    return _shell(request, "page.html", _SEARCH_MODULES)


@router.get("/library", response_class=HTMLResponse)
def library_page(request: Request) -> Response:
    """What is indexed, the models, and the jobs."""
    return _shell(request, "library.html", _LIBRARY_MODULES)


def _shell(request: Request, template: str, modules: Sequence[str]) -> Response:
    """In the theme that the visitor chose before, so that it never flashes in the other."""
    chosen = request.cookies.get("theme")
    return _templates.TemplateResponse(
        request,
        template,
        {"theme": chosen if chosen in THEMES else None, "modules": modules, "version": __version__},
        headers={"Cache-Control": "no-cache", "Vary": "Cookie"},
    )
