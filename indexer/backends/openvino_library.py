"""The one place that imports OpenVINO and NNCF: without their telemetry, and with errors that say what to install."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

from indexer.errors import BrokenInstallation


def load_openvino() -> Any:
    """The module `openvino`. Raises `BrokenInstallation`."""
    return _without_telemetry("openvino", "OpenVINO")


def load_nncf() -> Any:
    """The module `nncf`, which quantises. Raises `BrokenInstallation`.

    It makes its own the class of every logger to come, and logs to standard output: neither is let stand.
    """
    loggers = logging.getLoggerClass()
    try:
        return _without_telemetry("nncf", "NNCF")
    finally:
        logging.setLoggerClass(loggers)
        logging.getLogger("nncf").setLevel(logging.ERROR)


def _without_telemetry(module: str, name: str) -> Any:
    """Both send an event when they are imported, and at each conversion, unless `openvino_telemetry` is not there.

    Its own ways to opt out write a file into the home of the user. So in this process the package is not to be found,
    a case that both libraries provide for; they are not imported before, as nothing else here uses them.
    """
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise BrokenInstallation(
            f"{name} cannot be loaded ({error}); run `pip install -c constraints.txt '.[cpu,openvino]'`"
        ) from error
