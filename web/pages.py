"""The page's shell: HTML that names the styles and modules; everything that changes comes from the JSON API."""

from __future__ import annotations

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
# Named in the shell, so that the browser fetches all modules at once instead of one import after the other.
_modules = sorted(path.name for path in STATIC.glob("*.js"))


@router.get("/", response_class=HTMLResponse)
def page(request: Request) -> Response:
    """The shell of the page, in the theme that the visitor chose before, so that it never flashes in the other."""
    chosen = request.cookies.get("theme")
    return _templates.TemplateResponse(
        request,
        "page.html",
        {"theme": chosen if chosen in THEMES else None, "modules": _modules, "version": __version__},
        headers={"Cache-Control": "no-cache", "Vary": "Cookie"},
    )
