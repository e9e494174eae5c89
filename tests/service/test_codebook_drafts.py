"""Editing a study's codebook: drafts that leads share, what publishing would do, and what is read again because of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nlp import codebook_edit as edits
from nlp.codebook_meaning import Turn
from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.types import Code
from service import wiring
from service.errors import ConflictError, DraftError, NoDraftError
from service.settings import Settings
from service.study.codebooks import all_codebooks, keep_codebook, newest_codebook
from service.study.database import write
from service.study.decisions import Round, codings, draws, given_codings, rounds
from service.study.publications import publications, recodes_of
from service.study.search import VoiceFilter
from service.study.study import Study, open_study
from service.usecases.check import accept_risk
from service.usecases.codebook import begin, bring_up, desk, discard, edit, require_desk, save_code
from service.usecases.deidentify import deidentify_study
from service.usecases.discover import codebook_in_use
from service.usecases.findings import RETIRED, joint_display
from service.usecases.intake import take_in
from service.usecases.lessons import Trust, taught
from service.usecases.prevalence import CHANGED, theme_shares
from service.usecases.progress import progress
from service.usecases.publish import Consent, Plan, dry_run, publish, published_from
from service.usecases.reading import excerpts
from service.usecases.review import Choice
from service.usecases.search import search_voices
from tests.conftest import NOW, Made, give_passport
from tests.service.reading import CHAIR, PASTA, heard_chair, quiet, read_blind, read_round, suggest

CODE = "CL5"
LATER = "2026-01-16T09:30:00.000+00:00"
NOBODY = {"version": 1, "by": "Lea", "now": NOW}
SAID = Consent("Split after the workshop", ("Young people's panel",), {})


@pytest.fixture(scope="module")
def read_folder(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """Twelve people, six of whom put a chair against the door; eight are read blind for that code."""
    folder = tmp_path_factory.mktemp("read")
    study, key = wiring.make_study(
        folder / "study", title="A study", codebook="north-yorkshire-care-leavers", now=NOW,
        settings=Settings(key_folder=folder / "keys"),
    )  # fmt: skip
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    rows = [f"{i},{(CHAIR if i % 2 else PASTA).format('x' * i)},child,P{i}" for i in range(12)]
    (folder / "in.csv").write_text("\n".join(["id,text,voice,participant", *rows]) + "\n", "utf-8")
    take_in(study, folder / "in.csv", key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(study, key, cascade, now=NOW, actor="t", progress=quiet)
    made = Made(study, key)
    suggest(made, minilm)
    read_blind(made, 8, heard_chair)
    study.db.close()
    return folder / "study"


@pytest.fixture
def study(read_folder: Path, tmp_path: Path) -> Iterator[Study]:
    shutil.copytree(read_folder, tmp_path / "study")
    study = open_study(tmp_path / "study")
    yield study
    study.db.close()


def coded(study: Study) -> set[str]:
    return {c.segment for c in given_codings(study.db) if c.code == CODE}


def change(study: Study, made: object, *codes: str, by: str = "Lea", version: int | None = None) -> None:
    held = require_desk(study).held
    edit(study, codes or [CODE], made, version=version or held.version, by=by, now=NOW)  # type: ignore[arg-type]


def split(study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    change(study, lambda b, d: edits.split(b, d, CODE, ["Alone at night", "Alone in a crowd"], why="Two things"))


def mended(study: Study) -> None:
    """Give every part of a split words of its own, as the rules of the form ask."""
    for code in require_desk(study).held.draft.edited:
        if code.status != "retired":
            change(study, lambda b, d, c=code: edits.change(b, d, replace(c, young_label=c.label)), code.id)


def published(study: Study, cascade: Deidentifier, consent: Consent = SAID, by: str = "Lea") -> Round | None:
    """Publish the draft; the round in which segments are read again, if there is one."""
    made = publish(study, consent, version=require_desk(study).held.version, by=by, now=LATER, guard=cascade)
    return next((r for r in rounds(study.db) if r.id == made.round), None)


def other_words(study: Study, declared: Turn, why: str = "The panel said so") -> None:
    begin(study, by="Lea", now=NOW)
    code = newest_codebook(study.db).code(CODE)
    new = replace(code, definition=code.definition + " Also when others are near.")
    change(study, lambda b, d: edits.change(b, d, new, declared=declared, why=why))


def merged(study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    change(study, lambda b, d: edits.merge(b, d, [CODE, "CL4"], into=CODE, why="Nobody tells them apart"), CODE, "CL4")


def test_a_dry_run_says_what_a_split_would_do_and_writes_nothing(study: Study) -> None:
    split(study)
    before = study.db.conn.execute("SELECT count(*) FROM audit").fetchone()[0]

    plan = dry_run(study, now=LATER)

    assert plan.level == "major"
    assert (plan.again, plan.readings) == (len(coded(study)), 8)
    [effect] = plan.effects
    assert (effect.segments, effect.again, effect.blind) == (len(coded(study)),) * 3
    assert [c.code.id for c in plan.differs.codes if c.mark == "new"] == list(effect.turned.into)
    assert study.db.conn.execute("SELECT count(*) FROM audit").fetchone()[0] == before
    assert newest_codebook(study.db).version == "0.1.0"
    assert len(rounds(study.db)) == 1


def test_publishing_a_split_asks_for_each_coded_segment_to_be_read_again_and_rewrites_nothing(
    study: Study, cascade: Deidentifier
) -> None:
    split(study)
    mended(study)
    decided = [tuple(r) for r in study.db.conn.execute("SELECT * FROM decisions")]

    again = published(study, cascade)

    assert again is not None
    assert (again.kind, again.codebook_version) == ("review", "1.0.0")
    assert {d.unit for d in draws(study.db, again.id)} == coded(study)
    assert {d.stream for d in draws(study.db, again.id)} == {"recode"}
    [why] = recodes_of(study.db, again.id, min(coded(study)))
    assert why.code == CODE
    assert why.why.endswith("Two things")
    assert [tuple(r) for r in study.db.conn.execute("SELECT * FROM decisions")] == decided
    assert codings(study.db) == []
    assert (newest_codebook(study.db).version, newest_codebook(study.db).code(CODE).status) == ("1.0.0", "retired")


def test_what_is_read_again_counts_under_its_new_code(study: Study, cascade: Deidentifier) -> None:
    split(study)
    mended(study)
    again = published(study, cascade)
    assert again is not None
    [new] = [c.id for c in newest_codebook(study.db).active_codes if c.label == "Alone at night"]

    read = read_round(study, again, lambda _: [Choice(new, "worry", 0, 24)])

    assert set(read) == coded(study)
    assert {(c.code, c.codebook_version) for c in codings(study.db)} == {(new, "1.0.0")}


def found_by(study: Study, code: str) -> int:
    return search_voices(study, "Ann", VoiceFilter(confirmed=code), page=1).total


def test_the_table_of_voices_and_the_excerpts_follow_what_codes_mean_now(study: Study, cascade: Deidentifier) -> None:
    before = len(excerpts(study, CODE, "", person="Ann"))
    assert found_by(study, CODE) == len(coded(study))
    other_words(study, Turn.REDEFINE)
    again = published(study, cascade)
    assert again is not None

    assert (found_by(study, CODE), excerpts(study, CODE, "", person="Ann")) == (0, [])

    read_round(study, again, heard_chair)
    assert (found_by(study, CODE), len(excerpts(study, CODE, "", person="Ann"))) == (len(coded(study)), before)


def test_a_share_is_refused_for_a_code_that_nobody_was_read_for(study: Study, cascade: Deidentifier) -> None:
    assert all(CHANGED not in s.refusal for s in theme_shares(study))
    split(study)
    mended(study)
    published(study, cascade)

    refused = {s.code.label for s in theme_shares(study) if s.refusal == CHANGED}

    assert refused == {"Alone at night", "Alone in a crowd"}
    assert {u.code.label for u in progress(study).unseen}.isdisjoint(refused)


def test_a_retired_code_is_read_again_and_no_figure_stands_beside_it(study: Study, cascade: Deidentifier) -> None:
    begin(study, by="Lea", now=NOW)
    change(study, lambda b, d: edits.retire(b, d, CODE, why="Too wide"))

    again = published(study, cascade)

    assert again is not None
    assert {d.unit for d in draws(study.db, again.id)} == coded(study)
    assert CODE not in {c.id for c in newest_codebook(study.db).active_codes}
    assert {r.refusal for r in joint_display(study) if r.link.code == CODE} <= {RETIRED}


def test_a_merge_is_read_again_unless_the_lead_declares_that_the_meaning_is_kept(
    study: Study, cascade: Deidentifier
) -> None:
    merged(study)
    assert dry_run(study, now=LATER).again == len(coded(study))
    same = {CODE: "Both were always used for one thing"}
    assert dry_run(study, same=same, now=LATER).again == 0

    assert published(study, cascade, replace(SAID, same=same)) is None

    assert {c.segment for c in codings(study.db)} == coded(study)
    assert {c.code for c in codings(study.db)} == {CODE}
    assert all(s.refusal != CHANGED for s in theme_shares(study))


def test_other_words_for_the_same_keep_what_was_decided(study: Study, cascade: Deidentifier) -> None:
    other_words(study, Turn.REWORD)

    assert published(study, cascade) is None

    assert (newest_codebook(study.db).version, {c.segment for c in codings(study.db)}) == ("0.1.1", coded(study))


def test_a_code_that_means_something_else_is_read_again(study: Study, cascade: Deidentifier) -> None:
    other_words(study, Turn.REDEFINE)

    again = published(study, cascade)

    assert again is not None
    assert codings(study.db) == []
    read_round(study, again, heard_chair)
    assert {c.segment for c in codings(study.db)} == coded(study)
    assert {c.codebook_version for c in codings(study.db)} == {"1.0.0"}


def test_moving_a_code_has_nothing_read_again(study: Study, cascade: Deidentifier) -> None:
    begin(study, by="Lea", now=NOW)
    change(study, lambda b, d: edits.move(b, d, CODE, "", heading="Days and nights"))

    assert published(study, cascade) is None

    book = newest_codebook(study.db)
    assert {f.id: f.label for f in book.families}[book.code(CODE).parent] == "Days and nights"
    assert {c.segment for c in codings(study.db)} == coded(study)


def learnt(study: Study) -> dict[str, float]:
    """What the machine is taught of the code, by segment."""
    words = taught(study, newest_codebook(study.db), Trust()).words
    return {segment: by_code[CODE].label for segment, by_code in words.items() if CODE in by_code}


def test_the_machine_learns_only_from_what_still_means_the_same(study: Study, cascade: Deidentifier) -> None:
    assert {s for s, yes in learnt(study).items() if yes} == coded(study)

    other_words(study, Turn.REDEFINE)
    again = published(study, cascade)
    assert again is not None
    assert learnt(study) == {}

    read_round(study, again, heard_chair)
    assert learnt(study) == dict.fromkeys(coded(study), 1.0)


def test_decisions_in_a_round_that_is_under_way_name_the_version_they_were_made_with(
    study: Study, cascade: Deidentifier
) -> None:
    other_words(study, Turn.REWORD)
    published(study, cascade)

    read_round(study, rounds(study.db)[0], heard_chair, coder="Ben")

    versions = study.db.conn.execute("SELECT DISTINCT codebook_version FROM decisions WHERE coder = 'Ben'")
    assert [row[0] for row in versions] == ["0.1.1"]


def test_suggestions_that_were_being_made_do_not_bring_the_old_version_back(
    study: Study, cascade: Deidentifier, minilm: Encoder
) -> None:
    other_words(study, Turn.REWORD)
    published(study, cascade)

    suggest(Made(study, b""), minilm)  # type: ignore[arg-type]

    assert newest_codebook(study.db).version == "0.1.1"
    assert codebook_in_use(study, wiring.codebook_named(study.codebook)).version == "0.1.1"


def test_two_leads_change_two_codes_at_once_and_both_changes_stand(study: Study) -> None:
    read = begin(study, by="Lea", now=NOW).held.version
    change(study, lambda b, d: edits.retire(b, d, CODE, why="Too wide"), by="Lea", version=read)
    change(study, lambda b, d: edits.retire(b, d, "CL4", why="Too narrow"), "CL4", by="Max", version=read)

    assert require_desk(study).changed() == {CODE, "CL4"}


def test_the_second_lead_on_one_code_hears_who_changed_it_and_nothing_is_lost(study: Study) -> None:
    read = begin(study, by="Lea", now=NOW).held.version
    change(study, lambda b, d: edits.retire(b, d, CODE, why="Too wide"), by="Lea", version=read)
    before = require_desk(study).held

    with pytest.raises(ConflictError, match=r"Lea changed CL5 at 10:00 UTC on 2026-01-15"):
        change(study, lambda b, d: edits.take_back(b, d, CODE), by="Max", version=read)

    assert require_desk(study).held == before


def test_a_draft_that_changed_after_it_was_read_is_neither_published_nor_thrown_away(
    study: Study, cascade: Deidentifier
) -> None:
    split(study)
    with pytest.raises(ConflictError, match="changed the draft"):
        publish(study, SAID, version=1, by="Max", now=LATER, guard=cascade)
    with pytest.raises(ConflictError, match="changed the draft"):
        discard(study, version=1, by="Max", now=LATER)

    discard(study, version=require_desk(study).held.version, by="Max", now=LATER)

    assert desk(study) is None
    with pytest.raises(NoDraftError, match="no draft of the codebook is open"):
        require_desk(study)


def test_a_draft_behind_the_study_is_brought_up_before_it_is_published(study: Study, cascade: Deidentifier) -> None:
    split(study)
    mended(study)
    book = newest_codebook(study.db)
    newer = replace(book, version="0.2.0", codes=(*book.codes, replace(book.codes[0], id="T1", label="Pets")))
    with write(study.db) as connection:
        keep_codebook(connection, newer, NOW)
    assert require_desk(study).behind
    with pytest.raises(ConflictError, match=r"version 0\.2\.0"):
        published(study, cascade)

    bring_up(study, version=require_desk(study).held.version, by="Lea", now=NOW)
    published(study, cascade)

    assert newest_codebook(study.db).code("T1").label == "Pets"
    assert newest_codebook(study.db).code(CODE).status == "retired"


@pytest.mark.parametrize(
    ("consent", "words"),
    [(Consent("", ("A panel",), {}), "Say in a sentence"), (Consent("A note", (), {}), "Say which group"),
     (Consent("x" * 1001, ("A panel",), {}), "1,000 characters"), (Consent("As Sarah Jenkins asked", ("A panel",), {}), "a name")],
)  # fmt: skip
def test_a_version_needs_a_note_and_the_group_that_co_produced_it_and_names_no_person(
    study: Study, cascade: Deidentifier, consent: Consent, words: str
) -> None:
    other_words(study, Turn.REWORD)

    with pytest.raises(DraftError, match=words) as refused:
        published(study, cascade, consent)

    assert "Sarah" not in str(refused.value)
    assert newest_codebook(study.db).version == "0.1.0"


def test_an_empty_draft_and_one_that_breaks_a_rule_are_not_published(study: Study, cascade: Deidentifier) -> None:
    begin(study, by="Lea", now=NOW)
    with pytest.raises(DraftError, match="Nothing in the draft differs"):
        published(study, cascade)
    change(study, lambda b, d: edits.add(b, d, label="Pets")[0], "CL99")

    with pytest.raises(DraftError, match="Definition is missing"):
        published(study, cascade)

    assert publications(study.db) == []


def test_a_form_that_is_sent_twice_finds_what_the_first_one_published(study: Study, cascade: Deidentifier) -> None:
    other_words(study, Turn.REWORD)
    published(study, cascade)

    made = published_from(study, "0.1.0", "Lea")

    assert made is not None
    assert made.version == "0.1.1"
    assert published_from(study, "0.1.0", "Max") is None


def typed(study: Study, **fields: object) -> Code:
    return replace(newest_codebook(study.db).code(CODE), **fields)  # type: ignore[arg-type]


def test_words_are_tidied_and_codes_may_be_named_by_name(study: Study, cascade: Deidentifier) -> None:
    begin(study, by="Lea", now=NOW)
    label = newest_codebook(study.db).code("CL4").label
    first = newest_codebook(study.db).code(CODE).exclude[0]
    code = typed(study, label="  Alone \u200b at\nnight ", exclude=(replace(first, see=label.upper()),))

    kept = save_code(study, code, declared=Turn.REWORD, why="As they say it", guard=cascade, **NOBODY)  # type: ignore[arg-type]

    assert (kept.book.code(CODE).label, kept.book.code(CODE).exclude[0].see) == ("Alone at night", "CL4")


def test_an_example_that_seems_to_identify_somebody_is_kept_only_on_its_writers_word(
    study: Study, cascade: Deidentifier
) -> None:
    begin(study, by="Lea", now=NOW)
    code = typed(study, examples=("Call Sarah Jenkins on 07700 900123", *typed(study).examples[1:]))

    with pytest.raises(DraftError, match=r"Examples \(entry 1\) seems to hold") as refused:
        save_code(study, code, guard=cascade, **NOBODY)  # type: ignore[arg-type]
    assert refused.value.identifies
    assert "Sarah" not in str(refused.value)
    assert "07700" not in str(refused.value)

    kept = save_code(study, code, guard=cascade, identifies_nobody=True, **NOBODY)  # type: ignore[arg-type]
    assert kept.book.code(CODE).examples == code.examples


@pytest.mark.parametrize(
    ("fields", "words"),
    [({"label": "x" * 121}, "Name has 121 characters and may have 120"), ({"include": ("y",) * 41}, "has 41 entries"),
     ({"definition": "z" * 2001}, "2,001 characters")],
)  # fmt: skip
def test_what_is_too_long_is_refused_in_plain_words(
    study: Study, cascade: Deidentifier, fields: dict[str, object], words: str
) -> None:
    begin(study, by="Lea", now=NOW)

    with pytest.raises(DraftError, match=words):
        save_code(study, typed(study, **fields), declared=Turn.REWORD, why="Longer", guard=cascade, **NOBODY)  # type: ignore[arg-type]


def test_every_version_stays_readable_as_it_was(study: Study, cascade: Deidentifier) -> None:
    before = newest_codebook(study.db)
    other_words(study, Turn.REDEFINE)
    published(study, cascade)

    versions = {b.version: b for b in all_codebooks(study.db, study.codebook)}

    assert versions["0.1.0"] == before
    assert versions["1.0.0"].changes[0].note == SAID.note
    assert versions["1.0.0"].changes[1:] == before.changes


def test_a_plan_over_nothing_coded_has_nothing_read_again(made: Made, minilm: Encoder) -> None:
    suggest(made, minilm)
    split(made.study)

    plan: Plan = dry_run(made.study, now=LATER)

    assert (plan.again, plan.readings, plan.segments) == (0, 0, 0)
    assert plan.effects[0].segments == 0
