"""Fixtures of studies that people have read."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from tests.conftest import Made
from tests.service.reading import fill


@pytest.fixture
def loaded(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Forty people: half speak of a chair against the door, half of pasta."""
    fill(made, tmp_path, cascade, minilm)
    return made
