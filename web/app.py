"""`create_app(settings)`: the service, put together in one place, and the one table of errors and HTTP statuses."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from os import PathLike, stat_result
from typing import Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from indexer import __version__, errors
from indexer.config import Settings
from indexer.encoder import Encoder
from web import (
    api,
    collections_api,
    download_api,
    duplicates_api,
    exif_api,
    failures_api,
    health_api,
    heat_map_api,
    job_events,
    library_api,
    map_api,
    pages,
    query_images_api,
    tag_lists_api,
    tags_api,
)
from web.collections import Collections, open_collections
from web.compression import Compression
from web.job_events import JobStreams
from web.problems import invalid_fields, problem, status_phrase
from web.security import OwnHostOnly, OwnOriginOnly, SecurityHeaders, UnexpectedErrors, own_names

_log = logging.getLogger(__name__)

STATUS: Final[dict[type[errors.SightlineError], int]] = {
    errors.InvalidRequest: 422,
    errors.ImageNotFound: 404,
    errors.QueryImageNotFound: 404,
    errors.OriginalGone: 410,
    errors.ModelNotFound: 404,
    errors.ModelInUse: 409,
    errors.NotReady: 409,
    errors.NoPreviousModel: 409,
    errors.JobNotFound: 404,
    errors.JobBusy: 409,
    errors.JobEnded: 409,
    errors.CursorExpired: 410,
    errors.UploadTooLarge: 413,
    errors.UnreadableImage: 415,
    errors.ImageTooLarge: 413,
    errors.ModelError: 503,
    errors.CollectionLocked: 409,
    errors.CollectionError: 503,
    errors.SightlineError: 500,
}
"""The HTTP status of each error: its own, or that of the nearest class above it."""

DESCRIPTION: Final = """Find the pictures of one collection by words, by another picture, or by both at once.

Errors are problem details (RFC 9457), `application/problem+json`: `detail` says what was wrong and what to do."""


def create_app(
    settings: Settings, *, encoder: Encoder | None = None, collections: Collections | None = None
) -> FastAPI:
    """The service over `settings.library`, or over several collections that are given.

    Starting it opens the collection and loads its model (`open_collections`, whose errors it raises), unless they are
    given, open: then they stay open when it ends.
    """
    app = FastAPI(
        title="Sightline",
        version=__version__,
        description=DESCRIPTION,
        # FastAPI's own documentation pages load scripts from a CDN; the page's policy forbids that, and so do we.
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, encoder, collections),
        middleware=[
            Middleware(SecurityHeaders),
            Middleware(Compression),
            Middleware(OwnHostOnly, names=own_names(settings.host)),
            Middleware(OwnOriginOnly),
            Middleware(UnexpectedErrors),
        ],
        exception_handlers={
            errors.SightlineError: _sightline_error,
            RequestValidationError: _invalid_request,
            HTTPException: _http_error,
            ClientDisconnect: _client_gone,
        },
    )
    app.include_router(api.router)
    app.include_router(query_images_api.router)
    app.include_router(heat_map_api.router)
    app.include_router(exif_api.router)
    app.include_router(tags_api.router)
    app.include_router(tag_lists_api.router)
    app.include_router(job_events.router)  # before the jobs that have a number there
    app.include_router(library_api.router)
    app.include_router(map_api.router)
    app.include_router(collections_api.router)
    app.include_router(duplicates_api.router)
    app.include_router(download_api.router)
    app.include_router(failures_api.router)
    app.include_router(health_api.router)
    app.include_router(api.health_router)
    app.include_router(pages.router)
    app.mount("/static", StaticFilesToRevalidate(directory=pages.STATIC), name="static")
    return app


def _lifespan(
    settings: Settings, encoder: Encoder | None, collections: Collections | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.job_streams = JobStreams()
        if collections is not None:
            app.state.collections = collections
            yield
        else:
            library = settings.library
            with open_collections(settings, {library.name: library}, encoder) as app.state.collections:
                yield

    return lifespan


class StaticFilesToRevalidate(StaticFiles):
    """The page's own files. Browsers ask each time and mostly get a 304: an upgrade shows at once."""

    def file_response(
        self, full_path: str | PathLike[str], stat_result: stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        return response


def status_of(error: errors.SightlineError) -> int:
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


async def _sightline_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.SightlineError)
    status = status_of(error)
    if status >= 500:
        _log.error("%s %s: %s", request.method, request.url.path, error)
    return problem(status, str(error), kind=type(error).__name__)


async def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(422, invalid_fields(error.errors()), kind="InvalidRequest")


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 404 and detail == status_phrase(404):
        detail = f"nothing is at {request.url.path}"
    elif error.status_code == 405 and detail == status_phrase(405):
        allowed = (error.headers or {}).get("Allow", "other methods")
        detail = f"{request.url.path} cannot be asked with {request.method}; it takes {allowed}"
    return problem(error.status_code, detail, headers=error.headers)


async def _client_gone(request: Request, error: Exception) -> Response:
    return problem(400, "the request ended before its body did")
