"""Problem details (RFC 9457): the one shape of every error answer, `application/problem+json`."""

from __future__ import annotations

import http.client
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

MEDIA_TYPE: Final = "application/problem+json"
NO_TYPE: Final = "about:blank"
_SURROGATE = re.compile("[\ud800-\udfff]")


class Problem(BaseModel):
    """What went wrong, for a program (`type`, `status`) and for a person (`title`, `detail`)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="names the kind of problem; `about:blank` where the status says it all")
    title: str = Field(description="the kind of problem in a few words")
    status: int = Field(ge=400, le=599, description="the HTTP status code")
    detail: str = Field(description="one line: the thing, the limit, the remedy")


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def printable(text: str) -> str:
    """The text with U+FFFD for what UTF-8 cannot hold: the bytes of file names that are not UTF-8."""
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def status_phrase(status: int) -> str:
    return http.client.responses.get(status, "Error")


def problem(
    status: int, detail: str, *, kind: str | None = None, headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """An error answer. `kind` is the name of an error class, such as `ImageNotFound`; None: the status says it all."""
    words = re.findall("[A-Z][a-z]*", kind or "")
    body = Problem(
        type=f"urn:sightline:{'-'.join(words).lower()}" if words else NO_TYPE,
        title=" ".join(words).capitalize() if words else status_phrase(status),
        status=status,
        detail=" ".join(printable(detail).split()),
    )
    return ProblemResponse(body.model_dump(), status_code=status, headers=headers)


def invalid_fields(errors: Sequence[Any]) -> str:
    """Pydantic's errors in one line: `k: input should be less than or equal to 1000`. Never repeats the input."""
    return "; ".join(_invalid_field(error) for error in errors)


def _invalid_field(error: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part not in ("body", "query", "path"))
    message = str(error["msg"])
    return f"{where}: {message[:1].lower()}{message[1:]}" if where else message


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """These error answers, as a route's `responses` for OpenAPI."""
    schema = Problem.model_json_schema()
    return {
        status: {"description": status_phrase(status), "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }
