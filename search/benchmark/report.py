"""What a benchmark found, as one value: read from and written to JSON, rendered by others, compared, ranked.

The JSON has the fields of the dataclasses by their names, with two exceptions: a direction's figures stand beside its
other fields (`report["text_to_image"]["R@1"]`), and intervals are `[low, high]`. Percentages are 0 to 100, ranks count
from 1, ties stand in the order of the set; what could not be measured is null. Readers ignore fields they do not know,
so new ones may be added within a format; `FORMAT` grows when the meaning of one changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, TypeAdapter, ValidationError

from indexer.errors import InvalidReport

FORMAT = 1

Figures = Mapping[str, float | None]
"""By name: `R@1`, `mAP@10`, `nDCG@10`, `median_rank`, `mean_rank`, `queries`..."""
DirectionName = Literal["text_to_image", "image_to_text", "image_to_class"]
Within = Literal["same protocol", "paper"]


@dataclass(frozen=True, slots=True)
class Machine:
    cpu: str
    cores: int
    """Those this process may use."""
    memory_gb: float
    """GB of 1,000,000,000 bytes."""
    gpu: str | None


@dataclass(frozen=True, slots=True)
class Model:
    name: str
    weights_hash: str
    """SHA-256 of the weights, hexadecimal."""
    dimension: int
    precision: str
    device: str
    """`cpu` or `cuda`."""


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    name: str
    """`Flickr8k`, `Flickr30k` or `COCO` if recognised, else the file's own name."""
    format: str
    """The form it was read from, such as `Karpathy JSON`."""
    split: str | None
    images: int
    """Those that took part."""
    captions: int
    """Those that took part; 0 for class sets and instance lists."""
    sha256: Mapping[str, str]
    """Of every caption file or shard by its name."""
    standard: str | None
    """Which standard split it is, by name and counts; None if it is none: then no paper's figure compares."""
    partial: bool
    """Whether something is missing: nothing here may be passed off as a result on the whole set."""
    warnings: tuple[str, ...]
    """A line each: what is missing, and how it differs from the standard."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One direction of retrieval. In JSON the `figures` stand beside the other fields."""

    figures: Figures
    """`R@K`, `mAP@K`, `nDCG@K` in percent, `median_rank`, `mean_rank`."""
    queries: int
    tied: int
    """Queries whose best right answer ties with a wrong one."""
    in_favour: Figures = field(default_factory=dict)
    """The figures with ties in favour: the most that any order of them gives."""
    intervals: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """95 % bootstrap, images resampled with all their captions."""
    against: Figures = field(default_factory=dict)
    """The figures with ties against: the least that any order of them gives."""


def _nested(found: Any) -> Any:
    """A direction as JSON has it -> as the dataclass has it."""
    if not isinstance(found, Mapping) or "figures" in found:
        return found
    own = {entry.name for entry in fields(Direction)}
    figures = {name: value for name, value in found.items() if name not in own}
    return {"figures": figures, **{name: value for name, value in found.items() if name in own}}


def _flat(direction: Direction) -> dict[str, Any]:
    return {
        **direction.figures,
        "queries": direction.queries,
        "tied": direction.tied,
        "against": dict(direction.against),
        "in_favour": dict(direction.in_favour),
        "intervals": {name: list(interval) for name, interval in direction.intervals.items()},
    }


FlatDirection = Annotated[Direction, BeforeValidator(_nested), PlainSerializer(_flat)]


@dataclass(frozen=True, slots=True)
class PromptFigures:
    """Both directions with every caption put into a prompt."""

    text_to_image: FlatDirection
    image_to_text: FlatDirection


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """An index at one setting of its search effort."""

    setting: str
    """Such as `nprobe=8`."""
    recall: Mapping[str, float | None]
    """Index recall in percent by K (`"10"`, `"100"`): the share of the exact top K that the index returns."""
    p50_ms: float
    """Median time of a single query."""


@dataclass(frozen=True, slots=True)
class IndexFigures:
    """An index kind held against exact search over the same embeddings, with the captions as queries."""

    kind: str
    setting: str
    """The one that `recall`, `text_to_image` and `cost` are at; empty for `exact`."""
    recall: Mapping[str, float | None]
    """Index recall in percent by K (`"10"`, `"100"`); null where the gallery has no more than K."""
    curve: tuple[CurvePoint, ...]
    """From the least effort to the most."""
    text_to_image: Figures
    """`R@K` in percent of the captions through the index; empty without captions."""
    cost: Figures
    """Points of `R@K` that the index costs: exact minus through the index."""
    build_seconds: float
    vectors: int


@dataclass(frozen=True, slots=True)
class Histogram:
    edges: tuple[float, ...]
    """One more than counts, ascending, in milliseconds."""
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SearchTimes:
    """Milliseconds of single queries, one after the other, embedding of the query not included."""

    p50: float
    p99: float
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Speed:
    encode_images_per_second: float | None
    """End to end: read, decode, encode."""
    encode_texts_per_second: float | None
    search_ms: SearchTimes | None
    queries_per_second: float | None
    """Searched in batches, the queries already embedded."""
    peak_memory_mb: float | None
    """Of the whole process, model and embeddings included; MB of 1,000,000 bytes. None where it cannot be told."""
    peak_gpu_memory_mb: float | None = None
    query_ms: SearchTimes | None = None
    """Milliseconds of single text queries as a person waits for them: embedding and search."""


