"""Fixtures of studies that people have read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service.study.study import Study, open_study
from tests.conftest import Made
from tests.service.reading import fill, kept_study
from tests.service.serving import give_accounts


@pytest.fixture
def loaded(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Forty people: half speak of a chair against the door, half of pasta."""
    fill(made, tmp_path, cascade, minilm)
    return made


@pytest.fixture(scope="session")
def forty(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """A folder of studies, with the forty people's and the demo's accounts, to be copied."""
    folder = kept_study(tmp_path_factory.mktemp("forty"), cascade, minilm)
    give_accounts(folder)
    return folder


@pytest.fixture
def studies(forty: Path, tmp_path: Path) -> Path:
    """A copy of it for one test."""
    return shutil.copytree(forty, tmp_path / "studies")


@pytest.fixture
def study(studies: Path) -> Iterator[Study]:
    """Its study, open."""
    study = open_study(studies / "study")
    yield study
    study.db.close()
