"""Captioned pictures of one colour each, in shades that differ: what a tiny model can learn in seconds."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from PIL import Image

from tests.palette import COLOURS


def paint(folder: Path, *, shades: int, seed: int = 0) -> Path:
    """`shades` pictures of each colour and `captions.csv`, with two captions each; returns the folder."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["image", "caption"])
        for name, colour in COLOURS.items():
            for shade in range(shades):
                moved = np.clip(np.array(colour) + rng.integers(-12, 13, 3), 0, 255)
                picture = f"{name}-{shade}.png"
                Image.new("RGB", (40, 40), tuple(moved.tolist())).save(folder / picture)
                table.writerow([picture, name])
                table.writerow([picture, f"the {name}"])
    return folder
