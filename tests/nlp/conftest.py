"""Fixtures for the library's tests: the two real models, each loaded once, and hypothesis without clocks."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, settings

from nlp.deid.cascade import Deidentifier, default_deidentifier
from nlp.encode import SentenceEncoder, bundled_minilm

settings.register_profile(
    "library",
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("library")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def minilm() -> SentenceEncoder:
    torch.set_num_threads(1)  # two that wait for each other are slower than one on a busy machine
    return bundled_minilm()


@pytest.fixture(scope="session")
def cascade() -> Deidentifier:
    return default_deidentifier()
