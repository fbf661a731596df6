"""The `sightline` program: joins every folder's commands, adds `serve`, and turns errors into exit codes."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

import indexer.care.cli
import indexer.cli
import indexer.moving.cli
import indexer.tags.cli
import search.cli
import search.explain_cli
from indexer import __version__
from indexer.config import Settings, load_settings
from indexer.errors import InvalidRequest, InvalidSettings, SightlineError, UnreadableImage
from indexer.opening import say_what_encodes
from indexer.options import Backend, Device, Model, Precision
from search.libraries import Libraries, named_libraries

WRONG_USE = 2
COULD_NOT_RUN = 3
PORTS_TRIED = 20

app = typer.Typer(
    name="sightline",
    help="Find pictures by words, by another picture, or by both at once.",
    epilog="Exit codes: 0 all well; 1 done, some failures reported; 2 wrong use; 3 could not run.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def program(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """The options of the program itself; its help is the one given above."""


indexer.cli.register(app)
indexer.care.cli.register(app)
indexer.moving.cli.register(app)
indexer.tags.cli.register(app)
search.cli.register(app)
search.explain_cli.register(app)


@app.command()
def serve(
    library: Libraries = None,
    model: Model = None,
    backend: Backend = None,
    device: Device = None,
    precision: Precision = None,
    host: Annotated[str | None, typer.Option(help="Address to bind.", show_default="127.0.0.1")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to bind; 0 takes a free one.", show_default="8000, or the next free one")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Keep the collections up to date meanwhile, as `sightline watch` does.")
    ] = False,
) -> None:
    """Serve the search page and the HTTP API, over one collection or several."""
    libraries = named_libraries(library)
    settings = load_settings(
        library=next(iter(libraries.values())),
        model=model,
        backend=backend,
        device=device,
        precision=precision,
        host=host,
        port=port,
    )
    say_what_encodes()
    _serve(settings, libraries, watch=watch)


def _serve(settings: Settings, libraries: Mapping[str, Path], *, watch: bool) -> None:
    from web.app import create_app
    from web.collections import open_collections
    from web.server import Server
    from web.workers import watching

    # Opened before the address is announced: what is wrong with collection or model is one line, as everywhere.
    with contextlib.closing(_bind(settings)) as listener, open_collections(settings, libraries) as collections:
        address, bound_port = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        typer.echo(f"Sightline is at http://{shown}:{bound_port}/ (Ctrl+C ends it)")
        if address not in ("127.0.0.1", "::1"):
            typer.echo("warning: there is no password; everyone who reaches this address sees the pictures", err=True)
        application = create_app(settings, collections=collections)
        # uvicorn shuts down on Ctrl+C and then raises it again; it is the way to end, so not a failure.
        with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as watches:
            for path in libraries.values() if watch else ():
                watches.enter_context(watching(settings.model_copy(update={"library": path})))
            Server(application).run(sockets=[listener])


def _bind(settings: Settings) -> socket.socket:
    """A listening socket on the port asked for, or on the first free one from the default port up."""
    chosen = "port" in settings.model_fields_set
    ports = [settings.port] if chosen else range(settings.port, settings.port + PORTS_TRIED)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in ports:
        try:
            return socket.create_server((settings.host, port), family=family)
        except OSError as error:
            reason = error.strerror or str(error)
    raise InvalidSettings("port", ", ".join(map(str, ports)) if chosen else f"{ports[0]} to {ports[-1]}", reason)


def main() -> None:
    """Run the program. Errors of ours become one line on stderr; anything else is a bug and says so."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    # What Pillow has to say of a damaged file is in the report, with the file's name.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    logging.getLogger("PIL").setLevel(logging.CRITICAL)
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # retries; what fails in the end is in the report
    try:
        app()
    except SightlineError as error:
        wrong_use = isinstance(error, InvalidRequest | UnreadableImage)
        _fail(str(error), WRONG_USE if wrong_use else COULD_NOT_RUN)
    except Exception as error:
        if os.environ.get("SIGHTLINE_DEBUG"):
            raise
        _fail(f"unexpected {type(error).__name__}: {error}; SIGHTLINE_DEBUG=1 shows where", COULD_NOT_RUN)


def _fail(message: str, code: int) -> None:
    typer.echo(f"error: {' '.join(message.split())}", err=True)
    sys.exit(code)


if __name__ == "__main__":
    main()
