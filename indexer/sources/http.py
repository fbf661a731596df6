"""Pictures of other machines by URL, with limits on everything that the other side decides.

Only URLs that a list named are ever asked for. Where one leads is looked at when the connection stands and before a
word is said: names that lead into a private network, redirects, and names that change in between are all the same
case then. Proxies of the environment are not used: they would connect, and nobody would look.
"""

from __future__ import annotations

import importlib
import ipaddress
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from indexer.errors import BrokenInstallation, UnreadableImage
from indexer.images import Limits
from indexer.sources.source import file_too_large

if TYPE_CHECKING:
    import urllib3

RETRIES: Final = 3
"""After a broken connection, and 429 and 5xx."""
PAUSE: Final = 0.5
"""Seconds before the second retry; it doubles. A server may ask for another, up to `PATIENCE`."""
PATIENCE: Final = 20.0
REDIRECTS: Final = 5
CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 20.0
"""Between two pieces of an answer."""
WHOLE_SECONDS: Final = 60.0
"""All pieces of an answer together."""
AT_ONCE: Final = 16
"""Pictures under way: what takes time is the way there and back."""
_PIECE: Final = 1 << 16
_ACCEPT: Final = {"User-Agent": "sightline", "Accept": "image/*,*/*;q=0.5", "Accept-Encoding": "identity"}


class Fetcher:
    """Gets URLs. Any number of threads may use it at once; they share connections."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._pool: urllib3.PoolManager | None = None

    def get(self, url: str) -> bytes:
        """What is there. Raises UnreadableImage."""
        urllib3 = _library()
        try:
            response = self._opened().request("GET", url, preload_content=False, headers=_ACCEPT)
            try:
                return self._taken(response)
            finally:
                # In this order: what was not read to its end would else be the answer to somebody's next question.
                response.close()
                response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise UnreadableImage(f"cannot be fetched ({_reason(error)})") from error
        except (OSError, ValueError) as error:
            raise UnreadableImage(f"cannot be fetched ({error})") from error

    def _taken(self, response: urllib3.BaseHTTPResponse) -> bytes:
        if response.status != 200:
            raise UnreadableImage(f"the server answers {response.status} {response.reason or ''}".rstrip())
        limit, until = self._limits.max_bytes, time.monotonic() + WHOLE_SECONDS
        pieces, size = [], int(response.headers.get("Content-Length") or 0)
        if size > limit:
            raise file_too_large(size, limit)
        size = 0
        for piece in response.stream(_PIECE):
            size += len(piece)
            if size > limit:
                raise file_too_large(size, limit)
            if time.monotonic() > until:
                raise UnreadableImage(f"it was not here after {WHOLE_SECONDS:.0f} s")
            pieces.append(piece)
        return b"".join(pieces)

    def _opened(self) -> urllib3.PoolManager:
        with self._lock:
            if self._pool is None:
                self._pool = _pool(self._limits.private_hosts)
            return self._pool


def _library() -> Any:
    try:
        return importlib.import_module("urllib3")
    except ImportError as error:
        raise BrokenInstallation(
            f"pictures by URL need urllib3 ({error}); install it with `pip install 'sightline[remote]'`"
        ) from error


def _pool(private_hosts: frozenset[str]) -> urllib3.PoolManager:
    import urllib3
    from urllib3.connection import HTTPConnection, HTTPSConnection

    def check(connection: HTTPConnection) -> None:
        if connection.host not in private_hosts and not is_public(connection.sock.getpeername()[0]):
            connection.close()
            raise UnreadableImage(
                f"{connection.host} is in a private network; if that is meant, name it with --private-host or in "
                "SIGHTLINE_PRIVATE_HOSTS"
            )

    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            check(self)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            check(self)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    retries = urllib3.Retry(
        total=None,
        connect=RETRIES,
        read=RETRIES,
        status=RETRIES,
        other=0,
        redirect=REDIRECTS,
        backoff_factor=PAUSE,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        retry_after_max=int(PATIENCE),
    )
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    pool = urllib3.PoolManager(num_pools=AT_ONCE, maxsize=AT_ONCE, retries=retries, timeout=timeout)
    pool.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return pool


def is_public(address: str) -> bool:
    """Of one machine out in the internet: neither private, local, multicast nor reserved, also written as IPv6."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast


def _reason(error: BaseException) -> str:
    inner = getattr(error, "reason", None)
    return _reason(inner) if isinstance(inner, BaseException) else " ".join(str(error).split())[:200]
