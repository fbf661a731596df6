"""What `sightline train` was asked: kept with a job as JSON, so that any process can begin it or go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from indexer.backends.choice import DeviceChoice
from indexer.errors import InvalidTraining
from indexer.training.recipe import Recipe

if TYPE_CHECKING:
    from indexer.training.finetune import TrainingReport, Watch
    from indexer.training.modelfolder import StoredDtype

_STORED = ("float16", "bfloat16", "float32")
_DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Raises `InvalidTraining` for a value that is not allowed. Paths are absolute."""

    out: Path
    model: str
    data: tuple[Path, ...]
    recipe: Recipe
    images: Path | None = None
    validation: Path | None = None
    skip_missing: bool = False
    weights: StoredDtype = "float16"
    device: DeviceChoice = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        for name, allowed in (("weights", _STORED), ("device", _DEVICES)):
            if getattr(self, name) not in allowed:
                raise InvalidTraining(f"--{name} must be {' or '.join(allowed)}, not {getattr(self, name)!r}")

    @property
    def library(self) -> Path | None:
        """The first collection among the data."""
        from indexer.database import FILE_NAME

        return next((path for path in self.data if (path / FILE_NAME).is_file()), None)

    def arguments(self) -> dict[str, Any]:
        """As a job keeps it: JSON. What it makes comes first, for lists of jobs."""
        plain = asdict(self) | {"data": [str(path) for path in self.data]}
        return {name: str(value) if isinstance(value, Path) else value for name, value in plain.items()}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> TrainingRequest:
        """From what `arguments` gave."""
        given = dict(arguments)
        for name in ("out", "images", "validation"):
            given[name] = None if given.get(name) is None else Path(given[name])
        given["data"] = tuple(map(Path, given["data"]))
        given["recipe"] = Recipe(**given["recipe"])
        return cls(**given)

    def run(self, watch: Watch, *, resume: bool) -> TrainingReport:
        """Raises what `read_captions` and `fine_tune` raise."""
        from indexer.training.captions import hold_out, read_captions
        from indexer.training.finetune import fine_tune

        pictures = read_captions(self.data, images=self.images, skip_missing=self.skip_missing)
        if self.validation is None:
            pictures, measured = hold_out(pictures, self.recipe.held_out, self.recipe.seed)
        else:
            measured = read_captions([self.validation], images=self.images, skip_missing=self.skip_missing)
        return fine_tune(
            self.model,
            pictures,
            measured,
            self.out,
            self.recipe,
            names=[path.name for path in self.data],
            resume=resume,
            device=self.device,
            threads=self.threads,
            stored=self.weights,
            watch=watch,
        )
