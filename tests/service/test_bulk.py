"""Many suggestions are accepted at once only where blind readings show that they are right, and never all of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given as given_
from hypothesis import strategies as st

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.findings.bulk import NEEDED, Judged, at_least, people_needed, safe_step, steps
from service import wiring
from service.errors import ConflictError, RecordError, StudyError
from service.settings import Settings
from service.study.bulk import standing_of
from service.study.codebooks import newest_codebook
from service.study.decisions import codings
from service.study.readings import readings
from service.study.study import Study, opened
from service.usecases.bulk import Offer, accept_many, act_lines, offers, take_back
from service.usecases.check import accept_risk
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.lessons import taught
from service.usecases.plan import named_round
from service.usecases.prevalence import shares
from service.usecases.review import Choice
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made, give_passport, sign_in_as
from tests.service.reading import CHAIR, PASTA, quiet, read_round, suggest
from tests.service.serving import give_accounts

SAFE = "CL1"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """A study of 120 people, half of whom speak of a chair against the door; nobody has read any of it."""
    folder = tmp_path_factory.mktemp("bulk")
    study, key = wiring.make_study(
        folder / "studies" / "study", title="A study", codebook="north-yorkshire-care-leavers", now=NOW,
        settings=Settings(key_folder=folder / "keys"),
    )  # fmt: skip
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    lines = [f"{i},{(CHAIR if i % 2 else PASTA).format('x' * (i // 2))},child,P{i}" for i in range(120)]
    (folder / "in.csv").write_text("\n".join(["id,text,voice,participant", *lines]) + "\n", "utf-8")
    take_in(study, folder / "in.csv", key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(study, key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(Made(study, key), minilm)
    study.db.close()
    return folder / "studies"


@pytest.fixture
def study(kept: Path, tmp_path: Path) -> Iterator[Study]:
    shutil.copytree(kept, tmp_path / "studies")
    with opened(tmp_path / "studies" / "study") as study:
        yield study


def right(text: str) -> list[Choice]:
    return [Choice(SAFE, "worry")] if "chair" in text else []


def wrong(text: str) -> list[Choice]:
    return []


def read(study: Study, people: int = 60, choose: object = right) -> None:
    read_round(study, draw_counting_round(study, people=people, seed=1, now=NOW, actor="t"), choose, "Ann")  # type: ignore[arg-type]


def offered(study: Study, person: str = "Lead") -> Offer | None:
    return next((o for o in offers(study, person) if o.code.id == SAFE), None)


def accept(study: Study) -> str:
    offer = offered(study)
    assert offer is not None
    return accept_many(study, SAFE, accept=offer.accept, hold=offer.hold, by="Lead", now=NOW).round


def test_nothing_is_offered_before_people_have_read_blind(study: Study) -> None:
    offer = offered(study)
    assert offer is not None
    assert (offer.step, offer.accept) == (None, 0)
    with pytest.raises(StudyError, match="may not be accepted together"):
        accept_many(study, SAFE, accept=1, hold=0, by="Lead", now=NOW)


def test_a_code_that_was_wrong_where_people_read_blind_is_never_offered(study: Study) -> None:
    read(study, choose=wrong)
    offer = offered(study)
    assert offer is not None
    assert offer.accept == 0


def test_a_code_that_was_right_is_accepted_but_for_a_random_part_that_is_to_be_read(study: Study) -> None:
    read(study)
    offer = offered(study)
    assert offer is not None
    assert offer.step is not None
    assert offer.step.least >= NEEDED
    assert offer.hold >= 10
    round_ = accept(study)
    made = [c for c in codings(study.db) if c.round == round_]
    assert len(made) == offer.accept
    assert {(c.code, c.coder, c.shown) for c in made} == {(SAFE, "Lead", 1)}
    drawn = {row[0] for row in study.db.conn.execute("SELECT unit FROM draws WHERE round = ?", [round_])}
    assert len(drawn) == offer.hold
    assert drawn & {c.segment for c in made} == set()


def test_what_is_accepted_so_is_never_read_never_taught_and_never_counted(study: Study) -> None:
    read(study)
    before = learnt_and_counted(study)
    accept(study)
    assert learnt_and_counted(study) == before


def learnt_and_counted(study: Study) -> object:
    known = taught(study, newest_codebook(study.db), wiring.trust())
    return [r.seq for r in readings(study.db)], repr(known), shares(study).ranked


def test_whoever_reads_one_of_the_texts_decides_anew(study: Study) -> None:
    read(study)
    round_ = accept(study)
    one = next(c.segment for c in codings(study.db) if c.round == round_)
    read_round(study, draw_review_round(study, seed=1, now=NOW, actor="t"), lambda _: [], "Ben")
    assert one not in {c.segment for c in codings(study.db) if c.round == round_}
    assert act_lines(study)[0].counts == 0


def test_what_was_held_back_shows_how_many_are_wrong(study: Study) -> None:
    read(study)
    round_ = accept(study)
    [line] = act_lines(study)
    assert (line.held.read, line.held.wrong) == (0, 0)
    seen = read_round(study, named_round(study, round_), lambda _: [], "Ben")
    [line] = act_lines(study)
    assert (line.held.read, line.held.wrong, line.least) == (len(seen), len(seen), 0)


def test_it_is_taken_back_whole_and_once(study: Study) -> None:
    read(study)
    round_ = accept(study)
    assert take_back(study, round_, by="Lead", now=NOW) > 0
    assert standing_of(study.db, round_) == []
    assert take_back(study, round_, by="Lead", now=NOW) == 0
    assert act_lines(study)[0].taken_back == ("Lead", NOW)
    with pytest.raises(RecordError):
        take_back(study, "review-99", by="Lead", now=NOW)


def test_numbers_that_were_on_screen_and_are_no_longer_so_accept_nothing(study: Study) -> None:
    read(study)
    with pytest.raises(ConflictError, match="have changed since"):
        accept_many(study, SAFE, accept=1, hold=1, by="Lead", now=NOW)
    assert act_lines(study) == []


def test_texts_that_are_still_to_be_read_blind_are_left_out(study: Study) -> None:
    read(study)
    before = offered(study)
    draw_counting_round(study, people=120, seed=2, now=NOW, actor="t")
    after = offered(study)
    assert before is not None
    assert before.accept > 0
    assert after is None or after.accept == 0


def test_on_the_page_a_lead_accepts_and_takes_back_and_a_coder_may_not(study: Study) -> None:
    read(study)
    offer = offered(study)
    assert offer is not None
    home, here = study.folder.parent, f"/studies/{study.name}/accept-many"
    give_accounts(home)
    with sign_in_as(home, "Coder A (demo)") as coder:
        assert coder.get(here).status_code == 403
    with sign_in_as(home, "Lead (demo)") as lead:
        assert f"Accept {offer.accept} for" in lead.get(here).text
        sent = {"code": SAFE, "accept": str(offer.accept), "hold": str(offer.hold)}
        assert lead.post(here, data=sent, follow_redirects=False).status_code == 303
        assert lead.post(here, data=sent).status_code in (412, 422)
        page = lead.get(here).text
        assert "Until they are, nobody knows how many of the others are wrong." in page
        assert "nobody has read it yet" in lead.get(f"/studies/{study.name}/excerpts?code={SAFE}").text
        round_ = act_lines(study)[0].act.round
        lead.post(f"{here}/{round_}/take-back")
        assert "Taken back by Lead (demo)" in lead.get(here).text


@given_(st.integers(0, 60), st.integers(0, 60))
def test_the_bound_lies_under_the_share_and_grows_with_what_was_right(read: int, wrong_ones: int) -> None:
    right_ones = max(0, read - wrong_ones)
    assert 0 <= at_least(right_ones, read) <= (right_ones / read if read else 0)
    assert at_least(right_ones, read + 1) <= at_least(right_ones + 1, read + 1)


def test_people_and_not_texts_are_counted_and_one_wrong_text_makes_a_person_wrong() -> None:
    many = [Judged(0.95, "one", right=True)] * 500
    assert steps(many)[0].people == 1
    assert safe_step(steps(many)) is None
    mixed = [Judged(0.95, f"p{i}", right=True) for i in range(people_needed())]
    assert safe_step(steps(mixed)) is not None
    assert safe_step(steps([*mixed, Judged(0.95, "p0", right=False)])) is None
