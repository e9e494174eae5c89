"""Somebody takes back all that they said: no byte of it stays in the study's folder, and what rested on it is made anew."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.cli.main import app
from service.errors import RecordError
from service.study.chain import faults
from service.study.database import write
from service.study.decisions import codings, rounds
from service.study.search import Hidden, VoiceFilter, find_voices
from service.study.voices import all_voices
from service.usecases.deidentify import deidentify_study
from service.usecases.export_project import export_project
from service.usecases.export_study import export_study
from service.usecases.intake import take_in
from service.usecases.memos import add_memo
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.usecases.tables import export_tables
from service.usecases.withdraw import Withdrawn, withdraw
from service.usecases.withdrawn import listed_withdrawn
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import quiet, suggest
from tests.service.serving import give_accounts

NOTHING_HIDDEN = Hidden("Lead", (), ())
THEIRS = ("Kayleigh", "Thornton", "07700 900123", "hedgehog", "marmalade", "lighthouse")
SAID = (
    "I am Kayleigh Thornton, ring me on 07700 900123. My hedgehog ate the marmalade in the lighthouse every night. "
    "i put a chair against the door and nobody asked me why"
)


@pytest.fixture
def held(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Thirty people; one of them says what nobody else says, is coded, quoted in a memo, and drawn to be counted."""
    study = made.study
    rows = [f'{i},"i put a chair against the door at night {"x" * (i % 5)}",young_person,P{i},' for i in range(30)]
    file = tmp_path / "in.csv"
    theirs = f'99,"{SAID}",young_person,PX,Kayleigh Thornton'
    file.write_text("\n".join(["id,text,voice,participant,full name", *rows, theirs]) + "\n", "utf-8")
    take_in(study, file, made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(made, minilm)
    draw_counting_round(study, people=31, seed=1, now=NOW, actor="t")
    round_ = draw_review_round(study, seed=1, now=NOW, actor="t")
    while (item := next_item(study, round_, "Ann")) is not None:
        decide(
            study,
            item,
            coder="Ann",
            choices=[Choice("CL5", "worry", item.segment.start, item.segment.end)],
            seconds=1.0,
            now=NOW,
        )
    mine = segment_of(made)
    words = "They said: the marmalade in the lighthouse every night, and that stays with me."
    add_memo(
        study, object="study", subject=study.id, kind="note", words=words, by="Ann", now=NOW, identifies_nobody=True
    )
    add_memo(
        study,
        object="segment",
        subject=mine,
        kind="note",
        words="A lighthouse!",
        by="Ann",
        now=NOW,
        identifies_nobody=True,
    )
    with write(study.db) as connection:
        connection.execute("INSERT INTO flags VALUES (NULL, ?, 'discuss', 'Ben', ?)", (mine, NOW))
    return made


def participant(made: Made) -> str:
    row = made.study.db.conn.execute(
        "SELECT v.participant FROM voices v JOIN clean_texts c ON c.voice = v.id WHERE c.text LIKE '%lighthouse%'"
    ).fetchone()
    return str(row[0])


def segment_of(made: Made) -> str:
    query = (
        "SELECT id FROM segments WHERE voice IN (SELECT id FROM voices WHERE participant = ?) ORDER BY position LIMIT 1"
    )
    return str(made.study.db.conn.execute(query, [participant(made)]).fetchone()[0])


def take_back(made: Made, tmp_path: Path, who: str = "") -> Withdrawn:
    who = who or participant(made)
    return withdraw(
        made.study,
        made.key,
        who,
        by="Lead",
        now=NOW,
        list_file=tmp_path / "keys" / "gone.json",
        books=tmp_path / "books",
    )


def left_of(folder: Path) -> dict[str, list[str]]:
    """Their words that any file of the folder holds."""
    found = {
        f.name: [w for w in THEIRS if w.lower().encode() in f.read_bytes().lower()]
        for f in folder.rglob("*")
        if f.is_file()
    }
    return {name: words for name, words in found.items() if words}


def test_no_byte_of_their_words_or_names_stays_in_the_folder(held: Made, tmp_path: Path) -> None:
    assert any("lighthouse" in words for words in left_of(held.study.folder).values())
    done = take_back(held, tmp_path)
    assert done.scrubbed
    assert left_of(held.study.folder) == {}


def test_what_others_wrote_stays_without_the_quotation(held: Made, tmp_path: Path) -> None:
    take_back(held, tmp_path)
    memos = [row[0] for row in held.study.db.conn.execute("SELECT words FROM memos")]
    assert memos == ["They said: [withdrawn], and that stays with me."] or (
        len(memos) == 1 and "[withdrawn]" in memos[0] and "stays with me" in memos[0]
    )


def test_everybody_else_stays_as_they_were(held: Made, tmp_path: Path) -> None:
    before = {c.segment for c in codings(held.study.db)}
    mine = {
        row[0]
        for row in held.study.db.conn.execute(
            "SELECT s.id FROM segments s JOIN voices v ON v.id = s.voice WHERE v.participant = ?", [participant(held)]
        )
    }
    take_back(held, tmp_path)
    assert {c.segment for c in codings(held.study.db)} == before - mine
    assert len(all_voices(held.study.db)) == 30
    assert held.study.db.conn.execute("PRAGMA foreign_key_check").fetchall() == []
    assert held.study.db.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_the_receipt_names_rounds_and_what_left_in_ids_and_counts(held: Made, tmp_path: Path) -> None:
    with write(held.study.db) as connection:
        connection.execute(
            "INSERT INTO audit (at, actor, action, subject, counts) VALUES (?, 'Lead', 'export.project', '', '{}')",
            [NOW],
        )
    who = participant(held)
    receipt = take_back(held, tmp_path).receipt
    assert receipt.participant == who
    assert len(receipt.rounds) == 2
    assert [g.action for g in receipt.given_out] == ["export.project"]
    assert not any(word.lower() in json.dumps(repr(receipt)).lower() for word in THEIRS)


def test_suggestions_are_made_anew_and_the_person_does_not_come_back(held: Made, tmp_path: Path) -> None:
    who = participant(held)
    assert take_back(held, tmp_path).job > 0
    again = take_in(held.study, tmp_path / "in.csv", held.key, now=NOW, keep_raw_days=30, actor="t")
    assert again.voices == 0
    assert any("withdrawn" in note for note in again.notes)
    assert listed_withdrawn(tmp_path / "keys" / "gone.json") == [who]


def test_the_chain_of_what_was_done_holds_and_a_row_that_is_gone_without_a_withdrawal_is_found(
    held: Made, tmp_path: Path
) -> None:
    take_back(held, tmp_path)
    assert faults(held.study.db, []) == []
    held.study.db.conn.execute("DROP TRIGGER decisions_no_delete") if _has(held, "decisions_no_delete") else _drop(held)
    held.study.db.conn.execute("PRAGMA foreign_keys = OFF")
    held.study.db.conn.execute("DELETE FROM decisions WHERE seq = (SELECT min(seq) FROM decisions)")
    assert any("is gone" in fault.problem for fault in faults(held.study.db, []))


def _has(made: Made, name: str) -> bool:
    return made.study.db.conn.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [name]).fetchone() is not None


