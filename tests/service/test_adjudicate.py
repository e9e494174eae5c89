"""Adjudication: readings side by side without names, a reason, nothing lost, and nobody sees too early."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from service.access.demo_accounts import ACCOUNTS
from service.access.permissions import Action, may
from service.study.adjudications import adjudications
from service.study.confirmed import confirmed
from service.study.decisions import Round, codings, rounds
from service.study.study import Study
from service.usecases.adjudicate import disagreements, dispute
from service.usecases.plan import Asked, make_round
from service.usecases.queue import item_at, next_item
from service.usecases.review import Choice, decide, revise, undo
from tests.conftest import NOW, sign_in_as

A, B, LEAD = "Coder A (demo)", "Coder B (demo)", "Lead (demo)"


def read_apart(study: Study, *, kind: str = "counting", by_b: int = 40) -> Round:
    """A hears a worry everywhere; B hears nothing, or as many texts of it as `by_b` says."""
    round_ = make_round(study, Asked(kind, (A, B), 1.0, reads=4), after=len(rounds(study.db)), now=NOW, actor="t")
    while (item := next_item(study, round_, A, now=NOW)) is not None:
        decide(study, item, coder=A, choices=[Choice("CL5", "worry", item.segment.start, item.segment.start + 6)],
               seconds=1, now=NOW)  # fmt: skip
    for _ in range(by_b):
        item = next_item(study, round_, B, now=NOW)
        if item is not None:
            decide(study, item, coder=B, choices=[], seconds=1, now=NOW)
    return round_


def settling(studies: Path, address: str, who: str = LEAD, **form: str) -> Any:
    with sign_in_as(studies, who) as client:
        page = client.get(address)
        sent = {
            "read": page.headers.get("ETag", '""').strip('"'),
            "code": "CL5",
            "stance": "worry",
            "words": "",
            **form,
        }
        return client.post(address, data=sent, follow_redirects=False)


def test_nothing_is_to_settle_before_both_have_read(study: Study) -> None:
    round_ = read_apart(study, by_b=1)

    assert len(disagreements(study, round_, LEAD)) == 1
    assert {d.codes for d in disagreements(study, round_, LEAD)} == {("CL5",)}


def test_the_page_shows_both_readings_and_no_name(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)
    here = f"/studies/study/rounds/{round_.id}/adjudicate"
    with sign_in_as(studies, LEAD) as client:
        pages = [client.get(here), client.get(f"{here}/{first.segment}")]

    assert [page.status_code for page in pages] == [200, 200]
    for page in pages:
        assert "Coder A (demo)" not in page.text
        assert "Coder B (demo)" not in page.text
    assert "4 of 4 texts are still to settle" in pages[0].text
    assert "<h3>Coder A</h3>" in pages[1].text
    assert "<h3>Coder B</h3>" in pages[1].text
    assert "No code fits." in pages[1].text


def test_the_order_of_the_readings_differs_from_text_to_text(study: Study) -> None:
    round_ = make_round(study, Asked("counting", (A, B), 1.0, reads=20), after=0, now=NOW, actor="t")
    for coder, choices in ((A, [Choice("CL5", "worry")]), (B, [])):
        while (item := next_item(study, round_, coder, now=NOW)) is not None:
            decide(study, item, coder=coder, choices=choices, seconds=1, now=NOW)
    found = [dispute(study, round_, d.segment, LEAD) for d in disagreements(study, round_, LEAD)]

    first = [bool(d.readings[0].judgements) for d in found]
    assert 4 <= sum(first) <= 16
    assert first == [
        bool(dispute(study, round_, d.segment.id, LEAD).readings[0].judgements) for d in found
    ]  # and stays so


def test_a_settled_text_keeps_what_the_coders_decided_and_says_why(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)
    before = codings(study.db)
    address = f"/studies/study/rounds/{round_.id}/adjudicate/{first.segment}"

    answer = settling(studies, address, given="CL5", reason="She says it twice.", words="0-0", extra="CL7")

    assert answer.status_code == 303
    kept = adjudications(study.db)
    assert {(a.code, a.given, a.reason, a.by) for a in kept} == {
        (code, True, "She says it twice.", LEAD) for code in ("CL5", "CL7")
    }
    assert codings(study.db) == before
    assert len(kept[0].considered) == 3
    assert {c.code for c in confirmed(study.db, LEAD, (), "k.segment = ?", [first.segment])} == {"CL5", "CL7"}
    assert sum(d.open for d in disagreements(study, round_, LEAD)) == 3


def test_a_code_that_is_not_ticked_does_not_stand(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)

    settling(studies, f"/studies/study/rounds/{round_.id}/adjudicate/{first.segment}", reason="It is about food.")

    assert confirmed(study.db, LEAD, (), "k.segment = ?", [first.segment]) == []
    assert len(codings(study.db, "segment = ?", [first.segment])) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reason": "  "}, "Say why"),
        ({"reason": "x" * 2001}, "may have 2,000"),
        ({"reason": "Ring 07700 900123 about it"}, "identifies nobody"),
        ({"reason": "ok", "given": "CL5", "stance": "odd"}, "no such stance"),
        ({"reason": "ok", "given": "CL5", "words": "1-99999"}, "outside this text"),
        ({"reason": "ok", "extra": "NOPE"}, "not in the codebook"),
        ({"reason": "ok", "extra": "CL5", "given": "CL5"}, "once"),
    ],
)
def test_what_cannot_be_settled_is_refused_and_what_was_written_is_kept(
    studies: Path, study: Study, wrong: dict[str, str], said: str
) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)

    answer = settling(studies, f"/studies/study/rounds/{round_.id}/adjudicate/{first.segment}", **wrong)

    assert answer.status_code == 422
    assert said in answer.text
    assert f">{wrong['reason']}</textarea>" in answer.text
    assert adjudications(study.db) == []


def test_whoever_comes_second_is_told_who_settled_it_and_loses_nothing(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)
    address = f"/studies/study/rounds/{round_.id}/adjudicate/{first.segment}"
    with sign_in_as(studies, LEAD) as client:
        stale = client.get(address).headers["ETag"]
    settling(studies, address, given="CL5", reason="First.")
    with sign_in_as(studies, LEAD) as client:
        form = {"code": "CL5", "stance": "", "words": "", "reason": "Mine."}
        late = client.post(address, data=form, headers={"If-Match": stale})
        unread = client.post(address, data=form)

    assert (late.status_code, unread.status_code) == (412, 412)
    assert re.search(r"Lead \(demo\) settled this on \d{4}-\d\d-\d\d at \d\d:\d\d \(UTC\), with CL5", late.text)
    assert ">Mine.</textarea>" in late.text
    assert "“First.”" in late.text
    assert {a.reason for a in adjudications(study.db)} == {"First."}


def test_a_coder_who_decides_anew_opens_it_again_and_is_not_named(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)
    address = f"/studies/study/rounds/{round_.id}/adjudicate/{first.segment}"
    settling(studies, address, given="CL5", reason="First.")
    with sign_in_as(studies, LEAD) as client:
        stale = client.get(address).headers["ETag"]
    item = item_at(study, round_, B, first.segment, now=NOW)
    revise(study, item, coder=B, choices=[Choice("CL7", "need")], seconds=1, now=NOW)
    with sign_in_as(studies, LEAD) as client:
        late = client.post(
            address, data={"code": "CL5", "stance": "", "words": "", "reason": "Again."}, headers={"If-Match": stale}
        )

    assert late.status_code == 412
    assert "A coder has changed their codes here" in late.text
    assert B not in late.text
    [again] = [d for d in disagreements(study, round_, LEAD) if d.segment == first.segment]
    assert (again.open, again.changed) == (True, True)


def test_nobody_but_a_lead_may_look_or_settle(studies: Path, study: Study) -> None:
    round_ = read_apart(study)
    [first, *_] = disagreements(study, round_, LEAD)
    here = f"/studies/study/rounds/{round_.id}/adjudicate"
    for name, role in ACCOUNTS.items():
        with sign_in_as(studies, name) as client:
            codes = [client.get(here).status_code, client.get(f"{here}/{first.segment}").status_code]
        assert codes == ([200, 200] if may(role, Action.LEAD) else [403, 403])
    assert settling(studies, f"{here}/{first.segment}", who=A, reason="Mine").status_code == 403


def test_a_lead_who_codes_sees_nothing_of_the_other_before_reading_and_nothing_once_a_reading_is_undone(
    study: Study,
) -> None:
    round_ = make_round(study, Asked("review", (A, LEAD), 1.0), after=0, now=NOW, actor="t")
    item = next_item(study, round_, A, now=NOW)
    assert item is not None
    decide(study, item, coder=A, choices=[Choice("CL5", "worry")], seconds=1, now=NOW)
    assert disagreements(study, round_, LEAD) == []

    mine = item_at(study, round_, LEAD, item.segment.id, now=NOW)
    decide(study, mine, coder=LEAD, choices=[], seconds=1, now=NOW)
    assert [d.segment for d in disagreements(study, round_, LEAD)] == [item.segment.id]

    undo(study, round_, LEAD, now=NOW)
    assert disagreements(study, round_, LEAD) == []


def test_what_is_not_there_is_a_plain_message(studies: Path, study: Study) -> None:
    round_ = read_apart(study, by_b=0)
    with sign_in_as(studies, LEAD) as client:
        answers = [
            client.get(f"/studies/study/rounds/{name}/adjudicate{rest}")
            for name, rest in (("none", ""), (round_.id, "/v-none.0"), (round_.id, "/" + _any(study, round_)))
        ]

    assert [a.status_code for a in answers] == [404, 404, 404]
    assert "nothing to settle" in answers[2].text


def _any(study: Study, round_: Round) -> str:
    return codings(study.db, "round = ?", [round_.id])[0].segment
