"""Keys: shown once, kept as hashes, with scopes, an end, a successor; and good for the API alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlite_utils import Database
from typer.testing import CliRunner

from service.access.keys import all_keys, new_key, person_of_key, revoke_key, rotate_key
from service.access.people import PEOPLE_FILE, add_person, people_in, set_role
from service.access.people import migrations as people_migrations
from service.access.permissions import Action, Role
from service.app import build_app
from service.cli.main import app as commands
from service.errors import AccessError
from service.study.database import open_database
from tests.conftest import NOW
from tests.service.calling import CODER, calling, key_of
from tests.service.serving import give_accounts

LATER = "2026-01-15T12:30:00.000+00:00"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Database]:
    with people_in(tmp_path) as db:
        add_person(db, name="Ada", role=Role.CODER, password="a long enough password", now=NOW)
        yield db


def test_a_key_does_no_more_than_its_scopes_and_its_persons_role(people: Database) -> None:
    _, secret = new_key(people, "Ada", name="export", scopes=["read"], days=1, now=NOW)

    person = person_of_key(people, secret, now=NOW)

    assert person is not None
    assert person.may(Action.READ)
    assert not person.may(Action.CODE)
    with pytest.raises(AccessError, match="no such leave"):
        new_key(people, "Ada", name="export", scopes=["lead"], days=1, now=NOW)
    with pytest.raises(AccessError, match="at least one scope"):
        new_key(people, "Ada", name="export", scopes=[], days=1, now=NOW)


def test_a_key_that_lost_its_leave_with_its_persons_role_is_refused(people: Database) -> None:
    _, secret = new_key(people, "Ada", name="export", scopes=["code"], days=1, now=NOW)
    set_role(people, "Ada", Role.READER, now=NOW)

    person = person_of_key(people, secret, now=NOW)

    assert person is not None
    assert not person.may(Action.CODE)


def test_a_rotated_key_has_a_successor_and_stays_good_for_a_while(people: Database) -> None:
    old, secret = new_key(people, "Ada", name="export", scopes=["read"], days=30, now=NOW)

    new, next_secret = rotate_key(people, old.id, days=60, hours=2, now=NOW)

    assert (new.person, new.name, new.scopes) == (old.person, old.name, old.scopes)
    assert person_of_key(people, secret, now=NOW) is not None
    assert person_of_key(people, secret, now=LATER) is None
    assert person_of_key(people, next_secret, now=LATER) is not None


def test_a_revoked_key_is_good_for_nothing_and_cannot_be_revoked_twice(people: Database) -> None:
    key, secret = new_key(people, "Ada", name="export", scopes=["read"], days=30, now=NOW)

    revoke_key(people, key.id, now=NOW)

    assert person_of_key(people, secret, now=NOW) is None
    with pytest.raises(AccessError, match="no key of that id"):
        revoke_key(people, key.id, now=NOW)


def test_a_list_of_keys_says_when_each_was_last_used_and_never_a_secret(people: Database) -> None:
    _, secret = new_key(people, "Ada", name="export", scopes=["read"], days=30, now=NOW)
    unused = all_keys(people)
    person_of_key(people, secret, now=LATER)
    used = all_keys(people)

    assert [k.used_at for k in (*unused, *used)] == ["", LATER]
    assert secret not in repr(used)


def test_keys_made_before_scopes_keep_what_they_could_do(tmp_path: Path) -> None:
    db = open_database(tmp_path / PEOPLE_FILE)
    people_migrations.apply(db, stop_before="m002_scopes")
    db.conn.execute("INSERT INTO people (name, role, password, created_at) VALUES ('Ada', 'coder', 'x', ?)", [NOW])
    digest = "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"
    db.conn.execute("INSERT INTO keys VALUES (?, 1, 'old', ?, '2027-01-01')", [digest, NOW])
    db.conn.commit()
    db.close()

    with people_in(tmp_path) as people:
        person = person_of_key(people, "password", now=NOW)

    assert person is not None
    assert person.may(Action.CODE)
    assert len(person.key) == 8


def test_a_key_opens_no_page(demo_folder: Path) -> None:
    client = calling(demo_folder, CODER, "findings", "read")

    assert client.get("/v1/studies").status_code == 200
    assert client.get("/studies/hampshire-early-help/voices", follow_redirects=False).status_code == 303


def test_an_address_outside_the_keys_scopes_is_refused_as_a_problem(demo_folder: Path) -> None:
    client = calling(demo_folder, CODER, "findings")

    refused = client.get("/v1/studies/hampshire-early-help/voices")

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"


def test_commands_make_list_rotate_and_end_keys(tmp_path: Path) -> None:
    give_accounts(tmp_path)
    run = CliRunner()

    made = run.invoke(commands, ["keys", "new", str(tmp_path), CODER, "--for", "export", "--scope", "read"])
    with people_in(tmp_path) as db:
        (key,) = all_keys(db)
    rotated = run.invoke(commands, ["keys", "rotate", str(tmp_path), key.id, "--hours", "0"])
    with people_in(tmp_path) as db:
        second = next(k for k in all_keys(db) if k.id != key.id)
    ended = run.invoke(commands, ["keys", "revoke", str(tmp_path), second.id])

    secrets = [r.stdout.splitlines()[-1] for r in (made, rotated)]
    assert [r.exit_code for r in (made, rotated, ended)] == [0, 0, 0]
    assert all(s.startswith("heard_") for s in secrets)
    client = TestClient(build_app(tmp_path))
    answers = [client.get("/v1/studies", headers={"Authorization": f"Bearer {s}"}).status_code for s in secrets]
    assert answers == [401, 401]


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    give_accounts(tmp_path)

    assert len({key_of(tmp_path, CODER, ["read"]) for _ in range(5)}) == 5
