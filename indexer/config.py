"""`Settings`: every choice a person can make, built once in an entry point and passed on as a value.

Taken, first to last: the command's options, the environment (`SIGHTLINE_...`), `sightline.toml` in the user's
configuration folder (or the file that `SIGHTLINE_CONFIG` names), the defaults below.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from indexer.backends.choice import BackendChoice, DeviceChoice
from indexer.backends.options import EncoderOptions, default_cache
from indexer.backends.samples import Quantising, Samples
from indexer.errors import InvalidSettings
from indexer.images import Limits
from indexer.precision import PrecisionChoice
from indexer.vectors.planning import IndexKind, IndexPlan


class Settings(BaseSettings):
    """What an entry point was told. Immutable."""

    model_config = SettingsConfigDict(
        env_prefix="SIGHTLINE_", frozen=True, extra="forbid", env_ignore_empty=True, validate_default=True
    )

    library: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("sightline", appauthor=False)),
        description="folder of the collection: catalog, vectors, thumbnails",
    )
    model: str | None = Field(
        default=None,
        description="model that encodes; by default the collection's own, and `mini` for a new collection",
    )
    backend: BackendChoice = Field(default="auto", description="library that encodes; auto takes the fastest there is")
    device: DeviceChoice = Field(default="auto", description="where the model runs")
    precision: PrecisionChoice = Field(
        default="auto", description="number format that it computes in; auto takes what the hardware does well"
    )
    batch_size: Annotated[int, Field(ge=1, le=4096)] | Literal["auto"] = Field(
        default="auto", description="images encoded at once"
    )
    cache: Path = Field(
        default_factory=default_cache, description="folder of what can be made again: networks converted for OpenVINO"
    )
    threads: int = Field(
        default_factory=lambda: max(2, os.cpu_count() or 1), ge=1, le=256, description="threads that decode images"
    )
    fast_decode: bool = Field(
        default=False, description="make a new collection of JPEGs decoded no larger than needed; it keeps that"
    )
    max_pixels: int = Field(default=150_000_000, ge=1, description="images with more pixels are refused")
    max_file_mb: int = Field(default=512, ge=1, description="files larger than this many MiB are refused")
    private_hosts: str = Field(
        default="", description="hosts of private networks that URLs in lists may name, separated by commas"
    )
    vector_index: IndexKind = Field(
        default="auto", description="kind of vector index that `index` builds; auto goes by size and hardware"
    )
    index_recall: float = Field(
        default=0.99, ge=0.5, le=1, description="share of the nearest images that an approximate index has to find"
    )
    max_upload_mb: int = Field(default=32, ge=1, description="uploads larger than this many MiB are refused")
    job_folders: Annotated[tuple[Path, ...], NoDecode] = Field(
        default=(),
        description="folders that the page may index, and all below them, besides those that were indexed before",
    )
    host: str = Field(default="127.0.0.1", description="address the page is served on")
    port: int = Field(default=8000, ge=0, le=65535, description="port the page is served on; 0 takes a free one")

    @field_validator("job_folders", mode="before")
    @classmethod
    def _folders(cls, value: object) -> object:
        """A variable of the environment has several as PATH does; the TOML file has a list."""
        return tuple(filter(None, value.split(os.pathsep))) if isinstance(value, str) else value

    @property
    def limits(self) -> Limits:
        """What an indexed file may cost."""
        hosts = frozenset(host.strip().lower() for host in self.private_hosts.split(",") if host.strip())
        return Limits(self.max_pixels, self.max_file_mb * 1024 * 1024, hosts)

    @property
    def upload_limits(self) -> Limits:
        """What an uploaded picture may cost."""
        return Limits(max_pixels=self.max_pixels, max_bytes=self.max_upload_mb * 1024 * 1024)

    def encoding(self, samples: Samples | None = None) -> EncoderOptions:
        """For `load_encoder`: how the model is run. With pictures of the collection int8 can be made."""
        return {
            "backend": self.backend,
            "device": self.device,
            "precision": self.precision,
            "cache": self.cache.expanduser(),
            "quantising": Quantising(str(self.library), samples),
        }

    @property
    def fixed_batch_size(self) -> int | None:
        """None: the encoder's own."""
        return None if self.batch_size == "auto" else self.batch_size

    def index_plan(self, stored: IndexPlan) -> IndexPlan:
        """A collection's own plan, but for what was set."""
        explicit = self.model_fields_set
        return IndexPlan(
            self.vector_index if "vector_index" in explicit else stored.kind,
            self.index_recall if "index_recall" in explicit else stored.recall,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())


def config_file() -> Path:
    """The TOML file that settings are read from; it need not exist."""
    named = os.environ.get("SIGHTLINE_CONFIG")
    return Path(named) if named else platformdirs.user_config_path("sightline", appauthor=False) / "sightline.toml"


def load_settings(**options: Any) -> Settings:
    """Settings from a command's options (None: not given), the environment and the TOML file.

    Raises `InvalidSettings` naming the setting, the value and what is allowed.
    """
    given = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(next(iter(first["loc"]), "settings"))  # below it come the alternatives of its type
        raise InvalidSettings(name, str(first.get("input")), first["msg"]) from error
    except ValueError as error:  # tomllib.TOMLDecodeError
        raise InvalidSettings(str(config_file()), "this file", f"not valid TOML: {error}") from error
    library = settings.library.expanduser().absolute()
    return settings.model_copy(update={"library": library})
