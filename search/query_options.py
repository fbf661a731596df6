"""What the options of `sightline search` mean: texts like `chair.jpg:0.5` as a `Query`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from indexer.errors import InvalidQuery
from search.box import Box, read_box
from search.dates import span_of
from search.filter_json import filter_from_json
from search.filters import Filter, Folder, Not, Tag, Taken, all_of
from search.query import (
    DEFAULT_AMONG,
    DEFAULT_K,
    SORTS,
    UNWANTED,
    Feedback,
    ImageTerm,
    IndexedTerm,
    Query,
    Sort,
    Term,
    TextTerm,
)
from search.region import Region

_WEIGHT = re.compile(r"(?P<what>.+):(?P<weight>[+-]?(?:\d+\.?\d*|\.\d+))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class QueryOptions:
    """As they were given."""

    text: str | None = None
    """Taken as it is: a weight belongs to `texts`."""
    texts: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    region: str | None = None
    prompts: tuple[str, ...] = ()
    box: str | None = None
    filter: str | None = None
    since: str | None = None
    until: str | None = None
    folder: Path | None = None
    types: str | None = None
    colours: str | None = None
    rating: str | None = None
    tags: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    right: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    sort: str | None = None
    among: int = DEFAULT_AMONG
    collapse: bool = False
    k: int = DEFAULT_K
    relevance: bool = False
    min_probability: float = 0.0
    words: bool | None = None

    def query(self, read: Callable[[Path], bytes]) -> Query:
        """`read` gives the bytes of a picture. Raises `InvalidQuery`, and what `read` raises."""
        now = datetime.now(UTC).astimezone().replace(tzinfo=None)  # by the clock that cameras are set by
        box = None if self.box is None else read_box(self.box, now)
        terms = (*self._terms(read), *(box.terms() if box else ()))
        filters = [box.filter] if box and box.filter else []
        if self.sort is not None and self.sort not in SORTS:
            raise InvalidQuery(f"cannot sort by {self.sort!r}; sort by {', '.join(SORTS)}")
        sort: Sort | None = self.sort
        chosen = all_of([*filters, *self._filters(now)])
        marks = Feedback(self.right, self.wrong) if self.right or self.wrong else None
        return Query(
            terms,
            k=self.k,
            filter=chosen,
            sort=sort,
            prompts=self.prompts,
            among=self.among,
            collapse=self.collapse,
            relevance=self.relevance,
            min_probability=self.min_probability,
            feedback=marks,
            words=self.words,
        )

    def _terms(self, read: Callable[[Path], bytes]) -> list[Term]:
        region = Region.parse(self.region) if self.region is not None else None
        if region is not None and len(self.images) + len(self.image_ids) != 1:
            raise InvalidQuery("--region is of one picture; give one --image or one --id")
        terms: list[Term] = [] if self.text is None else [TextTerm(self.text)]
        terms += [TextTerm(*_weighted(text)) for text in self.texts]
        for given in self.images:
            # A file's own name may end in a colon and a number: what is there is taken as it is.
            path, weight = (given, 1.0) if Path(given).exists() else _weighted(given)
            terms.append(ImageTerm(read(Path(path)), weight, region))
        terms += [IndexedTerm(_id(name), weight, region) for name, weight in map(_weighted, self.image_ids)]
        terms += [
            TextTerm(text, -abs(weight)) for text, weight in (_weighted(said, UNWANTED) for said in self.unwanted)
        ]
        return terms

    def _filters(self, now: datetime) -> list[Filter]:
        filters: list[Filter] = []
        if self.filter is not None:
            filters.append(_filter(self.filter, now))
        if self.since is not None or self.until is not None:
            start = span_of(self.since, now).start if self.since is not None else None
            end = span_of(self.until, now).end if self.until is not None else None
            filters.append(Taken(start, end))
        if self.folder is not None:
            filters.append(Folder(str(self.folder.absolute())))
        if self.types is not None:
            filters.append(_filter(f"type:{self.types}", now))
        if self.colours is not None:
            filters.append(_filter(f"color:{self.colours}", now))
        if self.rating is not None:
            filters.append(_filter(f"rating:{self.rating}", now))
        filters += [Tag(name) for name in self.tags]
        filters += [Not(Tag(name)) for name in self.hidden]
        return filters


def _weighted(given: str, weight: float = 1.0) -> tuple[str, float]:
    """`people:0.5` -> `people`, 0.5; else with that weight."""
    found = _WEIGHT.fullmatch(given)
    return (found["what"], float(found["weight"])) if found else (given, weight)


def _id(name: str) -> int:
    if not re.fullmatch(r"-?\d{1,30}", name):
        raise InvalidQuery(f"{name[:40]!r} is no id of an image; `sightline search --json` shows them")
    return int(name)


def _filter(text: str, now: datetime) -> Filter:
    """JSON, or the language of the box with nothing in it but filters."""
    if text.lstrip().startswith("{"):
        try:
            return filter_from_json(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InvalidQuery(f"the filter is no JSON ({error}); write it as in docs/queries.md") from error
    box: Box = read_box(text, now)
    if box.terms() or box.filter is None:
        said = box.meaning or box.terms()[0].text
        raise InvalidQuery(f"{said[:60]!r} is no filter; docs/queries.md lists what is")
    return box.filter
