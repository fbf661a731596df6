"""The one place that imports pyarrow, which comes with the extra `parquet`: Parquet files, and zstd."""

from __future__ import annotations

import importlib
from typing import Any

from indexer.errors import BrokenInstallation


def load_arrow(module: str = "pyarrow", *, needed_for: str) -> Any:
    """`pyarrow` or a module of it, such as `pyarrow.parquet`. Raises BrokenInstallation if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BrokenInstallation(
            f"{needed_for} needs pyarrow ({error}); install it with `pip install 'sightline[parquet]'`"
        ) from error
