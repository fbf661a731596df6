"""The JSON of the HTTP API."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from typing import Any, Final, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, PositiveInt

from indexer.catalog import ImageRecord
from indexer.looks.look import PREVIEW_TYPE
from indexer.sources.address import name, parse
from indexer.texts import ImageText, of_kind
from search.engine import Hit
from search.query import DEFAULT_AMONG, MAX_AMONG, MAX_ID, MAX_PROMPTS, MAX_TERMS, Sort
from search.words.fusion import Route
from web.problems import printable
from web.search_schemas import (
    HASH,
    ChipOut,
    FacetsOut,
    FeedbackIn,
    FilterJson,
    MatchesOut,
    MonthOut,
    TermIn,
    WordMatchOut,
)

MAX_K: Final = 1_000
MAX_OFFSET: Final = 100_000
HASH_EXAMPLE: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

CURSOR: Final = "the last page's `cursor`: the next hits of that search, of the collection as it was then"


def examples(*examples: dict[str, Any]) -> ConfigDict:
    return ConfigDict(frozen=True, extra="forbid", json_schema_extra={"examples": list(examples)})


IMAGE_EXAMPLE: Final[dict[str, Any]] = {
    "id": 17,
    "path": "/home/ada/Pictures/beach.jpg",
    "name": "beach.jpg",
    "seconds": None,
    "width": 4032,
    "height": 3024,
    "format": "jpeg",
    "size": 2418733,
    "taken_at": "2024-05-11T17:42:08",
    "camera": "Canon EOS 5D",
    "thumbnail_url": "/api/images/17/thumbnail?side=320&v=9f86d081884c7d65",
    "original_url": "/api/images/17/original",
    "preview": "data:image/webp;base64,UklGRmgAAABXRUJQVlA4IFwAAAAwAgCdASoQAAsAAsBMJZACdAELZRnuPyH/wAD+67CjnQNN3Po8VAb"
    "K93xtaCJKcxKPoCA7cSBJ+lrQin2MuJuawlUSpseskv2DJoS7r3QqTBPusLgeIuUuM/8gAA==",
}
_HIT: Final[dict[str, Any]] = {
    "rank": 1,
    "score": 0.3127,
    "shares": [0.3127],
    "probability": 0.86,
    "duplicates": 2,
    "routes": ["meaning", "words"],
    "words": [{"field": "caption", "text": "A dog runs along the beach.", "spans": [[2, 5], [21, 26]]}],
    **IMAGE_EXAMPLE,
}


class SearchRequest(BaseModel):
    """What to look for, and what an image has to be: at least one term, or a filter.

    Whatever is given counts together: `text`, `image_id` and `query_image` as terms of weight 1, `box` as what is read
    out of it, `terms`, and `filter`.
    """

    model_config = examples(
        {"text": "a dog on a beach", "k": 40},
        {"text": "a red car", "relevance": True, "min_probability": 0.5},
        {"image_id": 17},
        {"text": "at night", "query_image": HASH_EXAMPLE},
        {
            "terms": [
                {"text": "beach at sunset"},
                {"image_id": 17, "weight": 0.5, "region": [0.25, 0, 0.5, 1]},
                {"text": "people", "weight": -0.5},
            ],
            "filter": {"taken": {"from": "2023-06-01", "to": "2023-08-31"}, "not": {"format": ["png"]}},
            "facets": True,
        },
        {"box": "dogs summer 2023 -grass camera:canon OR camera:nikon", "sort": "newest"},
        {"text": "a dog", "feedback": {"right": [17, 4], "wrong": [23]}},
        {"text": "beach trip", "words": False},
        {"box": '"birthday cake"'},
        {"filter": {"orientation": "portrait", "megapixels": {"from": 12}}, "sort": "name"},
        {"box": "color:red rating:>=3", "facets": True, "timeline": True},
    )

    # The length of the text is checked where queries are made, with a message of its own.
    text: str | None = Field(default=None, description="what the picture shows, in a few words")
    image_id: int | None = Field(default=None, ge=0, le=MAX_ID, description="id of an indexed image to look like")
    query_image: str | None = Field(
        default=None, pattern=f"^{HASH}$", description="name of a picture sent before, as an answer's `query` gave it"
    )
    terms: list[TermIn] = Field(
        default=[], max_length=MAX_TERMS, description="what is to be seen, and with weights below 0 what is not"
    )
    box: str | None = Field(
        default=None, description="what a person typed: dates, `camera:`, `-word` and the like are read, see `chips`"
    )
    prompts: list[str] = Field(
        default=[],
        max_length=MAX_PROMPTS,
        description="sentences with {} in the place of a text, such as `a photo of {}`: texts mean the mean of them",
    )
    filter: FilterJson | None = Field(default=None, description="what an image has to be; several keys mean all")
    feedback: FeedbackIn | None = Field(default=None, description="what is right and wrong of earlier hits")
    sort: Sort | None = Field(
        default=None, description="null: by score; with only a filter, the newest first, by date taken"
    )
    among: int = Field(
        default=DEFAULT_AMONG,
        ge=1,
        le=MAX_AMONG,
        description="how many of the best are meant where hits are not sorted by score, and in facets",
    )
    facets: bool = Field(default=False, description="whether to count the result: formats, years, colours, folders...")
    timeline: bool = Field(default=False, description="whether to count by months what `facets` counts")
    k: int = Field(default=40, ge=1, le=MAX_K, description="how many hits")
    offset: int = Field(default=0, ge=0, le=MAX_OFFSET, description="how many hits to pass over")
    collapse_duplicates: bool = Field(
        default=False, description="whether of each group of duplicates the best hit alone is shown; ranks count these"
    )
    relevance: bool = Field(
        default=False, description="whether to say how likely each hit matches, and how many images may; of texts alone"
    )
    min_probability: float = Field(
        default=0,
        ge=0,
        le=1,
        description="only hits that match at least so probably, of the best 2,000; of texts alone",
    )
    words: bool | None = Field(
        default=None,
        description="whether the words of texts are looked for in names, captions, keywords and tags, too; null: where "
        "texts alone are given",
    )
    cursor: str | None = Field(default=None, description=f"{CURSOR}; instead of everything else but `k`")


class ImageOut(BaseModel):
    """An indexed image."""

    model_config = examples(IMAGE_EXAMPLE)

    id: int
    path: str = Field(
        description="absolute; `x.zip!/a.jpg` lies in a file, `x.mp4#t=000012.480` is a frame, `s3://...` an object; "
        "U+FFFD stands for bytes that are not UTF-8"
    )
    name: str
    seconds: float | None = Field(description="of a frame, from the start of its video; null for other images")
    width: int = Field(description="pixels, of the upright picture")
    height: int = Field(description="pixels, of the upright picture")
    format: str = Field(
        description="`jpeg`, `png`, `webp`, `gif`, `bmp`, `tiff`, `avif`, `heif`; of a frame that of its video"
    )
    size: int = Field(description="bytes")
    taken_at: str | None = Field(description="ISO 8601 without a time zone, as the camera's clock said it")
    camera: str | None
    thumbnail_url: str = Field(description="320 px; it changes when the picture does, so it may be cached for ever")
    original_url: str = Field(description="the file; of a frame the video, at its time (`#t=`)")
    preview: str | None = Field(
        description="a `data:` URL of a picture of 16 px, to be shown scaled up until the thumbnail is there; null of "
        "what was indexed by an earlier version, until it is indexed again"
    )
    collection: str | None = Field(default=None, description="whose image it is, where several are served")

    @classmethod
    def of(cls, record: ImageRecord, collection: str | None = None) -> ImageOut:
        return cls(**_fields(record, collection))


class ImageDetail(ImageOut):
    """An indexed image, and what is said of it beside its pixels."""

    model_config = examples(
        IMAGE_EXAMPLE
        | {
            "title": "The beach",
            "captions": ["A dog runs along the beach."],
            "keywords": ["dog", "Animals|Dogs"],
            "rating": 4,
            "companions": ["/home/ada/Pictures/beach.cr2"],
        }
    )

    title: str | None
    captions: list[str] = Field(description="of side-cars, XMP and IPTC")
    keywords: list[str] = Field(description="of XMP and IPTC; with a path where it has one: `Animals|Dogs`")
    rating: int | None = Field(ge=0, le=5, description="stars, as XMP says")
    companions: list[str] = Field(description="files that belong to it: its RAW file, the video of a live photo")

    @classmethod
    def detailed(
        cls, record: ImageRecord, texts: Sequence[ImageText], companions: Sequence[str], collection: str | None = None
    ) -> ImageDetail:
        return cls(
            **_fields(record, collection),
            title=next(iter(of_kind(texts, "title")), None),
            captions=of_kind(texts, "caption"),
            keywords=of_kind(texts, "keyword"),
            rating=record.rating,
            companions=[printable(path) for path in companions],
        )


class HitOut(ImageOut):
    """An image found: its place among all and how near it is."""

    model_config = examples(_HIT)

    rank: PositiveInt
    score: float | None = Field(description="cosine between query and image, -1 to 1; null with only a filter")
    shares: list[float] = Field(
        description="what each gives to the score or takes: image, image_id, text, those of the box, terms, feedback"
    )
    probability: float | None = Field(
        description="that it is what was asked for, 0 to 1; null unless `relevance` was asked for, and can be known"
    )
    duplicates: NonNegativeInt = Field(
        description="more images of its group that the collection holds; 0 unless duplicates are collapsed"
    )
    routes: list[Route] = Field(
        description="what found it: `meaning`, `words`, or both; empty where nothing was looked for"
    )
    words: list[WordMatchOut] = Field(description="where the words stand that found it")

    @classmethod
    def of_hit(cls, hit: Hit, collection: str | None = None) -> HitOut:
        return cls(
            rank=hit.rank,
            score=hit.score,
            shares=list(hit.shares),
            probability=hit.probability,
            duplicates=hit.behind,
            routes=list(hit.routes),
            words=[WordMatchOut.of(match) for match in hit.words],
            **_fields(hit.image, collection),
        )


class QueryOut(BaseModel):
    """The query as a link would hold it: with it the same search can be asked again."""

    model_config = examples({"text": "a dog on a beach", "image_id": None, "query_image": None})

    text: str | None
    image_id: int | None
    query_image: str | None = Field(description="name under which the picture that was sent is kept")


class UnansweredOut(BaseModel):
    """A collection that could not be searched."""

    collection: str
    reason: str


class SearchResponse(BaseModel):
    model_config = examples(
        {
            "hits": [_HIT],
            "images": 1000,
            "seconds": 0.031,
            "next_offset": 40,
            "cursor": "3q2-7wEjRWeJq83v.40",
            "query": {"text": "a dog on a beach", "image_id": None, "query_image": None},
            "matched": None,
            "meaning": None,
            "chips": [],
            "facets": None,
            "timeline": None,
            "matches": {"about": 12, "low": 8, "high": 17},
            "no_match": False,
        }
    )

    hits: list[HitOut]
    images: int = Field(description="how many images the collection holds")
    seconds: float = Field(description="time of encoding, search and join")
    next_offset: int | None = Field(description="`offset` of the next page; null after the last one")
    cursor: str | None = Field(
        description="`cursor` of the next page, which stays as it is while the collection changes; kept for 15 minutes"
    )
    query: QueryOut | None = Field(description="null when a cursor was sent")
    joined: Literal["score", "rank"] | None = Field(
        default=None,
        description="what hits of several collections are ordered by; `rank`: different models answered, whose scores "
        "are not comparable; null for one collection",
    )
    unanswered: list[UnansweredOut] = Field(default=[], description="collections that were left out")
    matched: int | None = Field(description="how many images pass the filter; null without one")
    meaning: str | None = Field(description="what of `box` is to be seen; null without a box")
    chips: list[ChipOut] = Field(description="what else was read in `box`, in its order")
    facets: FacetsOut | None = Field(description="null unless they were asked for")
    timeline: list[MonthOut] | None = Field(
        default=None, description="months, the newest first; what has no date is in none; null unless it was asked for"
    )
    matches: MatchesOut | None = Field(
        default=None,
        description="about how many images may match; null unless `relevance` was asked for, and can be known",
    )
    no_match: bool | None = Field(
        default=None, description="whether nothing matches for sure, which is no proof; null with `matches`"
    )


class ImagesResponse(BaseModel):
    """Images, the newest in the collection first."""

    model_config = examples({"images": [IMAGE_EXAMPLE], "next_before": 17, "total": 1000})

    images: list[ImageOut]
    next_before: int | None = Field(description="`before` of the next page; null after the last one")
    total: int | None = Field(description="how many images the collection holds; null on other pages than the first")


class Health(BaseModel):
    model_config = examples({"status": "ok"})

    status: str


def _fields(record: ImageRecord, collection: str | None) -> dict[str, Any]:
    named = f"collection={quote(collection)}" if collection is not None else ""
    seconds = parse(record.path).seconds
    at = "" if seconds is None else f"#t={seconds:.3f}"
    return {
        "id": record.id,
        "path": printable(record.path),
        "name": printable(name(record.path)),
        "seconds": seconds,
        "width": record.width,
        "height": record.height,
        "format": record.format,
        "size": record.size,
        "taken_at": record.taken_at.isoformat() if record.taken_at else None,
        "camera": printable(record.camera) if record.camera else None,
        "thumbnail_url": f"/api/images/{record.id}/thumbnail?side=320&v={version(record)}{named and '&' + named}",
        "original_url": f"/api/images/{record.id}/original{named and '?' + named}{at}",
        "preview": preview_url(record.preview) if record.preview else None,
        "collection": collection,
    }


def preview_url(preview: bytes) -> str:
    return f"data:{PREVIEW_TYPE};base64,{b64encode(preview).decode()}"


def version(record: ImageRecord) -> str:
    """What changes with the picture's bytes, for the URLs of what may be cached."""
    return record.content_hash[:16]
