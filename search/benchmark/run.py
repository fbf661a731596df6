"""One benchmark, start to end: a set or a collection, an encoder, an index kind -> a `BenchmarkReport`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite

from indexer import __version__
from indexer.collection import Collection
from indexer.encoder import Embeddings, Encoder
from indexer.errors import InvalidDataset, InvalidRequest
from search.benchmark import speed
from search.benchmark.corpus import (
    Corpus,
    Reading,
    collection_corpus,
    encode_items,
    encoded_set,
    info_of,
    limited,
    marked,
    narrowed,
    printable,
)
from search.benchmark.encoding import Batching, CroppedImage, Picture, Stage, encode_captions
from search.benchmark.examples import Names, captioned_examples, classified_examples, query_ranks, thumbnails
from search.benchmark.index_recall import Gallery, check_kind, measure
from search.benchmark.published import RAW, Way, published_beside
from search.benchmark.report import (
    FORMAT,
    BenchmarkReport,
    DatasetInfo,
    Direction,
    Examples,
    Figures,
    IndexFigures,
    InstanceFigures,
    Model,
    PromptFigures,
    PublishedFigure,
    Speed,
    ZeroShot,
)
from search.classification import PLAIN_TEMPLATES, Classification, class_vectors, classify, fill
from search.datasets import CaptionedDataset, Dataset, InstanceDataset, LabelledDataset
from search.evaluation import LENGTHS, Evaluation, breakdown, evaluate, length_group
from search.evaluation import Direction as Evaluated
from search.instances import InstanceEvaluation, evaluate_instances
from search.significance import Interval


@dataclass(frozen=True, slots=True)
class Task:
    """What was asked for, besides the set."""

    encoder: Encoder
    device: str
    """`cpu` or `cuda`, for the report."""
    batching: Batching
    path: str = ""
    """Of the set, for messages."""
    prompts: tuple[str, ...] = ()
    """The main figures are with the first; none: raw captions, and for classes the set's own templates."""
    index: str = "exact"
    allow_partial: bool = False
    limit: int | None = None
    """At most so many images; the result is partial."""
    thumbnails: bool = False
    """Whether the report carries the pictures of its examples."""
    command: str = ""
    stage: Stage | None = None

    def check(self) -> None:
        """Raises `InvalidRequest` for what cannot be, before anything is encoded."""
        check_kind(self.index)
        for prompt in self.prompts:
            try:
                fill(prompt, "")
            except ValueError as error:
                raise InvalidRequest(str(error)) from error
        if self.limit is not None and self.limit < 1:
            raise InvalidRequest(f"--limit must be at least 1, not {self.limit}")

    @property
    def reading(self) -> Reading:
        return Reading(self.path, self.batching, self.allow_partial, self.stage)


def benchmark(dataset: Dataset, task: Task) -> BenchmarkReport:
    """Measure the task's encoder and index on a set of any kind.

    Raises `InvalidRequest`, `IncompleteDataset` at a picture that cannot be read (with `allow_partial` it is left out
    and counted), and what the encoder raises.
    """
    task.check()
    if isinstance(dataset, CaptionedDataset):
        return _captioned(encoded_set(limited(dataset, task.limit), task.encoder, task.reading), task)
    if isinstance(dataset, LabelledDataset):
        return _classes(limited(dataset, task.limit), task)
    return _instances(dataset, task)


def benchmark_collection(collection: Collection, dataset: Dataset | None, task: Task) -> BenchmarkReport:
    """The same on a collection's own pictures, as it stores them; see `corpus.collection_corpus`."""
    task.check()
    collection.check_model(task.encoder.manifest)
    if dataset is not None and not isinstance(dataset, CaptionedDataset):
        raise InvalidDataset(task.path, "for a collection give a file of captions, not classes or instance lists")
    if task.limit is not None:
        raise InvalidRequest("--limit does not go with --library: a collection is searched as a whole")
    corpus = collection_corpus(collection, dataset, allow_partial=task.allow_partial)
    return _captioned(corpus, task)


