"""Networks converted for OpenVINO, kept on disk so that each is converted once."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from indexer.backends.openvino_library import load_openvino

_NETWORK: Final = ("network.xml", "network.bin")
_ABOUT: Final = "about.json"
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Conversion:
    """A network, or the finding that there is to be none."""

    network: Any | None
    """`openvino.Model`."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """What was measured of it, as JSON."""


class Conversions:
    """A folder with one folder a conversion. May be deleted at any time; several processes may share it.

    An entry is written whole or not at all, and read only if its files are what was written, by hash: OpenVINO itself
    does not notice damaged weights.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> Conversion | None:
        """None if there is none. One that is damaged is logged, removed, and None."""
        entry = self._folder / key
        if not entry.exists():
            return None
        try:
            description = json.loads((entry / _ABOUT).read_bytes())
            files: dict[str, str] = description["files"]
            for name, digest in files.items():
                if digest != _digest(entry / name):
                    raise ValueError(f"{name} is not what was written")
            network = load_openvino().Core().read_model(entry / _NETWORK[0]) if files else None
            return Conversion(network, description["about"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            _log.warning("the converted network in %s is damaged (%s) and is made again", entry, error)
            shutil.rmtree(entry, ignore_errors=True)
            return None

    def keep(self, key: str, conversion: Conversion) -> None:
        """For the next time. Where nothing can be written that is logged, and the next time converts again."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self._folder, ignore_cleanup_errors=True) as scratch:
                made = Path(scratch) / key
                made.mkdir()
                _write(made, conversion)
                made.rename(self._folder / key)
        except (OSError, RuntimeError) as error:
            if not (self._folder / key).exists():  # unless another process was quicker
                _log.warning("a converted network cannot be kept in %s (%s)", self._folder, error)


def _write(folder: Path, conversion: Conversion) -> None:
    names = _NETWORK if conversion.network is not None else ()
    if conversion.network is not None:
        load_openvino().save_model(conversion.network, folder / _NETWORK[0], compress_to_fp16=False)
    files = {name: _digest(folder / name) for name in names}
    (folder / _ABOUT).write_text(json.dumps({"files": files, "about": dict(conversion.about)}, indent=2))


def _digest(path: Path) -> str:
    return blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()
