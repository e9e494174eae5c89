"""The stateless pair: texts are de-identified or coded, answered, and kept nowhere; refusals repeat none of them."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import anyio
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.api.turns import Turns
from service.errors import BusyError
from tests.service.calling import CODER, READER, calling

NOTE = "Kayleigh Thornton rang me on 01723 555012. She puts a chair against the door because she does not feel safe."
BOOK = "north-yorkshire-care-leavers"


@pytest.fixture(scope="module")
def client(demo_folder: Path) -> TestClient:
    return calling(demo_folder, CODER, "texts")


def test_a_note_is_de_identified_and_its_spans_lie_in_both_texts(client: TestClient) -> None:
    answer = client.post("/v1/deidentify", json={"texts": [{"id": "n1", "text": NOTE}]})

    assert answer.status_code == 200
    (found,) = answer.json()["texts"]
    assert found["id"] == "n1"
    assert not found["needs_person"]
    assert "Kayleigh" not in found["clean_text"]
    assert "01723" not in found["clean_text"]
    assert {NOTE[s["start"] : s["end"]] for s in found["spans"]} == {"Kayleigh Thornton", "01723 555012"}
    assert all(found["clean_text"][s["clean_start"] : s["clean_end"]].startswith("[") for s in found["spans"])


def test_texts_of_one_person_share_their_names_and_those_on_the_form(client: TestClient) -> None:
    texts = [
        {"text": "I told Bo about it.", "participant": "7", "known": ["Bo"]},
        {"text": "bo was kind.", "participant": "7"},
        {"text": "I saw it too.", "participant": "8"},
    ]

    found = [t["clean_text"] for t in client.post("/v1/deidentify", json={"texts": texts}).json()["texts"]]

    assert not any("bo" in text.casefold().split() for text in found)
    assert found[2] == "I saw it too."


def test_a_text_in_another_language_waits_for_a_person(client: TestClient) -> None:
    words = "Moja córka nie czuje się bezpiecznie w domu i boi się chodzić do szkoły każdego dnia, bardzo się martwię."

    (found,) = client.post("/v1/deidentify", json={"texts": [{"text": words}]}).json()["texts"]

    assert (found["needs_person"], found["language"], found["clean_text"]) == (True, "pl", None)


def test_codes_are_suggested_with_evidence_in_the_text_that_was_sent(client: TestClient) -> None:
    text = "Tea was pasta.\n\nShe puts a chair against the door because she does not feel safe where she lives."

    answer = client.post("/v1/suggest", json={"codebook": BOOK, "texts": [{"id": "a", "text": text}]}).json()

    codes = [c for s in answer["texts"][0]["segments"] for c in s["suggestions"]]
    assert "chair" in text[codes[0]["start"] : codes[0]["end"]]
    assert 0.2 <= codes[0]["probability"] <= 1
    assert (answer["codebook"], answer["version"] != "") == (BOOK, True)


@pytest.mark.parametrize("name", ["none", "..", "../codebooks/" + BOOK, "schema.json", "/etc"])
def test_only_an_installed_codebook_can_be_named(client: TestClient, name: str) -> None:
    answer = client.post("/v1/suggest", json={"codebook": name, "texts": [{"text": "a"}]})

    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_role_without_leave_sends_no_texts(demo_folder: Path) -> None:
    answer = calling(demo_folder, READER, "findings").post("/v1/deidentify", json={"texts": [{"text": "a"}]})

    assert answer.status_code == 403


def test_a_refusal_names_the_field_and_the_row(client: TestClient) -> None:
    texts = [{"text": "fine"}, {"txt": "qzx"}, {"text": 5}]

    answer = client.post("/v1/deidentify", json={"texts": texts, "qzx": 1})

    assert answer.status_code == 422
    assert {(e["pointer"], e["problem"]) for e in answer.json()["errors"]} == {
        ("/texts/1/text", "it is missing"), ("/texts/1/…", "there is no such field"),
        ("/texts/2/text", "it must be text"), ("/…", "there is no such field"),
    }  # fmt: skip


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text().map(lambda s: "qzx" + s),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8).map(lambda s: "qzx" + s), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(junk=JUNK, where=st.sampled_from(["body", "texts", "item", "text", "codebook"]))
def test_no_refusal_repeats_a_word_of_what_was_sent(client: TestClient, junk: object, where: str) -> None:
    held = {
        "body": junk, "texts": {"texts": junk}, "item": {"texts": [junk]}, "text": {"texts": [{"text": [junk]}]},
        "codebook": {"codebook": junk, "texts": [{"text": "a", "more": junk}]},
    }  # fmt: skip
    for address in ("/v1/deidentify", "/v1/suggest"):
        answer = client.post(address, json=held[where])
        assert 400 <= answer.status_code < 500
        assert "qzx" not in answer.text


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"texts": [{"text": "\\ud800"}]}', b"[" * 100_000, b"1e999"]
)
def test_what_is_not_json_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/v1/deidentify", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in (400, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_callers_take_turns_however_much_one_of_them_asks() -> None:
    turns, order, gate = Turns(workers=1), list[str](), threading.Event()

    async def ask(caller: str) -> None:
        await turns.run(caller, lambda: order.append(caller))

    async def everyone() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(turns.run, "first", gate.wait)
            await anyio.sleep(0.05)
            for caller in ("much", "much", "much", "little"):
                group.start_soon(ask, caller)
            await anyio.sleep(0.05)
            gate.set()

    anyio.run(everyone)
    turns.end()

    assert order == ["much", "little", "much", "much"]


def test_a_caller_with_too_much_waiting_is_told_to_come_back() -> None:
    turns, gate = Turns(workers=1, each=1), threading.Event()

    async def everyone() -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(turns.run, "a", gate.wait)
            await anyio.sleep(0.05)
            group.start_soon(turns.run, "a", lambda: None)
            await anyio.sleep(0.05)
            with pytest.raises(BusyError) as refused:
                await turns.run("a", lambda: None)
            gate.set()
        return refused.value.seconds

    assert anyio.run(everyone) == 2
    turns.end()


def test_an_error_of_the_work_comes_back_to_whoever_asked() -> None:
    turns = Turns(workers=1)

    def broken() -> None:
        raise KeyError("k")

    async def both() -> float:
        with pytest.raises(KeyError):
            await turns.run("a", broken)
        return await turns.run("a", time.monotonic)

    assert anyio.run(both) > 0
    turns.end()
