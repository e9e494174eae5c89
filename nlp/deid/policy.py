"""What takes the place of an identifier, as a small file that a governance officer can read."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

import yaml

from nlp.errors import PolicyError

CHOICES = {
    "names": ("role", "number", "invented"),
    "dates": ("month", "shift", "hide"),
    "birth_dates": ("band", "hide"),
    "ages": ("band", "hide"),
    "postcodes": ("hide", "district"),
}


@dataclass(frozen=True, slots=True)
class Policy:
    """One choice for each sort of identifier; see `policy.yaml` for what each does."""

    names: str = "role"
    dates: str = "month"
    birth_dates: str = "band"
    ages: str = "band"
    postcodes: str = "hide"

    @property
    def fingerprint(self) -> str:
        """Eight characters that change with any choice, for the run record."""
        return sha256(repr(self).encode()).hexdigest()[:8]


def read_policy(text: str) -> Policy:
    """A policy from YAML; PolicyError names the line's field and what may stand there."""
    try:
        raw: Any = yaml.safe_load(text)
    except yaml.YAMLError as broken:
        raise PolicyError("the policy is not YAML") from broken
    if not isinstance(raw, dict):
        raise PolicyError("the policy must be lines of “name: choice”")
    for name, choice in raw.items():
        if name not in CHOICES:
            raise PolicyError(f"“{name}” is no part of a policy; these are: {', '.join(CHOICES)}")
        if choice not in CHOICES[name]:
            raise PolicyError(f"“{name}” must be one of: {', '.join(CHOICES[name])}")
    missing = [f.name for f in fields(Policy) if f.name not in raw]
    if missing:
        raise PolicyError(f"the policy does not say: {', '.join(missing)}")
    return Policy(**raw)


@cache
def default_policy() -> Policy:
    """The policy that ships."""
    return read_policy(resources.files("nlp.deid").joinpath("policy.yaml").read_text("utf-8"))
