from __future__ import annotations

from indexer.duplicates.groups import grouped
from indexer.duplicates.kinds import Link, LinkKind


def _links(*pairs: str, kind: LinkKind = "same") -> list[Link]:
    return [Link(*sorted(pair), kind=kind, confidence=0.9) for pair in pairs]  # type: ignore[misc]


def _sets(groups: list[list[str]]) -> set[str]:
    return {"".join(sorted(group)) for group in groups}


def test_a_hub_with_what_is_linked_to_it() -> None:
    assert _sets(grouped(_links("ab", "ac", "de"), "same")) == {"abc", "de"}
    assert grouped([], "burst") == []


def test_a_chain_does_not_become_one_group() -> None:
    chain = [f"{a}{b}" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    groups = _sets(grouped(_links(*chain, kind="burst"), "burst"))
    assert all(len(group) <= 3 for group in groups)
    assert sorted("".join(groups)) == sorted(set("".join(groups)))  # nobody is in two


def test_what_is_the_same_as_a_member_belongs_and_a_part_of_a_part_does_not() -> None:
    crops = _links("ab", "ac", "ad", kind="crop")
    assert _sets(grouped(crops + _links("bx"), "crop")) == {"abcdx"}
    assert _sets(grouped(crops + _links("bx", kind="crop"), "crop")) == {"abcd"}


def test_a_level_takes_closer_links_and_look_alikes_stand_alone() -> None:
    links = _links("ab") + _links("ac", kind="crop") + _links("ad", kind="look-alike")
    assert _sets(grouped(links, "same")) == {"ab"}
    assert _sets(grouped(links, "burst")) == {"abc"}
    assert _sets(grouped(links, "look-alike")) == {"ad"}
    assert grouped(links, "identical") == []


def test_what_somebody_set_apart_is_never_together() -> None:
    links = _links("ab", "ac", "bc")
    assert _sets(grouped(links, "same", {("a", "b")})) in ({"ac"}, {"bc"})
    assert grouped(_links("ab"), "same", {("a", "b")}) == []
    assert _sets(grouped(_links("ab", "ac", "ad"), "same", {("b", "c")})) in ({"abd"}, {"acd"})


def test_the_surer_link_is_taken_first() -> None:
    links = [Link("a", "b", "same", 0.95), Link("a", "c", "same", 0.99), Link("a", "d", "same", 0.9)]
    [group] = grouped(links, "same", {("b", "c")})
    assert set(group) == {"a", "c", "d"}
