"""The command that asks an index: `search`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.cli import display_path
from indexer.config import Settings, load_settings
from indexer.errors import InvalidQuery, SightlineError, UnreadableImage
from indexer.options import SOME_FAILED, Backend, Device, Json, Library, Model, Precision
from search.benchmark import cli as benchmark_cli
from search.benchmark import compare_cli
from search.query import DEFAULT_K, Query
from search.relevance.claim import CUT, LIKELY

if TYPE_CHECKING:
    from indexer.images import Limits
    from search.engine import Hit, Results, SearchEngine


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the program."""
    app.command()(search)
    benchmark_cli.register(app)
    compare_cli.register(app)


def search(
    text: Annotated[str | None, typer.Argument(help="What the picture shows, in words.", show_default=False)] = None,
    image: Annotated[
        Path | None,
        typer.Option("--image", exists=True, dir_okay=False, readable=True, help="Look for pictures like this one."),
    ] = None,
    image_id: Annotated[int | None, typer.Option("--id", help="Look for pictures like this indexed one.")] = None,
    k: Annotated[int, typer.Option("-k", help="How many results.")] = DEFAULT_K,
    likely: Annotated[
        bool, typer.Option("--likely", help="Only hits that are more likely than not to be what was asked for.")
    ] = False,
    queries: Annotated[
        typer.FileText | None,
        typer.Option(
            "--queries",
            encoding="utf-8-sig",  # Windows' editors begin a file with a mark, which is no part of its first query
            errors="surrogateescape",
            help="One text query a line; - is stdin. JSON lines out.",
        ),
    ] = None,
    as_json: Json = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one a line, to pipe on.")] = False,
    print0: Annotated[
        bool, typer.Option("--print0", "-0", help="Print only paths, each ended by NUL (xargs -0).")
    ] = False,
    library: Library = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Find images by words, by a picture, or by both at once.

    Hits in words come with the probability that they match, and a line where relevance ends.

    Examples: `sightline search "a dog on a beach"`, `sightline search --image chair.jpg -k 5`,
    `sightline search "in the snow" --image dog.jpg`, `sightline search --paths "red car" | head`.
    """
    chosen = load_settings(library=library, model=model, backend=backend, device=device, precision=precision)
    least = LIKELY if likely else 0.0
    if queries is not None:
        if text is not None or image is not None or image_id is not None:
            raise InvalidQuery("--queries takes its queries from the file; leave out the text, --image and --id")
        Query.of(text="any", k=k)  # a k out of range is one error, not one a line
        _search_lines(queries, k, least, chosen)
        return
    picture = _read_picture(image, chosen.limits) if image else None
    query = Query.of(text=text, image=picture, image_id=image_id, k=k, min_probability=least)
    with _open_engine(chosen) as engine:
        results = engine.search(query)
    if as_json:
        typer.echo(json.dumps([_hit_json(hit) for hit in results.hits], indent=2))
    elif paths or print0:
        _write_paths(results.hits, b"\0" if print0 else b"\n")
    else:
        _print_hits(results)


def _read_picture(path: Path, limits: Limits) -> bytes:
    """Never more than the limit and a byte, so that a device or a pipe without an end is refused, too."""
    from indexer.sources import file_too_large

    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = file.read(limits.max_bytes + 1) if size <= limits.max_bytes else b""
    except OSError as error:
        raise UnreadableImage(f"{display_path(str(path))} cannot be read ({error.strerror})") from error
    if max(size, len(data)) > limits.max_bytes:
        raise file_too_large(max(size, len(data)), limits.max_bytes)
    return data


@contextmanager
def _open_engine(settings: Settings) -> Iterator[SearchEngine]:
    """Compose collection, encoder and engine."""
    from indexer.collection import Collection
    from indexer.encoder import load_encoder
    from search.engine import SearchEngine

    with Collection.open(settings.library) as collection:
        model = settings.model or collection.manifest.model
        encoder = load_encoder(model, **settings.encoding())
        yield SearchEngine(collection, encoder, settings.limits)


def _search_lines(lines: Iterable[str], k: int, least: float, settings: Settings) -> None:
    """One JSON line `{query, hits, matches, no_match}` a query, in order; `{query, error}` for one that fails."""
    from search.engine import QUERY_BATCH

    failed = 0
    with _open_engine(settings) as engine:
        stripped = (line.rstrip("\r\n") for line in lines)
        while batch := list(islice(stripped, QUERY_BATCH)):
            for answer in _answers(engine, batch, k, least):
                failed += "error" in answer
                sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    if failed:
        typer.echo(f"failed: {failed:,} queries could not be answered; their lines say why", err=True)
        raise typer.Exit(SOME_FAILED)


def _answers(engine: SearchEngine, texts: Sequence[str], k: int, least: float) -> list[dict[str, Any]]:
    """The answer to each text, all good ones encoded in one batch."""
    answers: list[dict[str, Any]] = [{"query": text} for text in texts]
    good: list[tuple[dict[str, Any], Query]] = []
    for answer, text in zip(answers, texts, strict=True):
        try:
            good.append((answer, Query.of(text=text, k=k, min_probability=least)))
        except SightlineError as error:
            answer["error"] = str(error)
    for (answer, _), results in zip(good, engine.search_many([query for _, query in good]), strict=True):
        answer["hits"] = [_hit_json(hit) for hit in results.hits]
        if results.claim is not None:
            answer["matches"] = asdict(results.claim.matches)
            answer["no_match"] = results.claim.no_match
    return answers


def _hit_json(hit: Hit) -> dict[str, Any]:
    image = hit.image
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "probability": None if hit.probability is None else round(hit.probability, 4),
        "id": image.id,
        "path": image.path,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "size": image.size,
        "taken_at": image.taken_at.isoformat() if image.taken_at else None,
        "camera": image.camera,
    }


def _write_paths(hits: Sequence[Hit], end: bytes) -> None:
    """Paths as the bytes they are on the disk, so that any name survives the pipe."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(os.fsencode(hit.image.path) + end for hit in hits))
    sys.stdout.buffer.flush()


def _print_hits(results: Results) -> None:
    """What is claimed goes to stderr, as it is no hit; the line stands where relevance ends."""
    hits, claim = results.hits, results.claim
    if not results.images:
        typer.echo("the collection is empty; add images with `sightline index FOLDER`", err=True)
        return
    if claim is not None:
        typer.echo(claim.in_words(results.images), err=True)
    last = max((hit.rank for hit in hits if hit.probability is not None and hit.probability > CUT), default=0)
    for hit in hits:
        likely = "" if hit.probability is None else f"  {hit.probability:4.0%}"
        typer.echo(f"{hit.rank:>4}  {hit.score:.3f}{likely}  {display_path(hit.image.path)}")
        if hit.rank == last and hit is not hits[-1]:
            typer.echo("      — below here hardly anything matches —")
