"""JSON routes of what a collection is made of: its models and its jobs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter
from fastapi import Path as PathParameter
from fastapi import Query as QueryParameter
from pydantic import BaseModel, Field

from indexer.jobs.store import Job, JobState, Wish
from indexer.records import StoredModel
from web.problems import documented
from web.schemas import examples
from web.services import ServicesDep
from web.workers import start_worker

router: Final = APIRouter(prefix="/api", responses=documented(422))

JobId = Annotated[int, PathParameter(ge=1, le=2**31 - 1, examples=[3])]


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
    done: int = Field(description="images dealt with")
    total: int | None
    rate: float | None = Field(description="images a second, since it was last started")
    seconds_left: float | None
    message: str
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @classmethod
    def of(cls, job: Job) -> JobOut:
        return cls(**asdict(job), seconds_left=job.seconds_left)


class JobsResponse(BaseModel):
    model_config = examples({"jobs": [_JOB_EXAMPLE]})

    jobs: list[JobOut]


class JobLineOut(BaseModel):
    at: datetime
    text: str


class JobWithLog(JobOut):
    model_config = examples({**_JOB_EXAMPLE, "log": [_LINE_EXAMPLE]})

    log: list[JobLineOut]


@router.get("/models", summary="The models that the collection has embeddings of")
def models(services: ServicesDep) -> ModelsResponse:
    return ModelsResponse(models=[ModelOut.of(stored) for stored in services.collection.catalog.models.all()])


@router.get("/jobs", summary="The jobs of the collection, the newest first")
def jobs(
    services: ServicesDep,
    limit: Annotated[int, QueryParameter(ge=1, le=1000, description="how many", examples=[20])] = 20,
) -> JobsResponse:
    return JobsResponse(jobs=[JobOut.of(job) for job in services.collection.catalog.jobs.all(limit)])


@router.get("/jobs/{job_id}", summary="One job with its log", responses=documented(404))
def job(services: ServicesDep, job_id: JobId) -> JobWithLog:
    found = services.collection.catalog.jobs
    log = [JobLineOut(at=line.at, text=line.text) for line in found.log(job_id)]
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
