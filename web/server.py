"""The server that `sightline serve` runs: uvicorn, which ends also while pages listen to events."""

from __future__ import annotations

import socket

import uvicorn
from fastapi import FastAPI

from web.job_events import JobStreams


class Server(uvicorn.Server):
    """uvicorn waits for the answers under way before it tells the application to end; a stream has to end before."""

    def __init__(self, app: FastAPI, **config: object) -> None:
        """`config` is uvicorn's."""
        super().__init__(uvicorn.Config(app, log_level="warning", **config))  # type: ignore[arg-type]
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        streams: JobStreams = self._app.state.job_streams
        streams.close()
        await super().shutdown(sockets)
