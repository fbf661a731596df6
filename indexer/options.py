"""Options that several commands take, and what their exit codes mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Library = Annotated[
    Path | None,
    typer.Option("--library", help="Folder of the collection (environment: SIGHTLINE_LIBRARY).", show_default=False),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        help="`mini`, ARCHITECTURE/TAG as `sightline models` lists them, hf-hub:ORG/NAME, or local-dir:FOLDER.",
        show_default=False,
    ),
]
Backend = Annotated[str | None, typer.Option(help="auto, torch or openvino.", show_default=False)]
Device = Annotated[str | None, typer.Option(help="auto, cpu or cuda.", show_default=False)]
Precision = Annotated[
    str | None,
    typer.Option(help="auto, float32, bfloat16, float16, or int8 where it proves itself.", show_default=False),
]
BatchSize = Annotated[
    str | None, typer.Option("--batch-size", help="Images encoded at once: auto, or how many.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

SOME_FAILED = 1
"""Exit code when the work was done but some files could not be indexed."""
