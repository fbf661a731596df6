"""JSON routes of what a collection is made of: its models and its jobs, and what changes them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.jobs.store import Job, JobLine, JobState, Wish
from indexer.records import StoredModel
from indexer.roots import FOLDER
from indexer.sources import FolderSource
from indexer.sources.naming import SourceKind
from indexer.training.recipe import Recipe, Trains
from web.collections import ServicesDep
from web.permission import Permission
from web.problems import documented, printable
from web.schemas import examples
from web.workers import start_worker

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

JobId = Annotated[int, PathParameter(ge=1, le=2**31 - 1, examples=[3])]
ModelId = Annotated[int, PathParameter(ge=1, le=2**31 - 1, description="its number in /api/models", examples=[1])]

_RECIPE: Final = Recipe()
_MODEL_EXAMPLE: Final = {
    "id": 1,
    "model": "mini",
    "dimension": 384,
    "embeddings": 1000,
    "serving": True,
    "previous": False,
    "from_thumbnails": False,
    "created_at": "2026-05-11T17:42:08Z",
}
_JOB_EXAMPLE: Final = {
    "id": 3,
    "kind": "reindex",
    "arguments": {"model": "ViT-B-32/laion2b_s34b_b79k"},
    "state": "running",
    "wish": "run",
    "done": 4096,
    "total": 20000,
    "rate": 41.5,
    "seconds_left": 383.2,
    "message": "",
    "result": None,
    "created_at": "2026-05-11T17:42:08Z",
    "started_at": "2026-05-11T17:42:09Z",
    "ended_at": None,
}
JOBS_EXAMPLE: Final = {"jobs": [_JOB_EXAMPLE]}
_LINE_EXAMPLE: Final = {"at": "2026-05-11T17:44:03Z", "text": "/photos/cat.jpg: damaged or truncated picture"}


class ModelOut(BaseModel):
    id: int
    model: str
    dimension: int
    embeddings: int = Field(description="how many images have one")
    serving: bool = Field(description="whether it answers the searches")
    previous: bool = Field(description="whether it did before; `sightline rollback` goes back to it")
    from_thumbnails: bool = Field(description="whether some were made of thumbnails in place of the files")
    created_at: datetime

    @classmethod
    def of(cls, stored: StoredModel) -> ModelOut:
        fields = {name: getattr(stored, name) for name in ("id", "embeddings", "serving", "previous", "created_at")}
        manifest = stored.manifest
        return cls(
            model=manifest.model, dimension=manifest.dimension, from_thumbnails=manifest.has_thumbnails, **fields
        )


class ModelsResponse(BaseModel):
    model_config = examples({"models": [_MODEL_EXAMPLE]})

    models: list[ModelOut]


class JobOut(BaseModel):
    model_config = examples(_JOB_EXAMPLE)

    id: int
    kind: str
    arguments: dict[str, Any]
    state: JobState = Field(description="interrupted: its process is gone; all but done and cancelled can be resumed")
    wish: Wish = Field(description="what was asked of it; a running job takes note at its next batch")
    done: int = Field(description="what it has dealt with: images, or the steps of a training")
    total: int | None
    rate: float | None = Field(description="of these a second, since it was last started")
    seconds_left: float | None
    message: str
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        return cls(**_printable(asdict(job)), seconds_left=job.seconds_left)


class JobsResponse(BaseModel):
    model_config = examples(JOBS_EXAMPLE)

    jobs: list[JobOut]


class JobLineOut(BaseModel):
    at: datetime
    text: str

    @classmethod
    def of(cls, line: JobLine) -> JobLineOut:
        return cls(at=line.at, text=line.text)


class JobWithLog(JobOut):
    model_config = examples({**_JOB_EXAMPLE, "log": [_LINE_EXAMPLE]})

    log: list[JobLineOut]


class IndexJob(BaseModel):
    """Bring the collection up to date with a folder, or with a source of another kind that was indexed before."""

    model_config = examples(
        {"kind": "index", "folder": "/home/ada/Pictures"},
        {"kind": "index", "folder": "s3://photos/2024", "source": "remote"},
    )

    kind: Literal["index"]
    folder: str = Field(
        max_length=4096,
        description="one that was indexed before or that the settings allow, or below; or, with another `source`, the "
        "path of one of `sources` in /api/startable",
    )
    source: SourceKind = Field(default="folder", description="of what kind it is")


class ReindexJob(BaseModel):
    """Embed all images by another model, beside the one that serves."""

    model_config = examples({"kind": "reindex", "model": "ViT-B-32/laion2b_s34b_b79k"})

    kind: Literal["reindex"]
    model: str = Field(max_length=4096, description="one of `models` in /api/startable")
    from_thumbnails: bool = Field(default=False, description="of the page's thumbnails, where they are large enough")


class DeduplicateJob(BaseModel):
    """Find what is there twice."""

    model_config = examples({"kind": "deduplicate"})

    kind: Literal["deduplicate"]


class TagJob(BaseModel):
    """Tag all images anew by the lists of labels that the collection has."""

    model_config = examples({"kind": "tag"})

    kind: Literal["tag"]


class MapJob(BaseModel):
    """Lay all images out on a map anew."""

    model_config = examples({"kind": "map"})

    kind: Literal["map"]


class TrainJob(BaseModel):
    """Train a model on the captions of the collection's own pictures, into a folder in the collection's own.

    What it becomes is in the job's result as `model`, to be named in a job of kind `reindex` and then promoted.
    """

    model_config = examples(
        {"kind": "train", "model": "ViT-B-32/laion2b_s34b_b79k", "train": "adapter", "epochs": 5, "batch_size": 128}
    )

    kind: Literal["train"]
    model: str = Field(max_length=4096, description="what to begin with: one of `models` in /api/startable")
    train: Trains = Field(
        default=_RECIPE.train,
        description="what moves: all weights, the text tower, low-rank updates, or a map on top, which is the fastest",
    )
    epochs: int = Field(default=_RECIPE.epochs, ge=1, le=100, description="times every picture is shown, at most")
    patience: int = Field(default=_RECIPE.patience, ge=1, le=100, description="epochs without better recall")
    batch_size: int = Field(default=_RECIPE.batch_size, ge=2, le=512, description="pairs told apart at once")
    learning_rate: float | None = Field(default=None, ge=1e-6, le=0.1, description="the highest; null: as suits")
    held_out: float = Field(default=_RECIPE.held_out, ge=0.01, le=0.5, description="share that recall is measured on")
    seed: int = Field(default=_RECIPE.seed, ge=0, le=2**32 - 1, description="the same one gives the same training")
    skip_missing: bool = Field(default=False, description="leave out captioned pictures whose files are away")

    def recipe(self) -> Recipe:
        chosen = self.model_dump(exclude={"kind", "model", "skip_missing"})
        return Recipe(**chosen)


NewJob = Annotated[IndexJob | ReindexJob | DeduplicateJob | TagJob | MapJob | TrainJob, Field(discriminator="kind")]


class SourceOut(BaseModel):
    path: str = Field(description="or the URL of an object store; `folder` of a job of kind `index`")
    kind: SourceKind


class StartableResponse(BaseModel):
    """What may be begun from here: named before by the owner of the machine, on the machine itself."""

    model_config = examples(
        {
            "folders": ["/home/ada/Pictures"],
            "sources": [{"path": "s3://photos/2024", "kind": "remote"}],
            "models": ["mini", "ViT-B-32/laion2b_s34b_b79k"],
        }
    )

    folders: list[str] = Field(description="to index, with what is below them; the last indexed first")
    sources: list[SourceOut] = Field(description="of other kinds, to be indexed again")
    models: list[str] = Field(
        description="to embed by, and to begin a training with: of the collection, trained on it, or with weights here"
    )


@router.get("/models", summary="The models that the collection has embeddings of")
def models(services: ServicesDep) -> ModelsResponse:
    return ModelsResponse(models=[ModelOut.of(stored) for stored in services.collection.catalog.models.all()])


@router.post("/models/{model_id}/promote", summary="Have another model answer", responses=documented(403, 404, 409))
def promote(services: ServicesDep, model_id: ModelId) -> ModelsResponse:
    """409 while images lack an embedding of it (`sightline reindex`), or while somebody indexes."""
    services.collection.promote(model_id)
    return models(services)


@router.post("/models/rollback", summary="Go back to the model before", responses=documented(403, 409))
def rollback(services: ServicesDep) -> ModelsResponse:
    """409 if there is none, or while images that came since lack an embedding of it: begin a reindex job first."""
    services.collection.promote(services.collection.catalog.models.previous().id)
    return models(services)


@router.get("/startable", summary="The folders, other sources and models of which a job may be begun here")
def startable(services: ServicesDep) -> StartableResponse:
    allowed = Permission.of(services.collection.catalog, services.settings)
    return StartableResponse(
        folders=[printable(folder) for folder in allowed.folders],
        sources=[SourceOut(path=printable(root.path), kind=root.kind) for root in allowed.sources],
        models=[printable(model) for model in allowed.models],
    )


@router.get("/jobs", summary="The jobs of the collection, the newest first")
def jobs(
    services: ServicesDep,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="how many", examples=[20])] = 20,
) -> JobsResponse:
    return JobsResponse(jobs=[JobOut.of(job) for job in services.collection.catalog.jobs.all(limit)])


@router.post("/jobs", summary="Begin a job, or go on with the same one", responses=documented(400, 403, 409))
def begin(services: ServicesDep, wanted: NewJob) -> JobOut:
    """It runs in a process of its own and goes on when the service ends.

    403 for a folder or model that the owner of the machine has not named before; 409 while a job of that kind runs.
    """
    catalog = services.collection.catalog
    job = catalog.jobs.begin(wanted.kind, _arguments(wanted, Permission.of(catalog, services.settings)))
    start_worker(services.settings.library, job.id)
    return JobOut.of(job)


@router.get("/jobs/{job_id}", summary="One job with its log", responses=documented(404))
def job(services: ServicesDep, job_id: JobId) -> JobWithLog:
    found = services.collection.catalog.jobs
    log = [JobLineOut.of(line) for line in found.log(job_id)]
    return JobWithLog(**JobOut.of(found.get(job_id)).model_dump(), log=log)


@router.post("/jobs/{job_id}/pause", summary="Stop a job at its next batch", responses=documented(403, 404, 409))
def pause(services: ServicesDep, job_id: JobId) -> JobOut:
    return JobOut.of(services.collection.catalog.jobs.pause(job_id))


@router.post("/jobs/{job_id}/resume", summary="Go on with a job", responses=documented(403, 404, 409))
def resume(services: ServicesDep, job_id: JobId) -> JobOut:
    """Takes a pause back, or runs it in a process of its own, as it was begun: no other folder, no other model."""
    job = services.collection.catalog.jobs.resume(job_id)
    if job.state == "queued":
        start_worker(services.settings.library, job_id)
    return JobOut.of(job)


@router.post("/jobs/{job_id}/cancel", summary="Stop a job for good", responses=documented(403, 404, 409))
def cancel(services: ServicesDep, job_id: JobId) -> JobOut:
    """What it has done so far is kept."""
    return JobOut.of(services.collection.catalog.jobs.cancel(job_id))


def _arguments(wanted: NewJob, allowed: Permission) -> dict[str, Any]:
    """Of the job, as the command line writes them. Status 403 for what is not allowed."""
    if isinstance(wanted, IndexJob) and wanted.source != FOLDER:
        return allowed.source(wanted.folder, wanted.source).arguments()
    if isinstance(wanted, IndexJob):
        return {"folder": FolderSource(allowed.folder(wanted.folder)).root}
    if isinstance(wanted, ReindexJob):
        return {"model": allowed.model(wanted.model)} | ({"from_thumbnails": True} if wanted.from_thumbnails else {})
    if isinstance(wanted, TrainJob):  # data and folder are the collection's own
        recipe = asdict(wanted.recipe())
        return {"model": allowed.model(wanted.model), "recipe": recipe, "skip_missing": wanted.skip_missing}
    return {}


def _printable(value: Any) -> Any:
    """The same with U+FFFD for the bytes of paths that are not UTF-8, at any depth."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {name: _printable(entry) for name, entry in value.items()}
    return [_printable(entry) for entry in value] if isinstance(value, list) else value
