"""Makes the folder that `make demo` indexes: real photos beside a few hundred painted pictures.

    python -m data.demo data/demo-photos

A second run finds both in place and does nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from data import photos

_HERE = Path(__file__).parent
_PAINTERS = ("render.py", "painting.py", "shapes.py", "scenes.py", "props.py", "graphics.py")
_RECIPE = ".recipe"


@dataclass(frozen=True, slots=True)
class Demo:
    """What lies in the folder, and whether the pictures had to be painted."""

    collected: int
    missing: tuple[photos.Photo, ...]
    painted: int
    fresh: bool


def make(out: Path, count: int = 300, seed: int = 0) -> Demo:
    """`out/photos` and `out/painted`; the latter is painted again only when the recipe changed or a file is gone."""
    found, missing = photos.collect(out / "photos")
    painted, recipe = out / "painted", _recipe(count, seed)
    fresh = not _is_complete(painted, recipe)
    if fresh:
        _paint(painted, count, seed)
        (painted / _RECIPE).write_text(recipe, encoding="utf-8")
    return Demo(collected=found, missing=missing, painted=count, fresh=fresh)


def _paint(painted: Path, count: int, seed: int) -> None:
    from data import render  # Pillow and NumPy are not needed to see that all is there

    shutil.rmtree(painted, ignore_errors=True)
    render.write(painted, render.render(count, seed))


def _recipe(count: int, seed: int) -> str:
    """Changes whenever the painted pictures would."""
    digest = hashlib.sha256(f"{count} {seed}".encode())
    for painter in _PAINTERS:
        digest.update((_HERE / painter).read_bytes())
    return digest.hexdigest()


def _is_complete(painted: Path, recipe: str) -> bool:
    try:
        if (painted / _RECIPE).read_text(encoding="utf-8") != recipe:
            return False
        captions = (painted / "captions.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return False
    return all((painted / json.loads(line)["file"]).is_file() for line in captions)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.demo", description="Make the demo's folder of pictures.")
    parser.add_argument("out", type=Path, help="the folder to fill; made if it is not there")
    options = parser.parse_args()
    demo = make(options.out)
    state = "painted now" if demo.fresh else "already there"
    print(f"{demo.collected} real photos and {demo.painted} painted pictures ({state}) in {options.out}")
    for photo in demo.missing:
        print(f"left out: {photo.name}, for {photo.package} is not installed or does not carry {photo.file}")


if __name__ == "__main__":
    main()
