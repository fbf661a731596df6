from __future__ import annotations

import numpy as np
import pytest

from indexer.looks.colours import COLOURS, LEVELS, level, packed, place_of, shares_of, terms_of, unpacked
from tests.pictures import photo, plain, quadrants

CSS = {
    "black": ["000000"],
    "white": ["ffffff", "fffafa", "f5f5f5"],
    "grey": ["808080", "a9a9a9", "d3d3d3"],
    "red": ["ff0000", "b22222", "8b0000", "dc143c"],
    "orange": ["ffa500", "ff8c00", "d2691e"],
    "yellow": ["ffff00", "ffd700"],
    "green": ["008000", "00ff00", "556b2f", "98fb98"],
    "blue": ["0000ff", "00ffff", "87ceeb", "000080", "191970"],
    "purple": ["800080", "8a2be2", "dda0dd"],
    "pink": ["ffc0cb", "ff69b4", "fa8072"],
    "brown": ["8b4513", "a0522d", "d2b48c"],
}


@pytest.mark.parametrize(("colour", "hexes"), CSS.items())
def test_the_colours_of_css_are_called_what_they_are_called(colour: str, hexes: list[str]) -> None:
    rgb = np.array([list(bytes.fromhex(code)) for code in hexes], float)
    assert {COLOURS[term] for term in terms_of(rgb)} == {colour}


def test_the_eleven_terms_divide_all_of_rgb() -> None:
    steps = np.linspace(0, 255, 24)
    rgb = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    assert set(terms_of(rgb).tolist()) == set(range(len(COLOURS)))


def test_shares_add_up() -> None:
    shares = dict(zip(COLOURS, shares_of(np.asarray(quadrants())), strict=True))
    assert {name for name, share in shares.items() if share == 0.25} == {"red", "green", "blue", "yellow"}
    assert shares_of(np.asarray(photo(80, 60))).sum() == pytest.approx(1)


def test_a_number_holds_the_shares_and_whether_there_is_no_colour() -> None:
    assert unpacked(packed(np.asarray(quadrants()))) == dict.fromkeys(("red", "green", "blue", "yellow"), 8 / LEVELS)
    assert unpacked(packed(np.asarray(plain((128, 128, 128))))) == {"grey": 1, "monochrome": 1}
    tinted = np.full((8, 8, 3), 128, np.uint8)
    tinted[..., 2] += 6
    assert "monochrome" in unpacked(packed(tinted))
    tinted[0, :] = (200, 40, 40)
    assert "monochrome" not in unpacked(packed(tinted))


def test_a_packed_number_fits_the_database() -> None:
    assert 0 < (LEVELS << place_of("monochrome")) < 2**63
    assert [level(share) for share in (0, 0.01, 0.1, 0.5, 1)] == [1, 1, 3, 16, LEVELS]
