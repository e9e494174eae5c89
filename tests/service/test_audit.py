"""The record of what was done, as an auditor has it: a page, a file and commands; and what is recorded of accounts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlite_utils import Database
from typer.testing import CliRunner

from service.access.keys import new_key, revoke_key
from service.access.people import add_person, deactivate, people_in, set_role, unlock
from service.access.permissions import Role
from service.access.sessions import MOST_FAILURES, sign_in, sign_out
from service.app import build_app
from service.cli.main import app as commands
from service.errors import AccessError
from service.study.database import open_database, write
from service.study.runs import add_audit
from service.study.study import opened
from service.study.trail import Wanted, trail
from tests.conftest import NOW
from tests.service.bare import bare_study
from tests.service.officers import OWN, PASSWORD, as_somebody, two_studies

run = CliRunner()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_studies(tmp_path_factory.mktemp("audit"))


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[FastAPI]:
    app = build_app(folder)
    yield app
    app.state.pool.close()


@pytest.fixture
def lone(tmp_path: Path) -> Path:
    """A study with three acts."""
    study = bare_study(tmp_path / "lone", [["Nothing."]])
    with write(study.db) as connection:
        for n in range(3):
            add_audit(connection, at=NOW, actor="=Ada", action="export.project", subject=str(n), counts={"n": n})
    study.db.close()
    return tmp_path


def tampered(study: Path, *statements: str) -> None:
    db = open_database(study / "study.db")
    for act in ("update", "delete"):
        db.conn.execute(f"DROP TRIGGER chain_no_{act}")
    for statement in statements:
        db.conn.execute(statement)
    db.conn.commit()
    db.close()


def test_the_page_tells_who_did_what_and_finds_it_by_kind_person_and_day(app: FastAPI) -> None:
    as_somebody(app, "coder").get(f"/studies/{OWN}/voices/v00000-0")
    auditor = as_somebody(app, "auditor")

    page = auditor.get(f"/studies/{OWN}/audit", params={"kind": "view", "by": "coder", "first": "2020-01-01"})

    assert "<td>coder</td><td>view</td><td>voices/v00000-0</td>" in page.text
    assert "Nothing fits." in auditor.get(f"/studies/{OWN}/audit", params={"last": "2020-01-01"}).text
    assert auditor.get(f"/studies/{OWN}/audit", params={"first": "yesterday"}).status_code == 422
    assert (
        "entries are as they were written, and none is missing"
        in auditor.get(f"/studies/{OWN}/audit", params={"check": True}).text
    )


def test_the_page_of_accounts_is_for_an_auditor_of_every_study(app: FastAPI, folder: Path) -> None:
    with people_in(folder) as db:
        add_person(db, name="Aud", role=Role.AUDITOR, password=PASSWORD, now=NOW)
    everywhere = as_somebody(app, "Aud")

    assert "<td>Aud</td><td>sign in</td>" in everywhere.get("/audit", params={"kind": "sign-in"}).text
    assert as_somebody(app, "auditor").get("/audit").status_code == 403


def test_the_file_holds_every_entry_and_no_formula(lone: Path) -> None:
    with people_in(lone) as db:
        add_person(db, name="Aud", role=Role.AUDITOR, password=PASSWORD, now=NOW)

    answer = as_somebody(build_app(lone), "Aud").get("/studies/lone/audit.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["actor"], row["counts"]) for row in rows] == [("'=Ada", f'{{"n": {n}}}') for n in (2, 1, 0)]
    assert answer.headers["content-disposition"].startswith("attachment")


def test_the_command_finds_nothing_wrong_with_what_was_left_alone(lone: Path) -> None:
    seal = run.invoke(commands, ["audit", "head", str(lone)]).stdout.strip()

    checked = run.invoke(commands, ["audit", "verify", str(lone), "--head", seal])

    assert checked.exit_code == 0, checked.output
    assert "lone: 3 entries, whole." in checked.output


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("UPDATE chain SET subject = '9' WHERE seq = 2", "entry 2: it was changed, moved or put in"),
        ("DELETE FROM chain WHERE seq = 2", "entry 2: it is missing"),
        ("DELETE FROM chain WHERE seq > 1", "entry 2: it and those up to 3 are missing: the chain was cut short"),
    ],
)
def test_the_command_says_what_was_tampered_with_and_where(lone: Path, statement: str, told: str) -> None:
    tampered(lone / "lone", statement)

    checked = run.invoke(commands, ["audit", "verify", str(lone / "lone")])

    assert checked.exit_code == 1
    assert told in checked.output


def test_a_seal_kept_elsewhere_finds_a_record_that_was_cut_together_with_its_head(lone: Path) -> None:
    seal = run.invoke(commands, ["audit", "head", str(lone)]).stdout.strip()
    tampered(lone / "lone", "DELETE FROM chain WHERE seq = 3")
    (lone / "lone" / "study.head").unlink()

    assert "the file that keeps the head is missing" in run.invoke(commands, ["audit", "verify", str(lone)]).output
    checked = run.invoke(commands, ["audit", "verify", str(lone), "--head", seal])
    assert "entry 3: it is missing: the chain was cut short" in checked.output
    gone = run.invoke(commands, ["audit", "verify", str(lone), "--head", "gone:" + seal.partition(":")[2]])
    assert "gone: there is no such record here" in gone.output
    assert gone.exit_code == 1


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Database]:
    with people_in(tmp_path) as db:
        add_person(db, name="Ada", role=Role.CODER, password=PASSWORD, now=NOW)
        yield db


def told(db: Database) -> list[tuple[str, str, str]]:
    return [(e.actor, e.action, e.subject) for e in trail(db, Wanted())][::-1]


def test_what_is_done_to_accounts_and_keys_is_recorded_with_who_did_it(people: Database) -> None:
    key, _ = new_key(people, "Ada", name="x", scopes=["read"], days=1, now=NOW)
    revoke_key(people, key.id, now=NOW)
    set_role(people, "Ada", Role.READER, study="s1", now=NOW)
    deactivate(people, "Ada", now=NOW)

    assert told(people) == [
        ("terminal", "add account as coder", "Ada"), ("terminal", "make key", f"{key.id} of Ada"),
        ("terminal", "end key", key.id), ("terminal", "make reader", "Ada in s1"), ("terminal", "end account", "Ada"),
    ]  # fmt: skip


def test_sign_ins_refusals_and_locks_are_recorded_and_a_name_that_nobody_has_is_not_kept(people: Database) -> None:
    sign_out(people, sign_in(people, "ada", PASSWORD, now=NOW), now=NOW)
    for name in ("qzx my password", *["Ada"] * MOST_FAILURES):
        with pytest.raises(AccessError):
            sign_in(people, name, "wrong", now=NOW)
    unlock(people, "Ada", now=NOW)

    acts = [(actor, action) for actor, action, _ in told(people)]
    assert acts[1:] == [
        ("Ada", "sign in"), ("Ada", "sign out"), ("unknown", "refuse sign-in"),
        *[("Ada", "refuse sign-in")] * (MOST_FAILURES - 1), ("Ada", "lock account"), ("terminal", "unlock account"),
    ]  # fmt: skip
    assert "qzx" not in str(told(people))


def test_only_the_act_that_is_committed_is_recorded(folder: Path) -> None:
    with opened(folder / OWN) as study, pytest.raises(RuntimeError), write(study.db) as connection:
        add_audit(connection, at=NOW, actor="Nobody", action="release", subject="r1")
        raise RuntimeError
    with opened(folder / OWN) as study:
        assert list(trail(study.db, Wanted(actor="Nobody"))) == []
