"""The rounds page: leads make rounds and say who reads what; coders see those that they read in."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.access.demo_accounts import ACCOUNTS
from service.access.permissions import Action, may
from service.errors import ConflictError, StudyError
from service.study.decisions import draws, rounds
from service.study.plans import assigned, ends, plan_of
from service.study.study import Study
from service.usecases.plan import Asked, make_round, planned
from service.usecases.queue import next_item
from service.usecases.review import decide
from service.usecases.rounds import ByChoice
from tests.conftest import NOW, sign_in_as

A, B, LEAD = "Coder A (demo)", "Coder B (demo)", "Lead (demo)"
HERE = "/studies/study/rounds"
FORM = {"kind": "counting", "coders": [A, B], "twice": "50", "reads": "10", "act": "make", "after": "0"}


def test_a_lead_sees_what_a_round_would_be_and_then_makes_exactly_that(studies: Path, study: Study) -> None:
    with sign_in_as(studies, LEAD) as client:
        look = client.post(HERE, data={**FORM, "act": "look"})
        assert rounds(study.db) == []
        answer = client.post(HERE, data=FORM, follow_redirects=False)
        page = client.get(HERE).text

    assert "10 people with 10 texts; 5 are read by two coders. All of it is read blind." in look.text
    assert f'value="{A}" checked' in look.text
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{HERE}#counting-1")
    [round_] = rounds(study.db)
    plan = plan_of(study.db, round_.id)
    assert plan is not None
    assert (plan.coders, plan.twice) == ((A, B), 0.5)
    assert len(assigned(study.db, round_.id)) == 5
    assert re.search(r"Reads still needed: \d+", page)
    assert "100% are read blind" in page


def test_the_same_form_sent_twice_makes_one_round(studies: Path, study: Study) -> None:
    with sign_in_as(studies, LEAD) as client:
        client.post(HERE, data=FORM)
        again = client.post(HERE, data=FORM)

    assert again.status_code == 412
    assert "A round was made after you opened this page" in again.text
    assert len(rounds(study.db)) == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"coders": []}, "Choose at least one coder"),
        ({"coders": [A]}, "choose at least two coders"),
        ({"coders": [A, "Nobody"]}, "may not code any more"),
        ({"twice": "many"}, "write a whole number"),
        ({"twice": "101"}, "between 0 and 100%"),
        ({"reads": "0"}, "draws between 1 and"),
        ({"reads": "-4"}, "write a whole number"),
        ({"kind": "quick"}, "for counting or for review"),
        ({"by": "street"}, "by person or by text"),
        ({"focus": ["NOPE"]}, "not in the codebook"),
    ],
)
def test_a_round_that_cannot_be_is_refused_in_plain_words_and_the_input_is_kept(
    studies: Path, study: Study, wrong: dict[str, object], said: str
) -> None:
    with sign_in_as(studies, LEAD) as client:
        answer = client.post(HERE, data={**FORM, "start": "3", **wrong})

    assert answer.status_code == 422
    assert said in answer.text
    assert 'name="start" inputmode="numeric" value="3"' in answer.text
    assert rounds(study.db) == []


def test_a_focus_code_is_chosen_by_its_name_and_a_review_round_reads_every_text(studies: Path, study: Study) -> None:
    with sign_in_as(studies, LEAD) as client:
        client.post(HERE, data={**FORM, "focus": ["cl5", ""], "focus_reads": "5"})
        client.post(HERE, data={**FORM, "kind": "review", "after": "1", "twice": "0", "coders": [A]})

    counting, review = rounds(study.db)
    assert any("focus" in d.stream for d in draws(study.db, counting.id))
    assert len(draws(study.db, review.id)) == 40


def test_a_coder_sees_their_own_rounds_and_cannot_make_or_end_one(studies: Path, study: Study) -> None:
    with sign_in_as(studies, LEAD) as client:
        client.post(HERE, data={**FORM, "coders": [A], "twice": "0"})
        client.post(HERE, data={**FORM, "coders": [A, B], "after": "1"})
    with sign_in_as(studies, B) as client:
        page = client.get(HERE).text
        refused = [client.post(HERE, data={**FORM, "after": "2"}), client.post(f"{HERE}/counting-2/end")]

    assert f'href="{HERE}/counting-2/read"' in page
    assert "counting-1" not in page
    assert A not in page
    assert "Make the round" not in page
    assert [answer.status_code for answer in refused] == [403, 403]
    assert len(rounds(study.db)) == 2


def test_a_round_that_is_ended_stays_ended_and_asks_nobody_for_more(studies: Path, study: Study) -> None:
    with sign_in_as(studies, LEAD) as client:
        client.post(HERE, data=FORM)
        for _ in range(2):
            assert client.post(f"{HERE}/counting-1/end", follow_redirects=False).status_code == 303
        page = client.get(HERE).text
        missing = client.post(f"{HERE}/counting-9/end")

    assert list(ends(study.db)) == ["counting-1"]
    assert f"Ended by {LEAD}" in page
    assert f'href="{HERE}/counting-1/read"' not in page
    assert missing.status_code == 404


def test_only_those_who_may_code_see_the_page(studies: Path) -> None:
    for name, role in ACCOUNTS.items():
        with sign_in_as(studies, name) as client:
            allowed = client.get(HERE).status_code

        assert allowed == (200 if may(role, Action.CODE) else 403)


def test_each_pair_of_coders_shares_as_many_as_any_other_and_nobody_reads_alone_what_two_read(study: Study) -> None:
    asked = Asked("counting", ("Ann", "Bo", "Cy"), 0.6, reads=20, choice=ByChoice())
    shown = planned(study, asked)
    round_ = make_round(study, asked, after=0, now=NOW, actor="t")

    pairs = list(assigned(study.db, round_.id).values())
    assert len(pairs) == shown.shared == 12
    assert {pair: pairs.count(pair) for pair in pairs} == dict.fromkeys([("Ann", "Bo"), ("Ann", "Cy"), ("Bo", "Cy")], 4)
    seen: dict[str, list[str]] = {}
    for _ in range(30):
        for coder in asked.coders:
            item = next_item(study, round_, coder, now=NOW)
            if item is not None:
                decide(study, item, coder=coder, choices=[], seconds=1, now=NOW)
                seen.setdefault(item.segment.id, []).append(coder)
    assert sorted(map(len, seen.values())) == [1] * 8 + [2] * 12


def test_a_round_is_made_from_what_the_lead_saw(study: Study) -> None:
    asked = Asked("counting", ("Ann",), 0.0, reads=5)
    make_round(study, asked, after=0, now=NOW, actor="t")

    with pytest.raises(ConflictError, match="A round was made"):
        make_round(study, asked, after=0, now=NOW, actor="t")
    with pytest.raises(StudyError, match="once"):
        planned(study, Asked("counting", ("Ann", "Ann"), 0.0))