@dataclass(frozen=True, slots=True)
class PublishedFigure:
    """A figure of the literature beside ours."""

    model: str
    """The weights it was published for."""
    same_weights: bool
    """Whether those are the weights measured; if not, it is there for orientation."""
    dataset: str
    direction: DirectionName
    figure: str
    """Such as `R@1`."""
    published: float
    ours: float
    difference: float
    """Ours minus published, in points."""
    within: Within | None
    """`same protocol`: 0.3 points or less; `paper`: 1.5 or less; None: further off, or other weights."""
    source: str


@dataclass(frozen=True, slots=True)
class ZeroShot:
    top1: float | None
    top5: float | None
    """None with five classes or fewer, where it says nothing."""
    mean_per_class: float | None
    """Top-1 of each class, averaged."""
    classes: int
    templates: tuple[str, ...]
    in_favour: Figures
    """`top1`, `top5` with ties in favour."""
    intervals: Mapping[str, tuple[float | None, float | None]]
    against: Figures = field(default_factory=dict)
    """`top1`, `top5` with ties against."""


@dataclass(frozen=True, slots=True)
class InstanceFigures:
    mAP: float | None  # noqa: N815  its name everywhere
    in_favour: float | None
    interval: tuple[float | None, float | None]
    queries: int
    """Those with a relevant picture."""
    against: float | None = None


@dataclass(frozen=True, slots=True)
class QueryRanks:
    """Every query of one direction, for comparing runs. All lists have one entry a query (`text` may be empty)."""

    rank: tuple[int, ...]
    """From 1, ties in the order of the set."""
    key: tuple[str, ...]
    """Unique, the same in every run on the same set: the image's key, for captions with `#` and its number."""
    image: tuple[str, ...]
    """The key of the image that the query belongs to: queries of one image succeed and fail together."""
    text: tuple[str, ...] = ()
    """The caption; empty where the queries are images."""


@dataclass(frozen=True, slots=True)
class Returned:
    key: str
    """Of the image; of the caption's image when captions were searched; the class when classes were."""
    score: float
    """Cosine."""
    right: bool
    text: str | None = None
    """The caption, when captions were searched."""


@dataclass(frozen=True, slots=True)
class Example:
    direction: DirectionName
    query: str
    """The caption, or the image's key."""
    key: str
    """As in `QueryRanks.key`."""
    image: str
    """Key of the image that the query belongs to; for captions that is the right answer."""
    answer: str
    """What should come first: the image's key for captions, a caption for images, a class for class sets."""
    rank: int
    returned: tuple[Returned, ...]
    """What came, best first."""


@dataclass(frozen=True, slots=True)
class Examples:
    worst: tuple[Example, ...] = ()
    best: tuple[Example, ...] = ()


@dataclass(frozen=True, slots=True)
class BenchmarkReport:
    """Everything that one run of `sightline benchmark` found."""

    format: int
    sightline: str
    """Version of Sightline."""
    date: str
    """ISO 8601, UTC."""
    command: str
    machine: Machine
    versions: Mapping[str, str]
    """Of Python and of the libraries that compute."""
    model: Model
    dataset: DatasetInfo
    prompt: str | None
    """What every caption was put into; None for raw captions, as papers have them."""
    text_to_image: FlatDirection | None
    image_to_text: FlatDirection | None
    """None for class sets and instance lists, as the one before."""
    by_length: Mapping[str, Figures]
    """text->image by the length of the caption (`6-10 words`): `queries` and the figures."""
    by_prompt: Mapping[str, PromptFigures]
    """For each prompt asked for; `{}` is the raw caption."""
    index: IndexFigures | None
    speed: Speed
    published: tuple[PublishedFigure, ...]
    zero_shot: ZeroShot | None
    instances: Mapping[str, InstanceFigures] | None
    """By protocol: `classic`, or `easy`, `medium` and `hard`."""
    queries: Mapping[str, QueryRanks]
    """By direction."""
    examples: Examples
    thumbnails: Mapping[str, str] = field(default_factory=dict)
    """Of the images in `examples`, by key: small JPEGs in base64. Empty unless a report file was asked for."""

    def to_dict(self) -> dict[str, Any]:
        """Plain lists, dictionaries, strings and numbers, without NaN."""
        found: dict[str, Any] = _adapter().dump_python(self, mode="json")
        return found

    @classmethod
    def from_dict(cls, found: Any, *, path: str = "report") -> BenchmarkReport:
        """Raises `InvalidReport`, which names the first field that is wrong and `path`."""
        if not isinstance(found, Mapping) or not isinstance(found.get("format"), int):
            raise InvalidReport(path, "it is not a report of `sightline benchmark --report FILE.json`")
        if found["format"] > FORMAT:
            raise InvalidReport(path, f"it has format {found['format']}, made by a newer Sightline; upgrade to read it")
        try:
            return _adapter().validate_python(found)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise InvalidReport(path, f"field {place!r} is wrong ({first['msg']}); measure again") from error

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, allow_nan=False) + "\n"

    def write(self, path: Path) -> None:
        """As JSON. Raises `InvalidReport` if the file cannot be written."""
        try:
            path.write_text(self.to_json(), encoding="utf-8")
        except OSError as error:
            raise InvalidReport(str(path), f"it cannot be written ({error.strerror or error})") from error

    @classmethod
    def read(cls, path: Path) -> BenchmarkReport:
        """Raises `InvalidReport`."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InvalidReport(str(path), f"it cannot be read ({error.strerror or error})") from error
        except ValueError as error:
            raise InvalidReport(str(path), "it is not JSON, or only a part of it") from error
        return cls.from_dict(found, path=str(path))


@cache
def _adapter() -> TypeAdapter[BenchmarkReport]:
    return TypeAdapter(BenchmarkReport)
