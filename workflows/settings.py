"""Settings, read once: environment (`AGENTICRS_*`), then `agenticrs.toml` in the working folder, then defaults."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

SandboxName = Literal["auto", "docker", "bubblewrap", "process"]


class Settings(BaseSettings):
    """What a site decides once. Options of a command override it for that command."""

    model_config = SettingsConfigDict(env_prefix="AGENTICRS_", toml_file="agenticrs.toml", extra="forbid")

    home: Path = Field(default_factory=lambda: Path.home() / ".agenticrs")  # runs, data, memory, tracking
    data_folder: Path | None = None  # where official data sets lie, each in a folder of its name
    model: str = ""  # provider:model; "" is the built-in engine
    usd_per_million_input: float | None = Field(default=None, ge=0)  # the model's price; needed to keep a budget in dollars
    usd_per_million_output: float | None = Field(default=None, ge=0)
    model_window: int | None = Field(default=None, ge=8_000)  # tokens it reads at once, where its provider does not say or errs
    sandbox: SandboxName = "auto"
    tracking_uri: str = ""  # an MLflow server; "" is SQLite under home
    processes: int = Field(default=1, ge=1)  # that train one model together, for models too large for one
    parallel: int = Field(default_factory=lambda given: _side_by_side(given["processes"]), ge=1)  # training runs side by side
    timeout_s: float = Field(default=1800.0, gt=0)  # wall clock of one training run
    memory_mb: int = Field(default=6144, ge=512)  # memory of one training run
    smoke_timeout_s: float = Field(default=300.0, gt=0)  # wall clock of what a candidate must pass before it is trained
    drafts: int = Field(default=3, ge=1)  # candidates written anew, at most
    repairs: int = Field(default=3, ge=0)  # of one candidate in a row
    improvements: int = Field(default=2, ge=0)  # of a candidate that runs and is not faithful
    embeddings: str = ""  # provider:model of what memory compares texts by; "" is the one that is installed
    chroma_url: str = ""  # a Chroma server for memory's vectors; "" is a folder under home
    redis_url: str = ""

    @field_validator("tracking_uri")
    @classmethod
    def _without_password(cls, uri: str) -> str:
        """MLflow repeats a server's address in its errors."""
        if uri.startswith("http") and "@" in uri:
            raise ValueError("leave user and password out of it; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD")
        return uri

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def mlflow_uri(self) -> str:
        return self.tracking_uri or f"sqlite:///{self.home.resolve() / 'mlflow.sqlite'}"


def _side_by_side(processes: int) -> int:
    return max(1, (os.cpu_count() or 1) // processes)
