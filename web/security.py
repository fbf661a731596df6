"""What keeps other web sites away from the pictures: there is no password, the browser's own rules are the guard.

Each middleware is plain ASGI, so that answers stream through it untouched.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from web.problems import problem

_log = logging.getLogger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SECURITY_HEADERS: Final = {
    # Scripts and styles come from our own files alone; pictures also from a drop or a paste (blob:, data:).
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    # Another site cannot show our pictures, nor learn from loading them which ids there are.
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: with it browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """Adds `SECURITY_HEADERS` to every answer that does not set its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class UnexpectedErrors:
    """An error that nobody expected: its traceback goes to the log, a bare 500 to the client."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def watched_send(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched_send)
        except Exception:
            if started or scope["type"] != "http":
                raise
            _log.exception("unexpected error in %s %s", scope["method"], scope["path"])
            answer = problem(500, "an unexpected error; the service's log says more")
            await answer(scope, receive, send)


def own_names(bound: str) -> frozenset[str]:
    """The names that the service answers to: localhost, the address it was told to bind, and this machine's own name.

    The machine's name alone and below `.local` cannot be had by a stranger in the public DNS.
    """
    machine = socket.gethostname().lower()
    return frozenset({"localhost", bound.lower(), machine, f"{machine}.local"})


class OwnHostOnly:
    """Refuses requests under a host name that is not ours, which is how DNS rebinding reaches a local service.

    An IP address is always ours: rebinding needs a name. `names` are the others, in lower case.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            host = Headers(scope=scope).get("host", "")
            if not self._is_ours(host):
                answer = problem(
                    421, f"this service does not answer as {host[:100]!r}; use localhost or its IP address"
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class OwnOriginOnly:
    """Refuses requests that change something or cost something when a page of another site made the browser send them.

    As Go's `http.CrossOriginProtection`: `Sec-Fetch-Site` where the browser sends it, else `Origin` against `Host`;
    programs that are not browsers send neither.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS and _is_foreign(Headers(scope=scope)):
            answer = problem(
                403, "this request came from a page of another site; only Sightline's own page may send it"
            )
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2].lower() != headers.get("host", "").lower()
