"""Links -> groups, guarded against chains: what is like a neighbour of a neighbour need not be like the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from indexer.duplicates.kinds import Kind, Link, LinkKind, within

Apart = Collection[tuple[str, str]]
"""Contents that somebody said are no duplicates, the lower hash first."""


def grouped(links: Iterable[Link], level: Kind, apart: Apart = ()) -> list[list[str]]:
    """Groups of two contents or more, by the links of that level and closer; no content is in two of them.

    A group is a hub, the content with the most links that is free, with what is linked to it; and what is the *same*
    picture as one of these. A part of a part, or the next but one of a burst, does not belong to it by that alone.
    Contents that are `apart` are in no group together, whatever lies between them.
    """
    allowed = within(level)
    neighbours: defaultdict[str, list[tuple[float, str, LinkKind]]] = defaultdict(list)
    for link in links:
        if link.kind in allowed:
            neighbours[link.first].append((-link.confidence, link.second, link.kind))
            neighbours[link.second].append((-link.confidence, link.first, link.kind))
    divided = _by_content(apart)
    free = set(neighbours)
    groups = []
    for hub in sorted(neighbours, key=lambda content: (-len(neighbours[content]), content)):
        if hub not in free:
            continue
        group = {hub: None}  # ordered
        _join(group, [other for _, other, _ in sorted(neighbours[hub])], free, divided)
        for member in list(group):
            same = [other for _, other, kind in sorted(neighbours[member]) if kind == "same"]
            _join(group, same, free, divided)
        free -= group.keys()
        if len(group) > 1:
            groups.append(list(group))
    return groups


def _join(group: dict[str, None], others: list[str], free: set[str], divided: dict[str, set[str]]) -> None:
    for other in others:
        if other in free and not divided.get(other, set()) & group.keys():
            group[other] = None


def _by_content(apart: Apart) -> dict[str, set[str]]:
    divided: dict[str, set[str]] = {}
    for first, second in apart:
        divided.setdefault(first, set()).add(second)
        divided.setdefault(second, set()).add(first)
    return divided
