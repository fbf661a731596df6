"""Benchmark reports made by hand, whole and with holes."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PIL import Image

from search.benchmark.report import (
    FORMAT,
    BenchmarkReport,
    CurvePoint,
    DatasetInfo,
    Direction,
    Example,
    Examples,
    Histogram,
    IndexFigures,
    InstanceFigures,
    Machine,
    Model,
    PromptFigures,
    PublishedFigure,
    QueryRanks,
    Returned,
    SearchTimes,
    Speed,
    ZeroShot,
)

DIGEST = "ab" * 32
RANKS = (1, 3, 12, 1, 2, 40, 1, 7)


def thumbnail(side: int = 120, shade: int = 90) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (side, side * 3 // 4), (shade, 120, 160)).save(buffer, "JPEG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def ranks(found: Sequence[int] = RANKS, *, images: Sequence[str] | None = None) -> QueryRanks:
    """Two captions an image."""
    own = tuple(images) if images else tuple(f"{row // 2}.jpg" for row in range(len(found)))
    return QueryRanks(
        rank=tuple(found),
        key=tuple(f"{key}#{row % 2}" for row, key in enumerate(own)),
        image=own,
        text=tuple(f"caption {row} of {key}" for row, key in enumerate(own)),
    )


def direction(recall: float | None = 12.5) -> Direction:
    figures = {"R@1": recall, "R@5": 30.0, "R@10": 45.25, "mAP@10": 20.0, "nDCG@10": 25.0, "median_rank": 13.0}
    return Direction(
        figures={**figures, "mean_rank": 61.5},
        queries=8,
        tied=2,
        in_favour={**figures, "R@1": 14.0},
        against={**figures, "R@1": 11.0},
        intervals={"R@1": (10.0, 15.0), "R@5": (None, None)},
    )


def examples() -> Examples:
    """Image 0 with a caption that came at rank 40, image 1 that came first, and a picture that asked for captions."""
    found = tuple(Returned(key=f"{row}.jpg", score=0.4 - row / 50, right=False) for row in (3, 2, 1))
    first = (Returned(key="1.jpg", score=0.5, right=True), *found[:2])
    captions = (Returned(key="3.jpg", score=0.3, right=False, text="Two <b>dogs</b> run"),)
    hard = Example("text_to_image", "a dog | on <i>grass</i>", "0.jpg#1", "0.jpg", "0.jpg", 40, found)
    easy = Example("text_to_image", "a red car", "1.jpg#0", "1.jpg", "1.jpg", 1, first)
    asked = Example("image_to_text", "2.jpg", "2.jpg", "2.jpg", "a child on a swing", 9, captions)
    return Examples(worst=(hard, asked), best=(easy,))


def speed() -> Speed:
    times = SearchTimes(0.8, 2.4, Histogram((0.5, 1.0, 1.5, 2.0, 2.5), (60, 30, 8, 2)))
    return Speed(101.5, 900.0, times, 5000.0, 812.0)


def report(**changes: Any) -> BenchmarkReport:
    curve = (CurvePoint("nprobe=1", {"10": 71.5}, 0.1), CurvePoint("nprobe=8", {"10": 98.25}, 0.4))
    published = (
        PublishedFigure("other", False, "Flickr8k", "text_to_image", "R@5", 32.1, 30.0, -2.1, None, "a paper"),
        PublishedFigure("mini", True, "Flickr8k", "text_to_image", "R@1", 12.4, 12.5, 0.1, "same protocol", "a table"),
    )
    whole = BenchmarkReport(
        format=FORMAT,
        sightline="0.1.0",
        date="2026-11-21T09:00:00+00:00",
        command="sightline benchmark --dataset set.tar --model mini",
        machine=Machine("a CPU", 2, 16.0, None),
        versions={"Python": "3.11.2", "numpy": "2.4.6"},
        model=Model("mini", "cd" * 32, 256, "float32", "cpu"),
        dataset=DatasetInfo(
            "Flickr8k", "WebDataset shards", "test", 4, 8, {"set.tar": DIGEST}, "Flickr8k test", False, ()
        ),
        prompt=None,
        text_to_image=direction(),
        image_to_text=direction(18.0),
        by_length={"6-10 words": {"queries": 8.0, "R@1": 12.5, "R@5": 30.0, "R@10": None, "median_rank": 13.0}},
        by_prompt=dict.fromkeys(("{}", "a photo of {}"), PromptFigures(direction(), direction())),
        index=IndexFigures("ivf", "nprobe=8", {"10": 98.25, "100": None}, curve, {"R@1": 12.0}, {"R@1": 0.5}, 1.25, 4),
        speed=speed(),
        published=published,
        zero_shot=None,
        instances=None,
        queries={"text_to_image": ranks(), "image_to_text": ranks((1, 2, 9, 1), images=list("abcd"))},
        examples=examples(),
        thumbnails={f"{row}.jpg": thumbnail(shade=40 * row) for row in range(3)},
    )
    return replace(whole, **changes)


def bare(**changes: Any) -> BenchmarkReport:
    """A report with nothing but what every report has."""
    nothing = {"text_to_image": None, "image_to_text": None, "by_length": {}, "by_prompt": {}, "index": None}
    return report(
        **nothing,
        speed=Speed(None, None, None, None, 400.0),
        published=(),
        queries={},
        examples=Examples(),
        thumbnails={},
        **changes,
    )


def zero_shot() -> BenchmarkReport:
    found = ZeroShot(14.6, 35.3, None, 1000, ("a photo of a {c}.",), {"top1": 14.6}, {"top1": (12.0, 17.0)})
    return replace(bare(zero_shot=found), queries={"image_to_class": ranks()})


def instances() -> BenchmarkReport:
    return bare(instances={"medium": InstanceFigures(55.5, 55.6, (50.0, None), 70)})
