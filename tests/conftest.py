"""Fixtures for every test: settings of their own, the real models loaded once, a study made by the real use cases."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.access.demo_accounts import DEMO_PASSWORD, add_demo_accounts
from service.app import build_app
from service.settings import Settings
from service.study.database import write
from service.study.passports import add_passport
from service.study.study import Study
from service.usecases import demo
from service.usecases.check import accept_risk
from service.usecases.passport import passport_in
from service.vault.keys import Key

ROOT = Path(__file__).resolve().parent.parent
NOW = "2026-01-15T10:00:00.000+00:00"


def give_passport(study: Study) -> None:
    """A passport under which anything may come in and leave."""
    with write(study.db) as connection:
        add_passport(connection, passport_in(ROOT / "corpora_sample" / "passport.toml"), by="A tester", at=NOW)


@dataclass(frozen=True, slots=True)
class Made:
    """A study and its key, as `heard init` makes them."""

    study: Study
    key: Key


@pytest.fixture(scope="session")
def cascade() -> Deidentifier:
    return wiring.deidentifier()


@pytest.fixture(scope="session")
def minilm() -> Encoder:
    return wiring.encoder()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(key_folder=tmp_path / "keys")


@pytest.fixture
def made(tmp_path: Path, settings: Settings) -> Iterator[Made]:
    """An empty study of North Yorkshire's codebook, open for coding."""
    study, key = wiring.make_study(
        tmp_path / "study", title="A study", codebook="north-yorkshire-care-leavers", now=NOW, settings=settings
    )
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    yield Made(study, key)
    study.db.close()


@pytest.fixture
def shut(tmp_path: Path, settings: Settings) -> Iterator[Made]:
    """An empty study whose check nobody has made and whose risk nobody has accepted."""
    study, key = wiring.make_study(
        tmp_path / "shut", title="Shut", codebook="north-yorkshire-care-leavers", now=NOW, settings=settings
    )
    give_passport(study)
    yield Made(study, key)
    study.db.close()


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """A folder of studies with North Yorkshire's sample taken from file to finding."""
    folder = tmp_path_factory.mktemp("demo")
    settings = Settings(key_folder=folder / "keys")
    tools = demo.Tools(cascade, minilm, settings.codebooks, ROOT / "corpora_sample", clock=lambda: NOW)
    for name in ("north-yorkshire-care-leavers", "hampshire-early-help"):
        study, key = wiring.make_study(
            folder / "studies" / name,
            title=demo.SITES[name][0],
            codebook=name,
            now=NOW,
            fictional=True,
            settings=settings,
        )
        demo.build_site(study, key, wiring.codebook_named(name), tools, lambda _: None)
        study.db.close()
    add_demo_accounts(folder / "studies", now=NOW)
    return folder / "studies"


def sign_in_as(studies: Path, name: str) -> TestClient:
    """A client of the pages over `studies`, signed in under one of the demo's accounts."""
    client = TestClient(build_app(studies), raise_server_exceptions=False, headers={"Origin": "http://testserver"})
    answer = client.post("/sign-in", data={"name": name, "password": DEMO_PASSWORD}, follow_redirects=False)
    assert answer.status_code == 303
    return client
