"""The API over a study: voices in, jobs, what may be read, pages, ETags, and what comes twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service import wiring, worker
from service.access.answers import Answer, claim, give
from service.access.people import people_in
from service.api.limits import Rates
from service.errors import BusyError, LimitError
from service.study.jobs import job
from service.usecases.jobs import work_once
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made
from tests.service.calling import CODER, LEAD, MANAGER, calling, key_of
from tests.service.serving import give_accounts

STUDY = "/v1/studies/study"
VOICES = [
    {"record": "r1", "participant": "p1", "text": "I am Kayleigh Thornton and i put a chair against the door.",
     "voice": "young_person", "via": "self", "period": "2026-01-09", "attributes": {"first language": "English"}},
    {"record": "r2", "participant": "p1", "text": "Tea was pasta.", "voice": "young_person"},
    {"record": "r3", "participant": "p2", "text": "n/a"},
]  # fmt: skip


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The service finds the keys where the tests' studies have them."""
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    wiring.settings.cache_clear()
    yield
    wiring.settings.cache_clear()


@pytest.fixture
def manager(made: Made, keys: None, tmp_path: Path) -> TestClient:
    give_accounts(tmp_path)
    return calling(tmp_path, MANAGER, "intake", "read", "findings")


@pytest.fixture
def lead(loaded: Made, tmp_path: Path) -> TestClient:
    give_accounts(tmp_path)
    return calling(tmp_path, LEAD, "findings", "read", "lead")


def test_voices_come_in_are_prepared_by_a_job_and_can_be_read(manager: TestClient, made: Made) -> None:
    came = manager.post(f"{STUDY}/voices?prepare=true", json={"voices": VOICES})
    work_once(made.study, worker.HANDLERS, "w", lambda: NOW)
    told = manager.get(came.headers["Location"]).json()
    listed = manager.get(f"{STUDY}/voices").json()
    first = manager.get(f"{STUDY}/voices/{listed['items'][0]['id']}").json()
    text = manager.get(f"{STUDY}/voices/{listed['items'][0]['id']}/clean-text").json()

    assert came.status_code == 201
    assert {k: came.json()[k] for k in ("rows", "voices", "blank", "known")} == {
        "rows": 3, "voices": 2, "blank": 1, "known": 0,
    }  # fmt: skip
    assert (told["state"], told["result"]["voices"]) == ("done", 2)
    assert (listed["total"], listed["next"]) == (2, None)
    assert first["record"]["attributes"] == {"first language": "English"}
    assert (first["record"]["period"], "digest" in first["record"]) == ("2026-01", False)
    assert "Kayleigh" not in json.dumps([first, text])
    assert text["text"][text["redactions"][0]["start"] : text["redactions"][0]["end"]].startswith("[")


def test_the_same_voices_again_change_nothing_and_other_words_are_refused(manager: TestClient) -> None:
    manager.post(f"{STUDY}/voices", json={"voices": VOICES})

    again = manager.post(f"{STUDY}/voices", json={"voices": VOICES}).json()
    changed = manager.post(f"{STUDY}/voices", json={"voices": [VOICES[1], {**VOICES[0], "text": "qzx other words"}]})

    assert (again["voices"], again["known"]) == (0, 2)
    assert changed.status_code == 422
    assert changed.json()["errors"] == [
        {"pointer": "record", "row": 2, "problem": changed.json()["errors"][0]["problem"]}
    ]
    assert "qzx" not in changed.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"area": "07700 900123"}, "area"), ({"period": "qzx"}, "period"), ({"attributes": {"school": "a@b.org"}}, "attributes"),
        ({"attributes": {"text": "qzx"}}, "attributes"), ({"record": " "}, "record"),
    ],
)  # fmt: skip
def test_a_voice_that_cannot_be_taken_is_named_by_row_and_field_and_none_is_taken(
    manager: TestClient, change: dict[str, Any], field: str
) -> None:
    answer = manager.post(f"{STUDY}/voices", json={"voices": [VOICES[1], {**VOICES[0], **change}]})

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == field
    assert "qzx" not in answer.text
    assert manager.get(STUDY).json()["voices"] == 0


def test_a_file_is_taken_in_as_it_is_and_its_kind_is_said(manager: TestClient, tmp_path: Path) -> None:
    rows = "id,text,voice\n1,i put a chair against the door,young_person\n2,tea was pasta,child\n"

    came = manager.post(f"{STUDY}/files?kind=csv", content=rows.encode())
    broken = manager.post(f"{STUDY}/files?kind=xlsx", content=b"qzx")
    other = manager.post(f"{STUDY}/files?kind=csv&text=qzx", content=b"a,b\nqzx,qzx\n")

    assert (came.status_code, came.json()["voices"]) == (201, 2)
    assert (broken.status_code, other.status_code) == (422, 422)
    assert "qzx" not in broken.text + other.text


