"""The JSON of what a search may be asked with, and of what it tells besides its hits."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, WithJsonSchema

from search.box import Box
from search.facets import Count, Facets
from search.filter_json import SCHEMA, filter_to_json
from search.query import MAX_ID, MAX_MARKS
from search.relevance.claim import Estimate
from search.timeline import Timeline
from search.words.matches import WordMatch
from web.problems import printable

HASH: Final = "[0-9a-f]{64}"

FilterJson = Annotated[dict[str, Any], WithJsonSchema(SCHEMA)]
"""What it may hold is checked where filters are read, with messages of their own."""


class TermIn(BaseModel):
    """A text, an indexed image, or a picture that was sent before: exactly one of the three, and how much it counts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str | None = Field(default=None, description="what is to be seen, in a few words")
    image_id: int | None = Field(default=None, ge=0, le=MAX_ID, description="id of an indexed image")
    query_image: str | None = Field(default=None, pattern=f"^{HASH}$", description="name of a picture sent before")
    weight: FiniteFloat = Field(
        default=1.0, ge=-100, le=100, description="against the other terms; below 0, best -0.5: not to be seen; never 0"
    )
    region: tuple[FiniteFloat, FiniteFloat, FiniteFloat, FiniteFloat] | None = Field(
        default=None,
        description="the part of a picture to look for: left, top, width, height as fractions of the upright picture",
    )


class FeedbackIn(BaseModel):
    """Hits of the same query that were marked, by id; one is enough. Those that are wrong are not shown again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    right: list[Annotated[int, Field(ge=0, le=MAX_ID)]] = Field(default=[], max_length=MAX_MARKS)
    wrong: list[Annotated[int, Field(ge=0, le=MAX_ID)]] = Field(default=[], max_length=MAX_MARKS)


class ChipOut(BaseModel):
    """A part of the box's text that was recognised: a filter, or words for what is not to be seen."""

    kind: str = Field(
        description="`date`, `format`, `orientation`, `size`, `camera`, `color`, `rating`, `folder`, `path`, `tag`, "
        "`exact`, `not`"
    )
    text: str
    start: int = Field(description="where it stands in `box`, in characters (code points)")
    end: int = Field(description="the character after its last")
    filter: dict[str, Any] | None = Field(description="null for kind `not`")
    excluded: str | None = Field(description="of kind `not`: what is not to be seen")
    without: str = Field(description="`box` without this chip: what to ask when somebody removes it; may be empty")

    @classmethod
    def of_box(cls, box: Box) -> list[ChipOut]:
        return [
            cls(
                kind=chip.kind,
                text=chip.text,
                start=chip.start,
                end=chip.end,
                filter=filter_to_json(chip.filter) if chip.filter else None,
                excluded=chip.excluded,
                without=box.without(chip),
            )
            for chip in box.chips
        ]


class WordMatchOut(BaseModel):
    """A text that is known about an image, with words that were asked for."""

    field: str = Field(description="`title`, `caption`, `keyword`, `tag`, `name` or `folder`")
    text: str = Field(description="a part of a long one")
    spans: list[tuple[int, int]] = Field(
        description="where the words stand in `text`, in characters (code points), from the first to before the second"
    )

    @classmethod
    def of(cls, match: WordMatch) -> WordMatchOut:
        return cls(field=match.field, text=printable(match.text), spans=list(match.spans))


class MatchesOut(BaseModel):
    """How many images match, estimated."""

    about: int = Field(ge=0)
    low: int = Field(ge=0, description="with `high`, where the number is expected; docs/relevance.md: how often it is")
    high: int = Field(ge=0)

    @classmethod
    def of(cls, estimate: Estimate) -> MatchesOut:
        return cls(about=estimate.about, low=estimate.low, high=estimate.high)


class CountOut(BaseModel):
    value: str
    images: int
    box: str | None = Field(
        description="what filters by this value, to be added to `box` behind a space; null where no text can"
    )

    @classmethod
    def of(cls, counts: tuple[Count, ...]) -> list[CountOut]:
        return [cls(value=printable(count.value), images=count.images, box=count.box) for count in counts]


class MonthOut(BaseModel):
    """Images of a month. They begin at `offset` where the newest come first."""

    month: str = Field(description="such as `2023-07`, by the camera's clock")
    images: int
    box: str | None = Field(description="what filters by this month, to be added to `box`")
    offset: int = Field(description="images that come before, sorted by `newest`; pages reach 100,000")

    @classmethod
    def of(cls, timeline: Timeline) -> list[MonthOut]:
        return [cls(**asdict(month)) for month in timeline]


class FacetsOut(BaseModel):
    """How many images there are of each kind; what is not known of an image is not counted."""

    total: int = Field(description="images counted: all that pass the filter or, with terms, the best `among` of them")
    format: list[CountOut]
    orientation: list[CountOut]
    year: list[CountOut] = Field(description="the latest first")
    camera: list[CountOut] = Field(description="the 50 with the most images")
    color: list[CountOut] = Field(description="the eleven basic colours, and `monochrome`; docs/queries.md: from when")
    rating: list[CountOut] = Field(description="stars, the most first")
    folder: list[CountOut] = Field(description="the next below what all have in common, by path: the 50 with the most")
    tag: list[CountOut] = Field(description="the 50 with the most images, from lists and by hand")

    @classmethod
    def of_facets(cls, facets: Facets) -> FacetsOut:
        counts = {name: getattr(facets, name) for name in cls.model_fields if name != "total"}
        return cls(total=facets.total, **{name: CountOut.of(found) for name, found in counts.items()})
