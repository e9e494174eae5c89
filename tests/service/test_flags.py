"""Flags: raised once, ended once, seen by those they are for."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.errors import RecordError
from service.study.flags import DISCLOSURE, DISCUSS, flag, flags, flags_on
from service.study.voices import segments
from service.usecases.flags import close_flag, flags_for, raise_flag
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.serving import give_accounts
from tests.service.test_check import Deaf
from tests.service.test_check import loaded as load

LATER = "2026-01-16T10:00:00.000+00:00"


@pytest.fixture
def few(made: Made, tmp_path: Path) -> Made:
    """Four people who said one thing each."""
    load(made, tmp_path, [{"id": str(i), "text": f"Flat {i} is cold"} for i in range(4)], Deaf("never"))
    return made


def client_of(few: Made, name: str) -> TestClient:
    give_accounts(few.study.folder.parent)
    return sign_in_as(few.study.folder.parent, name)


def test_a_flag_raised_twice_is_one_flag_until_it_is_ended(few: Made) -> None:
    segment = segments(few.study.db)[0].id

    first = raise_flag(few.study, segment, DISCUSS, by="Ann", now=NOW)
    assert raise_flag(few.study, segment, DISCUSS, by="Ann", now=LATER) == first
    assert flags_on(few.study.db, segment, "Ann") == [DISCUSS]
    assert close_flag(few.study, first, by="Bo", now=LATER)
    assert raise_flag(few.study, segment, DISCUSS, by="Ann", now=LATER) != first


def test_two_who_flag_the_same_segment_raise_two_flags(few: Made) -> None:
    segment = segments(few.study.db)[0].id

    numbers = {
        raise_flag(few.study, segment, kind, by=by, now=NOW) for by in ("Ann", "Bo") for kind in (DISCUSS, DISCLOSURE)
    }

    assert len(numbers) == 4


def test_a_flag_is_ended_once_and_keeps_who_did_it(few: Made) -> None:
    number = raise_flag(few.study, segments(few.study.db)[0].id, DISCUSS, by="Ann", now=NOW)

    assert close_flag(few.study, number, by="Bo", now=LATER)
    assert not close_flag(few.study, number, by="Cy", now=LATER)

    ended = flag(few.study.db, number)
    assert (ended.ended_by, ended.ended_at) == ("Bo", LATER)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        few.study.db.conn.execute("DELETE FROM flag_ends")


def test_open_flags_come_before_ended_ones(few: Made) -> None:
    first, second, third = (raise_flag(few.study, s.id, DISCUSS, by="Ann", now=NOW) for s in segments(few.study.db)[:3])
    close_flag(few.study, first, by="Bo", now=LATER)

    assert [f.seq for f in flags(few.study.db, DISCUSS)] == [second, third, first]


@pytest.mark.parametrize(("segment", "kind"), [("no-such", DISCUSS), ("", DISCLOSURE), (None, "alarm"), (None, "")])
def test_a_segment_or_kind_that_there_is_not_is_refused(few: Made, segment: str | None, kind: str) -> None:
    with pytest.raises(RecordError, match="there is no"):
        raise_flag(few.study, segments(few.study.db)[0].id if segment is None else segment, kind, by="A", now=NOW)
    with pytest.raises(RecordError, match="there is no flag"):
        close_flag(few.study, 7, by="A", now=NOW)


def test_beside_the_safeguarding_lead_only_who_raised_it_sees_a_possible_disclosure(few: Made) -> None:
    raise_flag(few.study, segments(few.study.db)[0].id, DISCLOSURE, by="Ann", now=NOW)

    assert flags_for(few.study, "Lea").mine == ()
    assert [(f.by, f.came_in) for f in flags_for(few.study, "Ann").mine] == [("Ann", NOW)]


def test_a_flag_says_nothing_to_somebody_who_is_still_to_read_the_item_alone(loaded: Made) -> None:
    draw_counting_round(loaded.study, people=40, seed=1, now=NOW, actor="t")
    number = raise_flag(loaded.study, segments(loaded.study.db)[0].id, DISCUSS, by="Ann", now=NOW)

    assert flags_for(loaded.study, "Bo").discuss == ()
    assert [f.seq for f in flags_for(loaded.study, "Ann").discuss] == [number]


def test_the_trail_of_a_flag_holds_ids_alone(few: Made) -> None:
    segment = segments(few.study.db)[0]
    close_flag(few.study, raise_flag(few.study, segment.id, DISCLOSURE, by="Ann", now=NOW), by="Bo", now=LATER)

    trail = [
        tuple(r)
        for r in few.study.db.conn.execute(
            "SELECT actor, action, subject, counts FROM audit WHERE action LIKE '%flag%'"
        )
    ]

    assert trail == [("Ann", "flag disclosure", segment.id, "{}"), ("Bo", "end flag disclosure", segment.id, "{}")]


def test_a_disclosure_is_on_no_other_page_and_is_closed_by_no_other_role(few: Made) -> None:
    first, second = segments(few.study.db)[:2]
    raise_flag(few.study, first.id, DISCUSS, by="Ann", now=NOW)
    raise_flag(few.study, second.id, DISCLOSURE, by="Ann", now=NOW)
    lead = client_of(few, "Lead (demo)")
    page = lead.get(f"/studies/{few.study.name}/flags").text
    assert first.text in page
    assert "You have raised none" in page
    assert second.text not in page
    assert lead.post(f"/studies/{few.study.name}/flags/2", data={"note": "x"}).status_code == 404


def test_a_flag_is_closed_on_its_page_with_what_came_of_it(few: Made) -> None:
    raise_flag(few.study, segments(few.study.db)[0].id, DISCUSS, by="Ann", now=NOW)
    lead, address = client_of(few, "Lead (demo)"), f"/studies/{few.study.name}/flags"
    refused = lead.post(f"{address}/1", data={"note": "ring 07700 900123"})
    assert (refused.status_code, "telephone number" in refused.text) == (422, True)
    assert "we agreed to keep the code" in lead.post(f"{address}/1", data={"note": "we agreed to keep the code"}).text
    assert "Nothing is flagged" in lead.get(address).text
