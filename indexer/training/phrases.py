"""Texts made of others: captions crossed with one another, and phrases of colours, numbers and positions."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

COLOURS = tuple(
    "red orange yellow green blue purple pink brown black white grey dark light golden silver".split()  # noqa: SIM905
)
NUMBERS = ("two", "three", "four", "five", "six", "several", "many")
POSITIONS = (
    "above",
    "below",
    "to the left of",
    "to the right of",
    "next to",
    "behind",
    "in front of",
    "on",
    "inside",
    "under",
)
SHAPES = tuple("circle square triangle star ring cross ball box car house flower fish tree".split())  # noqa: SIM905

_JOINTS = (
    re.compile(r" (?=(?:in|on|with|at|near|by|while|and|over|through|next to|behind|in front of|under|down|across)\b)"),
    re.compile(r" (?=(?:is |are )?\w+ing\b)"),
)
"""Before these a caption can be cut in two: `two dogs| running| on the beach`."""
_CROSSED_A_CAPTION = 2.35
_FRAGMENTS_A_CAPTION = 0.4
"""Beginnings, and as many ends. Both numbers are what was tried: 70,000 and 12,000 for 29,816 captions."""
_COLOURED, _COUNTED, _PLACED, _PLACED_SHAPES = 15_000, 8_000, 8_000, 4_000


def cross(captions: Sequence[str], rng: random.Random) -> tuple[list[str], list[str]]:
    """Beginnings of captions with the ends of others, and beginnings and ends alone."""
    heads, tails = list[str](), list[str]()
    for caption in captions:
        for joint in _JOINTS:
            places = [match.start() for match in joint.finditer(caption)]
            if places:
                place = rng.choice(places)
                heads.append(caption[:place])
                tails.append(caption[place:])
    if not heads:
        return [], []
    crossed = [rng.choice(heads) + rng.choice(tails) for _ in range(round(_CROSSED_A_CAPTION * len(captions)))]
    count = min(round(_FRAGMENTS_A_CAPTION * len(captions)), len(heads))
    return crossed, rng.sample(heads, count) + [tail.strip() for tail in rng.sample(tails, count)]


def phrases(names: Sequence[str], rng: random.Random) -> Iterator[str]:
    """`red dog`, `three dogs`, `a dog to the left of a cup`, `a red star above a blue box`: 35,000, some twice."""
    if not names:
        return
    for _ in range(_COLOURED):
        yield f"{rng.choice(COLOURS)} {rng.choice(names)}"
    for _ in range(_COUNTED):
        yield f"{rng.choice(NUMBERS)} {plural(rng.choice(names))}"
    for _ in range(_PLACED):
        yield f"a {rng.choice(names)} {rng.choice(POSITIONS)} a {rng.choice(names)}"
    for _ in range(_PLACED_SHAPES):
        one, other = (f"{rng.choice(COLOURS)} {rng.choice(SHAPES)}" for _ in range(2))
        yield f"a {one} {rng.choice(POSITIONS)} a {other}"


def plural(noun: str) -> str:
    """English's rule, without its exceptions: `box` -> `boxes`, `puppy` -> `puppies`, `boy` -> `boys`."""
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"
