"""Programs that call the API with a key of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fastapi.testclient import TestClient

from service.access.keys import new_key
from service.access.people import people_in
from service.app import build_app
from service.clock import now

LEAD, CODER, MANAGER, READER = "Lead (demo)", "Coder A (demo)", "Data manager (demo)", "Reader (demo)"


def key_of(studies: Path, name: str, scopes: Iterable[str]) -> str:
    """The secret of a new key that acts as one of the demo's accounts."""
    with people_in(studies) as db:
        return new_key(db, name, name="a test", scopes=list(scopes), days=1, now=now())[1]


def calling(studies: Path, name: str, *scopes: str) -> TestClient:
    """A client of the API over `studies`, with a key of that person and those scopes."""
    bearer = {"Authorization": f"Bearer {key_of(studies, name, scopes)}"}
    return TestClient(build_app(studies), raise_server_exceptions=False, headers=bearer)
