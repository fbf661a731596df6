"""Who does what: a worker names itself in a row and renews that, and a row of a worker that fell silent is free.

A worker that was killed on this machine is known to be gone at once, by its process number; one elsewhere, or one
whose machine went down, when its lease has run out.
"""

from __future__ import annotations

import os
import secrets
import socket
from datetime import UTC, datetime, timedelta

LEASE = timedelta(seconds=60)
"""How long a worker may be silent."""
BEAT_SECONDS = 5.0
"""How often it speaks: a busy machine may delay a few."""


def new_owner() -> str:
    """A name for a worker in this process, which no other has."""
    return f"{socket.gethostname()[:64]}:{os.getpid()}:{secrets.token_hex(6)}"


def now() -> datetime:
    return datetime.now(UTC)


def is_held(owner: str | None, beat_at: datetime | None) -> bool:
    """Whether the worker that wrote itself there may still be at work."""
    if owner is None or beat_at is None or now() - beat_at > LEASE:
        return False
    host, _, rest = owner.partition(":")
    return host != socket.gethostname()[:64] or _runs(int(rest.partition(":")[0]))


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
