"""The check of de-identification in a browser: from a shut gate to an open one by keyboard, and every refusal in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from service.access.demo_accounts import DEMO_PASSWORD
from service.app import build_app
from service.cli.server import Server
from service.study.voices import NewCleanText, StoredRedaction, all_voices, clean_text, newest_version
from service.usecases.check import gate, places_of, words_at
from service.usecases.intake import take_in
from tests.conftest import NOW, Made
from tests.service.serving import give_accounts, port_of, serving
from tests.service.test_browser import browser  # noqa: F401 - a fixture
from tests.service.test_check import Deaf, deidentify

LEAD, MANAGER, CODER, READER = "Lead (demo)", "Data manager (demo)", "Coder A (demo)", "Reader (demo)"
PEOPLE = 62
SAID = "👧🏽👨‍👩‍👧 Blorp told Quux that flat {} is cold."


@pytest.fixture
def said(shut: Made, tmp_path: Path) -> Made:
    """Many voices in which one name is masked unsurely; in one of them another name was missed, after emoji."""
    file, profile = tmp_path / "in.jsonl", tmp_path / "profile.yaml"
    profile.write_text("name: t\nrecord_id: id\nparticipant: p\ntexts: [text]\nattributes: [Name origin]\n")
    rows = [
        {"id": str(i), "p": f"p{i}", "Name origin": "Polish" if i % 2 else "British",
         "text": SAID.format(i) if i < 2 else f"Flat {i} is cold"} for i in range(PEOPLE)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    take_in(shut.study, file, shut.key, now=NOW, keep_raw_days=30, actor="t", profile=profile, speaker="child")
    deidentify(shut, Deaf("Blorp"))
    give_accounts(tmp_path)
    return shut


def client_of(made: Made, name: str) -> TestClient:
    app = build_app(made.study.folder.parent, lambda _: made.key)
    client = TestClient(app, raise_server_exceptions=False, headers={"Origin": "http://testserver"})
    client.post("/sign-in", data={"name": name, "password": DEMO_PASSWORD})
    return client


@pytest.fixture
def server(said: Made) -> Iterator[Server]:
    with serving(said.study.folder.parent, lambda _: said.key) as server:
        yield server


@pytest.fixture
def page(browser: Browser, server: Server) -> Iterator[Page]:  # noqa: F811 - the fixture
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"http://127.0.0.1:{port_of(server)}/sign-in")
    page.get_by_label("Name").fill(MANAGER)
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    yield page
    page.close()


def press(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_a_newcomer_checks_from_a_shut_gate_to_an_open_one_by_keyboard(page: Page, server: Server, said: Made) -> None:
    here = f"http://127.0.0.1:{port_of(server)}/studies/{said.study.name}/check"
    page.goto(here)
    assert page.get_by_role("heading", name="Nobody may code yet").is_visible()
    assert "59 voices read without finding anything" in page.locator("#bound").inner_text()

    page.goto(here + "/unsure")
    assert page.locator("#text mark").inner_text() == "Blorp"
    press(page, "y")
    press(page, "s")
    press(page, "n")
    assert page.get_by_text("Nothing unsure is left").is_visible() or page.locator("#text mark").inner_text() == "Blorp"

    page.goto(here + "/sample")
    while "Quux" in page.locator("#text").inner_text():
        press(page, "d")
    for _ in range(59):
        press(page, "d")
    page.goto(here)

    assert page.get_by_role("heading", name="Coding is open").is_visible()
    assert gate(said.study).open


def test_words_chosen_with_the_arrows_are_masked_though_emoji_stand_before_them(
    page: Page, server: Server, said: Made
) -> None:
    here = f"http://127.0.0.1:{port_of(server)}/studies/{said.study.name}/check"
    page.goto(here + "/sample")
    while "Quux" not in page.locator("#text").inner_text():
        press(page, "d")
    before = page.locator("#text").inner_text()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#chosen")).to_have_text("Chosen: Quux")
    press(page, "1")
    assert page.locator("#text mark").inner_text() == "Quux"
    assert "Quux" not in page.url
    press(page, "z")
    assert page.locator("#text mark").count() == 0
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    press(page, "1")
    press(page, "d")
    assert page.get_by_text("1 text of this person has changed").is_visible()
    assert gate(said.study).overall.leaking == 1
    press(page, "z")

    assert page.get_by_text("Taken back").is_visible()
    assert page.locator("#text").inner_text() == before
    assert gate(said.study).overall.leaking == 0


def test_a_mask_is_opened_by_walking_to_it_and_pressing_enter(page: Page, server: Server, said: Made) -> None:
    page.goto(f"http://127.0.0.1:{port_of(server)}/studies/{said.study.name}/check/sample")
    while "Quux" not in page.locator("#text").inner_text():
        press(page, "d")
    page.keyboard.press("ArrowRight")
    press(page, "Enter")
    assert page.get_by_text("hides nothing: its words are shown again").is_visible()
    press(page, "d")

    assert any("Blorp told Quux" in clean_text(said.study.db, v.id) for v in all_voices(said.study.db))


@pytest.mark.parametrize("path", ["", "/sample", "/unsure", "/languages"])
def test_no_page_of_the_check_is_wider_than_a_small_phone(page: Page, server: Server, said: Made, path: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    page.goto(f"http://127.0.0.1:{port_of(server)}/studies/{said.study.name}/check{path}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize(("name", "status"), [(LEAD, 200), (MANAGER, 200), (CODER, 403), (READER, 403)])
def test_only_those_who_check_may_see_the_check(said: Made, name: str, status: int) -> None:
    client = client_of(said, name)

    for path in ("", "/sample", "/unsure", "/languages"):
        assert client.get(f"/studies/{said.study.name}/check{path}").status_code == status
    for path in ("/sample", "/unsure", "/undo", "/accept", "/sample/find"):
        answer = client.post(f"/studies/{said.study.name}/check{path}", data={"voice": "x"})
        assert answer.status_code == 403 if status == 403 else answer.status_code in (409, 412, 422)


def first_with(made: Made, words: str) -> tuple[str, str]:
    record = next(v for v in all_voices(made.study.db) if words in clean_text(made.study.db, v.id))
    return record.id, str(newest_version(made.study.db, record.id).version)


def test_typed_words_are_marked_where_no_script_runs(said: Made) -> None:
    client, here = client_of(said, MANAGER), f"/studies/{said.study.name}/check/sample"
    voice, version = first_with(said, "Quux")
    form = {"voice": voice, "version": version, "kind": "PERSON", "words": " quux "}

    answer = client.post(here + "/find", data=form, follow_redirects=False)

    assert answer.status_code == 303
    [act] = parse_qs(urlsplit(answer.headers["Location"]).query)["act"]
    done = client.post(here, data={"voice": voice, "version": version, "act": act}, follow_redirects=False)
    assert done.headers["Location"].endswith("noted=1")
    assert "Quux" not in clean_text(said.study.db, voice)


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ({"words": "Nobody wrote this"}, "not in the text as it stands"),
        ({"words": ""}, "Choose the words first"),
        ({"words": "Quux", "kind": "DRAGON"}, "not in the text"),
        ({"words": "[Person 1]"}, "masked already"),
        ({"place": "0-3", "seen": "👧🏽👨"}, "not in the text"),
        ({"place": "99999999999-9", "seen": "x"}, "not in the text"),
        ({"words": "<script>alert(1)</script>"}, "not in the text"),
    ],
)
def test_words_that_cannot_be_masked_are_refused_and_stay_in_their_box(
    said: Made, form: dict[str, str], why: str
) -> None:
    client = client_of(said, MANAGER)
    voice, version = first_with(said, "Quux")
    sent = {"voice": voice, "version": version, "kind": "PERSON", **form}

    answer = client.post(f"/studies/{said.study.name}/check/sample/find", data=sent)

    assert answer.status_code == 422
    assert why in answer.text
    assert "<script>alert" not in answer.text


def test_done_sent_twice_counts_once_and_says_so(said: Made) -> None:
    client, here = client_of(said, MANAGER), f"/studies/{said.study.name}/check/sample"
    voice, version = first_with(said, "Flat")
    assert client.post(here, data={"voice": voice, "version": version}, follow_redirects=False).status_code == 303

    again = client.post(here, data={"voice": voice, "version": version})

    assert again.status_code == 412
    assert "Somebody has looked at this one" in again.text
    assert gate(said.study).overall.read == 1


def test_a_page_that_lay_open_while_another_changed_the_text_changes_nothing(said: Made) -> None:
    first, other, here = client_of(said, MANAGER), client_of(said, LEAD), f"/studies/{said.study.name}/check"
    voice, version = first_with(said, "Quux")
    mask = newest_version(said.study.db, voice).redactions[0]
    form = {"voice": voice, "version": version, "start": str(mask.start), "end": str(mask.end)}
    assert other.post(here + "/unsure", data={**form, "mask": "false"}, follow_redirects=False).status_code == 303
    before = clean_text(said.study.db, voice)

    for path, sent in (
        ("/unsure", {**form, "mask": "true"}),
        ("/sample", {"voice": voice, "version": version, "act": "m20-24-PERSON"}),
        ("/sample/find", {"voice": voice, "version": version, "words": "Quux", "kind": "PERSON"}),
        ("/sample", {"voice": "v-gone", "version": "1"}),
    ):
        assert first.post(here + path, data=sent).status_code == 412

    assert clean_text(said.study.db, voice) == before


@pytest.mark.parametrize(
    "act", ["", "m", "m5", "m9-2-PERSON", "m0-9999999-PERSON", "o1-2", "m0-5-NONSENSE", "-1-4-PERSON", "mm", "o" * 99]
)
def test_an_act_that_cannot_be_is_passed_over(said: Made, act: str) -> None:
    client = client_of(said, MANAGER)
    voice, version = first_with(said, "Quux")
    before = clean_text(said.study.db, voice).replace("Quux", "")

    here = f"/studies/{said.study.name}/check/sample"
    assert client.get(here, params={"voice": voice, "version": version, "act": act}).status_code == 200
    client.post(here, data={"voice": voice, "version": version, "act": act})

    text = clean_text(said.study.db, voice)
    assert text.replace("Quux", "") == before or act == "m0-9999999-PERSON"


def test_taking_back_when_there_is_nothing_is_said_in_words(said: Made) -> None:
    answer = client_of(said, MANAGER).post(f"/studies/{said.study.name}/check/undo")

    assert answer.status_code == 409
    assert "nothing of yours to take back" in answer.text


def test_accepting_the_risk_takes_a_reason_and_keeps_what_was_typed(said: Made) -> None:
    client, here = client_of(said, LEAD), f"/studies/{said.study.name}/check"

    assert client.post(here + "/accept", data={"reason": "  "}).status_code == 422
    long = client.post(here + "/accept", data={"reason": "y" * 3000})
    assert (long.status_code, "y" * 3000 in long.text) == (422, True)
    assert client.post(here + "/accept", data={"reason": "A locked room."}).status_code == 200
    assert "Lead (demo) accepted the risk in writing" in client.get(here).text


def test_the_front_page_tells_by_voice_and_by_name_origin_where_the_files_say(said: Made) -> None:
    client, here = client_of(said, MANAGER), f"/studies/{said.study.name}/check"
    voice, version = first_with(said, "Quux")
    client.post(here + "/sample", data={"voice": voice, "version": version})

    text = client.get(here).text

    assert "Child" in text
    assert ("Polish" in text) != ("British" in text)


@given(st.text("ab_é 👧🏽'.\n[]", max_size=24), st.data())
def test_a_selection_becomes_whole_words_that_stand_in_the_text_outside_masks(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(-1, len(text) + 1))
    end = data.draw(st.integers(start, len(text) + 2))
    mask = StoredRedaction(2, 4, "PERSON", 1.0, "d", "w")
    clean = NewCleanText("v", text, (mask,), (), 0.0)

    span = words_at(clean, start, end)

    if span is not None:
        assert 0 <= span.start < span.end <= len(text)
        assert span in places_of(text, span.of(text))
        assert not (span.start < mask.end and mask.start < span.end)
        assert span.start < end
        assert start < span.end
