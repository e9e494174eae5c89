"""The safeguarding lead's page: what people raised, in ids and ages, the local protocol, and what it is not."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.people import add_person, people_in
from service.access.permissions import Action, Role, may
from service.app import build_app
from service.errors import ConflictError, MemoError
from service.study.flags import DISCLOSURE, DISCUSS
from service.study.protocols import NONE, protocol_of
from service.study.voices import segments
from service.usecases.flags import close_flag, raise_flag
from service.usecases.safeguarding import LONGEST_PROTOCOL, concerns, set_protocol
from tests.conftest import NOW, Made, sign_in_as
from tests.service.bare import bare_study, counting_round, review_round
from tests.service.officers import PASSWORD, as_somebody
from tests.service.serving import give_accounts
from tests.service.test_check import Deaf
from tests.service.test_check import loaded as load

LATER = "2026-01-25T10:00:00.000+00:00"
WORDS = "Call the front door on 01632 960123.\nIn an emergency call 999."


@pytest.fixture
def few(made: Made, tmp_path: Path) -> Made:
    load(
        made,
        tmp_path,
        [{"id": str(i), "text": f"Flat {i} is cold" + (", dad hits me" if i == 1 else "")} for i in range(3)],
        Deaf("never"),
    )
    return made


@pytest.fixture
def who(few: Made) -> dict[Role, TestClient]:
    folder = few.study.folder.parent
    with people_in(folder) as db:
        for role in Role:
            add_person(db, name=role.value, role=role, password=PASSWORD, now=NOW, study=few.study.id)
    app = build_app(folder, lambda _: few.key)
    return {role: as_somebody(app, role.value) for role in Role}


def test_records_stand_with_their_ages_the_oldest_open_one_first(few: Made) -> None:
    one, two, three = (s.id for s in segments(few.study.db))
    for segment in (one, two):
        raise_flag(few.study, segment, DISCLOSURE, by="Ann", now=NOW)
    raise_flag(few.study, three, DISCUSS, by="Ann", now=NOW)
    raise_flag(few.study, three, DISCLOSURE, by="Bo", now=LATER)
    close_flag(few.study, 1, by="Sue", now=LATER, note="Referred.")

    open_, closed = concerns(few.study, LATER)

    assert [(c.flag.seq, c.raised, c.held) for c in open_] == [(2, 10, 10), (4, 0, 10)]
    assert [(c.flag.seq, c.flag.ended_by, c.flag.note) for c in closed] == [(1, "Sue", "Referred.")]


def test_a_clock_set_back_makes_no_age_below_nothing(few: Made) -> None:
    raise_flag(few.study, segments(few.study.db)[0].id, DISCLOSURE, by="Ann", now=LATER)

    [concern], _ = concerns(few.study, "2020-01-01T10:00:00.000+00:00")

    assert (concern.raised, concern.held) == (0, 0)


def test_the_protocol_has_versions_that_stay_and_is_on_record_without_its_words(few: Made) -> None:
    assert protocol_of(few.study.db) == NONE
    assert set_protocol(few.study, WORDS, by="Sue", now=NOW, after=0) == 1
    assert set_protocol(few.study, WORDS + "  ", by="Sue", now=LATER, after=1) == 1
    with pytest.raises(ConflictError, match="meantime"):
        set_protocol(few.study, "Other.", by="Mo", now=LATER, after=0)

    assert protocol_of(few.study.db).words == WORDS
    acts = [tuple(r) for r in few.study.db.conn.execute("SELECT actor, action, subject, counts FROM audit")]
    assert acts[-1] == ("Sue", "set safeguarding protocol", "version 1", "{}")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        few.study.db.conn.execute("UPDATE protocols SET words = ''")


@pytest.mark.parametrize("words", ["", " \n ", "x" * (LONGEST_PROTOCOL + 1)])
def test_a_protocol_that_is_empty_or_too_long_is_refused(few: Made, words: str) -> None:
    with pytest.raises(MemoError):
        set_protocol(few.study, words, by="Sue", now=NOW, after=0)
    assert protocol_of(few.study.db) == NONE


def test_any_reader_raises_and_only_the_safeguarding_lead_sees_and_closes(
    few: Made, who: dict[Role, TestClient]
) -> None:
    here, part = f"/studies/{few.study.name}", segments(few.study.db)[0]
    readers = {role for role in Role if may(role, Action.READ)}

    for role, client in who.items():
        given = client.post(f"{here}/voices/{part.voice}/disclosure", data={"segment": part.id})
        assert (given.status_code == 200) is (role in readers), role
        if role in readers:
            assert "open" in given.text
            assert f"voice {part.voice}" in given.text
    lead = who[Role.SAFEGUARDING_LEAD]
    page = lead.get(f"{here}/safeguarding").text
    assert f"Open: {len(readers)}" in page
    assert part.text not in page
    for role in set(Role) - {Role.SAFEGUARDING_LEAD}:
        assert who[role].get(f"{here}/safeguarding").status_code in (403, 404)
        assert who[role].post(f"{here}/safeguarding/1", data={"note": "x"}).status_code in (403, 404)
        assert f"{here}/safeguarding" not in who[role].get(here).text
    assert (
        "What was done, in words" in lead.post(f"{here}/safeguarding/1", data={"note": "What was done, in words"}).text
    )
    assert f"Open: {len(readers) - 1}" in lead.get(f"{here}/safeguarding").text


def test_the_page_says_what_it_is_not(few: Made, who: dict[Role, TestClient]) -> None:
    page = who[Role.SAFEGUARDING_LEAD].get(f"/studies/{few.study.name}/safeguarding").text

    for said in ("not an alarm", "not a safeguarding service", "not a record about a child", "Nobody is told",
                 "No machine finds disclosures here", "an empty list says nothing", "Texts may be old"):  # fmt: skip
        assert said in page
    assert "Nobody has written a local protocol down here" in page


def test_the_protocol_that_the_lead_writes_is_what_those_who_read_see(few: Made, who: dict[Role, TestClient]) -> None:
    here = f"/studies/{few.study.name}"
    lead = who[Role.SAFEGUARDING_LEAD]

    assert lead.post(f"{here}/safeguarding/protocol", data={"words": WORDS, "version": 0}).status_code == 200
    stale = lead.post(f"{here}/safeguarding/protocol", data={"words": "Mine.", "version": 0})

    assert (stale.status_code, "in the meantime" in stale.text, "Mine." in stale.text) == (422, True, True)
    assert "01632 960123" in who[Role.CODER].get(f"{here}/flags").text


def test_wrong_records_and_notes_that_name_somebody_change_nothing(few: Made, who: dict[Role, TestClient]) -> None:
    here, parts = f"/studies/{few.study.name}", segments(few.study.db)
    lead = who[Role.SAFEGUARDING_LEAD]
    raise_flag(few.study, parts[0].id, DISCLOSURE, by="Ann", now=NOW)
    raise_flag(few.study, parts[1].id, DISCUSS, by="Ann", now=NOW)

    refused = lead.post(f"{here}/safeguarding/1", data={"note": "ring 07700 900123"})
    assert (refused.status_code, "telephone number" in refused.text) == (422, True)
    assert [lead.post(f"{here}/safeguarding/{n}").status_code for n in (2, 9)] == [404, 404]
    wrong = lead.post(f"{here}/voices/{parts[0].voice}/disclosure", data={"segment": parts[1].id})
    assert wrong.status_code == 404
    assert [len(found) for found in concerns(few.study, NOW)] == [1, 0]


def test_a_record_leads_to_asking_for_the_original_words(few: Made, who: dict[Role, TestClient]) -> None:
    raise_flag(few.study, segments(few.study.db)[0].id, DISCLOSURE, by="Ann", now=NOW)
    here, voice = f"/studies/{few.study.name}", segments(few.study.db)[0].voice
    lead = who[Role.SAFEGUARDING_LEAD]

    assert f'href="{here}/break-glass?voice={voice}"' in lead.get(f"{here}/safeguarding").text
    assert f'value="{voice}"' in lead.get(f"{here}/break-glass", params={"voice": voice}).text


def test_whoever_reads_is_asked_to_stop_at_words_and_nothing_of_it_is_kept(
    few: Made, who: dict[Role, TestClient]
) -> None:
    harmed = next(s for s in segments(few.study.db) if "hits" in s.text)
    fine = next(s for s in segments(few.study.db) if "hits" not in s.text)
    page = f"/studies/{few.study.name}/voices/"
    before = "\n".join(few.study.db.conn.iterdump())

    for role in (r for r in Role if may(r, Action.READ)):
        seen = who[role].get(page + harmed.voice).text
        assert re.search(
            r'<aside class="stop".*?<q dir="auto">dad hits me</q>.*?somebody is being hit or hurt', seen, re.S
        )
        assert "it misses many that do" in seen
        assert 'class="stop"' not in who[role].get(page + fine.voice).text

    after = "\n".join(few.study.db.conn.iterdump())
    new = [line for line in set(after.splitlines()) - set(before.splitlines()) if 'INTO "audit"' not in line]
    assert [line for line in new if "hurt" in line or "hits" in line] == []
    assert who[Role.SAFEGUARDING_LEAD].get(f"/studies/{few.study.name}/safeguarding").text.count("Open: 0") == 1


@pytest.mark.parametrize("kind", ["counting", "review"])
def test_a_coder_is_asked_to_stop_in_every_round(tmp_path: Path, kind: str) -> None:
    study = bare_study(tmp_path / "studies" / "bare", [["My dad hits me when im late"]])
    round_ = counting_round(study, 1) if kind == "counting" else review_round(study)
    give_accounts(tmp_path / "studies")

    with sign_in_as(tmp_path / "studies", "Coder A (demo)") as client:
        page = client.get(f"/studies/bare/rounds/{round_.id}/read").text

    assert '<aside class="stop"' in page
    assert "when somebody is being hit or hurt" in page
