"""The stream of events that tells a page what its collection's jobs do (server-sent events).

Jobs run in processes of their own, so the catalog is what tells: it is looked at once a second, however many pages
listen to a collection, and not at all while none does.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import anyio
from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi import Query as QueryParameter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from indexer.errors import CollectionError
from indexer.jobs.store import Job
from web.collections import ServicesDep
from web.library_api import JOBS_EXAMPLE, JobOut, JobsResponse
from web.problems import documented
from web.services import Services

LOOK_SECONDS: Final = 1.0
RETRY_MS: Final = 3000
"""When a browser asks again after the stream has ended."""
MAX_LISTENERS: Final = 100
"""Of one service: each holds a connection."""
MAX_JOBS: Final = 100

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))


class JobWatch:
    """The newest jobs of one collection, read at most once a second for all who listen."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._reading = anyio.Lock()
        self._read_at = -LOOK_SECONDS
        self._jobs: Sequence[Job] = ()

    async def look(self) -> Sequence[Job]:
        """At most `MAX_JOBS`, the newest first, at most a second old. Raises CollectionError."""
        async with self._reading:
            if time.monotonic() - self._read_at >= LOOK_SECONDS:
                # Not kept from one look to the next: another model that serves has another `collection`.
                self._jobs = await to_thread.run_sync(self._services.collection.catalog.jobs.all, MAX_JOBS)
                self._read_at = time.monotonic()
            return self._jobs


class JobStreams:
    """The streams of one service: how many there are, what they share, and that they end when it does.

    Belongs to one event loop.
    """

    def __init__(self) -> None:
        self._ending = anyio.Event()
        self._watches: dict[str | None, JobWatch] = {}
        self.listeners = 0

    def close(self) -> None:
        """End them all: a server that waits for its last answer would wait forever."""
        self._ending.set()

    @asynccontextmanager
    async def admitted(self, services: Services) -> AsyncIterator[JobWatch]:
        """What a new listener watches, once, until it leaves. Status 503 if there are too many, or for a catalog that
        cannot be read.
        """
        if self.listeners >= MAX_LISTENERS:
            raise HTTPException(503, f"{MAX_LISTENERS} pages listen already, which is the limit; ask GET /api/jobs")
        self.listeners += 1
        try:
            watch = self._watches.setdefault(services.name, JobWatch(services))
            await watch.look()  # what is wrong with the catalog still becomes a status
            yield watch
        finally:
            self.listeners -= 1

    async def changes(self, watch: JobWatch, limit: int) -> AsyncIterator[Sequence[Job]]:
        """The newest `limit` jobs at once, and whenever they have changed, until the service ends."""
        told: Sequence[Job] | None = None
        while not self._ending.is_set():
            try:
                newest = (await watch.look())[:limit]
            except CollectionError:
                return  # the browser asks again, and the status of that answer tells why
            if newest != told:
                yield newest
                told = newest
            with anyio.move_on_after(LOOK_SECONDS):
                await self._ending.wait()


def get_streams(request: Request) -> JobStreams:
    streams: JobStreams = request.app.state.job_streams
    return streams


StreamsDep = Annotated[JobStreams, Depends(get_streams)]


async def get_watch(streams: StreamsDep, services: ServicesDep) -> AsyncIterator[JobWatch]:
    async with streams.admitted(services) as watch:
        yield watch


def _stream_of_events() -> dict[int | str, dict[str, Any]]:
    """The answer as one text: what generates clients from the description seldom knows of `itemSchema`."""
    example = f"event: jobs\ndata: {JobsResponse(**JOBS_EXAMPLE).model_dump_json()}\nretry: {RETRY_MS}\n\n"
    schema = {"type": "string", "examples": [example]}
    return {200: {"description": "Events", "content": {EventSourceResponse.media_type: {"schema": schema}}}}


@router.get(
    "/jobs/events",
    summary="The jobs of the collection, and again whenever they change",
    response_class=EventSourceResponse,
    responses=_stream_of_events(),
)
async def job_events(
    streams: StreamsDep,
    watch: Annotated[JobWatch, Depends(get_watch)],
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_JOBS, description="how many", examples=[20])] = 20,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events that end with the service. Each is called `jobs` and has the newest jobs, as `GET /api/jobs`.

    The first one comes at once, the others at most a second after a change; a comment after 15 seconds without. 503
    while 100 pages listen.
    """
    async for jobs in streams.changes(watch, limit):
        yield ServerSentEvent(event="jobs", data=JobsResponse(jobs=[JobOut.of(job) for job in jobs]), retry=RETRY_MS)