def _captioned(corpus: Corpus, task: Task) -> BenchmarkReport:
    prompts = tuple(dict.fromkeys(task.prompts)) or (RAW,)
    first, vectors, seconds = _with_prompt(corpus, prompts[0], task)
    by_prompt = {prompts[0]: _both(first)}
    for prompt in prompts[1:]:
        by_prompt[prompt] = _both(_with_prompt(corpus, prompt, task)[0])
    names, texts = Names.of(corpus), [fill(prompts[0], text) for text in corpus.captions]
    main = by_prompt[prompts[0]]
    gallery = Gallery(corpus.vectors, vectors, corpus.image_of_caption)
    index, times = _index(gallery, main.text_to_image.figures, texts, task)
    examples = captioned_examples(first, names, corpus.vectors, vectors)
    return replace(
        _report(corpus.info, task, times),
        prompt=None if prompts[0] == RAW else prompts[0],
        text_to_image=main.text_to_image,
        image_to_text=main.image_to_text,
        by_length=_by_length(first.text_to_image, corpus.captions),
        by_prompt=by_prompt,
        index=index,
        speed=replace(
            times,
            encode_images_per_second=corpus.images_per_second,
            encode_texts_per_second=len(texts) / seconds if seconds else None,
        ),
        published=_published(corpus.info, by_prompt, task),
        queries=query_ranks(first, names),
        examples=examples,
        thumbnails=_thumbnails(examples, dict(zip(corpus.keys, corpus.pictures, strict=True)), task),
    )


def _with_prompt(corpus: Corpus, prompt: str, task: Task) -> tuple[Evaluation, Embeddings, float]:
    """What comes out, the captions' embeddings, and the seconds they took."""
    texts = [fill(prompt, caption) for caption in corpus.captions]
    vectors, seconds = encode_captions(texts, task.encoder, stage=task.stage)
    return evaluate(corpus.vectors, vectors, corpus.image_of_caption), vectors, seconds


def _both(found: Evaluation) -> PromptFigures:
    return PromptFigures(_direction(found.text_to_image), _direction(found.image_to_text))


def _direction(found: Evaluated) -> Direction:
    plain = found.to_dict()
    return Direction(
        figures={name: plain[name] for name in found.figures},
        queries=plain["queries"],
        tied=plain["tied"],
        against=plain["against"],
        in_favour=plain["in_favour"],
        intervals={name: (low, high) for name, (low, high) in plain["intervals"].items()},
    )


def _by_length(found: Evaluated, captions: Sequence[str]) -> dict[str, Figures]:
    """From the shortest captions to the longest."""
    groups = breakdown(found, [length_group(caption) for caption in captions])
    shortest_first = [*(name for _, name in LENGTHS), *groups]
    return {name: {**groups[name]} for name in sorted(groups, key=shortest_first.index)}


def _published(info: DatasetInfo, by_prompt: Mapping[str, PromptFigures], task: Task) -> tuple[PublishedFigure, ...]:
    ours: dict[str, Mapping[Way, Figures]] = {
        prompt: {"text_to_image": found.text_to_image.figures, "image_to_text": found.image_to_text.figures}
        for prompt, found in by_prompt.items()
    }
    return published_beside(task.encoder.manifest.model, info.name, info.split, info.standard is not None, ours)


def _classes(dataset: LabelledDataset, task: Task) -> BenchmarkReport:
    keys = [item.key for item in dataset.items]
    encoded, problems = encode_items(keys, [item.image for item in dataset.items], task.encoder, task.reading)
    if problems:
        dataset = narrowed(dataset, encoded.kept, problems)
    templates = task.prompts or dataset.templates or PLAIN_TEMPLATES
    vectors = class_vectors(task.encoder.encode_texts, dataset.classes, templates)
    found = classify(encoded.embeddings, vectors, dataset.labels)
    index, times = _index(Gallery(encoded.embeddings, vectors, None), {}, [], task)
    names = tuple(printable(item.key) for item in dataset.items)
    classes = tuple(printable(name) for name in dataset.classes)
    queries, examples = classified_examples(found, names, classes, encoded.embeddings, vectors)
    return replace(
        _report(info_of(dataset.origin, len(dataset.items)), task, times),
        index=index,
        speed=replace(times, encode_images_per_second=encoded.per_second),
        zero_shot=_zero_shot(found, len(classes), templates),
        queries={"image_to_class": queries},
        examples=examples,
        thumbnails=_thumbnails(examples, {n: i.image for n, i in zip(names, dataset.items, strict=True)}, task),
    )


