"""Break-glass: one voice's original words, for who asked alone, with a second person's leave, for a short time."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.people import add_person, people_in
from service.access.permissions import Role
from service.app import build_app
from service.errors import ConflictError, KeyFileError, MemoError, RecordError
from service.study.glass import ask_of
from service.study.voices import all_voices
from service.usecases.glass import answer, ask, look
from service.usecases.withdraw import withdraw
from service.vault.keys import create_key
from service.vault.store import RawVoice, Vault
from tests.conftest import NOW, Made
from tests.service.officers import PASSWORD, as_somebody
from tests.service.test_check import Deaf
from tests.service.test_check import loaded as load

TOKEN = "zqxmarmalade"
SOON, LATE, LONG_AFTER = (f"2026-01-15T1{t}.000+00:00" for t in ("0:00:00", "0:15:00", "9:00:00"))
WHY = "They may be in danger tonight."


@pytest.fixture
def voice(made: Made, tmp_path: Path) -> str:
    load(made, tmp_path, [{"id": "1", "text": f"I hid the {TOKEN} and nobody came"}], Deaf("never"))
    return all_voices(made.study.db)[0].id


def allowed(made: Made, voice: str) -> int:
    number = ask(made.study, voice, WHY, by="Sue", now=SOON)
    answer(made.study, number, allowed=True, by="Dan", now=SOON)
    return number


def acts(made: Made) -> list[str]:
    return [
        row[0] for row in made.study.db.conn.execute("SELECT action FROM audit ORDER BY seq") if "original" in row[0]
    ]


def test_each_step_is_on_record_in_ids(made: Made, voice: str) -> None:
    number = allowed(made, voice)

    _, words = look(made.study, made.key, number, by="Sue", now=SOON)

    assert TOKEN in words
    assert acts(made) == ["ask for original words", "allow original words", "view original words"]
    rows = made.study.db.conn.execute("SELECT subject, counts FROM audit WHERE action LIKE '%original%'").fetchall()
    assert {tuple(row) for row in rows} == {(voice, f'{{"ask": {number}}}')}
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        made.study.db.conn.execute("DELETE FROM glass_answers")


def test_nobody_answers_their_own_request_or_answers_twice(made: Made, voice: str) -> None:
    number = ask(made.study, voice, WHY, by="Sue", now=SOON)

    with pytest.raises(ConflictError, match="own request"):
        answer(made.study, number, allowed=True, by="Sue", now=SOON)
    answer(made.study, number, allowed=False, by="Dan", now=SOON)
    with pytest.raises(ConflictError, match="already"):
        answer(made.study, number, allowed=True, by="Dan", now=SOON)
    with pytest.raises(ConflictError, match="refused"):
        look(made.study, made.key, number, by="Sue", now=SOON)


def test_only_who_asked_looks_and_only_when_it_is_allowed(made: Made, voice: str) -> None:
    waiting = ask(made.study, voice, WHY, by="Sue", now=SOON)
    with pytest.raises(ConflictError, match="nobody has allowed"):
        look(made.study, made.key, waiting, by="Sue", now=SOON)
    with pytest.raises(ConflictError, match="only who asked"):
        look(made.study, made.key, allowed(made, voice), by="Ann", now=SOON)


def test_it_closes_and_a_clock_set_back_does_not_open_it_again(made: Made, voice: str) -> None:
    number = allowed(made, voice)

    for at in (LATE, SOON, LONG_AFTER):
        with pytest.raises(ConflictError, match="over"):
            look(made.study, made.key, number, by="Sue", now=at)
    assert ask_of(made.study.db, number).ended_at == LATE
    assert acts(made)[-1] == "original words closed"


def test_any_later_act_on_record_counts_for_the_clock(made: Made, voice: str) -> None:
    number = allowed(made, voice)
    ask(made.study, voice, WHY, by="Sue", now=LONG_AFTER)

    with pytest.raises(ConflictError, match="over"):
        look(made.study, made.key, number, by="Sue", now=SOON)


def test_a_purged_voice_has_nothing_to_see(made: Made, voice: str) -> None:
    number = allowed(made, voice)
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        vault.purge("9999-01-01")

    with pytest.raises(RecordError, match="nothing to see"):
        look(made.study, made.key, number, by="Sue", now=SOON)


def test_somebody_who_withdrew_has_nothing_to_see_and_no_request_is_left(
    made: Made, voice: str, tmp_path: Path
) -> None:
    number = allowed(made, voice)

    withdraw(made.study, made.key, voice, by="Dan", now=SOON, list_file=tmp_path / "list.json", books=tmp_path)

    with pytest.raises(RecordError, match="nothing left to see"):
        look(made.study, made.key, number, by="Sue", now=SOON)
    with pytest.raises(RecordError, match="withdrawn"):
        ask(made.study, voice, WHY, by="Sue", now=SOON)
    assert [made.study.db[t].count for t in ("glass_asks", "glass_answers", "glass_ends")] == [0, 0, 0]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "Ring 07700 900123"])
def test_a_reason_is_needed_that_names_nobody(made: Made, voice: str, reason: str) -> None:
    with pytest.raises(MemoError):
        ask(made.study, voice, reason, by="Sue", now=SOON)
    assert acts(made) == []


def test_a_voice_that_there_is_not_cannot_be_asked_for(made: Made) -> None:
    with pytest.raises(RecordError, match="no voice"):
        ask(made.study, "v-nobody", WHY, by="Sue", now=SOON)


def test_another_key_shows_nothing(made: Made, voice: str, tmp_path: Path) -> None:
    number = allowed(made, voice)

    with pytest.raises(KeyFileError):
        look(made.study, create_key(tmp_path / "other.key"), number, by="Sue", now=SOON)


def test_on_the_pages_each_other_role_is_refused_and_no_file_holds_the_words(made: Made, voice: str) -> None:
    folder, only_sealed = made.study.folder.parent, "zqxlighthouse"
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        vault.put([RawVoice(voice, f"The {only_sealed} is dark", "r", "p", "9999-01-01")])
    with people_in(folder) as db:
        for role in Role:
            add_person(db, name=role.value, role=role, password=PASSWORD, now=NOW, study=made.study.id)
    app = build_app(folder, lambda _: made.key)
    who: dict[Role, TestClient] = {role: as_somebody(app, role.value) for role in Role}
    here = f"/studies/{made.study.name}/break-glass"
    lead, manager = who[Role.SAFEGUARDING_LEAD], who[Role.DATA_MANAGER]

    assert "Nobody has asked" in lead.get(here).text
    assert lead.post(here, data={"voice": voice, "reason": WHY}).status_code == 200
    for role, client in who.items():
        if role is not Role.DATA_MANAGER:
            assert client.post(f"{here}/1/answer", data={"allowed": "true"}).status_code in (403, 404)
    assert "/1/answer" in manager.get(f"{here}/asked").text
    assert manager.post(f"{here}/1/answer", data={"allowed": "true"}).status_code == 200
    for role, client in who.items():
        if role is not Role.SAFEGUARDING_LEAD:
            assert client.post(f"{here}/1/look").status_code in (403, 404)
    shown = lead.post(f"{here}/1/look")

    assert only_sealed in shown.text
    assert shown.headers["Cache-Control"] == "no-store"
    assert "break-glass" in shown.headers["Refresh"]
    assert not [f for f in folder.rglob("*") if f.is_file() and only_sealed.encode() in f.read_bytes()]
