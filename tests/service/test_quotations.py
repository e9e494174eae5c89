"""Words leave a study one by one: by a card that two people saw, the second of whom coded nothing of it."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docx
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.types import Label
from service.cli.main import app
from service.errors import FindingError, PassportError, RecordError
from service.study.database import write
from service.study.flags import DISCLOSURE
from service.study.passports import FICTIONAL, Output
from service.study.quotations import PUBLIC, RELEASE, WITHHOLD, quotation, quotations
from service.study.study import Study, open_study
from service.study.voices import segments, voice
from service.usecases.check import record_reading, to_read
from service.usecases.deidentify import deidentify_study
from service.usecases.flags import raise_flag
from service.usecases.intake import take_in
from service.usecases.passport import set_passport
from service.usecases.quote import ask_to_quote, card_of, released, rule_on
from service.usecases.release_card import Wish, release_card
from service.usecases.review import Choice
from service.usecases.withdraw import withdraw
from service.web.joint_files import joint_file
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import quiet, read_blind, suggest
from tests.service.serving import give_accounts

WHY = "It says what the figure cannot."
SAID = {
    "P1": "i put a chair against the door and nobody asked me why",
    "P2": "the landlord never rings before he comes in, i hate it",
    "P3": "there are nine of us kids in that house and no lock on any door",
    "P4": "our road is quiet now and the new lock is good",
}


@pytest.fixture
def held(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """Fifteen young people, all but P2 content to be quoted; four say what nobody else says. Ann codes them all."""
    rows = [f'{i},"we sit in the kitchen and it is fine {"x" * i}",young_person,Q{i}' for i in range(11)]
    rows += [f'{n},"{words}",young_person,{person}' for n, (person, words) in enumerate(SAID.items(), 50)]
    (tmp_path / "in.csv").write_text("\n".join(["id,text,voice,participant", *rows]) + "\n", "utf-8")
    take_in(made.study, tmp_path / "in.csv", made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(made, minilm)
    with write(made.study.db) as connection:
        connection.execute(
            "UPDATE voices SET consent = 'analysis_and_quotes'"
            " WHERE id NOT IN (SELECT voice FROM clean_texts WHERE text LIKE '%landlord%')"
        )
    read_blind(made, 15, lambda text: [Choice("CL1", "worry", 0, 0)] if "door" in text or "lock" in text else [])
    return made


def wish_for(study: Study, words: str, **more: object) -> Wish:
    found = next(s for s in segments(study.db) if words in s.text)
    start = found.start + found.text.index(words)
    return replace(Wish(found.id, "CL1", "worry", start, start + len(words), reason=WHY), **more)  # type: ignore[arg-type]


def let_out(study: Study, words: str, **more: object) -> int:
    number = ask_to_quote(study, wish_for(study, words, **more), by="Ann", now=NOW)
    rule_on(study, number, RELEASE, why="Nothing tells who it is.", by="Olu", now=NOW)
    return number


def test_words_leave_only_when_a_second_person_released_them(held: Made) -> None:
    study = held.study
    number = ask_to_quote(study, wish_for(study, "i put a chair against the door"), by="Ann", now=NOW)
    assert released(study) == []
    rule_on(study, number, RELEASE, why="Nothing tells who it is.", by="Olu", now=NOW)
    [one] = released(study, "CL1", "worry")
    assert (one.words, one.speaker, one.paraphrase) == ("i put a chair against the door", "young_person", False)
    assert released(study, "CL2") == []


def test_asking_or_deciding_twice_is_once(held: Made) -> None:
    study, wish = held.study, wish_for(held.study, "i put a chair against the door")
    first = ask_to_quote(study, wish, by="Ann", now=NOW)
    assert ask_to_quote(study, wish, by="Ann", now=NOW) == first
    for _ in range(2):
        rule_on(study, first, WITHHOLD, why="Not now.", by="Olu", now=NOW)
    assert study.db.conn.execute("SELECT count(*) FROM quotation_rulings").fetchone()[0] == 1


@pytest.mark.parametrize(("asker", "why"), [("Ann", "asked for this"), ("Cy", "coded this text")])
def test_who_asked_or_coded_does_not_release(held: Made, asker: str, why: str) -> None:
    study = held.study
    number = ask_to_quote(study, wish_for(study, "i put a chair against the door"), by=asker, now=NOW)
    with pytest.raises(FindingError, match=why):
        rule_on(study, number, RELEASE, why="Good.", by="Ann", now=NOW)
    assert released(study) == []


@pytest.mark.parametrize(
    ("words", "more", "why"),
    [
        ("the landlord never rings before he comes in", {}, "has not allowed quotation"),
        ("nine of us kids in that house", {}, "Too few people"),
        ("i put a chair against the door", {"harms": ("knows",)}, "would recognise them"),
        ("i put a chair against the door", {"reason": " "}, "say why"),
        ("i put a chair against the door", {"paraphrase": "Ring 07700 900123 about the door."}, "telephone"),
        ("a chair", {}, "at least 3 words"),
    ],
)
def test_what_the_card_refuses_is_not_even_asked_for(held: Made, words: str, more: dict[str, object], why: str) -> None:
    with pytest.raises(FindingError, match=why):
        ask_to_quote(held.study, wish_for(held.study, words, **more), by="Ann", now=NOW)
    assert quotations(held.study.db) == []


def test_a_paraphrase_leaves_in_place_of_words_that_would_single_out(held: Made) -> None:
    study = held.study
    let_out(
        study, "nine of us kids in that house and no lock", paraphrase="A young person lives where no door has a lock."
    )
    [one] = released(study)
    assert (one.words, one.paraphrase) == ("A young person lives where no door has a lock.", True)


def test_the_card_tells_how_many_it_could_be_and_whether_the_wording_is_theirs_alone(held: Made) -> None:
    alone = release_card(held.study, wish_for(held.study, "i put a chair against the door"))
    assert (alone.alike, alone.elsewhere, alone.earlier, alone.blocks) == (15, 0, 0, ())
    assert any("Nobody else here" in words for words in alone.cautions)
    common = release_card(held.study, wish_for(held.study, "we sit in the kitchen and it is fine"))
    assert common.elsewhere == 10
    assert release_card(held.study, wish_for(held.study, "there are nine of us kids")).alike == 1


def test_what_may_be_published_needs_more_people_than_what_partners_see(held: Made) -> None:
    wish = wish_for(held.study, "i put a chair against the door")
    few = wish_for(held.study, "i put a chair against the door", audience=PUBLIC)
    assert release_card(held.study, wish).blocks == release_card(held.study, few).blocks == ()
    for one in segments(held.study.db)[:6]:
        held.study.db.conn.execute("UPDATE voices SET voice = 'child' WHERE id = ?", [one.voice])
    held.study.db.conn.commit()
    assert release_card(held.study, wish).blocks == ()
    assert "fewer than 10" in release_card(held.study, few).blocks[0]


def test_an_open_disclosure_and_a_third_quotation_of_one_person_are_refused(held: Made) -> None:
    study = held.study
    wish = wish_for(study, "i put a chair against the door")
    raise_flag(study, wish.segment, DISCLOSURE, by="Ann", now=NOW)
    assert "possible disclosure" in release_card(study, wish).blocks[0]
    for words in ("our road is quiet now", "the new lock is good"):
        let_out(study, words)
    assert any("pieced together" in why for why in release_card(study, wish_for(study, "quiet now and the new")).blocks)


def test_a_text_that_was_changed_since_is_quoted_nowhere(held: Made) -> None:
    study = held.study
    number = let_out(study, "i put a chair against the door")
    seen = to_read(study, quotation(study.db, number).asked.voice)
    record_reading(study, held.key, seen, missed=[("chair", Label.ORG)], rejected=[], checker="Sam", now=NOW)
    assert released(study) == []
    assert card_of(study, quotation(study.db, number)) is None


def test_what_was_released_can_be_withheld_from_then_on_and_both_acts_are_kept(held: Made) -> None:
    study = held.study
    number = let_out(study, "i put a chair against the door")
    rule_on(study, number, WITHHOLD, why="They asked us to.", by="Olu", now=NOW)
    assert released(study) == []
    acts = [row[0] for row in study.db.conn.execute("SELECT action FROM audit WHERE action LIKE '%quotation%'")]
    assert acts == ["ask quotation", "release quotation", "withhold quotation"]


def test_without_the_passports_leave_nothing_is_released_or_shown(held: Made) -> None:
    study = held.study
    let_out(study, "i put a chair against the door")
    waiting = ask_to_quote(study, wish_for(study, "our road is quiet now"), by="Ann", now=NOW)
    set_passport(study, replace(FICTIONAL, lawful_basis="public_task", outputs=(Output.COUNTS,)), by="Dee", now=NOW)
    with pytest.raises(PassportError, match="quotations"):
        rule_on(study, waiting, RELEASE, why="Good.", by="Olu", now=NOW)
    assert released(study) == []


def test_a_withdrawal_takes_the_quotation_and_its_receipt_names_the_release(held: Made, tmp_path: Path) -> None:
    study = held.study
    mine = quotation(study.db, let_out(study, "i put a chair against the door")).asked
    other = quotation(study.db, let_out(study, "our road is quiet now")).asked
    for asked, left in ((mine, 1), (other, 0)):
        who = voice(study.db, asked.voice).participant
        done = withdraw(
            study, held.key, who, by="Dee", now=NOW, list_file=tmp_path / "keys" / "gone.json", books=tmp_path / "books"
        )
        assert [given.action for given in done.receipt.given_out] == ["release quotation"]
        assert len(released(study)) == left


def test_there_is_no_quotation_of_an_unknown_number_text_or_stretch(held: Made) -> None:
    wish = wish_for(held.study, "i put a chair against the door")
    with pytest.raises(RecordError):
        rule_on(held.study, 99, RELEASE, why="Good.", by="Olu", now=NOW)
    with pytest.raises(RecordError):
        ask_to_quote(held.study, replace(wish, segment="none"), by="Ann", now=NOW)
    with pytest.raises(FindingError, match="outside this text"):
        ask_to_quote(held.study, replace(wish, end=wish.end + 10_000), by="Ann", now=NOW)


NY = "north-yorkshire-care-leavers"


@pytest.fixture(scope="module")
def studies(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(demo_folder, tmp_path_factory.mktemp("quotes") / "studies"))


@pytest.fixture
def study(studies: Path) -> Iterator[Study]:
    study = open_study(studies / NY)
    yield study
    study.db.close()


def test_reports_and_pages_for_everybody_quote_what_was_released_and_nothing_else(study: Study, studies: Path) -> None:
    [first, second] = [one.words for one in released(study)]
    waiting = next(card_of(study, q) for q in quotations(study.db) if not q.outcome)
    assert waiting is not None
    html = joint_file(study, "html", young=False, person="t", now=NOW).decode()
    paper = docx.Document(io.BytesIO(joint_file(study, "docx", young=True, person="t", now=NOW)))
    with sign_in_as(studies, "Reader (demo)") as reader:
        page = reader.get(f"/studies/{NY}/joint").text
        told = reader.get(f"/v1/studies/{NY}/releases").json()
        assert reader.get(f"/studies/{NY}/quotations").status_code == 403
    for said in (html, page, "\n".join(p.text for p in paper.paragraphs)):
        plain = said.replace("&#39;", "'").replace("&#34;", '"')
        assert first in plain
        assert second in plain
        assert waiting.words not in plain
    assert sorted(one["words"] for one in told) == sorted([first, second])
    assert {"participant", "segment", "voice"} & set(told[0]) == set()


def test_on_the_pages_one_asks_and_another_decides(studies: Path) -> None:
    here = f"/studies/{NY}/quotations"
    with sign_in_as(studies, "Coder A (demo)") as coder:
        page = coder.get(f"/studies/{NY}/excerpts?code=CL1&stance=worry").text
        link = (
            page.split('href="/studies/north-yorkshire-care-leavers/quotations/new')[-1]
            .split('"')[0]
            .replace("&amp;", "&")
        )
        card = coder.get(f"{here}/new{link}")
        assert "Release card" in card.text
        said = card.text.split('dir="auto">\n')[1].split("</textarea>")[0]
        sent = {"segment": link.split("segment=")[1].split("&")[0], "code": "CL1", "stance": "worry", "words": said}
        assert coder.post(f"{here}/new", data=sent | {"reason": WHY, "words": "never said"}).status_code == 422
        assert coder.post(f"{here}/new", data=sent | {"look": "true"}).status_code == 200
        asked = coder.post(f"{here}/new", data=sent | {"reason": WHY}, follow_redirects=False)
        number = asked.headers["location"].rpartition("/")[2]
        assert coder.post(f"{here}/{number}", data={"outcome": "release", "why": "I like it."}).status_code == 403
    with sign_in_as(studies, "Release officer (demo)") as officer:
        assert "Waits for a release officer" in officer.get(f"{here}/{number}").text
        assert officer.post(f"{here}/{number}", data={"outcome": "release", "why": ""}).status_code == 422
        officer.post(f"{here}/{number}", data={"outcome": "release", "why": "Nothing tells who it is."})
        assert "Released." in officer.get(f"{here}/{number}").text
        assert officer.get(here).text.count("<blockquote") >= 4


def test_the_command_lists_what_was_decided_without_a_word_of_it(study: Study) -> None:
    told = CliRunner().invoke(app, ["quotations", str(study.folder)]).output
    assert "Released by Demo release officer (fictional)" in told
    assert not any(one.words in told for one in released(study))


def test_a_study_without_quotations_says_so(made: Made) -> None:
    assert "No quotation was asked for" in CliRunner().invoke(app, ["quotations", str(made.study.folder)]).output


def test_the_page_of_a_study_without_any_says_how_to_ask(held: Made) -> None:
    give_accounts(held.study.folder.parent)
    with sign_in_as(held.study.folder.parent, "Coder A (demo)") as coder:
        assert isinstance(coder, TestClient)
        assert "None was asked for" in coder.get(f"/studies/{held.study.name}/quotations").text
