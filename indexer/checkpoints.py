"""From the name of a model to its checkpoint: what open_clip calls it, and where its weights are."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer import hub
from indexer.errors import ModelLoadFailed, UnknownModel, WeightsNotFound
from indexer.hub import HubFile
from indexer.torchvision_ops import ensure_torchvision_ops

MINI = "mini"
MINI_FOLDER = Path(__file__).parent / "mini"
CONFIG_FILE = "open_clip_config.json"
VOCABULARY_FILE = "bpe_simple_vocab.txt.gz"
"""A model folder that holds this file has a byte-pair vocabulary of its own."""

_HUB_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
_FOLDER_WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
"""The order in which open_clip looks for weights in a `local-dir:`."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model that exists, whether or not its weights are on this machine."""

    name: str
    """What the user calls it, made canonical; it finds the same model again."""
    open_clip_name: str
    """An architecture, `hf-hub:...` or `local-dir:...`."""
    tag: str | None
    """The weights' tag where `open_clip_name` is an architecture."""
    source: Path | HubFile
    """The weights file, or the file of the hub that they are."""
    folder: Path | None = None
    quick_gelu: bool = False
    """Whether the weights were trained with QuickGELU, which open_clip does not conclude from the tag by itself."""

    def weights(self) -> Path | None:
        """The weights file on this machine."""
        return self.source if isinstance(self.source, Path) else self.source.cached()

    def vocabulary(self) -> Path | None:
        path = self.folder / VOCABULARY_FILE if self.folder else None
        return path if path and path.is_file() else None


def find_checkpoint(model: str) -> Checkpoint:
    """Raises `UnknownModel` for a name that means nothing, `ModelLoadFailed` for a folder that is no model."""
    if model == MINI:
        return _in_folder(MINI, MINI_FOLDER)
    scheme, separator, rest = model.partition(":")
    if separator and scheme == "local-dir":
        return _local(model, rest)
    if separator and scheme == "hf-hub":
        return _on_hub(model, rest)
    if model.startswith(("/", ".", "~")) or Path(model).is_dir():
        return _local(model, model)
    return _published(model)


def download_weights(checkpoint: Checkpoint) -> Path:
    """Into the hub's cache. Raises `WeightsNotFound` within seconds when there is no network."""
    if isinstance(checkpoint.source, Path):
        raise WeightsNotFound(checkpoint.name, [str(checkpoint.source)])
    if hub.forbidden():
        raise WeightsNotFound(checkpoint.name, [str(hub.cache_folder()), "not online: HF_HUB_OFFLINE is set"])
    if not hub.reachable():
        raise _weights_not_found(checkpoint, checkpoint.source)
    return _download(checkpoint, checkpoint.source)


def sha256_of(weights: Path) -> str:
    """Of the file's content. The hub's cache names large files by it; other files are read, at about 1 GB/s."""
    recorded = hub.recorded_sha256(weights)
    if recorded:
        return recorded
    with weights.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def one_line(error: Exception) -> str:
    """torch's reasons run to pages; their beginning says it."""
    return " ".join(str(error).split())[:300] or type(error).__name__


def _local(model: str, path: str) -> Checkpoint:
    folder = Path(path).expanduser().absolute()
    if not path or not folder.is_dir():
        raise UnknownModel(model, f"there is no folder {str(folder)!r}" if path else "it names no folder")
    return _in_folder(f"local-dir:{folder}", folder)


def _in_folder(name: str, folder: Path) -> Checkpoint:
    if not (folder / CONFIG_FILE).is_file():
        raise ModelLoadFailed(name, f"{str(folder)!r} holds no {CONFIG_FILE}")
    weights = next((folder / file for file in _FOLDER_WEIGHTS if (folder / file).is_file()), None)
    if weights is None:
        raise WeightsNotFound(name, [str(folder / _FOLDER_WEIGHTS[0])])
    return Checkpoint(name=name, open_clip_name=f"local-dir:{folder}", tag=None, source=weights, folder=folder)