def _drop(made: Made) -> None:
    rows = made.study.db.conn.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'decisions' AND sql LIKE '%DELETE%'"
    )
    for (name,) in [tuple(row) for row in rows]:
        made.study.db.conn.execute(f'DROP TRIGGER "{name}"')


def test_withdrawing_twice_gives_the_same_receipt_and_nobody_is_refused(held: Made, tmp_path: Path) -> None:
    who = participant(held)
    assert take_back(held, tmp_path, who).receipt == take_back(held, tmp_path, who).receipt
    with pytest.raises(RecordError, match="no participant or voice"):
        take_back(held, tmp_path, "somebody-else")


def test_by_command_it_asks_first_and_prints_no_words(
    held: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    wiring.settings.cache_clear()
    who = participant(held)
    refused = CliRunner().invoke(app, ["withdraw", str(held.study.folder), who], input="n\n")
    assert refused.exit_code == 1
    assert len(all_voices(held.study.db)) == 31
    done = CliRunner().invoke(app, ["withdraw", str(held.study.folder), who, "--yes"])
    wiring.settings.cache_clear()
    assert done.exit_code == 0, done.output
    assert f"Withdrawn: {who}" in done.output
    assert not any(word.lower() in done.output.lower() for word in THEIRS)
    assert left_of(held.study.folder) == {}


def test_acceptance_case_8_no_search_vector_cache_or_export_has_a_trace_and_what_had_left_is_listed(
    held: Made, tmp_path: Path
) -> None:
    study = held.study
    export_tables(study, tmp_path / "before", person="Lead", now=NOW)
    kept = {row[0] for row in study.db.conn.execute("SELECT key FROM vectors")}
    assert kept
    assert find_voices(study.db, VoiceFilter(words="lighthouse"), NOTHING_HIDDEN) != []

    receipt = take_back(held, tmp_path).receipt

    assert [g.action for g in receipt.given_out] == ["export.tables"]
    assert find_voices(study.db, VoiceFilter(words="lighthouse"), NOTHING_HIDDEN) == []
    assert study.db.conn.execute("SELECT count(*) FROM vectors").fetchone()[0] == 0
    out = tmp_path / "after"
    export_tables(study, out / "tables", person="Lead", now=NOW)
    export_study(study, out / "whole", person="Lead", now=NOW)
    (out / "project.xml").write_bytes(unzipped(export_project(study, person="Lead", now=NOW).content))
    assert len([f for f in out.rglob("*") if f.is_file()]) > 10
    assert left_of(out) == {}


def unzipped(content: bytes) -> bytes:
    with ZipFile(BytesIO(content)) as file:
        return b"\n".join(file.read(name) for name in file.namelist())


def test_on_the_page_somebody_is_found_by_what_the_file_calls_them_and_removed_when_one_is_sure(
    held: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    wiring.settings.cache_clear()
    who, here = participant(held), f"/studies/{held.study.name}/withdrawals"
    give_accounts(held.study.folder.parent)
    with sign_in_as(held.study.folder.parent, "Data manager (demo)") as client:
        assert "Nobody has withdrawn." in client.get(here).text
        stranger = client.post(f"{here}/look", data={"who": "Kayleigh Nobody"})
        assert stranger.status_code == 422
        assert "Kayleigh" not in stranger.text
        assert f"Remove all of {who} for good" in client.post(f"{here}/look", data={"who": "PX"}).text
        unsure = client.post(here, data={"participant": who})
        assert unsure.status_code == 422
        assert "nothing has been removed" in unsure.text
        assert len(all_voices(held.study.db)) == 31
        done = client.post(here, data={"participant": who, "sure": "true"}, follow_redirects=False)
        assert done.headers["location"].endswith(f"#{who}")
        assert f"Withdrawn: {who}" in client.get(here).text
    wiring.settings.cache_clear()
    assert len(all_voices(held.study.db)) == 30
    assert left_of(held.study.folder) == {}


def test_a_coder_withdraws_nobody(held: Made) -> None:
    give_accounts(held.study.folder.parent)
    with sign_in_as(held.study.folder.parent, "Coder A (demo)") as client:
        assert client.get(f"/studies/{held.study.name}/withdrawals").status_code == 403
        sent = {"participant": participant(held), "sure": "true"}
        assert client.post(f"/studies/{held.study.name}/withdrawals", data=sent).status_code == 403
    assert len(all_voices(held.study.db)) == 31


def test_a_tab_that_lay_open_on_somebody_who_withdrew_is_told_so_and_nothing_is_kept(
    held: Made, tmp_path: Path
) -> None:
    study, segment = held.study, segment_of(held)
    round_ = next(one.id for one in rounds(study.db) if one.kind == "review")
    give_accounts(study.folder.parent)
    with sign_in_as(study.folder.parent, "Coder A (demo)") as client:
        here = f"/studies/{study.name}/rounds/{round_}"
        assert client.get(f"{here}/items/{segment}").status_code == 200
        take_back(held, tmp_path)
        before = study.db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0]
        sent = client.post(f"{here}/items/{segment}", json={"token": "t" * 16, "choices": [{"code": "CL5"}]})
        flagged = client.post(f"/studies/{study.name}/queue/flags", json={"segment": segment, "kind": "discuss"})
        assert (sent.status_code, "no longer" in sent.json()["problem"]) == (404, True)
        assert flagged.status_code in (404, 422)
        assert client.get(f"{here}/item?after={segment}").status_code == 200
    assert study.db.conn.execute("SELECT count(*) FROM decisions").fetchone()[0] == before
