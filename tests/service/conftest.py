"""Fixtures of studies that people have read."""

from __future__ import annotations

from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from tests.conftest import NOW, Made
from tests.service.reading import CHAIR, PASTA, quiet, suggest


@pytest.fixture
def loaded(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Forty people: half speak of a chair against the door, half of pasta."""
    said = ["one two", "three four", "five six", "seven eight", "nine ten"]
    lines = [f"{i},{(CHAIR if i % 2 else PASTA).format(said[i % 5])} {'x' * (i // 5)},child,P{i}" for i in range(40)]
    file = tmp_path / "in.csv"
    file.write_text("\n".join(["id,text,voice,participant", *lines]) + "\n", "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(made, minilm)
    return made