def _on_hub(model: str, repository: str) -> Checkpoint:
    from huggingface_hub.errors import HFValidationError

    file = HubFile(repository, _HUB_WEIGHTS)
    try:
        file.cached()
    except HFValidationError as error:
        raise UnknownModel(model, "a hub id looks like `hf-hub:organisation/name`") from error
    return Checkpoint(name=model, open_clip_name=model, tag=None, source=file)


def _published(model: str) -> Checkpoint:
    """A model of open_clip's own list, as `ARCHITECTURE/TAG`."""
    ensure_torchvision_ops()
    import open_clip

    names: list[tuple[str, str]] = open_clip.list_pretrained()
    architecture, _, tag = model.rpartition("/")
    architecture = architecture.replace("/", "-")
    cleaned = tag.lower().replace("-", "_")
    if (architecture, cleaned) not in names:
        raise UnknownModel(model, _what_was_meant(model, architecture, names))
    config: dict[str, Any] = open_clip.get_pretrained_cfg(architecture, cleaned)
    return Checkpoint(
        name=f"{architecture}/{cleaned}",
        open_clip_name=architecture,
        tag=cleaned,
        source=published_file(config["hf_hub"]),
        quick_gelu=bool(config.get("quick_gelu")),
    )


def published_file(hub_path: str) -> HubFile:
    """open_clip's `organisation/name/` (its usual file names) or `organisation/name/file` -> the file."""
    repository, _, name = hub_path.rpartition("/")
    if not name:
        return HubFile(repository, _HUB_WEIGHTS)
    safe = str(Path(name).with_suffix(".safetensors"))
    return HubFile(repository, (safe, name) if name.endswith((".bin", ".pth")) else (name,))


def _what_was_meant(model: str, architecture: str, names: list[tuple[str, str]]) -> str:
    tags = [tag for known, tag in names if known == (architecture or model)]
    if tags and not architecture:
        return f"say which weights, such as `{model}/{tags[0]}`"
    if tags:
        wanted = model.rpartition("/")[2].lower()
        nearest = difflib.get_close_matches(wanted, tags, n=5, cutoff=0.0)
        more = f" and {len(tags) - len(nearest)} more" if len(tags) > len(nearest) else ""
        return f"{architecture} has the weights {', '.join(nearest)}{more}"
    known = {name.lower(): name for name in (MINI, *("/".join(pair) for pair in names))}
    close = [known[name] for name in difflib.get_close_matches(model.lower(), known, n=3, cutoff=0.5)]
    if close:
        return f"the nearest names are {', '.join(close)}"
    return "it is none of open_clip's ARCHITECTURE/TAG, no `hf-hub:organisation/name` and no folder"


def _download(checkpoint: Checkpoint, file: HubFile) -> Path:
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        if checkpoint.tag is None:
            HubFile(file.repository, (CONFIG_FILE,)).download()
        return file.download()
    except RepositoryNotFoundError as error:
        reason = f"the hub has no repository {file.repository!r} that can be read from here"
        raise UnknownModel(checkpoint.name, reason) from error
    except LocalEntryNotFoundError as error:
        raise _weights_not_found(checkpoint, file) from error
    except EntryNotFoundError as error:
        reason = f"{file.repository!r} on the hub is no open_clip model: it lacks {CONFIG_FILE} or {file.names[0]}"
        raise ModelLoadFailed(checkpoint.name, reason) from error
    except Exception as error:
        raise ModelLoadFailed(checkpoint.name, f"its weights cannot be downloaded: {one_line(error)}") from error


def _weights_not_found(checkpoint: Checkpoint, file: HubFile) -> WeightsNotFound:
    from huggingface_hub import constants

    return WeightsNotFound(checkpoint.name, [str(hub.cache_folder()), f"{constants.ENDPOINT}/{file.repository}"])
