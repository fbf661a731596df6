"""`sightline search` over several collections."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from indexer.cli import display_path
from indexer.config import Settings
from indexer.errors import CollectionError, ModelError
from indexer.options import SOME_FAILED
from indexer.sources.address import shown
from search.cli import hit_json, write_paths
from search.query import Query

if TYPE_CHECKING:
    from indexer.encoder import Encoder
    from indexer.errors import SightlineError
    from search.several import JointResults, Member


def search_jointly(
    query: Query, libraries: Mapping[str, Path], settings: Settings, *, as_json: bool, path_end: bytes | None
) -> None:
    """Print what they find together; with `path_end`, paths alone, each ended by it. Exit code 1: not all answered."""
    from search.several import JointEngine

    with _members(libraries, settings) as members:
        results = JointEngine().search(members, query)
    if as_json:
        typer.echo(json.dumps(_fields(results), indent=2))
    elif path_end is not None:
        write_paths([found.hit for found in results.hits], path_end)
    else:
        _print(results)
    for missing in results.unanswered:
        typer.echo(f"failed: {missing.collection} was left out: {missing.reason}", err=True)
    if results.unanswered:
        raise typer.Exit(SOME_FAILED)


@contextmanager
def _members(libraries: Mapping[str, Path], settings: Settings) -> Iterator[Mapping[str, Member | SightlineError]]:
    """Each opened with its own model; collections of one model share it."""
    from indexer.collection import Collection
    from indexer.encoder import load_encoder
    from search.engine import SearchEngine
    from search.several import Member

    encoders: dict[str, Encoder] = {}
    members: dict[str, Member | SightlineError] = {}
    with ExitStack() as opened:
        for name, library in libraries.items():
            try:
                collection = opened.enter_context(Collection.open(library))
                model = settings.model or collection.manifest.model
                encoder = encoders.get(model) or load_encoder(model, **settings.encoding())
                encoders[model] = encoder
                engine = SearchEngine(collection, encoder, settings.limits)
                members[name] = Member(collection.manifest, engine.search, engine.next_page)
            except (CollectionError, ModelError) as error:
                members[name] = error
        yield members


def _fields(results: JointResults) -> dict[str, object]:
    return {
        "joined": results.joined,
        "unanswered": [{"collection": missing.collection, "reason": missing.reason} for missing in results.unanswered],
        "hits": [{"collection": found.collection, **hit_json(found.hit)} for found in results.hits],
    }


def _print(results: JointResults) -> None:
    if not results.hits:
        typer.echo("the collections are empty; add images with `sightline index FOLDER --library ...`", err=True)
        return
    width = max(len(found.collection) for found in results.hits)
    for found in results.hits:
        hit = found.hit
        typer.echo(
            f"{hit.rank:>4}  {hit.score or 0:.3f}  {found.collection:<{width}}  {display_path(shown(hit.image.path))}"
        )
    if results.joined == "rank":
        typer.echo("different models answered: scores of different collections are not comparable", err=True)
