"""What the doctor finds quickly, over HTTP. The whole examination, and mending, are for the machine itself."""

from __future__ import annotations

from functools import partial
from typing import Final

from fastapi import APIRouter
from pydantic import BaseModel, Field

from indexer.care.doctor import examine
from indexer.care.findings import Finding, Severity
from indexer.encoder import load_encoder
from web.collections import ServicesDep
from web.problems import documented, printable
from web.schemas import examples

router: Final = APIRouter(prefix="/api", responses=documented(404, 422, 503))

_FINDING: Final = {
    "check": "space",
    "severity": "warning",
    "message": "0.4 GB are free; a new vector index takes 1.3 GB",
    "remedy": "free some space on the disk of /home/ada/.local/share/sightline",
}


class FindingOut(BaseModel):
    check: str = Field(description="what was looked at, as docs/care.md lists it")
    severity: Severity = Field(description="warning: searches are right as they are; broken: they are not, or fail")
    message: str
    remedy: str | None = Field(description="the command that mends it, or what else to do")

    @classmethod
    def of(cls, finding: Finding) -> FindingOut:
        remedy = finding.remedy and printable(finding.remedy)
        return cls(check=finding.check, severity=finding.severity, message=printable(finding.message), remedy=remedy)


class HealthReport(BaseModel):
    model_config = examples({"findings": [_FINDING]})

    findings: list[FindingOut]


@router.get("/health-report", summary="What is wrong with the collection, as far as is found quickly")
def health_report(services: ServicesDep) -> HealthReport:
    """`sightline doctor --quick`: changes nothing. The model, the vectors and the files are for the doctor itself."""
    load = partial(load_encoder, **services.settings.encoding())
    found = examine(services.settings.library, load, quick=True, limits=services.settings.limits)
    return HealthReport(findings=[FindingOut.of(finding) for finding in found])