def _zero_shot(found: Classification, classes: int, templates: tuple[str, ...]) -> ZeroShot:
    named = {1: "top1", **({5: "top5"} if classes > 5 else {})}
    return ZeroShot(
        top1=found.top[1],
        top5=found.top[5] if 5 in named else None,
        mean_per_class=found.mean_per_class,
        classes=classes,
        templates=templates,
        against={name: found.against[k] for k, name in named.items()},
        in_favour={name: found.in_favour[k] for k, name in named.items()},
        intervals={name: _interval(found.intervals[k]) for k, name in named.items()},
    )


def _instances(dataset: InstanceDataset, task: Task) -> BenchmarkReport:
    if task.limit is not None:
        raise InvalidRequest("--limit does not go with instance lists: their figures are over the whole gallery")
    if task.prompts:
        raise InvalidRequest("--prompt does not go with instance lists: their queries are pictures")
    gallery, problems = encode_items(
        [key for key, _ in dataset.gallery], [image for _, image in dataset.gallery], task.encoder, task.reading
    )
    pictures: list[Picture] = [CroppedImage(q.image, q.box) if q.box else q.image for q in dataset.queries]
    asked, more = encode_items([query.key for query in dataset.queries], pictures, task.encoder, task.reading)
    origin = marked(dataset.origin, (*problems, *more)) if problems or more else dataset.origin
    new_row = {old: new for new, old in enumerate(gallery.kept)}
    found = {}
    for protocol in dataset.protocols:
        judged = [[_kept(lists[row], new_row) for row in asked.kept] for lists in dataset.judged(protocol)]
        found[str(protocol)] = _instance_figures(
            evaluate_instances(asked.embeddings, gallery.embeddings, judged[0], judged[1])
        )
    index, times = _index(Gallery(gallery.embeddings, asked.embeddings, None), {}, [], task)
    return replace(
        _report(info_of(origin, len(gallery.kept)), task, times),
        index=index,
        speed=replace(times, encode_images_per_second=gallery.per_second),
        instances=found,
    )


def _kept(rows: Sequence[int], new_row: Mapping[int, int]) -> list[int]:
    return [new_row[row] for row in rows if row in new_row]


def _instance_figures(found: InstanceEvaluation) -> InstanceFigures:
    return InstanceFigures(
        mAP=_finite(found.mean_average_precision),
        against=_finite(found.against),
        in_favour=_finite(found.in_favour),
        interval=_interval(found.interval),
        queries=len(found.query),
    )


def _index(gallery: Gallery, exact: Figures, texts: Sequence[str], task: Task) -> tuple[IndexFigures, Speed]:
    index, search = measure(task.index, gallery, exact)
    times = Speed(
        encode_images_per_second=None,
        encode_texts_per_second=None,
        search_ms=speed.time_queries(search, gallery.queries),
        queries_per_second=speed.throughput(search, gallery.queries),
        peak_memory_mb=speed.peak_memory_mb(),
        peak_gpu_memory_mb=speed.peak_gpu_memory_mb(),
        query_ms=speed.time_texts(search, texts, task.encoder),
    )
    return index, times


def _report(info: DatasetInfo, task: Task, times: Speed) -> BenchmarkReport:
    """Everything that is the same for all kinds of sets; the rest is empty."""
    manifest = task.encoder.manifest
    return BenchmarkReport(
        format=FORMAT,
        sightline=__version__,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        command=printable(task.command),
        machine=speed.machine(),
        versions=speed.versions(),
        model=Model(manifest.model, manifest.weights_hash, manifest.dimension, manifest.precision, task.device),
        dataset=info,
        prompt=None,
        text_to_image=None,
        image_to_text=None,
        by_length={},
        by_prompt={},
        index=None,
        speed=times,
        published=(),
        zero_shot=None,
        instances=None,
        queries={},
        examples=Examples(),
    )


def _thumbnails(examples: Examples, pictures: Mapping[str, Picture], task: Task) -> dict[str, str]:
    return thumbnails(examples, pictures, task.batching.limits) if task.thumbnails else {}


def _interval(found: Interval) -> tuple[float | None, float | None]:
    return _finite(found.low), _finite(found.high)


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
