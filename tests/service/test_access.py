"""Who may do what: accounts, sessions, keys and roles, and pages that answer nobody who is not signed in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlite_utils import Database

from service.access.demo_accounts import ACCOUNTS
from service.access.keys import new_key, person_of_key
from service.access.people import (
    PEOPLE_FILE,
    add_person,
    deactivate,
    named,
    people_in,
    preferences,
    set_password,
    set_preferences,
    set_role,
)
from service.access.permissions import APART, PERMISSIONS, Action, Role, may
from service.access.sessions import MOST_FAILURES, end_sessions, person_of_session, sign_in, sign_out
from service.app import build_app
from service.errors import AccessError
from tests.conftest import NOW, sign_in_as

NY = "/studies/north-yorkshire-care-leavers"
PASSWORD = "a long enough password"


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Database]:
    with people_in(tmp_path) as db:
        add_person(db, name="Ada", role=Role.CODER, password=PASSWORD, now=NOW)
        yield db


def test_no_password_and_no_token_is_stored_as_it_is(people: Database, tmp_path: Path) -> None:
    token = sign_in(people, "Ada", PASSWORD, now=NOW)
    _, key = new_key(people, "Ada", name="export", scopes=["read"], days=1, now=NOW)
    people.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    held = b"".join(f.read_bytes() for f in tmp_path.iterdir())

    assert not [word for word in (PASSWORD, token, key) if word.encode() in held]
    assert (tmp_path / PEOPLE_FILE).stat().st_mode & 0o077 == 0


def test_a_session_names_its_person_until_they_sign_out(people: Database) -> None:
    token = sign_in(people, "ada", PASSWORD, now=NOW)

    found = person_of_session(people, token, now=NOW)
    assert found is not None
    assert (found.name, found.role) == ("Ada", Role.CODER)

    sign_out(people, token, now=NOW)
    assert person_of_session(people, token, now=NOW) is None


@pytest.mark.parametrize(("name", "password"), [("Ada", "a wrong password"), ("Nobody", PASSWORD), ("", "")])
def test_a_wrong_name_and_a_wrong_password_are_refused_alike(people: Database, name: str, password: str) -> None:
    with pytest.raises(AccessError, match="the name or the password is not right"):
        sign_in(people, name, password, now=NOW)


def test_many_wrong_passwords_lock_the_account_for_a_while(people: Database) -> None:
    for _ in range(MOST_FAILURES):
        with pytest.raises(AccessError, match="not right"):
            sign_in(people, "Ada", "wrong", now=NOW)

    with pytest.raises(AccessError, match="too many"):
        sign_in(people, "Ada", PASSWORD, now=NOW)
    assert sign_in(people, "Ada", PASSWORD, now="2026-01-15T10:16:00.000+00:00")


@pytest.mark.parametrize("later", ["2026-01-15T12:00:01.000+00:00", "2026-01-16T10:00:00.000+00:00"])
def test_an_idle_session_ends(people: Database, later: str) -> None:
    token = sign_in(people, "Ada", PASSWORD, now=NOW)

    assert person_of_session(people, token, now=later) is None


def test_another_role_ends_the_sessions_of_the_old_one(people: Database) -> None:
    token = sign_in(people, "Ada", PASSWORD, now=NOW)

    set_role(people, "Ada", Role.READER, now=NOW)

    assert person_of_session(people, token, now=NOW) is None


def test_another_password_and_an_administrator_end_all_sessions_at_once(people: Database) -> None:
    tokens = [sign_in(people, "Ada", PASSWORD, now=NOW) for _ in range(2)]

    assert end_sessions(people, "Ada", now=NOW) == 2
    assert [person_of_session(people, token, now=NOW) for token in tokens] == [None, None]

    token = sign_in(people, "Ada", PASSWORD, now=NOW)
    set_password(people, "Ada", "another long password", now=NOW)
    assert person_of_session(people, token, now=NOW) is None
    with pytest.raises(AccessError, match="not right"):
        sign_in(people, "Ada", PASSWORD, now=NOW)


def test_somebody_who_left_can_neither_sign_in_nor_use_a_key(people: Database) -> None:
    _, key = new_key(people, "Ada", name="export", scopes=["read"], days=30, now=NOW)
    deactivate(people, "Ada", now=NOW)

    assert person_of_key(people, key, now=NOW) is None
    with pytest.raises(AccessError):
        sign_in(people, "Ada", PASSWORD, now=NOW)


def test_a_key_runs_out(people: Database) -> None:
    _, key = new_key(people, "Ada", name="export", scopes=["read"], days=30, now=NOW)

    held = person_of_key(people, key, now=NOW)
    assert held is not None
    assert held.name == "Ada"
    assert person_of_key(people, key, now="2026-03-01T00:00:00.000+00:00") is None


@pytest.mark.parametrize(
    ("name", "password", "why"), [(" ", PASSWORD, "needs a name"), ("Bo", "short", "12"), ("ADA", PASSWORD, "already")]
)
def test_an_account_needs_a_free_name_and_a_long_password(people: Database, name: str, password: str, why: str) -> None:
    with pytest.raises(AccessError, match=why):
        add_person(people, name=name, role=Role.CODER, password=password, now=NOW)


def test_what_somebody_prefers_is_kept(people: Database) -> None:
    person = person_of_session(people, sign_in(people, "Ada", PASSWORD, now=NOW), now=NOW)
    assert person is not None

    set_preferences(people, person, {"accept": "q"})

    assert preferences(people, person) == {"accept": "q"}


def test_every_role_has_its_row_and_none_may_do_all() -> None:
    assert set(PERMISSIONS) == set(Role)
    assert not may(Role.READER, Action.READ)
    assert not may(Role.DATA_MANAGER, Action.CODE)
    assert not may(Role.CODER, Action.PEOPLE)


@pytest.mark.parametrize("role", Role)
def test_no_role_joins_duties_that_are_kept_apart(role: Role) -> None:
    assert not [pair for pair in APART if set(pair) <= PERMISSIONS[role]]


@pytest.mark.parametrize(
    ("everywhere", "here", "fine"),
    [
        (Role.ADMIN, Role.READER, True),
        (Role.ADMIN, Role.CODER, False),
        (Role.ADMIN, Role.SAFEGUARDING_LEAD, False),
        (Role.ADMIN, Role.RELEASE_OFFICER, False),
        (Role.ADMIN, Role.AUDITOR, False),
        (Role.AUDITOR, Role.CODER, False),
        (Role.AUDITOR, Role.READER, True),
        (Role.CODER, Role.RELEASE_OFFICER, True),  # in that study they are no coder
        (Role.READER, Role.LEAD, True),
        (Role.NONE, Role.LEAD, True),
    ],
)
def test_no_two_roles_of_one_person_join_duties_that_are_kept_apart(
    people: Database, everywhere: Role, here: Role, fine: bool
) -> None:
    for first, then in (("", "study"), ("study", "")):
        name = f"Somebody first {first or 'everywhere'}"
        roles = {"": everywhere, "study": here}
        add_person(people, name=name, role=roles[first], password=PASSWORD, now=NOW, study=first)
        token = sign_in(people, name, PASSWORD, now=NOW)
        if fine:
            set_role(people, name, roles[then], now=NOW, study=then)
        else:
            with pytest.raises(AccessError, match="kept apart"):
                set_role(people, name, roles[then], now=NOW, study=then)
            assert person_of_session(people, token, now=NOW) is not None
        assert named(people, name).roles == (tuple(sorted(roles.items())) if fine else ((first, roles[first]),))


def test_a_role_may_be_handed_on_when_the_other_is_given_up_first(people: Database) -> None:
    add_person(people, name="Eve", role=Role.ADMIN, password=PASSWORD, now=NOW)
    add_person(people, name="Ann", role=Role.ADMIN, password=PASSWORD, now=NOW)

    set_role(people, "Ann", Role.READER, now=NOW, by="Eve")
    set_role(people, "Ann", Role.CODER, now=NOW, study="study", by="Eve")

    with pytest.raises(AccessError, match="administrator of every study and coder in one"):
        set_role(people, "Ann", Role.ADMIN, now=NOW, by="Eve")


@pytest.mark.parametrize("path", ["/", NY, NY + "/voices", NY + "/findings"])
def test_nobody_sees_a_page_before_signing_in_and_then_lands_where_they_wanted(demo_folder: Path, path: str) -> None:
    client = TestClient(build_app(demo_folder))

    answer = client.get(path, follow_redirects=False)

    assert answer.status_code == 303
    assert answer.headers["location"] == f"/sign-in?then={path}"


def test_the_api_asks_for_a_key_or_a_session(demo_folder: Path) -> None:
    client = TestClient(build_app(demo_folder))

    assert client.get("/v1/studies").status_code == 401
    with people_in(demo_folder) as db:
        _, key = new_key(
            db, "Coder A (demo)", name="a", scopes=["findings"], days=1, now="2026-11-01T00:00:00.000+00:00"
        )
        _, long = new_key(db, "Coder A (demo)", name="a", scopes=["findings"], days=100_000, now=NOW)
    assert client.get("/v1/studies", headers={"Authorization": f"Bearer {key}x"}).status_code == 401
    assert client.get("/v1/studies", headers={"Authorization": f"Bearer {long}"}).status_code == 200


def test_a_reader_sees_figures_and_no_voice(demo_folder: Path) -> None:
    client = sign_in_as(demo_folder, "Reader (demo)")

    assert client.get(NY + "/findings").status_code == 200
    assert "<blockquote" not in client.get(NY + "/findings").text
    for path in (NY + "/voices", "/v1" + NY + "/voices"):
        refused = client.get(path)
        assert refused.status_code == 403
        assert "no leave for this" in refused.text


def test_a_form_of_another_site_changes_nothing(demo_folder: Path) -> None:
    client = sign_in_as(demo_folder, "Coder A (demo)")

    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/sign-out", headers=headers, follow_redirects=False).status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("then", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", ""])
def test_signing_in_never_leads_to_another_site(demo_folder: Path, then: str) -> None:
    client = TestClient(build_app(demo_folder), headers={"Origin": "http://testserver"})
    form = {"name": "Reader (demo)", "password": "only-for-the-demo", "then": then}

    assert client.post("/sign-in", data=form, follow_redirects=False).headers["location"] == "/"


def test_the_session_cookie_is_for_this_site_and_no_script(demo_folder: Path) -> None:
    client = TestClient(build_app(demo_folder), headers={"Origin": "http://testserver"})
    form = {"name": "Reader (demo)", "password": "only-for-the-demo"}

    cookie = client.post("/sign-in", data=form, follow_redirects=False).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie


def test_the_demo_says_that_its_accounts_are_open(demo_folder: Path) -> None:
    page = TestClient(build_app(demo_folder)).get("/sign-in").text

    assert all(name in page for name in ACCOUNTS)
    assert "Never use them for real voices" in page


def test_a_wrong_password_on_the_page_says_so_and_repeats_nothing(demo_folder: Path) -> None:
    client = TestClient(build_app(demo_folder), headers={"Origin": "http://testserver"})

    page = client.post("/sign-in", data={"name": "qzxname", "password": "qzxword"})

    assert page.status_code == 403
    assert "The name or the password is not right" in page.text
    assert "qzx" not in page.text