def test_ten_thousand_voices_are_taken_at_once_and_no_more(manager: TestClient) -> None:
    many = [{"record": str(i), "text": f"number {i}"} for i in range(10_000)]

    assert manager.post(f"{STUDY}/voices", json={"voices": many}).json()["voices"] == 10_000
    assert manager.post(f"{STUDY}/voices", json={"voices": [*many, many[0]]}).status_code == 422


def test_a_coder_takes_nothing_in_and_asks_for_no_job(made: Made, keys: None, tmp_path: Path) -> None:
    give_accounts(tmp_path)
    coder = calling(tmp_path, CODER, "read", "code")

    for path, body in (("voices", {"voices": VOICES}), ("jobs", {"kind": "suggest"}), ("jobs/1/cancel", None)):
        assert coder.post(f"{STUDY}/{path}", json=body).status_code == 403


def test_a_request_that_comes_twice_under_one_key_is_done_once(manager: TestClient, made: Made) -> None:
    key = {"Idempotency-Key": "night-1"}

    first, again = (manager.post(f"{STUDY}/jobs", json={"kind": "prepare"}, headers=key) for _ in range(2))
    other = manager.post(f"{STUDY}/jobs", json={"kind": "suggest"}, headers=key)
    without = manager.post(f"{STUDY}/jobs", json={"kind": "prepare"})

    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.text, again.headers["Location"]) == (first.text, first.headers["Location"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 422
    assert without.json()["id"] == first.json()["id"] + 1


def test_of_requests_that_come_at_once_under_one_key_one_is_done(manager: TestClient) -> None:
    def ask(_: int) -> tuple[int, str]:
        answer = manager.post(f"{STUDY}/jobs", json={"kind": "prepare"}, headers={"Idempotency-Key": "night-4"})
        return answer.status_code, answer.text if answer.status_code == 202 else ""

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))

    assert {status for status, _ in answers} <= {202, 503}
    assert len({text for status, text in answers if status == 202}) == 1
    assert len(manager.get(f"{STUDY}/jobs").json()["items"]) == 1


def test_a_claim_whose_answer_never_came_is_free_again_after_a_while(tmp_path: Path) -> None:
    with people_in(tmp_path) as db:
        assert claim(db, "k", "r", now="2026-01-15T10:00:00.000+00:00") is None
        with pytest.raises(BusyError):
            claim(db, "k", "r", now="2026-01-15T10:01:00.000+00:00")
        assert claim(db, "k", "r", now="2026-01-15T10:03:00.000+00:00") is None
        give(db, "k", Answer(201, "{}", ""))
        assert claim(db, "k", "r", now="2026-01-15T10:04:00.000+00:00") == Answer(201, "{}", "")
        assert claim(db, "k", "other", now="2026-01-17T10:04:00.000+00:00") is None


def test_a_refused_request_may_be_mended_under_its_key(manager: TestClient) -> None:
    key = {"Idempotency-Key": "night-2"}
    manager.post(f"{STUDY}/voices", json={"voices": [{**VOICES[0], "period": "no date"}]}, headers=key)

    mended = manager.post(f"{STUDY}/voices", json={"voices": VOICES}, headers=key)

    assert mended.status_code == 201


def test_a_replay_holds_no_words(manager: TestClient, tmp_path: Path) -> None:
    manager.post(f"{STUDY}/voices", json={"voices": VOICES}, headers={"Idempotency-Key": "night-3"})

    held = b"".join(f.read_bytes() for f in tmp_path.glob("people.db*"))
    assert b"Kayleigh" not in held
    assert b"night-3" not in held


