"""The collections of one service, by name: opened when they can be; one that cannot does no harm to the others."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, cast
from weakref import WeakValueDictionary

from fastapi import Depends, HTTPException, Request
from fastapi import Query as QueryParameter
from pydantic import StringConstraints

from indexer.config import Settings
from indexer.encoder import Encoder, load_encoder
from indexer.errors import CollectionError, ModelError, SightlineError
from search.libraries import NAME
from search.several import JointEngine, Member
from web.services import Services, open_services

RETRY_SECONDS = 30.0
"""After a collection that could not be opened: a disk may have been connected."""

_log = logging.getLogger(__name__)


class Collections:
    """Safe to use from any number of threads. The first one is meant where none is named."""

    def __init__(self, libraries: Mapping[str, Path], open_one: Callable[[Path], Services]) -> None:
        """Raises the first one's error if none can be opened."""
        self._libraries, self._open = dict(libraries), open_one
        self._opened: dict[str, Services] = {}
        self._failed: dict[str, tuple[SightlineError, float]] = {}
        self._opening = threading.Lock()
        self.joint = JointEngine()
        for name in self._libraries:
            self._try(name)
        if not self._opened:
            raise next(iter(self._failed.values()))[0]

    @classmethod
    def of_one(cls, services: Services) -> Collections:
        """One that is open already; its folder's name is its own."""
        library = services.settings.library
        return cls({library.name: library}, lambda library: services)

    @property
    def names(self) -> Sequence[str]:
        return tuple(self._libraries)

    @property
    def first(self) -> Services:
        """Raises why it cannot be used."""
        return self.services(next(iter(self._libraries)))

    def services(self, name: str) -> Services:
        """Raises why it cannot be used, and KeyError for a name that is none."""
        state = self.state(name)
        if isinstance(state, SightlineError):
            raise state
        return state

    def state(self, name: str) -> Services | SightlineError:
        """It, or why it cannot be used; then it is tried again, beside. Raises KeyError for a name that is none."""
        if name in self._opened:
            return self._opened[name]
        error, since = self._failed[name]
        if time.monotonic() - since >= RETRY_SECONDS and self._opening.acquire(blocking=False):
            threading.Thread(target=self._try_again, args=(name,), name="sightline-open", daemon=True).start()
        return error

    def _try_again(self, name: str) -> None:
        try:
            if name not in self._opened:
                self._try(name)
        finally:
            self._opening.release()

    def _try(self, name: str) -> None:
        try:
            self._opened[name] = self._named(self._open(self._libraries[name]), name)
        except (CollectionError, ModelError) as error:
            _log.warning("the collection %s cannot be used: %s", name, error)
            self._failed[name] = error, time.monotonic()

    @property
    def main(self) -> Services:
        """One that can be used, for what belongs to all: limits, and the pictures that people search with."""
        return next(iter(self._opened.values()))

    def _named(self, services: Services, name: str) -> Services:
        if len(self._libraries) == 1:
            return services
        pictures = self.main.query_images if self._opened else services.query_images
        return replace(services, name=name, query_images=pictures)

    def members(self, names: Sequence[str]) -> dict[str, Member | SightlineError]:
        """To be asked together."""
        return {name: _member(self.state(name)) for name in names}


@contextmanager
def open_collections(
    settings: Settings, libraries: Mapping[str, Path], encoder: Encoder | None = None
) -> Iterator[Collections]:
    """Open those that can be, with `open_services`; closes them at exit. Raises the first one's error if none can."""
    load = _shared(partial(load_encoder, **settings.encoding()))
    with ExitStack() as opened:

        def open_one(library: Path) -> Services:
            own = settings.model_copy(update={"library": library})
            return opened.enter_context(open_services(own, encoder, load))

        yield Collections(libraries, open_one)


def _shared(load: Callable[[str], Encoder]) -> Callable[[str], Encoder]:
    """Collections of one model share it while one of them is open."""
    loaded: WeakValueDictionary[str, Encoder] = WeakValueDictionary()

    def shared(model: str) -> Encoder:
        encoder = loaded.get(model)
        if encoder is None:
            encoder = loaded[model] = load(model)
        return encoder

    return shared


def _member(state: Services | SightlineError) -> Member | SightlineError:
    if isinstance(state, SightlineError):
        return state
    engine = state.serving.engine
    return Member(state.collection.manifest, engine.search, state.serving.next_page)


def get_collections(request: Request) -> Collections:
    return cast(Collections, request.app.state.collections)


CollectionsDep = Annotated[Collections, Depends(get_collections)]
Name = Annotated[
    str | None,
    QueryParameter(pattern=f"^{NAME}$", description="of the collections served, by its name; the first by default"),
]


def get_services(collections: CollectionsDep, collection: Name = None) -> Services:
    if collection is None:
        return collections.first
    return collections.services(known(collections, collection))


def known(collections: Collections, name: str) -> str:
    """The name. Status 404 if no collection has it."""
    if name not in collections.names:
        raise HTTPException(404, f"no collection is called {name[:64]!r} here; /api/collections lists them")
    return name


def get_names(
    collections: CollectionsDep,
    collection: Annotated[
        list[Annotated[str, StringConstraints(pattern=f"^{NAME}$")]] | None,
        QueryParameter(description="of the collections to search, by name; all by default", examples=[["Pictures"]]),
    ] = None,
) -> Sequence[str]:
    return tuple(dict.fromkeys(known(collections, name) for name in collection or collections.names))


ServicesDep = Annotated[Services, Depends(get_services)]
"""What a route works with: that of the collection it is asked for."""
NamesDep = Annotated[Sequence[str], Depends(get_names)]
"""The collections that a search is over, at least one."""
