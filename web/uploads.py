"""Pictures that people send to search with: received within a limit, kept small so that a link finds them again."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fastapi import HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message, Receive

from indexer.errors import QueryImageNotFound, UploadTooLarge
from indexer.images import Limits, thumbnail
from indexer.library_folder import read_if_there
from web.files import write_if_possible
from web.schemas import SearchRequest

QUERY_SIDE: Final = 768
"""Pixels of the longest side: at least twice what the encoders take (224 to 384)."""
KEPT: Final = 500
"""Query pictures kept, newest first: about 50 MB."""
MEDIA_TYPE: Final = "image/jpeg"
FIELD_BYTES: Final = 2 * 1024 * 1024
"""For everything but the picture. A text of 100,000 characters must arrive, to be refused by name."""
JSON_FIELDS: Final = ("terms", "filter", "prompts")
"""Of a form."""
_NAME = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class QueryImage:
    name: str | None
    """SHA-256 of `jpeg`, the name it is kept under; None if it could not be kept."""
    jpeg: bytes


class QueryImages:
    """The uploaded pictures of one library, the newest `kept` of them.

    A search by an upload uses the small picture too, not the upload itself: the first page, the next pages and a
    reload a week later must rank by one and the same vector.
    """

    def __init__(self, folder: Path, limits: Limits, kept: int = KEPT) -> None:
        self._folder = folder
        self._limits = limits
        self._kept = kept

    def keep(self, upload: bytes) -> QueryImage:
        """The upload, upright, scaled down and kept. Raises `UnreadableImage`."""
        buffer = io.BytesIO()
        thumbnail(upload, QUERY_SIDE, self._limits).save(buffer, "JPEG", quality=92, subsampling=0)
        jpeg = buffer.getvalue()
        name = hashlib.sha256(jpeg).hexdigest()
        if not write_if_possible(self._path(name), jpeg):
            return QueryImage(None, jpeg)
        self._forget_oldest()
        return QueryImage(name, jpeg)

    def read(self, name: str) -> bytes:
        """The JPEG of that name. Raises `QueryImageNotFound`."""
        # The name comes from a URL: nothing but a hash may become a path, and the file must be what it says.
        data = read_if_there(self._path(name)) if _NAME.match(name) else None
        if data is None or hashlib.sha256(data).hexdigest() != name:
            raise QueryImageNotFound(name[:64])
        return data

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.jpg"

    def _forget_oldest(self) -> None:
        newest_first = sorted(self._entries(), reverse=True)
        for _, path in newest_first[self._kept :]:
            Path(path).unlink(missing_ok=True)

    def _entries(self) -> Iterator[tuple[int, str]]:
        """`(mtime_ns, path)` of what is kept; another request may be forgetting the same ones."""
        with os.scandir(self._folder) as entries:
            for entry in entries:
                try:
                    if entry.name.endswith(".jpg"):
                        yield entry.stat().st_mtime_ns, entry.path
                except FileNotFoundError:
                    continue


async def read_search(request: Request, max_upload: int) -> tuple[SearchRequest, bytes | None]:
    """The body of a search, JSON or a form, and the picture if one was sent; `max_upload` in bytes.

    Raises `UploadTooLarge` when that many bytes have come, `RequestValidationError`, and `HTTPException` 415 or 400.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return await _read_json(limited(request, FIELD_BYTES)), None
    if media_type == "multipart/form-data":
        return await _read_form(limited(request, max_upload, beside=FIELD_BYTES), max_upload)
    raise HTTPException(415, "send application/json, or multipart/form-data with the picture in the field 'image'")


async def read_picture(request: Request, max_upload: int) -> bytes:
    """A body that is a picture and nothing else. Raises `UploadTooLarge` when `max_upload` bytes have come."""
    return await limited(request, max_upload).body()


async def _read_json(request: Request) -> SearchRequest:
    try:
        return SearchRequest.model_validate_json(await request.body(), strict=True)
    except ValidationError as error:
        raise invalid(error) from error


async def _read_form(request: Request, max_upload: int) -> tuple[SearchRequest, bytes | None]:
    async with request.form(max_files=1, max_fields=16) as form:
        fields, upload = _fields(form)
        picture = await upload.read(max_upload + 1) if upload else None
    if picture is not None and len(picture) > max_upload:
        raise UploadTooLarge(max_upload)
    try:
        return SearchRequest.model_validate(fields), picture
    except ValidationError as error:
        raise invalid(error) from error


def _fields(form: FormData) -> tuple[dict[str, Any], UploadFile | None]:
    """Text fields and the picture. A file input in which nothing was chosen counts as not sent."""
    sent = {name: value for name, value in form.items() if not _nothing_chosen(value)}
    picture = sent.pop("image", None)
    if isinstance(picture, str):
        raise RequestValidationError([{"loc": ("image",), "msg": "must be a file", "type": "file"}])
    return {name: _structured(name, value) for name, value in sent.items()}, picture


def _structured(name: str, value: Any) -> Any:
    """A field that is more than a text is JSON."""
    if name not in JSON_FIELDS or not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise RequestValidationError([{"loc": (name,), "msg": "must be JSON", "type": "json"}]) from error


def _nothing_chosen(value: UploadFile | str) -> bool:
    return isinstance(value, UploadFile) and not value.filename and not value.size


def invalid(error: ValidationError) -> RequestValidationError:
    return RequestValidationError(error.errors(include_url=False, include_context=False, include_input=False))


def limited(request: Request, limit: int, beside: int = 0) -> Request:
    """The same request, whose body raises `UploadTooLarge` over `limit + beside` bytes: unread, if it announces them.

    The server then reads what is still coming and throws it away, so that the client gets to see the answer.
    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit + beside:
        raise UploadTooLarge(limit)
    return Request(request.scope, _limited_receive(request.receive, limit, beside))


def _limited_receive(receive: Receive, limit: int, beside: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit + beside:
            raise UploadTooLarge(limit)
        return message

    return limited
