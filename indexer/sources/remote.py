"""Pictures in object stores, through fsspec: S3 and what speaks its protocol, Google's, Azure's."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from indexer.errors import BrokenInstallation, SourceNotFound, UnreadableImage
from indexer.sources.address import Address, is_remote, parse
from indexer.sources.source import (
    IMAGE_SUFFIXES,
    SourceFile,
    SourceProblem,
    Version,
    file_too_large,
    has_suffix,
    stamp,
)

_PACKAGES: Final = {
    "s3": "'sightline[remote]'",
    "gs": "'sightline[gcs]'",
    "gcs": "'sightline[gcs]'",
    "az": "'sightline[azure]'",
    "abfs": "'sightline[azure]'",
    "abfss": "'sightline[azure]'",
}
_EVIDENCE: Final = ("ETag", "etag", "md5Hash", "content_md5", "generation", "LastModified", "last_modified", "updated")
"""What stores say of an object, the best first: one of them changes when the object does."""

T = TypeVar("T")


class Objects:
    """See `Reader`."""

    def __init__(self, max_bytes: int | None = None) -> None:
        self._max_bytes = max_bytes

    def read(self, address: Address) -> bytes:
        """Never more than the limit and a byte comes here."""
        store, end = _store(address.path), None if self._max_bytes is None else self._max_bytes + 1
        try:
            data: bytes = _asked(lambda: store.cat_file(_key(address.path), start=0, end=end))
        except FileNotFoundError as error:
            raise UnreadableImage("there is no such object") from error
        except OSError as error:
            raise UnreadableImage(f"cannot be read ({error})") from error
        if self._max_bytes is not None and len(data) > self._max_bytes:
            raise file_too_large(len(data), self._max_bytes)
        return data

    def look(self, address: Address) -> Version | None:
        try:
            return _version(_asked(lambda: _store(address.path).info(_key(address.path))))
        except FileNotFoundError:
            return None


class RemoteSource:
    """The pictures below a prefix, as if its slashes were folders: one of these at each level is held in memory."""

    def __init__(self, url: str, *, max_bytes: int | None = None) -> None:
        """Asks the store: a mistyped bucket and wrong credentials show now.

        Raises SourceNotFound, BrokenInstallation.
        """
        self._root = url.rstrip("/")
        self._objects = Objects(max_bytes)
        self._store = _store(url)
        if not _key(self._root):
            raise SourceNotFound(url, f"no bucket is named; {url.partition('://')[0]}://BUCKET/PREFIX is the form")
        self._check()

    @property
    def root(self) -> str:
        return self._root

    @property
    def kind(self) -> str:
        return "remote"

    def owns(self, path: str) -> bool:
        return parse(path).kind == "remote"

    def walk(self) -> Iterator[SourceFile | SourceProblem]:
        yield from self._below(_key(self._root))

    def count(self) -> None:
        """See `ImageSource`. Every look is a request that somebody pays for."""
        return

    def read(self, path: str) -> bytes:
        return self._objects.read(parse(path))

    def _check(self) -> None:
        try:
            found = self._listed(_key(self._root))
        except FileNotFoundError as error:
            raise SourceNotFound(self._root, "there is nothing below it, or no such bucket") from error
        except OSError as error:
            raise SourceNotFound(self._root, f"the store does not answer ({error})") from error
        if not found:
            raise SourceNotFound(self._root, "there is nothing below it")
        if any(entry["name"] == _key(self._root) and entry["type"] == "file" for entry in found):
            raise SourceNotFound(self._root, "it is an object; give the prefix above it")

    def _below(self, folder: str) -> Iterator[SourceFile | SourceProblem]:
        try:
            entries = self._listed(folder)
        except OSError as error:
            yield SourceProblem(self._path(folder), f"cannot be listed ({error})")
            return
        for entry in entries:
            name = entry["name"]
            if _base(name).startswith(".") or not _base(name):
                continue
            if entry["type"] == "directory":
                yield from self._below(name)
            elif has_suffix(_base(name), IMAGE_SUFFIXES):
                version = _version(entry)
                yield SourceFile(self._path(name), version.size, version.mtime_ns)

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        """In the order of the walk. A store may list a prefix as an object of no size, too."""
        entries: list[dict[str, Any]] = _asked(lambda: self._store.ls(folder, detail=True))
        below = [entry for entry in entries if entry["name"].rstrip("/") != folder or entry["type"] == "file"]
        return sorted(below, key=lambda entry: os.fsencode(entry["name"] + "/" * (entry["type"] == "directory")))

    def _path(self, name: str) -> str:
        return f"{self._root.partition('://')[0]}://{name}"


def _version(entry: dict[str, Any]) -> Version:
    evidence = next((str(entry[name]) for name in _EVIDENCE if entry.get(name)), "")
    return Version(int(entry.get("size") or 0), stamp(evidence))


def _base(name: str) -> str:
    return name.rpartition("/")[2]


def _key(url: str) -> str:
    """Bucket and key, as fsspec names an object."""
    return url.partition("://")[2].rstrip("/")


def _store(url: str) -> Any:
    """The file system of that protocol. fsspec keeps one a protocol. Raises SourceNotFound, BrokenInstallation."""
    assert is_remote(url)
    scheme = url.partition("://")[0]
    package = _PACKAGES.get(scheme)
    if package is None:
        known = ", ".join(f"{name}://" for name in _PACKAGES)
        raise SourceNotFound(url, f"{scheme}:// is no object store that is known ({known}); URLs go into a list")
    try:
        import fsspec

        return fsspec.filesystem(scheme, use_listings_cache=False)
    except ImportError as error:
        raise BrokenInstallation(
            f"{scheme}:// needs a package that is missing ({error}); `pip install {package}`"
        ) from error


def _asked(question: Callable[[], T]) -> T:
    """Raises FileNotFoundError where there is nothing, else OSError, its message one line."""
    try:
        return question()
    except FileNotFoundError:
        raise
    except MemoryError as error:
        raise OSError("there is not enough memory to read it") from error
    except Exception as error:  # botocore's, aiohttp's and Google's have no class in common
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise OSError(reason) from error