def test_jobs_are_listed_cancelled_and_tried_again(manager: TestClient) -> None:
    made = [manager.post(f"{STUDY}/jobs", json={"kind": "suggest"}).json()["id"] for _ in range(3)]

    page = manager.get(f"{STUDY}/jobs?limit=2").json()
    rest = manager.get(f"{STUDY}/jobs?limit=2&cursor={page['next']}").json()
    gone = manager.post(f"{STUDY}/jobs/{made[0]}/cancel").json()
    back = manager.post(f"{STUDY}/jobs/{made[0]}/retry").json()

    assert [j["id"] for j in page["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert (gone["state"], back["state"]) == ("cancelled", "waiting")
    assert manager.post(f"{STUDY}/jobs/{made[0]}/retry").status_code == 404
    assert manager.get(f"{STUDY}/jobs/999").status_code == 404


def test_a_job_is_watched_until_it_is_over(manager: TestClient, made: Made) -> None:
    number = manager.post(f"{STUDY}/jobs", json={"kind": "prepare"}).json()["id"]
    work_once(made.study, worker.HANDLERS, "w", lambda: NOW)

    with manager.stream("GET", f"{STUDY}/jobs/{number}/events") as answer:
        told = [json.loads(line.removeprefix("data: ")) for line in answer.iter_lines() if line.startswith("data")]

    assert answer.headers["content-type"].startswith("text/event-stream")
    assert told[-1]["state"] == job(made.study.db, number).state == "done"


def test_a_list_is_paged_whole_and_without_doubles(lead: TestClient) -> None:
    for path in ("voices", "suggestions"):
        found, cursor = [], ""
        while cursor is not None:
            page = lead.get(f"{STUDY}/{path}?limit=7{cursor and f'&cursor={cursor}'}").json()
            found += [item.get("segment", item.get("id")) for item in page["items"]]
            cursor = page["next"]
        assert len(found) == len(set(found)) == 40


@pytest.mark.parametrize("cursor", ["x", "e30", "WyJhIl0", "WzFd", "a" * 300, "Wzk5OTk5OTk5OTk5OTk5OTk5OTk5XQ", "%00"])
def test_a_word_that_is_no_cursor_is_refused(lead: TestClient, cursor: str) -> None:
    answers = [lead.get(f"{STUDY}/{path}?cursor={cursor}") for path in ("voices", "decisions")]

    assert {a.status_code for a in answers} == {422}
    assert answers[0].json()["errors"][0]["pointer"] == "cursor"


def test_what_has_not_changed_is_not_sent_again(lead: TestClient) -> None:
    first = lead.get(f"{STUDY}/suggestions")
    tag = first.headers["ETag"]

    same = lead.get(f"{STUDY}/suggestions", headers={"If-None-Match": tag})
    other = lead.get(f"{STUDY}/suggestions?limit=3", headers={"If-None-Match": tag})

    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    assert other.status_code == 200


def test_suggestions_on_what_is_still_to_be_read_blind_are_kept_back(loaded: Made, lead: TestClient) -> None:
    before = lead.get(f"{STUDY}/suggestions?limit=500").json()["items"]
    draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t")
    after = lead.get(f"{STUDY}/suggestions?limit=500").json()["items"]

    assert not any(line["blind"] for line in before)
    assert sum(line["blind"] for line in after) == 10
    assert not any(line["suggestions"] for line in after if line["blind"])
    assert any(line["suggestions"] for line in after)


def test_a_lead_draws_a_round_and_only_a_lead(lead: TestClient, tmp_path: Path) -> None:
    drawn = lead.post(f"{STUDY}/rounds", json={"kind": "counting", "size": 5})
    coder = calling(tmp_path, CODER, "read", "code")

    assert drawn.status_code == 201
    assert lead.get(drawn.headers["Location"]).json() == drawn.json()
    assert [r["id"] for r in coder.get(f"{STUDY}/rounds").json()] == [drawn.json()["id"]]
    assert coder.post(f"{STUDY}/rounds", json={"kind": "review"}).status_code == 403


def test_codebooks_are_listed_and_given_whole(lead: TestClient) -> None:
    installed = lead.get("/v1/codebooks").json()
    (line,) = lead.get(f"{STUDY}/codebooks").json()
    book = lead.get(f"{STUDY}/codebooks/{line['version']}").json()

    assert line["current"]
    assert line["id"] in {b["id"] for b in installed}
    assert len(book["codes"]) >= line["codes"] > 5
    assert lead.get(f"{STUDY}/codebooks/0.0.0").status_code == 404


def test_a_study_without_indicators_says_so(lead: TestClient) -> None:
    assert lead.get(f"{STUDY}/indicators").json() == []
    assert lead.get(f"{STUDY}/indicators/none").status_code == 404


def test_more_than_an_address_takes_is_refused(manager: TestClient) -> None:
    said = manager.post("/v1/deidentify", content=b"x" * (2 * 1024 * 1024 + 1))
    unsaid = manager.post("/v1/deidentify", content=iter([b"x" * 1024 * 1024] * 3))

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert said.headers["content-type"] == "application/problem+json"


def test_a_key_that_asks_too_often_is_told_when_to_come_back(made: Made, tmp_path: Path) -> None:
    give_accounts(tmp_path)
    client = calling(tmp_path, CODER, "read")
    client.app.state.rates = Rates(3)  # type: ignore[attr-defined]
    other = {"Authorization": f"Bearer {key_of(tmp_path, CODER, ['read'])}"}

    answers = [client.get(f"{STUDY}/rounds") for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get(f"{STUDY}/rounds", headers=other).status_code == 200


def test_a_bucket_fills_evenly_and_a_clock_that_jumps_back_opens_nothing() -> None:
    times = iter([0.0, 0.0, 0.0, 31.0, 31.0, -500.0, -500.0, -469.0])
    rates = Rates(2, clock=lambda: next(times))

    rates.take("a")
    rates.take("a")
    with pytest.raises(LimitError):
        rates.take("a")
    rates.take("a")
    for _ in range(3):
        with pytest.raises(LimitError):
            rates.take("a")
    rates.take("a")


def test_the_description_is_openapi_3_1_and_every_address_says_its_problems(lead: TestClient) -> None:
    description = lead.get("/v1/openapi.json").json()

    assert description["openapi"].startswith("3.1")
    for path in description["paths"].values():
        for operation in path.values():
            problem = operation["responses"]["422"]["content"]["application/problem+json"]["schema"]["$ref"]
            assert problem == "#/components/schemas/Problem"
    assert description["components"]["schemas"]["Problem"]["properties"]["detail"]["type"] == "string"
