"""Files beside a picture that say something of it: captions, and the XMP of photo managers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

from indexer import xmp
from indexer.texts import Description, description

SIDECAR_SUFFIXES = ("json", "txt", "xmp")
MAX_BYTES = 1 << 20
"""Of one side-car: what is larger is about something else."""


def sidecar_names(picture: str) -> tuple[str, ...]:
    """The names that side-cars of the picture of that file name have, first come those that count first.

    Of `a.jpg`: `a.json` and `a.jpg.json` with `captions` or `caption`, `a.txt` and `a.jpg.txt` with a caption a line,
    `a.xmp` and `a.jpg.xmp`.
    """
    stem = picture.rpartition(".")[0] or picture
    return tuple(f"{base}.{suffix}" for suffix in SIDECAR_SUFFIXES for base in (stem, picture))


def pictures_of(sidecar: str, names: frozenset[str]) -> set[str]:
    """Those of the file names that may be of the picture which that side-car is beside."""
    base, _, suffix = sidecar.rpartition(".")
    if suffix.lower() not in SIDECAR_SUFFIXES:
        return set()
    return {name for name in names if base in (name, name.rpartition(".")[0])}


def captions_beside(picture: str, damaged: Callable[[Path], None]) -> tuple[str, ...]:
    """Those of the first side-car that has any; none if there is none.

    `damaged` is told of each that cannot be read; one about something else says nothing.
    """
    path = Path(picture)
    for name in sidecar_names(path.name):
        if name.endswith(".xmp"):
            continue
        sidecar = path.with_name(name)
        try:
            captions = captions_in(name, sidecar.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValueError, RecursionError):
            damaged(sidecar)
            continue
        if captions:
            return captions
    return ()


def captions_in(name: str, data: bytes) -> tuple[str, ...]:
    """Of a `.json` or `.txt` side-car. Raises ValueError or RecursionError for one that is damaged."""
    text = data.decode("utf-8-sig")
    fields = json.loads(text) if PurePath(name).suffix.lower() == ".json" else {"captions": text.splitlines()}
    found = fields.get("captions", fields.get("caption")) if isinstance(fields, dict) else None
    texts = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return tuple(text for text in texts if isinstance(text, str) and text.strip())


def described(
    picture: bytes, sidecars: Mapping[str, bytes], mark: str, damaged: Callable[[str, str], None]
) -> Description:
    """What a picture file and its side-cars (their bytes by name, in the order of `sidecar_names`) say of it.

    The captions of the first side-car that has any come first; then what XMP beside the picture says, then XMP and
    IPTC in it. `damaged` is told name and reason of each side-car that cannot be understood.
    """
    captions: tuple[str, ...] = ()
    said: list[xmp.Xmp] = []
    for name, data in sidecars.items():
        try:
            if name.lower().endswith(".xmp"):
                said.append(xmp.parse(data))
            else:
                captions = captions or captions_in(name, data)
        except (ValueError, RecursionError) as error:  # xmp.DamagedXmp, too
            damaged(name, f"the side-car cannot be understood: {' '.join(str(error).split()) or 'nested too deep'}")
    said += [xmp.embedded(picture), xmp.embedded_iptc(picture)]
    return description(
        captions=[*captions, *(caption for one in said for caption in one.captions)],
        keywords=[keyword for one in said for keyword in one.keywords],
        titles=[title for one in said for title in one.titles],
        rating=next((one.rating for one in said if one.rating is not None), None),
        sidecars=mark,
    )
