"""The page of jobs: how far each is, taken back and tried again by those who may, without any script."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from service.study.changes import changed, state_for
from service.study.jobs import all_jobs, ask, beat, cancel, claim, end, job
from tests.conftest import NOW, Made
from tests.service.serving import give_accounts
from tests.service.test_check_page import CODER, MANAGER, client_of

AT = "/studies/study/jobs"


@pytest.fixture
def manager(made: Made) -> TestClient:
    give_accounts(made.study.folder.parent)
    return client_of(made, MANAGER)


def test_a_job_can_be_seen_taken_back_and_tried_again(made: Made, manager: TestClient) -> None:
    db = made.study.db
    assert "Nobody has asked for any" in manager.get(AT).text
    first = ask(db, "prepare", {}, by="Ann", now=NOW)
    assert claim(db, "w", now=NOW)
    assert beat(db, first.id, "w", done=1200, total=5000, now=NOW)

    page = manager.get(AT).text
    for told in ("Job 1: de-identify and suggest codes", "Running.", "1,200 of 5,000 (24%)", "Asked for by Ann"):
        assert told in page
    assert manager.post(f"{AT}/1/cancel", follow_redirects=False).headers["Location"] == f"{AT}#job-1"
    assert "Cancelled." in manager.get(AT).text
    assert manager.post(f"{AT}/1/retry").status_code == 200
    assert job(db, first.id).state == "waiting"


def test_what_cannot_be_done_is_said_in_words(made: Made, manager: TestClient) -> None:
    db = made.study.db
    for state, result in (("done", {"voices": 7, "held": 1}), ("failed", {})):
        asked = ask(db, "deidentify", {}, by="Ann", now=NOW)
        claim(db, "w", now=NOW)
        end(db, asked.id, "w", state=state, now=NOW, result=result, problem="the key is missing" if not result else "")

    page = manager.get(AT).text
    assert "7 voices, 1 in another language" in page
    assert "the key is missing" in page
    late, again = manager.post(f"{AT}/1/cancel"), manager.post(f"{AT}/1/retry")
    assert (late.status_code, again.status_code) == (409, 409)
    assert "Job 1 was over before it could be cancelled" in late.text
    assert "Only a failed or cancelled job can be tried again" in again.text
    assert manager.post(f"{AT}/99/cancel").status_code == 404
    assert manager.post(f"{AT}/{10**30}/retry").status_code == 404
    assert [j.state for j in all_jobs(db)] == ["failed", "done"]


def test_only_those_who_may_take_in_see_jobs(made: Made, manager: TestClient) -> None:
    ask(made.study.db, "suggest", {}, by="Ann", now=NOW)
    coder = client_of(made, CODER)

    assert coder.get(AT).status_code == 403
    assert coder.post(f"{AT}/1/cancel").status_code == 403
    assert f'href="{AT}"' in manager.get("/studies/study").text
    assert f'href="{AT}"' not in coder.get("/studies/study").text


def test_a_long_list_is_cut_into_pages(made: Made, manager: TestClient) -> None:
    for _ in range(31):
        ask(made.study.db, "suggest", {}, by="Ann", now=NOW)

    assert "?before=2" in manager.get(AT).text
    older = manager.get(f"{AT}?before=2").text
    assert "Job 1: suggest codes" in older
    assert "Job 2:" not in older
    assert manager.get(f"{AT}?before={10**30}").status_code == 200


def test_pages_that_lie_open_hear_that_jobs_went_on(made: Made) -> None:
    db, before = made.study.db, state_for(made.study.db, made.study.id, "Ann")

    asked = ask(db, "suggest", {}, by="Ann", now=NOW)
    waiting = state_for(db, made.study.id, "Ann")
    claim(db, "w", now=NOW)
    beat(db, asked.id, "w", done=1, total=2, now=NOW)
    running = state_for(db, made.study.id, "Ann")
    cancel(db, asked.id, now=NOW)

    assert changed(before, waiting) == changed(waiting, running) == ["jobs"]
    assert changed(running, state_for(db, made.study.id, "Ann")) == ["jobs"]
