"""A folder of two small studies with an account of every role: those of the first have no part in the second."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from service.access.people import add_person, people_in
from service.access.permissions import Role
from service.access.sessions import sign_in
from service.clock import now
from service.deps import COOKIE
from tests.conftest import NOW
from tests.service.bare import bare_study, review_round, said

PASSWORD = "a long enough password"
OWN, OTHER = "own", "other"


def two_studies(folder: Path) -> Path:
    """The folder, with people of every role in the study OWN alone."""
    own = bare_study(folder / OWN, [list(said(2)), list(said(2))])
    review_round(own)
    own.db.close()
    bare_study(folder / OTHER, [list(said(1))]).db.close()
    with people_in(folder) as db:
        for role in Role:
            add_person(db, name=role.value, role=role, password=PASSWORD, now=NOW, study=own.id)
    return folder


def as_somebody(app: FastAPI, name: str) -> TestClient:
    """A client of the pages, signed in under a name."""
    client = TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})
    with people_in(app.state.studies) as db:
        client.cookies.set(COOKIE, sign_in(db, name, PASSWORD, now=now()))
    return client
