"""Checks can be taken back, as many as somebody made: the texts read again as they did, and nothing counts twice."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nlp.types import Label
from service.errors import ConflictError, StudyError
from service.study.checks import sampled
from service.study.study import Study
from service.study.voices import all_voices, newest_version, segments
from service.usecases.check import (
    gate,
    next_held,
    next_in_sample,
    next_unsure,
    record_reading,
    record_unsure,
    unsure_places,
)
from service.usecases.check_undo import undo_check
from service.usecases.intake import take_in
from service.vault.store import Vault
from tests.conftest import NOW, Made
from tests.service.test_check import Deaf, deidentify
from tests.service.test_check import loaded as load

SAY = "Blorp 👧🏽 hid from Quux and Zorblax. {} Zorblax waits. Quux sleeps."


def said_by(made: Made, tmp_path: Path, people: int, each: int) -> None:
    """Several people who said several things with the same names: one masked unsurely, one doubted, one missed."""
    file, profile = tmp_path / "in.jsonl", tmp_path / "profile.yaml"
    profile.write_text("name: t\nrecord_id: id\nparticipant: p\ntexts: [text]\n")
    rows = [{"id": f"{p}{i}", "p": f"p{p}", "text": SAY.format("x" * i)} for p in range(people) for i in range(each)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", profile=profile, speaker="child")
    deidentify(made, Deaf("Blorp", "Quux"))


def told(study: Study) -> list[object]:
    """All that the texts show and that a checker would be asked, whatever the versions are called."""
    texts = [newest_version(study.db, v.id) for v in all_voices(study.db)]
    waiting = next_in_sample(study)
    return [
        *((t.text, [(r.start, r.end, r.label) for r in t.redactions], t.held) for t in texts),
        [s.text for s in segments(study.db)], gate(study).overall, sorted(unsure_places(study)),
        None if waiting is None else waiting.record.id,
    ]  # fmt: skip


def act(made: Made, chance: random.Random, checker: str = "Sam") -> None:
    """Any check that a person could make now."""
    unsure = next_unsure(made.study, made.key)
    if unsure is not None and chance.random() < 0.6:
        record_unsure(made.study, made.key, unsure, mask=chance.random() < 0.5, checker=checker, now=NOW)
        return
    item = next_in_sample(made.study)
    if item is not None:
        missed = [("Zorblax", Label.PERSON)] if "Zorblax" in item.clean.text and chance.random() < 0.6 else []
        opened = [m for m in item.clean.redactions if chance.random() < 0.3]
        spans = [type(unsure.span)(m.start, m.end) for m in opened] if unsure else []
        record_reading(made.study, made.key, item, missed=missed, rejected=spans, checker=checker, now=NOW)


@pytest.mark.parametrize("seed", range(6))
def test_checks_taken_back_one_by_one_leave_all_as_it_was_before_each(shut: Made, tmp_path: Path, seed: int) -> None:
    said_by(shut, tmp_path, people=2, each=2)
    chance, before = random.Random(seed), []
    for _ in range(8):
        before.append(told(shut.study))
        act(shut, chance)
        if chance.random() < 0.3:
            assert undo_check(shut.study, shut.key, checker="Sam", now=NOW) is not None
            assert told(shut.study) == before.pop()

    while before:
        undo_check(shut.study, shut.key, checker="Sam", now=NOW)
        assert told(shut.study) == before.pop()
    assert sampled(shut.study.db) == []


def test_a_check_done_after_taking_one_back_still_reaches_the_raw_words(shut: Made, tmp_path: Path) -> None:
    said_by(shut, tmp_path, people=1, each=1)
    item = next_in_sample(shut.study)
    assert item is not None
    record_reading(shut.study, shut.key, item, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="S", now=NOW)
    undo_check(shut.study, shut.key, checker="S", now=NOW)

    unsure = next_unsure(shut.study, shut.key)
    assert unsure is not None
    while not unsure.masked:
        record_unsure(shut.study, shut.key, unsure, mask=True, checker="S", now=NOW)
        unsure = next_unsure(shut.study, shut.key)
        assert unsure is not None

    assert unsure.words == "Blorp"


def test_nothing_is_taken_back_once_somebody_else_has_changed_the_text(shut: Made, tmp_path: Path) -> None:
    said_by(shut, tmp_path, people=1, each=1)
    item = next_in_sample(shut.study)
    assert item is not None
    record_reading(shut.study, shut.key, item, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="S", now=NOW)
    unsure = next_unsure(shut.study, shut.key)
    assert unsure is not None
    record_unsure(shut.study, shut.key, unsure, mask=not unsure.masked, checker="Bo", now=NOW)
    before = told(shut.study)

    with pytest.raises(ConflictError, match="changed after your check"):
        undo_check(shut.study, shut.key, checker="S", now=NOW)
    assert told(shut.study) == before
    assert undo_check(shut.study, shut.key, checker="Bo", now=NOW) is not None
    assert undo_check(shut.study, shut.key, checker="S", now=NOW) is not None
    assert undo_check(shut.study, shut.key, checker="S", now=NOW) is None


def test_words_that_are_purged_cannot_come_back(shut: Made, tmp_path: Path) -> None:
    said_by(shut, tmp_path, people=1, each=1)
    item = next_in_sample(shut.study)
    assert item is not None
    record_reading(shut.study, shut.key, item, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="S", now=NOW)
    with Vault(shut.study.vault_file, shut.key, shut.study.id) as vault:
        vault.purge("2099-01-01")
    before = told(shut.study)

    with pytest.raises(StudyError, match="purged"):
        undo_check(shut.study, shut.key, checker="S", now=NOW)
    assert told(shut.study) == before


def test_a_voice_in_another_language_waits_again(shut: Made, tmp_path: Path) -> None:
    polish = "Dzień dobry, moja córka nie chce chodzić do szkoły i bardzo się martwię o nią każdego dnia."
    load(shut, tmp_path, [{"id": "1", "text": polish}], Deaf("x"))
    item = next_held(shut.study)
    assert item is not None
    record_reading(shut.study, shut.key, item, missed=[], rejected=[], checker="Ola", now=NOW)
    assert gate(shut.study).held == 0

    undo_check(shut.study, shut.key, checker="Ola", now=NOW)

    again = next_held(shut.study)
    assert again is not None
    assert again.clean.held == "pl"


def test_the_same_check_sent_twice_counts_once(shut: Made, tmp_path: Path) -> None:
    said_by(shut, tmp_path, people=1, each=1)
    item, unsure = next_in_sample(shut.study), next_unsure(shut.study, shut.key)
    assert item is not None
    assert unsure is not None
    record_reading(shut.study, shut.key, item, missed=[], rejected=[], checker="S", now=NOW)
    record_unsure(shut.study, shut.key, unsure, mask=unsure.masked, checker="S", now=NOW)

    with pytest.raises(ConflictError):
        record_reading(shut.study, shut.key, item, missed=[], rejected=[], checker="S", now=NOW)
    with pytest.raises(ConflictError):
        record_unsure(shut.study, shut.key, unsure, mask=unsure.masked, checker="S", now=NOW)
    assert gate(shut.study).overall.read == 1


def test_what_was_taken_back_is_kept_on_record(shut: Made, tmp_path: Path) -> None:
    said_by(shut, tmp_path, people=1, each=1)
    item = next_in_sample(shut.study)
    assert item is not None
    record_reading(shut.study, shut.key, item, missed=[("Zorblax", Label.PERSON)], rejected=[], checker="S", now=NOW)
    assert gate(shut.study).overall.leaking == 1

    undo_check(shut.study, shut.key, checker="S", now=NOW)

    state = gate(shut.study)
    assert (state.overall.read, state.taken_back) == (0, 1)
    assert shut.study.db.conn.execute("SELECT count(*) FROM checks").fetchone()[0] == 1
    actions = [row[0] for row in shut.study.db.conn.execute("SELECT action FROM audit ORDER BY seq")]
    assert actions[-1] == "take back check"
