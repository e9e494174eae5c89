"""Candidate themes on their page: adopted into the draft, merged into a code, dismissed, and undone by a later act."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp import codebook_edit as edits
from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.errors import DraftError, RecordError, StudyError
from service.settings import Settings
from service.study.candidates import acts, newest_discovery, open_candidates
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.study import Study, open_study
from service.usecases import discover
from service.usecases.adopt import Wish, candidates_for, put_into_draft, turn_down, undo
from service.usecases.check import accept_risk
from service.usecases.codebook import begin, desk, discard, require_desk
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.publish import Consent, publish
from service.usecases.rounds import draw_counting_round
from service.usecases.suggest import suggest_study
from tests.conftest import NOW, give_passport, sign_in_as
from tests.service.reading import quiet
from tests.service.serving import give_accounts
from tests.service.test_codebook_drafts import change
from tests.service.test_discover import BUS, PETS

PAGE = "/studies/study/candidates"


@pytest.fixture(scope="module")
def searched_folder(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """A study in which nothing is suggested, and a search over it; every fourth person allowed no quotation."""
    folder = tmp_path_factory.mktemp("searched")
    book = "north-yorkshire-care-leavers"
    settings = Settings(key_folder=folder / "keys")
    made, key = wiring.make_study(folder / "study", title="A study", codebook=book, now=NOW, settings=settings)
    give_passport(made)
    accept_risk(made, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    rows = [f"{i},{text},child,P{i}" for i, text in enumerate((*PETS, *BUS))]
    (folder / "in.csv").write_text("\n".join(["id,text,voice,participant", *rows]) + "\n", "utf-8")
    take_in(made, folder / "in.csv", key, now=NOW, keep_raw_days=30, actor="t")
    with write(made.db) as connection:
        connection.execute("UPDATE voices SET consent = 'analysis_and_quotes' WHERE rowid % 4 <> 0")
    deidentify_study(made, key, cascade, now=NOW, actor="t", progress=quiet)
    silent = replace(made, threshold=0.99)
    suggest_study(silent, wiring.codebook_named(book), minilm, now=NOW, actor="t", progress=quiet)
    discover.find_candidates(silent, minilm, seed=1, now=NOW, actor="t")
    made.db.close()
    return folder / "study"


@pytest.fixture
def study(searched_folder: Path, tmp_path: Path) -> Iterator[Study]:
    shutil.copytree(searched_folder, tmp_path / "studies" / "study")
    give_accounts(tmp_path / "studies")
    study = open_study(tmp_path / "studies" / "study")
    yield study
    study.db.close()


@pytest.fixture
def lead(study: Study) -> Iterator[TestClient]:
    with sign_in_as(study.folder.parent, "Lead (demo)") as client:
        yield client


def still_open(study: Study) -> list[int]:
    found = newest_discovery(study.db)
    assert found is not None
    return [one.id for one in open_candidates(study.db, found.id)]


def first(study: Study) -> int:
    return still_open(study)[0]


def central(study: Study) -> tuple[str, ...]:
    return candidates_for(study, "Lea")[1][0].stored.candidate.central


def adopted(study: Study, cascade: Deidentifier, **fields: object) -> str:
    wish = Wish(first(study), label="Leaving a pet behind", quotes=central(study))
    return put_into_draft(study, replace(wish, **fields), by="Lea", now=NOW, guard=cascade)  # type: ignore[arg-type]


def test_an_adopted_candidate_is_a_code_of_the_draft_and_changes_nothing_else(
    study: Study, cascade: Deidentifier
) -> None:
    before, number = newest_codebook(study.db), first(study)

    code = adopted(study, cascade, parent="CL")

    held = require_desk(study).book.code(code)
    assert (held.label, held.parent, held.status) == ("Leaving a pet behind", "CL", "draft")
    assert newest_codebook(study.db) == before
    assert number not in still_open(study)
    assert discover.codebook_in_use(study, before) == before


def test_only_people_who_allowed_quotation_are_quoted_in_the_codebook(study: Study, cascade: Deidentifier) -> None:
    shown = candidates_for(study, "Lea")[1][0].examples

    code = adopted(study, cascade)

    assert require_desk(study).book.code(code).examples == tuple(e.text for e in shown if e.may_quote)
    rows = study.db.conn.execute(
        "SELECT s.id FROM segments s JOIN voices v ON v.id = s.voice WHERE v.consent = 'analysis_only'"
    )
    kept = {row[0] for row in rows}
    assert any(e.may_quote for e in shown)
    assert {e.segment for e in shown if not e.may_quote} == kept & {e.segment for e in shown}


def test_a_candidate_merged_into_a_code_gives_it_quotes_and_asks_for_nothing_to_be_read_again(
    study: Study, cascade: Deidentifier
) -> None:
    before = newest_codebook(study.db).code("CL5")
    wish = Wish(first(study), code="CL5", quotes=central(study))

    put_into_draft(study, wish, by="Lea", now=NOW, guard=cascade)

    held = require_desk(study).book.code("CL5")
    assert held.examples[: len(before.examples)] == before.examples
    assert len(held.examples) > len(before.examples)
    assert require_desk(study).held.draft.turned == ()


@pytest.mark.parametrize("act", ["adopt", "join", "dismiss"])
def test_each_act_is_undone_by_a_later_one_and_leaves_no_trace_in_the_draft(
    study: Study, cascade: Deidentifier, act: str
) -> None:
    number = first(study)
    begin(study, by="Lea", now=NOW)
    before = require_desk(study).held.draft
    wish = Wish(number, label="Pets", code="CL5" if act == "join" else "", quotes=central(study))
    if act == "dismiss":
        turn_down(study, number, why="Only greetings", by="Lea", now=NOW)
    else:
        put_into_draft(study, wish, by="Lea", now=NOW, guard=cascade)
    assert number not in still_open(study)

    undo(study, number, by="Max", now=NOW)

    assert number in still_open(study)
    assert require_desk(study).held.draft == before
    assert [(a.act, a.by) for a in acts(study.db)] == [(act, "Lea"), ("undo", "Max")]
    with pytest.raises(StudyError, match="nothing here to undo"):
        undo(study, number, by="Max", now=NOW)


def test_what_was_undone_may_be_done_otherwise(study: Study, cascade: Deidentifier) -> None:
    number = first(study)
    turn_down(study, number, why="Only greetings", by="Lea", now=NOW)
    undo(study, number, by="Lea", now=NOW)

    adopted(study, cascade)

    assert [a.act for a in acts(study.db)] == ["dismiss", "undo", "adopt"]
    with pytest.raises(RecordError, match="already settled"):
        turn_down(study, number, why="Too late", by="Max", now=NOW)


def test_what_is_published_is_not_undone(study: Study, cascade: Deidentifier) -> None:
    number, code = first(study), adopted(study, cascade)
    held = require_desk(study).book.code(code)
    whole = replace(
        held, definition="Animals that had to be left.", young_label="My pet", include=("a pet given away", "a pet left"),
        exclude=newest_codebook(study.db).code("CL5").exclude, examples=("my dog had to go", "the cat went", "no pets here"),
        near_misses=newest_codebook(study.db).code("CL5").near_misses, co_produced_by=("The panel",),
    )  # fmt: skip
    change(study, lambda b, d: edits.change(b, d, whole), code)
    consent = Consent("Pets", ("The panel",), {})
    publish(study, consent, version=require_desk(study).held.version, by="Lea", now=NOW, guard=cascade)

    with pytest.raises(StudyError, match="published version"):
        undo(study, number, by="Lea", now=NOW)
    assert newest_codebook(study.db).code(code).label == "Leaving a pet behind"


def test_a_candidate_whose_draft_was_thrown_away_can_be_opened_again(study: Study, cascade: Deidentifier) -> None:
    number = first(study)
    adopted(study, cascade)
    discard(study, version=require_desk(study).held.version, by="Lea", now=NOW)

    undo(study, number, by="Lea", now=NOW)

    assert desk(study) is None
    assert number in still_open(study)


def test_faults_are_told_and_settle_nothing(study: Study, cascade: Deidentifier) -> None:
    number = first(study)
    for fields, words in (
        ({"label": " "}, "Give the code a name"), ({"label": "x" * 121}, "120 characters"), ({"code": "nope"}, "no code of that id"),
        ({"label": "Ring Sarah Jenkins on 07700 900123"}, "seems to hold"),
    ):  # fmt: skip
        with pytest.raises(DraftError, match=words):
            adopted(study, cascade, **fields)
    with pytest.raises(DraftError, match="Say in a few words why"):
        turn_down(study, number, why=" ", by="Lea", now=NOW)

    assert number in still_open(study)
    assert acts(study.db) == []


def test_excerpts_of_what_is_still_to_be_read_blind_are_kept_from_the_reader(study: Study) -> None:
    draw_counting_round(study, people=20, seed=1, now=NOW, actor="t")

    _, shown, _ = candidates_for(study, "Lea")

    assert shown
    assert all(not one.examples and one.waits for one in shown)


def test_the_page_shows_words_and_excerpts_and_takes_each_act(lead: TestClient, study: Study) -> None:
    number = first(study)
    page = lead.get(PAGE).text
    assert f'id="c-{number}"' in page
    assert all(word in page for word in candidates_for(study, "Lea")[1][0].stored.candidate.keywords)

    refused = lead.post(f"{PAGE}/{number}", data={"act": "dismiss", "label": "kept words", "why": ""})
    assert refused.status_code == 422
    assert "Say in a few words why" in refused.text
    assert "kept words" in refused.text
    done = lead.post(
        f"{PAGE}/{number}", data={"act": "adopt", "label": "Leaving a pet behind", "quotes": list(central(study))}
    )
    assert "It is in the draft of the next version" in done.text
    assert "adopted as “Leaving a pet behind”" in done.text
    late = lead.post(f"{PAGE}/{number}", data={"act": "dismiss", "why": "Only greetings"})
    assert late.status_code == 409
    assert "somebody was quicker" in late.text
    assert f'id="c-{number}"' in lead.post(f"{PAGE}/{number}", data={"act": "undo"}).text
    joined = lead.post(f"{PAGE}/{number}", data={"act": "join", "into": "cl5", "quotes": list(central(study))})
    assert "merged into" in joined.text


def test_coders_read_candidates_and_decide_nothing_and_readers_see_none(study: Study) -> None:
    with sign_in_as(study.folder.parent, "Coder A (demo)") as coder:
        page = coder.get(PAGE)
        assert page.status_code == 200
        assert "Adopt into the draft" not in page.text
        assert coder.post(f"{PAGE}/{first(study)}", data={"act": "dismiss", "why": "No"}).status_code == 403
    with sign_in_as(study.folder.parent, "Reader (demo)") as reader:
        assert reader.get(PAGE).status_code == 403


def test_no_bad_request_breaks_the_page(lead: TestClient, study: Study) -> None:
    assert lead.post(f"{PAGE}/999", data={"act": "adopt", "label": "X y"}).status_code == 409
    assert lead.post(f"{PAGE}/{first(study)}", data={"act": "nonsense"}).status_code == 422
    assert lead.post(f"{PAGE}/{first(study)}", data={"act": "join", "into": ""}).status_code == 422
    assert lead.post(f"{PAGE}/{first(study)}", data={"act": "undo"}).status_code == 409
