"""Settings from the environment (prefix `HEARD_`); unsafe ones are refused when they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

RESOURCES = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Where things are and how long raw text is kept."""

    model_config = SettingsConfigDict(env_prefix="HEARD_", extra="ignore")

    key_folder: Path = Field(default_factory=lambda: Path.home() / ".config" / "heard" / "keys")
    key_file: Path | None = None
    key: SecretStr | None = None
    key_command: str = ""
    backup_key_file: Path | None = None
    allow_key_beside_study: bool = False
    codebooks: Path = RESOURCES / "codebooks"
    policy_file: Path | None = None
    encoder: Literal["matcher", "minilm"] = "matcher"
    encoder_folder: Path | None = None
    export_folder: Path = Field(default_factory=lambda: Path.home() / ".cache" / "heard" / "models")
    share_lessons: Literal["no", "vectors"] = "no"
    learn_blind: float = Field(default=1.0, ge=0, le=1)
    learn_shown: float = Field(default=0.7, ge=0, le=1)
    learn_left_alone: float = Field(default=0.35, ge=0, le=1)
    keep_raw_days: int = Field(default=90, ge=1, le=3650)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    published_on_loopback: bool = False
    names: tuple[str, ...] = ()
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: tuple[str, ...] = ()
    api_per_minute: int = Field(default=600, ge=1)
    webhook_hosts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _never_in_the_clear(self) -> Self:
        """Passwords and words cross a network under TLS alone: our own, or that of a proxy in front.

        In a container the address must be open; then whoever starts it vouches that the port is
        published on the host's own loopback only.
        """
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("set both HEARD_TLS_CERT and HEARD_TLS_KEY, or neither")
        if self.on_this_machine or self.published_on_loopback or self.tls_cert or self.behind_proxy:
            return self
        raise ValueError(
            "HEARD_HOST must be 127.0.0.1 or localhost, unless HEARD_TLS_CERT and HEARD_TLS_KEY are set, or HEARD_BEHIND_PROXY"
            " names the proxy that does TLS"
        )

    @property
    def on_this_machine(self) -> bool:
        """Whether no other machine can reach the pages."""
        return self.host in ("localhost", "127.0.0.1")

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if sum(map(bool, (self.key_file, self.key, self.key_command))) > 1:
            raise ValueError("set one of HEARD_KEY_FILE, HEARD_KEY and HEARD_KEY_COMMAND, not several")
        return self

    @property
    def signing_key_file(self) -> Path:
        """The key pair that signs packs, one for whoever runs this Heard."""
        return self.key_folder / "packs.pem"

    def key_file_for(self, study_id: str) -> Path:
        """The key file of a study: the one named, else one named after the study."""
        return self.key_file or self.key_folder / f"{study_id}.key"

    def withdrawn_file_for(self, study_id: str) -> Path:
        """The list of those who have withdrawn: beside the key, since a restore brings back the study's own."""
        return self.key_file_for(study_id).with_name(f"{study_id}.withdrawn.json")
