"""Folders of classes: the pictures of each class in a folder of its name, as ImageNet and torchvision lay them out."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from indexer.errors import InvalidDataset
from indexer.sources import IMAGE_SUFFIXES, FolderSource, SourceFile
from search.datasets.assembly import Request, labelled
from search.datasets.problems import Problem, Problems
from search.datasets.types import LabelledDataset, StoredImage


def fits(path: Path) -> bool:
    """Whether some folder directly below holds a picture."""
    return any(
        entry.suffix[1:].lower() in IMAGE_SUFFIXES
        for folder in sorted(path.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
        for entry in folder.iterdir()
    )


def read(request: Request) -> LabelledDataset:
    """A class for each folder, empty ones too; its name in prompts is the folder's with spaces for underscores.

    With a split the folder of that name is read, where there is one. The hash is over names and sizes of the files,
    not their content.
    """
    root = request.path / request.split if request.split and (request.path / request.split).is_dir() else request.path
    folders = sorted(entry.name for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    names = tuple(folder.replace("_", " ").strip() for folder in folders)
    if len(set(names)) < len(names):
        raise InvalidDataset(str(root), "two class folders have the same name but for underscores; rename one")
    problems, listing = Problems(), hashlib.sha256()
    entries = []
    for found in FolderSource(root).walk():
        relative = os.path.relpath(found.path, root)
        if not isinstance(found, SourceFile):
            problems.add(Problem.DAMAGED, relative)
            continue
        listing.update(os.fsencode(f"{relative}\0{found.size}\n"))
        folder = Path(relative).parts[0] if len(Path(relative).parts) > 1 else ""
        entries.append((relative, folder.replace("_", " ").strip(), StoredImage(Path(found.path))))
    return labelled(
        request,
        entries,
        problems,
        classes=names,
        name=request.path.resolve().name,
        form="class folders",
        hashes={"names and sizes": listing.hexdigest()},
    )
