"""Decisions through the API: nothing is suggested before a blind decision, each is kept once, and others' stay sealed."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.study.codebooks import newest_codebook
from service.study.decisions import codings
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made
from tests.service.calling import CODER, READER, calling
from tests.service.serving import give_accounts

STUDY = "/v1/studies/study"


@pytest.fixture
def coder(loaded: Made, tmp_path: Path) -> TestClient:
    give_accounts(tmp_path)
    return calling(tmp_path, CODER, "code", "read")


def test_a_blind_text_comes_without_suggestions_and_tells_them_once_it_is_decided(
    loaded: Made, coder: TestClient
) -> None:
    round_ = draw_counting_round(loaded.study, people=20, seed=1, now=NOW, actor="t")
    told = []
    for _ in range(20):
        item = coder.get(f"{STUDY}/rounds/{round_.id}/next").json()["item"]
        assert (item["blind"], item["suggestions"]) == (True, [])
        body = {"segment": item["segment"], "choices": [{"code": "CL5", "stance": "worry"}], "seconds": 2}
        answer = coder.post(f"{STUDY}/rounds/{round_.id}/decisions", json=body)
        assert answer.status_code == 201
        told += answer.json()["suggestions"]

    assert coder.get(f"{STUDY}/rounds/{round_.id}/next").json() == {"item": None}
    assert told
    assert "quote" not in told[0]
    assert len(codings(loaded.study.db)) == 20
    lines = coder.get(f"{STUDY}/decisions?limit=7").json()
    assert {line["coder"] for line in lines["items"]} == {CODER}


def test_decisions_are_read_page_by_page_in_the_order_of_time(loaded: Made, coder: TestClient) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    for _ in range(6):
        item = coder.get(f"{STUDY}/rounds/{round_.id}/next").json()["item"]
        body = {
            "segment": item["segment"],
            "choices": [{"code": "CL5"}],
            "shown": [s["id"] for s in item["suggestions"]],
        }
        assert coder.post(f"{STUDY}/rounds/{round_.id}/decisions", json=body).status_code == 201

    found, cursor = [], ""
    while cursor is not None:
        page = coder.get(f"{STUDY}/decisions?limit=5{cursor and f'&cursor={cursor}'}").json()
        found += [(line["segment"], line["action"]) for line in page["items"]]
        cursor = page["next"]

    assert len(found) == len(set(found)) == 12


def test_a_decision_that_comes_twice_is_kept_once_and_may_be_undone(loaded: Made, coder: TestClient) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    item = coder.get(f"{STUDY}/rounds/{round_.id}/next").json()["item"]
    body, key = {"segment": item["segment"], "choices": [{"code": "CL5"}]}, {"Idempotency-Key": "d-1"}

    first, again = (coder.post(f"{STUDY}/rounds/{round_.id}/decisions", json=body, headers=key) for _ in range(2))
    twice = coder.post(f"{STUDY}/rounds/{round_.id}/decisions", json=body)
    undone = coder.post(f"{STUDY}/rounds/{round_.id}/undo").json()

    assert (first.status_code, again.text) == (201, first.text)
    assert twice.status_code == 412
    assert undone == {"segment": item["segment"]}
    assert codings(loaded.study.db) == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"choices": [{"code": "qzx"}]}, 409), ({"choices": [{"code": "CL5", "stance": "qzx"}]}, 409),
        ({"segment": "qzx"}, 404), ({"shown": [999_999]}, 404), ({"codebook": "qzx"}, 412), ({"seconds": -1}, 422),
        ({"choices": [{"code": "CL5", "start": 5, "end": 9_999}]}, 409),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_refused_and_nothing_is_kept(
    loaded: Made, coder: TestClient, change: dict[str, object], status: int
) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    item = coder.get(f"{STUDY}/rounds/{round_.id}/next").json()["item"]

    answer = coder.post(f"{STUDY}/rounds/{round_.id}/decisions", json={"segment": item["segment"], **change})

    assert answer.status_code == status
    assert "qzx" not in answer.text
    assert codings(loaded.study.db) == []


def test_only_a_coder_decides(loaded: Made, tmp_path: Path, coder: TestClient) -> None:
    round_ = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    reader = calling(tmp_path, READER, "findings")

    assert reader.get(f"{STUDY}/rounds/{round_.id}/next").status_code == 403
    assert reader.post(f"{STUDY}/rounds/{round_.id}/decisions", json={"segment": "x"}).status_code == 403
    assert newest_codebook(loaded.study.db).version
