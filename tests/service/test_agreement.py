"""Agreement between coders, with the machine and over time: what leads see, and when they may not yet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sklearn.metrics import cohen_kappa_score

from service.errors import RecordError
from service.study.database import write
from service.study.decisions import Decision, Round, add_decisions
from service.study.plans import Plan, add_end, add_plan
from service.study.readings import readings
from service.usecases import agreement as use
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import heard_chair, read_blind

NY = "/studies/north-yorkshire-care-leavers"
LATER = "2026-02-01T09:00:00.000+00:00"
Choose = Callable[[str], Sequence[Choice]]


def also_pasta(text: str) -> list[Choice]:
    """One who hears worry in every third plate of pasta, too, and marks fewer words of a chair."""
    return [Choice("CL5", "worry", 0, 12)] if "chair" in text or "two" in text else []


def read_on(made: Made, round_: Round, coder: str, choose: Choose, most: int = 1000) -> None:
    for _ in range(most):
        item = next_item(made.study, round_, coder)
        if item is None:
            return
        decide(made.study, item, coder=coder, choices=choose(item.segment.text), seconds=1, now=NOW)


def read_by_two(made: Made, people: int = 30) -> Round:
    round_ = read_blind(made, people, heard_chair)
    read_on(made, round_, "Ben", also_pasta)
    return round_


def test_two_who_read_the_same_texts_are_compared_on_texts_and_on_words(loaded: Made) -> None:
    round_ = read_by_two(loaded)

    found = use.agreement_in(loaded.study, round_.id)

    said = readings(loaded.study.db, "x.coder = 'Ann'")
    texts = {s.segment: loaded.study.db.conn.execute(
        "SELECT c.text FROM segments s JOIN clean_texts c ON c.voice = s.voice WHERE s.id = ?", [s.segment]
    ).fetchone()[0] for s in said}  # fmt: skip
    ann, ben = ([bool(choose(text)) for text in texts.values()] for choose in (heard_chair, also_pasta))
    (code,) = found.texts.codes
    assert (code.code, code.units, code.participants, found.coders) == ("CL5", len(said), 30, 2)
    assert code.coefficients.cohen.value == pytest.approx(cohen_kappa_score(ann, ben), abs=1e-9)
    assert code.coefficients.percent.low < code.coefficients.percent.value < code.coefficients.percent.high
    assert found.words.codes[0].coefficients.alpha.value < code.coefficients.alpha.value
    assert len(found.talk) == sum(a != b for a, b in zip(ann, ben, strict=True)) > 0


def test_codes_that_nobody_gave_do_not_make_agreement_look_better(loaded: Made) -> None:
    round_ = read_by_two(loaded)

    found = use.agreement_in(loaded.study, round_.id)

    assert found.silent > 5
    assert found.texts.overall.coefficients.percent.value == found.texts.codes[0].coefficients.percent.value


def test_where_nobody_was_read_twice_nothing_is_compared(loaded: Made) -> None:
    round_ = read_blind(loaded, 5, heard_chair)

    assert use.compared_rounds(loaded.study) == {}
    assert use.at_a_glance(loaded.study, "Lee") is None
    with pytest.raises(RecordError, match="two coders"):
        use.agreement_in(loaded.study, round_.id)
    with pytest.raises(RecordError, match="no such round"):
        use.agreement_in(loaded.study, "nowhere")


def test_what_was_accepted_in_bulk_nobody_read(loaded: Made) -> None:
    round_ = read_by_two(loaded, 10)
    before = use.compared_rounds(loaded.study)[round_.id]
    segment = readings(loaded.study.db)[0].segment
    with write(loaded.study.db) as connection:
        add_decisions(connection, [Decision(
            segment, "close", "Cat", NOW, round_.id, "uniform", 1, round_.codebook, round_.codebook_version, shown=True, bulk=True
        )])  # fmt: skip

    assert use.compared_rounds(loaded.study) == {round_.id: before}
    assert "Cat" not in use.coders(loaded.study)


# Sealed until it is read.


def plan(made: Made, round_: Round, coders: tuple[str, ...]) -> None:
    draws = made.study.db.conn.execute("SELECT position FROM draws WHERE round = ?", [round_.id]).fetchall()
    with write(made.study.db) as connection:
        add_plan(connection, round_.id, Plan(coders, 1.0), {d[0]: coders for d in draws}, by="Lee", at=NOW)


def test_a_lead_who_codes_sees_no_agreement_until_both_have_read_or_the_round_has_ended(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t")
    plan(loaded, round_, ("Ann", "Ben"))
    read_on(loaded, round_, "Ann", heard_chair)
    read_on(loaded, round_, "Ben", also_pasta, most=4)

    assert [use.withheld(loaded.study, round_.id, who) for who in ("Ann", "Ben", "Lee")] == [True, True, False]
    assert use.at_a_glance(loaded.study, "Ann") is None
    assert use.at_a_glance(loaded.study, "Lee") is not None

    with write(loaded.study.db) as connection:
        add_end(connection, round_.id, by="Lee", at=LATER)

    assert not use.withheld(loaded.study, round_.id, "Ann")


def test_agreement_is_open_to_its_coders_once_both_have_read_everything(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t")
    plan(loaded, round_, ("Ann", "Ben"))
    read_on(loaded, round_, "Ann", heard_chair)
    read_on(loaded, round_, "Ben", also_pasta)

    assert not use.withheld(loaded.study, round_.id, "Ann")


def test_what_is_to_be_talked_about_leaves_out_what_a_person_is_still_to_read_alone(loaded: Made) -> None:
    first = read_by_two(loaded, 30)
    found = use.agreement_in(loaded.study, first.id)
    segment = found.talk[0].item
    second = draw_counting_round(loaded.study, people=40, seed=2, now=NOW, actor="t")
    plan(loaded, second, ("Ann", "Ben"))

    assert segment not in {d.item for d in use.shown_to(loaded.study, "Ann", found)}


# The machine.


def read_both_ways(made: Made) -> None:
    """Blind, chairs are heard in half of what the machine suggests; with suggestions shown, whatever is suggested is taken."""
    read_blind(made, 25, lambda text: heard_chair(text) if "two" in text or "four" in text else [])
    review = draw_review_round(made.study, seed=1, now=NOW, actor="t")
    while (item := next_item(made.study, review, "Ann")) is not None:
        taken = [Choice(s.code, "worry", s.start, s.end, s.id) for s in item.suggestions]
        decide(made.study, item, coder="Ann", choices=taken, seconds=1, now=NOW)


def test_readers_who_take_whatever_is_suggested_agree_more_with_the_machine_than_when_blind(loaded: Made) -> None:
    assert use.anchoring(loaded.study).shifts is None
    read_both_ways(loaded)

    found = use.anchoring(loaded.study)

    assert found.shifts is not None
    assert (found.blind, found.shown) == (25, 40)
    assert found.shifts.overall.shown.coefficients.alpha.value == 1
    assert found.shifts.overall.difference.alpha.low > 0
    assert use.anchoring(loaded.study, "Ben").blind == 0


def test_what_a_blind_reader_changes_after_the_reveal_is_counted_and_leaves_the_blind_reading(loaded: Made) -> None:
    round_ = read_blind(loaded, 10, lambda _: [])
    before = use.anchoring(loaded.study)
    one = next(r for r in readings(loaded.study.db) if suggested_codes(loaded, r.segment))
    code = suggested_codes(loaded, one.segment)[0]
    with write(loaded.study.db) as connection:
        add_decisions(connection, [Decision(
            one.segment, "add", "Ann", LATER, round_.id, "uniform", 1, round_.codebook, round_.codebook_version, shown=True,
            code=code,
        )])  # fmt: skip

    after = use.anchoring(loaded.study)

    assert (before.revised[-1].towards, after.revised[-1].towards, after.revised[-1].away) == (0, 1, 0)
    assert next(r for r in after.revised if r.code == code).towards == 1
    assert after.revised[-1].apart == before.revised[-1].apart


def suggested_codes(made: Made, segment: str) -> list[str]:
    rows = made.study.db.conn.execute("SELECT code FROM suggestions WHERE segment = ? ORDER BY id", [segment])
    return [row["code"] for row in rows]


# Drift.


def test_a_coder_who_stops_giving_a_code_drifts_from_it(loaded: Made) -> None:
    seen: list[str] = []

    def tiring(text: str) -> list[Choice]:
        seen.append(text)
        return heard_chair(text) if len(seen) <= 20 else []

    read_blind(loaded, 40, tiring)

    (moved,) = use.drift_of(loaded.study, "Ann")

    assert moved.code == "CL5"
    assert [(b.first, b.last) for b in moved.blocks] == [(1, 25), (26, 40)]
    assert moved.change.value < 0
    assert moved.change.high < 0
    assert use.drift_of(loaded.study, "Ben") == ()


# The command and the pages.


def test_the_command_prints_it_and_names_nobody(loaded: Made, capsys: pytest.CaptureFixture[str]) -> None:
    from service.cli.agreement import agreement

    round_ = read_by_two(loaded)
    agreement(loaded.study.folder, round_.id, as_json=True)

    told = capsys.readouterr().out
    assert "Ann" not in told
    assert json.loads(told)["between coders"]["segments"]["codes"][0]["code"] == "CL5"

    agreement(loaded.study.folder)

    shown = capsys.readouterr()
    assert "CL5" in shown.out
    assert "differences to talk about" in shown.err


@pytest.fixture(scope="module")
def lead(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Lead (demo)") as client:
        yield client


def test_the_page_says_what_is_missing_before_two_have_read(lead: TestClient) -> None:
    page = unescape(lead.get(NY + "/agreement").text)

    assert "No text has been read by two coders yet" in page
    assert "Show drift, with names" in page
    assert "nan" not in page.lower().replace("finance", "")


@pytest.mark.parametrize("name", ["Reader (demo)", "Young co-producer (demo)", "Coder A (demo)", "Data manager (demo)"])
def test_only_leads_see_agreement(demo_folder: Path, name: str) -> None:
    with sign_in_as(demo_folder, name) as client:
        for path in ("", "/codes.svg?round=x", "/machine.svg", "/drift.svg?coder=x&code=y"):
            assert client.get(NY + "/agreement" + path).status_code == 403
        assert "/agreement" not in client.get(NY).text


def test_names_stand_on_the_page_only_when_drift_is_opened(lead: TestClient) -> None:
    shut, opened = (lead.get(NY + "/agreement", params=p).text for p in ({}, {"drift": "1"}))

    assert "Demo coder (fictional)" not in shut
    assert "Demo coder (fictional)" in opened
    assert "agreement/drift.svg?coder=Demo%20coder" in opened


def test_odd_addresses_are_plain_problems(lead: TestClient) -> None:
    for path in ("/codes.svg?round=%27x", "/drift.svg?coder=nobody&code=CL5", "/codes.svg", "/drift.svg?coder=&code="):
        assert lead.get(NY + "/agreement" + path).status_code in (400, 404, 422)
    assert lead.get(NY + "/agreement", params={"round": "<script>", "drift": "1", "coder": "<b>"}).status_code == 200
