"""What may be begun from a browser: only what the owner of this machine has named before, on the machine itself.

There is no password, so that a page must not make the service read folders or model files of its choice.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from fastapi import HTTPException

from indexer.catalog import Catalog
from indexer.checkpoints import CONFIG_FILE
from indexer.config import Settings
from indexer.jobs.store import KEPT, Job
from indexer.models import DEFAULT_MODEL, KNOWN_MODELS, weights_here
from indexer.roots import FOLDER, Root
from indexer.source_roots import sources_of
from indexer.sources.naming import KINDS, NamedSource


@dataclass(frozen=True, slots=True)
class Permission:
    """Names are as the catalog has them: bytes of paths that are not UTF-8 are surrogates."""

    folders: tuple[str, ...]
    """Those that were indexed before, the last one first, then those of the settings."""
    sources: tuple[Root, ...]
    """Of other kinds than folders: those that were indexed before. They are given as they were named."""
    models: tuple[str, ...]
    """To embed by, and to begin a training with: those that the collection has, those trained on it, and those that we
    know and whose weights are here."""

    @classmethod
    def of(cls, catalog: Catalog, settings: Settings) -> Permission:
        jobs = catalog.jobs.all(KEPT)
        configured = (os.path.abspath(folder.expanduser()) for folder in settings.job_folders)  # noqa: PTH100
        here = (model.name for model in KNOWN_MODELS if weights_here(model.name) is not None)
        known = catalog.roots.all()
        roots = (root.path for root in known if root.kind == FOLDER)
        own = (stored.manifest.model for stored in catalog.models.all())
        return cls(
            folders=tuple(dict.fromkeys((*_indexed(jobs), *roots, *configured))),
            sources=tuple(root for root in known if root.kind != FOLDER and root.kind in KINDS),
            models=tuple(dict.fromkeys((*own, *_trained(jobs), DEFAULT_MODEL, *here))),
        )

    def folder(self, folder: str) -> str:
        """It, without `..`. Status 403 unless it is one of these folders or below one, also if it is not there."""
        path = os.path.normpath(folder)
        if not any(_is_within(path, root) for root in self.folders):
            raise HTTPException(
                403,
                f"{folder[:200]!r} is in no folder that was indexed before; index it once on the machine itself "
                "(`sightline index FOLDER`), or name a folder above it in SIGHTLINE_JOB_FOLDERS",
            )
        return path

    def source(self, place: str, kind: str) -> NamedSource:
        """It, with the options that it was indexed with. Status 403 unless it is one of these sources."""
        found = [root for root in self.sources if root.key == (place, kind)]
        if not found:
            raise HTTPException(
                403,
                f"{place[:200]!r} is no {kind} that was indexed before; index it once on the machine itself "
                f"(`sightline index SOURCE`)",
            )
        [named] = sources_of(found)
        return named

    def model(self, model: str) -> str:
        """It. Status 403 unless it is one of these models."""
        if model not in self.models:
            raise HTTPException(
                403,
                f"{model[:200]!r} is no model of this collection, and none that `sightline models` says is here; fill "
                "it on the machine itself: `sightline reindex --model MODEL`",
            )
        return model


def _indexed(jobs: Sequence[Job]) -> list[str]:
    folders = (job.arguments.get("folder") for job in jobs if job.kind == "index")
    return [folder for folder in folders if isinstance(folder, str)]


def _trained(jobs: Sequence[Job]) -> list[str]:
    """Whoever trained them named their folders on the machine itself, or they are in the collection's own folder."""
    models = ((job.result or {}).get("model") for job in jobs if job.kind == "train")
    named = (model for model in models if isinstance(model, str))
    return [model for model in named if (Path(model.removeprefix("local-dir:")) / CONFIG_FILE).is_file()]


def _is_within(path: str, root: str) -> bool:
    """By their names: links are followed below a folder that is indexed. What is hidden in it was left out of it."""
    try:
        below = PurePath(path).relative_to(root)
    except ValueError:
        return False
    return not any(part.startswith(".") for part in below.parts)
