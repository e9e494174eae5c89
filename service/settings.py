"""Settings from the environment (prefix `HEARD_`); unsafe ones are refused when they are read."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

RESOURCES = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are and how long raw text is kept."""

    model_config = SettingsConfigDict(env_prefix="HEARD_", extra="ignore")

    key_folder: Path = Field(default_factory=lambda: Path.home() / ".config" / "heard" / "keys")
    key_file: Path | None = None
    codebooks: Path = RESOURCES / "codebooks"
    keep_raw_days: int = Field(default=90, ge=0, le=3650)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)

    @field_validator("host")
    @classmethod
    def _loopback_only(cls, host: str) -> str:
        """There is no sign-in yet, so pages are for this machine alone."""
        if host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback):
            return host
        raise ValueError("pages have no sign-in yet: HEARD_HOST must be a loopback address such as 127.0.0.1")

    def key_file_for(self, study_id: str) -> Path:
        """The key file of a study: the one named, else one named after the study."""
        return self.key_file or self.key_folder / f"{study_id}.key"


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
