"""Files of the Hugging Face hub: which are in this machine's cache, and whether the rest can be had at all.

The hub's client retries a connection that fails for about 24 seconds a file. So the cache is looked at first without
the client, the network is tried once with a short limit, and a model that is all here is loaded without any request.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROBE_SECONDS = 4.0
_SHA256 = re.compile(r"[0-9a-f]{64}")
_offline_switch = threading.Lock()


@dataclass(frozen=True, slots=True)
class HubFile:
    """One file in a repository of the hub, under the first of its possible names that exists."""

    repository: str
    """`organisation/name`."""
    names: tuple[str, ...]
    """In the order in which open_clip tries them."""

    def cached(self) -> Path | None:
        """Where it is in the hub's cache; never asks the network."""
        from huggingface_hub import try_to_load_from_cache

        for name in self.names:
            found = try_to_load_from_cache(self.repository, name)
            if isinstance(found, str):
                return Path(found)
        return None

    def download(self) -> Path:
        """Into the hub's cache. Raises huggingface_hub's errors, `EntryNotFoundError` if it has none of the names."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import RemoteEntryNotFoundError

        for name in self.names[:-1]:
            try:
                return Path(hf_hub_download(self.repository, name))
            except RemoteEntryNotFoundError:
                continue
        return Path(hf_hub_download(self.repository, self.names[-1]))


def cache_folder() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def forbidden() -> bool:
    """Whether the user asked for no network, with `HF_HUB_OFFLINE=1`."""
    from huggingface_hub import constants

    return bool(constants.is_offline_mode())


def reachable(seconds: float = PROBE_SECONDS) -> bool:
    """Whether the hub answers at all, an error included, through the proxies the environment names."""
    answered = threading.Event()
    # Looking up a name has no timeout of its own, hence a thread that is left behind if it takes too long.
    probe = threading.Thread(target=_probe, args=(answered, seconds), name="hub-probe", daemon=True)
    probe.start()
    probe.join(seconds)
    return answered.is_set()


def _probe(answered: threading.Event, seconds: float) -> None:
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    from huggingface_hub import constants

    try:
        with urlopen(Request(constants.ENDPOINT, method="HEAD"), timeout=seconds):
            answered.set()
    except HTTPError:
        answered.set()
    except (OSError, ValueError):
        return


@contextmanager
def offline() -> Iterator[None]:
    """No request to the hub leaves this process meanwhile: what is not in the cache is an error at once.

    open_clip and transformers take no such argument; the hub's client reads this constant at every request.
    """
    from huggingface_hub import constants

    with _offline_switch:
        before = constants.HF_HUB_OFFLINE
        constants.HF_HUB_OFFLINE = True
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before


def recorded_sha256(path: Path) -> str | None:
    """The SHA-256 under which the hub's cache stores a large file, if `path` is in that cache and is such a file."""
    blob = path.resolve()
    return blob.name if blob.parent.name == "blobs" and _SHA256.fullmatch(blob.name) else None
