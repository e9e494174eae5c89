"""The check of de-identification: a sample read whole, unsure stretches, fixes that keep codings, the gate."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.deid.detector import Detector
from nlp.encode import Encoder
from nlp.types import Detection, Label, Span
from service import wiring
from service.errors import GateError, StudyError
from service.settings import Settings
from service.study.decisions import codings
from service.study.search import VoiceFilter
from service.study.study import Study
from service.study.voices import all_voices, clean_text, redactions, segments
from service.usecases.check import (
    ToRead,
    accept_risk,
    gate,
    next_held,
    next_in_sample,
    next_unsure,
    record_reading,
    record_unsure,
)
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.queue import next_item
from service.usecases.reading import read_voice
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, people_in_scope
from service.usecases.search import search_voices
from service.usecases.suggest import suggest_study
from service.vault.keys import Key
from service.vault.store import Vault
from tests.conftest import NOW, Made

SAY = "I hide from Zorblax at night. My flat is cold and Zorblax knows it."


class Deaf:
    """A detector that hears one word and doubts another, so that a test knows what is missed."""

    name = "deaf.v1"

    def __init__(self, heard: str, doubted: str = "") -> None:
        self.words = {heard: True, doubted: False} if doubted else {heard: True}

    def detect(self, texts: list[str]) -> list[list[Detection]]:
        return [
            [
                Detection(i, i + len(w), Label.PERSON, 0.55 if sure else 0.3, self.name, "in a test", sure)
                for w, sure in self.words.items()
                if (i := text.find(w)) >= 0
            ]
            for text in texts
        ]


def quiet(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def loaded(made: Made, tmp_path: Path, rows: list[dict[str, str]], detector: Detector) -> None:
    file = tmp_path / "in.csv"
    columns = list(rows[0])
    file.write_text("\n".join([",".join(columns), *(",".join(f'"{r[c]}"' for c in columns) for r in rows)]), "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="test", speaker="young_person")
    deidentify(made, detector)


def deidentify(made: Made, *detectors: Detector) -> None:
    deidentify_study(made.study, made.key, Deidentifier(detectors), now=NOW, actor="test", progress=quiet)


def read_all(study: Study, key: Key, count: int, missed: int = 0) -> None:
    for n in range(count):
        item = next_in_sample(study)
        assert item is not None
        words = [(item.clean.text.split()[0], Label.PERSON)] if n < missed else []
        record_reading(study, key, item, missed=words, rejected=[], checker="Sam", now=NOW)


def until(made: Made, voice_id: str) -> ToRead:
    """The sample read, with nothing found, up to one voice."""
    while (item := next_in_sample(made.study)) is not None and item.record.id != voice_id:
        record_reading(made.study, made.key, item, missed=[], rejected=[], checker="S", now=NOW)
    assert item is not None
    return item


def test_nobody_codes_before_the_check(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": "1", "text": SAY}], Deaf("Zorblax"))

    with pytest.raises(GateError, match="nobody may code yet"):
        draw_counting_round(shut.study, people=1, seed=1, now=NOW, actor="Sam")
    assert not gate(shut.study).open


def test_enough_clean_reads_open_the_gate_and_one_leak_keeps_it_shut(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": str(i), "text": f"Flat {i} is cold"} for i in range(70)], Deaf("never"))
    assert gate(shut.study).still_to_read == 59  # 1 - 0.05 ** (1 / 59) is the first bound under 0.05

    read_all(shut.study, shut.key, 58)
    assert not gate(shut.study).open
    read_all(shut.study, shut.key, 1)
    assert gate(shut.study).open
    read_all(shut.study, shut.key, 1, missed=1)

    state = gate(shut.study)
    assert not state.open
    assert (state.overall.read, state.overall.leaking, state.by_voice["young_person"].missed) == (60, 1, 1)
    assert state.overall.per_thousand == pytest.approx(1000 / 60)


def test_the_sample_reads_every_voice_once_in_an_order_that_is_not_the_order_of_intake(
    shut: Made, tmp_path: Path
) -> None:
    loaded(shut, tmp_path, [{"id": str(i), "text": f"Flat {i} is cold"} for i in range(20)], Deaf("never"))
    seen = []
    while (item := next_in_sample(shut.study)) is not None:
        seen.append(item.record.id)
        record_reading(shut.study, shut.key, item, missed=[], rejected=[], checker="Sam", now=NOW)

    everyone = [v.id for v in all_voices(shut.study.db)]
    assert sorted(seen) == sorted(everyone)
    assert seen != everyone


def test_a_named_person_may_accept_the_risk_in_writing(shut: Made) -> None:
    with pytest.raises(StudyError, match="a name and a reason"):
        accept_risk(shut.study, person=" ", reason="why not", now=NOW)

    accept_risk(shut.study, person="Jo Ruiz", reason="Only two of us read it, in a locked room.", now=NOW)

    state = gate(shut.study)
    assert state.open
    assert "Jo Ruiz accepted the risk" in state.why
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        shut.study.db.conn.execute("DELETE FROM acceptances")


def test_a_missed_name_is_masked_in_all_of_the_persons_voices_and_leaves_no_trace(shut: Made, tmp_path: Path) -> None:
    rows = [
        {"id": "1", "participant": "p1", "text": SAY},
        {"id": "2", "participant": "p1", "text": "zorblax came back"},
        {"id": "3", "participant": "p2", "text": "zorblax is a game"},
    ]
    profile = tmp_path / "profile.yaml"
    profile.write_text("name: t\nrecord_id: id\nparticipant: participant\ntexts: [text]\n")
    file = tmp_path / "in.jsonl"
    file.write_text("".join(json.dumps(r) + "\n" for r in rows))
    take_in(shut.study, file, shut.key, now=NOW, keep_raw_days=30, actor="t", profile=profile, speaker="child")
    deidentify(shut, Deaf("never"))
    item = until(shut, all_voices(shut.study.db)[0].id)

    changed = record_reading(
        shut.study, shut.key, item, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="Sam", now=NOW
    )

    texts = [clean_text(shut.study.db, v.id) for v in all_voices(shut.study.db)]
    assert changed == 2
    assert texts[0] == "I hide from [Person 1] at night. My flat is cold and [Person 1] knows it."
    assert texts[1] == "[Person 1] came back"
    assert texts[2] == "zorblax is a game"
    everything = "\n".join(str(tuple(row)) for t in ("clean_texts", "suggestions", "checks", "audit", "runs")
                           for row in shut.study.db.conn.execute(f"SELECT * FROM {t}"))  # fmt: skip
    assert "I hide from Zorblax" not in everything
    assert "zorblax came" not in everything


def test_a_fix_keeps_codings_suggestions_and_segments_on_their_words(
    made: Made, tmp_path: Path, minilm: Encoder
) -> None:
    say = "Zorblax shouts. I put a chair against the door at night. It is fine by day."
    loaded(made, tmp_path, [{"id": "1", "text": say}], Deaf("never"))
    book = wiring.codebook_named("north-yorkshire-care-leavers")
    suggest_study(made.study, book, minilm, now=NOW, actor="t", progress=quiet)
    round_ = draw_counting_round(made.study, people=1, seed=1, now=NOW, actor="t")
    coded = {}
    while (item := next_item(made.study, round_, "Sam")) is not None:
        words = item.segment.text.strip()
        at = item.segment.start + item.segment.text.find(words)
        decide(made.study, item, coder="Sam", choices=[Choice("CL1", "", at, at + len(words))], seconds=1.0, now=NOW)
        coded[item.segment.id] = words
    before = [s.text for s in segments(made.study.db)]

    reading = next_in_sample(made.study)
    assert reading is not None
    record_reading(made.study, made.key, reading, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="S", now=NOW)

    text = clean_text(made.study.db, reading.record.id)
    assert text == say.replace("Zorblax", "[Person 1]")
    now_coded = {c.segment: text[c.start : c.end] for c in codings(made.study.db)}
    assert now_coded == {k: w.replace("Zorblax", "[Person 1]") for k, w in coded.items()}
    assert [s.text for s in segments(made.study.db)] == [t.replace("Zorblax", "[Person 1]") for t in before]
    assert "".join(s.text for s in segments(made.study.db)) == text
    shown = read_voice(made.study, reading.record.id, person="t")
    assert all(s.quote == text[s.start : s.end] for part in shown.segments for s in part.suggestions)


def test_a_mask_that_hid_nothing_is_opened_again_from_the_vault(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": "1", "text": "We took the bus to Tesco and the tram back."}], Deaf("Tesco"))
    item = next_in_sample(shut.study)
    assert item is not None
    assert item.clean.text == "We took the bus to [Person 1] and the tram back."

    mask = item.clean.redactions[0]
    record_reading(
        shut.study,
        shut.key,
        item,
        missed=[("tram", Label.ORG)],
        rejected=[Span(mask.start, mask.end)],
        checker="S",
        now=NOW,
    )

    assert clean_text(shut.study.db, item.record.id) == "We took the bus to Tesco and the [Organisation 1] back."
    with Vault(shut.study.vault_file, shut.key, shut.study.id) as vault:
        pairs = vault.offset_map(item.record.id, 2)
        raw = vault.texts([item.record.id])[item.record.id]
    assert [raw[a:b] for a, b, _, _ in pairs] == ["tram"]
    assert gate(shut.study).overall.leaking == 0


def test_a_mask_cannot_be_opened_once_the_raw_words_are_purged(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": "1", "text": "We took the bus to Tesco."}], Deaf("Tesco"))
    with Vault(shut.study.vault_file, shut.key, shut.study.id) as vault:
        assert vault.purge("2030-01-01") == 1
    item = next_in_sample(shut.study)
    assert item is not None
    mask = Span(item.clean.redactions[0].start, item.clean.redactions[0].end)

    with pytest.raises(StudyError, match="purged"):
        record_reading(shut.study, shut.key, item, missed=[], rejected=[mask], checker="S", now=NOW)
    assert gate(shut.study).overall.read == 0


def test_words_that_are_not_there_are_refused_and_nothing_is_noted(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": "1", "text": SAY}], Deaf("never"))
    item = next_in_sample(shut.study)
    assert item is not None

    with pytest.raises(StudyError, match="not in the text"):
        record_reading(
            shut.study, shut.key, item, missed=[("Gorblax", Label.PERSON)], rejected=[], checker="S", now=NOW
        )
    assert gate(shut.study).overall.read == 0


def test_unsure_stretches_wait_in_a_queue_masked_and_unmasked_alike(shut: Made, tmp_path: Path) -> None:
    loaded(shut, tmp_path, [{"id": "1", "text": "Blorp and Quux came."}], Deaf("Blorp", "Quux"))
    assert gate(shut.study).unsure == 2

    seen = {}
    while (item := next_unsure(shut.study, shut.key)) is not None:
        seen[item.words or item.span.of(item.clean.text)] = item.masked
        record_unsure(shut.study, shut.key, item, mask=not item.masked, checker="Sam", now=NOW)

    assert seen == {"Blorp": True, "Quux": False}
    assert clean_text(shut.study.db, all_voices(shut.study.db)[0].id) in (
        "Blorp and [Person 2] came.",
        "Blorp and [Person 1] came.",
    )
    assert gate(shut.study).unsure == 0


def test_the_voice_with_most_expected_leaks_comes_first(shut: Made, tmp_path: Path) -> None:
    rows = [{"id": "1", "text": "Blorp came."}, {"id": "2", "text": "Quux came."}]
    loaded(shut, tmp_path, rows, Deaf("Blorp", "Quux"))

    first = next_unsure(shut.study, shut.key)

    assert first is not None
    assert first.span.of(first.clean.text) == "Quux"


def test_a_voice_in_another_language_is_held_until_a_person_has_read_it(
    shut: Made, tmp_path: Path, minilm: Encoder
) -> None:
    polish = "Dzień dobry, moja córka nie chce chodzić do szkoły i bardzo się martwię o nią każdego dnia."
    loaded(shut, tmp_path, [{"id": "1", "text": polish}, {"id": "2", "text": "The hub helped us a lot."}], Deaf("x"))
    book = wiring.codebook_named("north-yorkshire-care-leavers")
    report = suggest_study(shut.study, book, minilm, now=NOW, actor="t", progress=quiet)

    assert gate(shut.study).held == 1
    assert report.segments == 1
    assert len(people_in_scope(shut.study)) == 1
    assert search_voices(shut.study, "A tester", VoiceFilter(), page=1).total == 1
    item = next_held(shut.study)
    assert item is not None
    assert item.clean.held == "pl"

    record_reading(shut.study, shut.key, item, missed=[], rejected=[], checker="Ola", now=NOW)

    assert gate(shut.study).held == 0
    assert len(people_in_scope(shut.study)) == 2
    assert search_voices(shut.study, "A tester", VoiceFilter(), page=1).total == 2


def test_studies_of_fictional_people_are_open(tmp_path: Path, settings: Settings) -> None:
    study, _ = wiring.make_study(
        tmp_path / "f", title="F", codebook="north-yorkshire-care-leavers", now=NOW, fictional=True, settings=settings
    )
    assert gate(study).open
    assert redactions(study.db, "none") == []
