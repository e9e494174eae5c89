"""Every address has a rule, and the rules hold: each role at each address of its own study and of another one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient

from service.access.people import EVERYWHERE, add_person, people_in
from service.access.permissions import PERMISSIONS, Action, Role
from service.app import build_app
from service.cli.rules import written
from service.deps import AStudy
from service.doors import OPEN, Door, doors_of
from service.study.database import write
from service.study.study import opened
from service.study.trail import Wanted, trail
from tests.conftest import NOW
from tests.service.officers import OTHER, OWN, PASSWORD, as_somebody, two_studies

DOORS = doors_of(build_app(Path("nowhere")))
FORMS = {("POST", "/studies/{name}/memos"): {"object": "study"}}  # else it is about something that one may not see
ROOT = Path(__file__).resolve().parents[2]
STREAM = "/studies/{name}/events"  # goes on for ever: its own tests read it


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return two_studies(tmp_path_factory.mktemp("doors"))


@pytest.fixture(scope="module")
def app(folder: Path) -> Iterator[FastAPI]:
    app = build_app(folder)
    yield app
    app.state.pool.close()


def study_id(folder: Path) -> str:
    with opened(folder / OWN) as study:
        return study.id


def at(door: Door, study: str) -> str:
    """The address, with something that is not there for every other part."""
    path = door.path.replace("{name}", study)
    for part in ("number", "webhook_id", "job_id"):
        path = path.replace(f"{{{part}}}", "999999")
    while "{" in path:
        path = path[: path.index("{")] + "none" + path[path.index("}") + 1 :]
    return path


@pytest.mark.parametrize("role", Role)
def test_each_role_gets_what_the_table_says_in_its_own_study_and_nothing_of_another(app: FastAPI, role: Role) -> None:
    client = as_somebody(app, role.value)
    surprises = []
    for door in DOORS:
        if not door.in_study or door.path == STREAM:
            continue
        form = FORMS.get((door.method, door.path))
        own = client.request(door.method, at(door, OWN), data=form, follow_redirects=False)
        other = client.request(door.method, at(door, OTHER), data=form, follow_redirects=False)
        expected = 404 if role is Role.NONE else 200 if door.leaves <= PERMISSIONS[role] else 403
        refused = own.status_code == 403 and "no leave for this" in own.text
        right = {403: refused, 404: own.status_code == 404, 200: not refused and own.status_code not in (401, 500)}
        if not right[expected] or other.status_code != 404:
            surprises.append((door.method, door.path, expected, own.status_code, other.status_code))
    assert surprises == []


def test_addresses_of_no_study_ask_for_a_role_everywhere_and_a_new_role_counts_at_once(
    app: FastAPI, folder: Path
) -> None:
    with people_in(folder) as db:
        add_person(db, name="far", role=Role.NONE, password=PASSWORD, now=NOW, study=EVERYWHERE)
        person = add_person(db, name="near", role=Role.NONE, password=PASSWORD, now=NOW, study=study_id(folder))
    near, far, surprises = as_somebody(app, "near"), as_somebody(app, "far"), []
    for role in Role:
        with people_in(folder) as db, write(db) as connection:
            connection.execute("UPDATE roles SET role = ? WHERE person >= ?", (role.value, person.id - 1))
        for door in (d for d in DOORS if not d.in_study and not d.open and d.leaves):
            one, all_ = (c.request(door.method, at(door, "")).status_code == 403 for c in (near, far))
            if not one or all_ is (door.leaves <= PERMISSIONS[role]):
                surprises.append((role, door.path))
    assert surprises == []


def test_without_signing_in_an_address_answers_only_if_it_is_open(app: FastAPI) -> None:
    client = TestClient(app, headers={"Origin": "http://testserver"})
    answers = {door: client.request(door.method, at(door, OWN), follow_redirects=False) for door in DOORS}

    refused = {
        d for d, a in answers.items() if a.status_code == 401 or a.headers.get("location", "").startswith("/sign-in?")
    }
    assert {door.path for door in set(DOORS) - refused} == OPEN


def test_an_address_without_a_rule_is_refused_when_the_application_is_built() -> None:
    app, router = FastAPI(), APIRouter()

    @router.get("/studies/{name}/new")
    def new(study: AStudy) -> str:
        return study.name

    app.include_router(router)
    with pytest.raises(RuntimeError, match="GET /studies/{name}/new says nobody's leave"):
        doors_of(app)


def test_nobody_finds_a_study_on_the_first_page_that_they_have_no_part_in(app: FastAPI) -> None:
    coder, none = as_somebody(app, "coder"), as_somebody(app, "none")

    assert f"/studies/{OWN}" in coder.get("/").text
    assert f"/studies/{OTHER}" not in coder.get("/").text
    assert "/studies/" not in none.get("/").text
    assert [s["name"] for s in coder.get("/v1/studies").json()] == [OWN]


def test_whoever_looks_at_a_text_is_recorded_by_its_id_and_never_its_words(app: FastAPI, folder: Path) -> None:
    coder = as_somebody(app, "coder")
    assert coder.get(f"/studies/{OWN}/voices/v00000-0").status_code == 200
    assert coder.get(f"/studies/{OWN}/voices", params={"q": "qzxsecret"}).status_code == 200
    assert coder.get(f"/v1/studies/{OWN}/voices/v00000-1").status_code == 200
    assert coder.get(f"/studies/{OWN}/voices/qzxnobody").status_code == 404
    assert coder.get(f"/studies/{OWN}/findings").status_code == 200

    with opened(folder / OWN) as study:
        seen = [(e.actor, e.action, e.subject) for e in trail(study.db, Wanted(actor="coder"), limit=3)]
        held = " ".join(e.subject for e in trail(study.db, Wanted()))
    assert seen[::-1] == [
        ("coder", "view", "voices/v00000-0"),
        ("coder", "view", "voices"),
        ("coder", "view", "voices/v00000-1"),
    ]
    assert "qzx" not in held


def test_what_is_refused_is_no_view_and_a_file_to_keep_is_an_export(app: FastAPI, folder: Path) -> None:
    reader = as_somebody(app, "reader")
    assert reader.get(f"/studies/{OWN}/voices/v00000-0").status_code == 403
    auditor = as_somebody(app, "auditor")
    assert auditor.get(f"/studies/{OWN}/audit.csv").status_code == 200

    with opened(folder / OWN) as study:
        assert list(trail(study.db, Wanted(kind="view", actor="reader"))) == []
        assert next(trail(study.db, Wanted(actor="auditor"))).action == "export"


def test_every_action_is_somebodys_and_every_role_that_is_not_none_may_see_figures() -> None:
    assert set(Action) == {action for leaves in PERMISSIONS.values() for action in leaves}
    assert all(Action.FINDINGS in leaves for role, leaves in PERMISSIONS.items() if role is not Role.NONE)


def test_the_written_rules_are_those_of_the_code() -> None:
    """Write them anew with `python -m service.cli.rules > docs/permissions.md`."""
    assert (ROOT / "docs/permissions.md").read_text("utf-8") == written()
