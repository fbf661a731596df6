"""The command that asks an index: `search`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from indexer.config import Settings, load_settings
from indexer.errors import InvalidQuery, InvalidRequest, SightlineError, UnreadableImage
from indexer.options import SOME_FAILED, Backend, Device, Json, Model, Precision
from indexer.sources.address import location, parse, shown
from indexer.terminal import display_path
from indexer.texts import ImageText, of_kind
from indexer.words.fields import PLACES
from search import concepts_cli
from search.benchmark import cli as benchmark_cli
from search.benchmark import compare_cli
from search.libraries import Libraries, named_libraries
from search.query import DEFAULT_AMONG, DEFAULT_K, Query, TextTerm
from search.query_options import QueryOptions
from search.relevance.claim import CUT, LIKELY

if TYPE_CHECKING:
    from indexer.images import Limits
    from search.engine import Hit, Results, SearchEngine
    from search.facets import Facets
    from search.relevance.claim import Claim


def register(app: typer.Typer) -> None:
    """Add this folder's commands to the program."""
    app.command()(search)
    concepts_cli.register(app)
    benchmark_cli.register(app)
    compare_cli.register(app)


def search(
    text: Annotated[str | None, typer.Argument(help="What the picture shows, in words.", show_default=False)] = None,
    texts: Annotated[
        list[str] | None,
        typer.Option("--text", metavar="TEXT[:WEIGHT]", help="More words, with a weight of their own; repeatable."),
    ] = None,
    images: Annotated[
        list[str] | None,
        typer.Option("--image", metavar="FILE[:WEIGHT]", help="Look for pictures like this one; repeatable."),
    ] = None,
    image_ids: Annotated[
        list[str] | None,
        typer.Option("--id", metavar="ID[:WEIGHT]", help="Look for pictures like this indexed one; repeatable."),
    ] = None,
    unwanted: Annotated[
        list[str] | None, typer.Option("--not", metavar="TEXT[:WEIGHT]", help="What is not to be seen; repeatable.")
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(metavar="X,Y,W,H", help="The part of the one --image or --id to look for, in fractions of it."),
    ] = None,
    prompts: Annotated[
        list[str] | None,
        typer.Option("--prompt", help="A sentence with {} in the place of a text; several are averaged; repeatable."),
    ] = None,
    box: Annotated[
        str | None, typer.Option(help="Everything in one line: `dogs summer 2023 -grass camera:canon`.")
    ] = None,
    filter: Annotated[
        str | None, typer.Option(help="Only images that pass: `camera:canon OR camera:nikon`, or JSON.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", help="Only images taken then or later: 2023, last March.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="Only images taken then or before: 2023, 2023-07-21.")
    ] = None,
    folder: Annotated[Path | None, typer.Option(help="Only images below this folder.")] = None,
    types: Annotated[str | None, typer.Option("--type", help="Only files of these formats: jpeg,png.")] = None,
    colours: Annotated[
        str | None, typer.Option("--color", help="Only images with any of these colours: red,blue, or red>=30%.")
    ] = None,
    rating: Annotated[str | None, typer.Option(help="Only images with these stars: 4, >=3, 3..5.")] = None,
    tags: Annotated[
        list[str] | None, typer.Option("--tag", help="Only images with this tag, concept or list; repeatable.")
    ] = None,
    hidden: Annotated[
        list[str] | None, typer.Option("--hide", help="No images with this tag, concept or list; repeatable.")
    ] = None,
    right: Annotated[
        list[int] | None, typer.Option("--right", metavar="ID", help="A hit that is right: more like it; repeatable.")
    ] = None,
    wrong: Annotated[
        list[int] | None, typer.Option("--wrong", metavar="ID", help="A hit that is wrong: less like it; repeatable.")
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(help="score, newest, oldest, name or rating; with words or pictures, of the best --among."),
    ] = None,
    among: Annotated[int, typer.Option(help="How many of the best are sorted, and counted in facets.")] = DEFAULT_AMONG,
    facets: Annotated[
        bool, typer.Option("--facets", help="Count the result by format, year, camera, colour, folder and so on.")
    ] = False,
    k: Annotated[int, typer.Option("-k", help="How many results.")] = DEFAULT_K,
    relevance: Annotated[
        bool, typer.Option("--relevance", help="Say of each hit in words how likely it matches, and how many may.")
    ] = False,
    likely: Annotated[
        bool, typer.Option("--likely", help="Only hits that are more likely than not to be what was asked for.")
    ] = False,
    words: Annotated[
        bool | None,
        typer.Option(
            "--words/--no-words",
            help="Look for the words in names, folders, captions, keywords and tags, too.",
            show_default="where texts alone are given",
        ),
    ] = None,
    queries: Annotated[
        typer.FileText | None,
        typer.Option(
            "--queries",
            encoding="utf-8-sig",  # Windows' editors begin a file with a mark, which is no part of its first query
            errors="surrogateescape",
            help="One text query a line; - is stdin. JSON lines out.",
        ),
    ] = None,
    collapse: Annotated[
        bool, typer.Option("--collapse", help="Show of each group of duplicates the best hit only.")
    ] = False,
    as_json: Json = False,
    paths: Annotated[bool, typer.Option("--paths", help="Print only paths, one a line, to pipe on.")] = False,
    print0: Annotated[
        bool, typer.Option("--print0", "-0", help="Print only paths, each ended by NUL (xargs -0).")
    ] = False,
    zip_file: Annotated[
        Path | None, typer.Option("--zip", help="Also write the originals of the results to this ZIP file.")
    ] = None,
    library: Libraries = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
) -> None:
    """Find images by words, by pictures, by both at once, and by what is known of them.

    Examples: `sightline search "a dog on a beach"`, `sightline search --image chair.jpg -k 5`,
    `sightline search "beach at sunset" --image chair.jpg:0.5 --not people`,
    `sightline search --filter "summer 2023 type:jpeg" --sort newest`, `sightline search --paths "red car" | head`.
    """
    named = named_libraries(library)
    first = next(iter(named.values()))
    chosen = load_settings(library=first, model=model, backend=backend, device=device, precision=precision)
    options = QueryOptions(
        text=text,
        texts=tuple(texts or ()),
        images=tuple(images or ()),
        image_ids=tuple(image_ids or ()),
        unwanted=tuple(unwanted or ()),
        region=region,
        prompts=tuple(prompts or ()),
        box=box,
        filter=filter,
        since=since,
        until=until,
        folder=folder,
        types=types,
        colours=colours,
        rating=rating,
        tags=tuple(tags or ()),
        hidden=tuple(hidden or ()),
        right=tuple(right or ()),
        wrong=tuple(wrong or ()),
        sort=sort,
        among=among,
        collapse=collapse,
        k=k,
        relevance=relevance,
        min_probability=LIKELY if likely else 0.0,
        words=words,
    )
    if queries is not None:
        if len(named) > 1:
            raise InvalidQuery("--queries is of one collection; give one --library")
        plain = QueryOptions(
            k=k, collapse=collapse, relevance=relevance, min_probability=options.min_probability, words=words
        )
        if options != plain or facets or zip_file is not None:
            raise InvalidQuery("--queries takes its queries from the file; leave out everything else that is asked for")
        any_text = replace(options, text="any").query(lambda _: b"")  # a k out of range is one error, not one a line
        _search_lines(queries, any_text, chosen)
        return
    query = options.query(lambda path: read_picture(path, chosen.limits))
    if len(named) > 1:
        if facets or zip_file is not None:
            raise InvalidQuery("facets and --zip are of one collection; give one --library")
        from search.several_cli import search_jointly

        search_jointly(query, named, chosen, as_json=as_json, path_end=_path_end(paths, print0))
        return
    with open_engine(chosen) as engine:
        results = engine.search(query, facets=facets)
        said = engine.collection.catalog.texts([hit.image.id for hit in results.hits]) if as_json else {}
    if zip_file is not None:
        _write_zip(zip_file, results.hits, chosen.limits)
    if as_json:
        typer.echo(json.dumps(_results_json(results, said), indent=2))
    elif end := _path_end(paths, print0):
        write_paths(results.hits, end)
    else:
        _print_results(results)


def _write_zip(target: Path, hits: Sequence[Hit], limits: Limits) -> None:
    from indexer.moving.zipped import zipped
    from indexer.originals import Originals

    try:
        with target.open("wb") as file:
            file.writelines(zipped((hit.image for hit in hits), Originals(limits)))
    except OSError as error:
        raise InvalidRequest(f"{display_path(str(target))} cannot be written ({error.strerror})") from error


def _path_end(paths: bool, print0: bool) -> bytes | None:
    """What ends each path; None if more than paths is to be printed."""
    if print0:
        return b"\0"
    return b"\n" if paths else None


def read_picture(path: Path, limits: Limits) -> bytes:
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
def open_engine(settings: Settings) -> Iterator[SearchEngine]:
    """Compose collection, encoder and engine."""
    from indexer.collection import Collection
    from indexer.encoder import load_encoder
    from search.engine import SearchEngine

    with Collection.open(settings.library) as collection:
        model = settings.model or collection.manifest.model
        encoder = load_encoder(model, **settings.encoding())
        yield SearchEngine(collection, encoder, settings.limits)


def _search_lines(lines: Iterable[str], asked: Query, settings: Settings) -> None:
    """Each line asked for as `asked` is: one JSON line `{query, hits}`, in order, or `{query, error}`.

    Where a claim is made there are `matches` and `no_match`, too.
    """
    from search.engine import QUERY_BATCH

    failed = 0
    with open_engine(settings) as engine:
        stripped = (line.rstrip("\r\n") for line in lines)
        while batch := list(islice(stripped, QUERY_BATCH)):
            for answer in _answers(engine, batch, asked):
                failed += "error" in answer
                sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    if failed:
        typer.echo(f"failed: {failed:,} queries could not be answered; their lines say why", err=True)
        raise typer.Exit(SOME_FAILED)


def _answers(engine: SearchEngine, texts: Sequence[str], asked: Query) -> list[dict[str, Any]]:
    """The answer to each text, all good ones encoded in one batch."""
    answers: list[dict[str, Any]] = [{"query": text} for text in texts]
    good: list[tuple[dict[str, Any], Query]] = []
    for answer, text in zip(answers, texts, strict=True):
        try:
            good.append((answer, replace(asked, terms=(TextTerm(text),))))
        except SightlineError as error:
            answer["error"] = str(error)
    found = engine.search_many([query for _, query in good])
    said = engine.collection.catalog.texts({hit.image.id for results in found for hit in results.hits})
    for (answer, _), results in zip(good, found, strict=True):
        answer["hits"] = hits_json(results.hits, said)
        if results.claim:
            answer |= _claim_json(results.claim)
    return answers


def _results_json(results: Results, said: Mapping[int, Sequence[ImageText]]) -> list[dict[str, Any]] | dict[str, Any]:
    """The hits, each with what is said of its image; with facets or a claim, all under their names."""
    hits = hits_json(results.hits, said)
    more: dict[str, Any] = {"facets": asdict(results.facets)} if results.facets else {}
    if results.claim:
        more |= _claim_json(results.claim)
    return {"hits": hits, **more} if more else hits


def _claim_json(claim: Claim) -> dict[str, Any]:
    return {"matches": asdict(claim.matches), "no_match": claim.no_match}


def hits_json(hits: Sequence[Hit], said: Mapping[int, Sequence[ImageText]]) -> list[dict[str, Any]]:
    return [hit_json(hit) | _texts_json(said.get(hit.image.id, ())) for hit in hits]


def hit_json(hit: Hit) -> dict[str, Any]:
    image = hit.image
    return {
        "rank": hit.rank,
        "score": None if hit.score is None else round(hit.score, 6),
        "shares": [round(share, 6) for share in hit.shares],
        "probability": None if hit.probability is None else round(hit.probability, 4),
        "id": image.id,
        "path": image.path,
        "seconds": parse(image.path).seconds,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "size": image.size,
        "taken_at": image.taken_at.isoformat() if image.taken_at else None,
        "camera": image.camera,
        "rating": image.rating,
        "duplicates": hit.behind,
        "routes": list(hit.routes),
        "words": [asdict(match) for match in hit.words],
    }


def _texts_json(texts: Sequence[ImageText]) -> dict[str, Any]:
    title = next(iter(of_kind(texts, "title")), None)
    return {"title": title, "captions": of_kind(texts, "caption"), "keywords": of_kind(texts, "keyword")}


def write_paths(hits: Sequence[Hit], end: bytes) -> None:
    """Paths as the bytes they are on the disk, so that any name survives the pipe."""
    sys.stdout.flush()
    sys.stdout.buffer.write(b"".join(os.fsencode(location(hit.image.path)) + end for hit in hits))
    sys.stdout.buffer.flush()


def _print_results(results: Results) -> None:
    """What is claimed goes to stderr, as it is no hit; the line stands where relevance ends."""
    if not results.hits:
        typer.echo(_why_none(results), err=True)
    if results.claim:
        typer.echo(results.claim.in_words(), err=True)
    last = max((hit.rank for hit in results.hits if hit.probability is not None and hit.probability > CUT), default=0)
    for hit in results.hits:
        typer.echo(f"{hit.rank:>4}  {_scored(hit)}{display_path(shown(hit.image.path))}{_said(hit)}")
        if hit.rank == last and hit is not results.hits[-1]:
            typer.echo("below here less than one in ten is likely to match", err=True)
    if results.facets:
        _print_facets(results.facets)


def _why_none(results: Results) -> str:
    if not results.images:
        return "the collection is empty; add images with `sightline index FOLDER`"
    if results.claim and results.matched != 0:
        return "no hit is likely enough; leave out --likely to see the best"
    return "no image passes the filter; ask for less"


def _said(hit: Hit) -> str:
    """Where the words stand, if not in the path, which is there to be read."""
    said = (f"{match.field}: {display_path(match.text)}" for match in hit.words if match.field not in PLACES)
    return "".join(f"  [{text}]" for text in islice(said, 1))


def _scored(hit: Hit) -> str:
    """The score and, of several terms, what each gives to it."""
    if hit.score is None:
        return ""
    shares = " ".join(f"{share:+.3f}" for share in hit.shares) if len(hit.shares) > 1 else ""
    likely = "" if hit.probability is None else f"{hit.probability:4.0%}  "
    return f"{hit.score:.3f}  {likely}" + (f"({shares})  " if shares else "")


def _print_facets(facets: Facets) -> None:
    for name in ("format", "orientation", "year", "camera", "color", "rating", "folder", "tag"):
        counts = ", ".join(f"{display_path(count.value)} {count.images:,}" for count in getattr(facets, name))
        typer.echo(f"{name}: {counts or 'not known'}")
