"""The real photos that come inside the wheels of scikit-image, scikit-learn and matplotlib.

Nothing is downloaded and nothing is imported: the packages are only located, and their files linked under names a
person would search for. Drawings (logos, a horse's outline, chessboards, a gift box), computed pictures (a colour
wheel, a phantom), arrays and thumbnails of a few pixels in the same folders are left out.
"""

from __future__ import annotations

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Photo:
    """`name` is the file's name in the demo, `file` its path inside `package`; `caption` says what is to be seen."""

    name: str
    package: str
    file: str
    caption: str


PHOTOS: tuple[Photo, ...] = (
    Photo("astronaut.png", "skimage", "data/astronaut.png", "an astronaut in an orange suit, smiling, before a flag"),
    Photo("brick pavement.png", "skimage", "data/brick.png", "a pavement of bricks, black and white"),
    Photo("photographer.png", "skimage", "data/camera.png", "a man with a camera on a tripod, black and white"),
    Photo("cell under microscope.png", "skimage", "data/cell.png", "a single cell under the microscope"),
    Photo("chelsea the cat.png", "skimage", "data/chelsea.png", "the face of a ginger tabby cat"),
    Photo("blurred clock.png", "skimage", "data/clock_motion.png", "a clock blurred by motion"),
    Photo("coffee.png", "skimage", "data/coffee.png", "a cup of coffee on a red saucer on a wooden table"),
    Photo("old coins.png", "skimage", "data/coins.png", "rows of old coins, black and white"),
    Photo("grass.png", "skimage", "data/grass.png", "grass from above, black and white"),
    Photo("gravel.png", "skimage", "data/gravel.png", "gravel, small stones, black and white"),
    Photo("galaxies.jpg", "skimage", "data/hubble_deep_field.jpg", "galaxies in deep space"),
    Photo("stained tissue.png", "skimage", "data/ihc.png", "stained tissue under the microscope"),
    Photo("retina vessels.png", "skimage", "data/microaneurysms.png", "vessels of a retina, a grey detail"),
    Photo("moon surface.png", "skimage", "data/moon.png", "craters on the surface of the moon"),
    Photo("motorcycle left.png", "skimage", "data/motorcycle_left.png", "a red motorcycle in a garage"),
    Photo("motorcycle right.png", "skimage", "data/motorcycle_right.png", "a red motorcycle in a garage"),
    Photo("printed page.png", "skimage", "data/page.png", "a printed page of text"),
    Photo("retina.jpg", "skimage", "data/retina.jpg", "the retina of an eye"),
    Photo("rocket at night.jpg", "skimage", "data/rocket.jpg", "a rocket on its launch pad at dusk"),
    Photo("handwriting.png", "skimage", "data/text.png", "handwritten formulas on paper"),
    Photo("chinese temple.jpg", "sklearn", "datasets/images/china.jpg", "a Chinese temple above a lake"),
    Photo("orange flower.jpg", "sklearn", "datasets/images/flower.jpg", "an orange dahlia flower"),
    Photo(
        "navy officer.jpg",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        "Grace Hopper in navy uniform before a flag",
    ),
)


def locate(photo: Photo) -> Path | None:
    """Where the photo lies on this machine; None when its package is not installed or does not carry it."""
    spec = importlib.util.find_spec(photo.package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / photo.file
    return path if path.is_file() else None


def collect(out: Path) -> tuple[int, tuple[Photo, ...]]:
    """Links every photo into `out`; says how many are there now and which were not found."""
    out.mkdir(parents=True, exist_ok=True)
    missing = []
    for photo in PHOTOS:
        original = locate(photo)
        if original is None:
            missing.append(photo)
        else:
            _link(original, out / photo.name)
    return len(PHOTOS) - len(missing), tuple(missing)


def _link(original: Path, link: Path) -> None:
    """A symbolic link, or a copy where the file system has none; what already points there is left alone."""
    if link.is_symlink() and link.readlink() == original:
        return
    if not link.is_symlink() and link.is_file() and link.stat().st_size == original.stat().st_size:
        return
    link.unlink(missing_ok=True)
    try:
        link.symlink_to(original)
    except OSError:
        shutil.copyfile(original, link)
