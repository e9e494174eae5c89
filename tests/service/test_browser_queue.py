"""The queue in a real browser, from the keyboard: ten texts, a blind one, undo, two at once, and nothing lost.

Where no Chromium is installed these say so and do not run.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.settings import Settings
from service.study.decisions import Round, blind_codings, codings, rounds
from service.study.study import Study, open_study
from service.usecases.check import accept_risk
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made, give_passport
from tests.service.reading import CHAIR, PASTA, quiet, suggest
from tests.service.serving import give_accounts, port_of, serving
from tests.service.test_browser import browser, sign_in

__all__ = ["browser"]
ODD = "i 😀 said <script>alert(1)</script> & it is not fair at all"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Path:
    """A study of forty people with a review round and a counting round."""
    folder = tmp_path_factory.mktemp("queue")
    study, key = wiring.make_study(
        folder / "study", title="Queue", codebook="north-yorkshire-care-leavers", now=NOW,
        settings=Settings(key_folder=folder / "keys"),
    )  # fmt: skip
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    said = ["one two", "three four", "five six", "seven eight", "nine ten"]
    lines = [f"{i},{(CHAIR if i % 2 else PASTA).format(said[i % 5])} {'x' * (i // 5)},child,P{i}" for i in range(40)]
    (folder / "in.csv").write_text(
        "\n".join(["id,text,voice,participant", *lines, f'99,"{ODD}",child,P99']) + "\n", "utf-8"
    )
    take_in(study, folder / "in.csv", key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(study, key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(Made(study, key), minilm)
    draw_counting_round(study, people=12, seed=1, now=NOW, actor="t")
    draw_review_round(study, seed=1, now=NOW, actor="t")
    study.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    study.db.close()
    return folder / "study"


@pytest.fixture
def studies(kept: Path, tmp_path: Path) -> Path:
    shutil.copytree(kept, tmp_path / "studies" / "queue")
    give_accounts(tmp_path / "studies")
    return tmp_path / "studies"


@pytest.fixture
def study(studies: Path) -> Iterator[Study]:
    study = open_study(studies / "queue")
    yield study
    study.db.close()


@pytest.fixture
def address(studies: Path) -> Iterator[str]:
    with serving(studies) as server:
        yield f"http://127.0.0.1:{port_of(server)}"


def round_of(study: Study, kind: str) -> Round:
    return next(r for r in rounds(study.db) if r.kind == kind)


def opened(browser: Browser, address: str, round_: Round, width: int = 1280) -> Page:
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    sign_in(page, address)
    page.goto(f"{address}/studies/queue/rounds/{round_.id}/read")
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    return page


def at(page: Page) -> str:
    return page.locator("#text").get_attribute("data-segment") or ""


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def go_on(page: Page, *keys: str) -> str:
    """Press keys that end a text, and wait for the next; its id."""
    before = at(page)
    press(page, *keys)
    expect(page.locator(f"#text[data-segment='{before}']")).not_to_be_attached()
    return at(page)


def closed(study: Study) -> int:
    return int(study.db.conn.execute("SELECT count(*) FROM standing WHERE action = 'close'").fetchone()[0])


def test_ten_texts_are_coded_from_the_keyboard_alone(browser: Browser, address: str, study: Study) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else None)
    sign_in(page, address)
    page.goto(f"{address}/studies/queue/code")
    for _ in range(40):
        press(page, "Tab")
        if page.evaluate("document.activeElement.className") == "start":
            break
    press(page, "Enter")
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    assert page.locator("h1").inner_text() == "Review round"
    seen = {at(page)}
    for n in range(10):
        seen.add(
            go_on(page, "a" if page.locator("[data-suggestion]").count() else "n", *(("t",) if n == 0 else ()), "Enter")
        )
    assert len(seen) == 11
    assert closed(study) == 10
    assert {c.coder for c in codings(study.db)} == {"Lead (demo)"}
    assert problems == []


def test_a_code_found_by_typing_is_given_to_chosen_words(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "counting"))
    segment = at(page)
    press(page, "e", "ArrowRight", "Shift+ArrowRight", "Enter")
    page.keyboard.type("safe")
    press(page, "Enter")
    row = page.locator(".row.yes")
    expect(row).to_have_count(1)
    assert "words chosen" in row.inner_text()
    press(page, "Enter")
    expect(page.locator("#text[data-state=done]")).to_be_attached()
    (given,) = codings(study.db, "segment = ?", [segment])
    text = page.locator("#words").inner_text()
    start = study.db.conn.execute("SELECT start FROM segments WHERE id = ?", [segment]).fetchone()[0]
    assert text[given.start - start : given.end - start].split() == text.split()[1:3]


def test_a_blind_text_shows_nothing_of_its_suggestions_before_it_is_decided(
    browser: Browser, address: str, study: Study
) -> None:
    round_ = round_of(study, "counting")
    sent: list[str] = []

    def keep(response: Response) -> None:
        if "/static/" not in response.url and response.request.resource_type in ("document", "fetch"):
            sent.append(response.text())

    page = browser.new_context().new_page()
    sign_in(page, address)
    page.on("response", keep)
    page.goto(f"{address}/studies/queue/rounds/{round_.id}/read")
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    page.wait_for_load_state("networkidle")
    assert not any("data-suggestion" in body.split('<template id="row">')[0] for body in sent)
    assert not any("band likely" in body or "band possible" in body for body in sent)
    while "chair" not in page.locator("#words").inner_text():
        go_on(page, "s")
    segment = at(page)
    press(page, "n", "Enter")
    expect(page.locator("[data-suggestion]").first).to_be_visible()
    press(page, "a", "Enter")
    expect(page.locator(f"#text[data-segment='{segment}']")).not_to_be_attached()
    assert blind_codings(study.db, round_.id) == []
    assert [c.shown for c in codings(study.db, "segment = ?", [segment])] == [True]


def test_undo_goes_back_many_steps_and_over_the_saved_text(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    first = at(page)
    go_on(page, "n", "Enter")
    go_on(page, "n", "Enter")
    press(page, "1", "2")
    press(page, "z", "z")
    expect(page.locator(".row.yes")).to_have_count(0)
    for _ in range(2):
        before = at(page)
        press(page, "z")
        expect(page.locator(f"#text[data-segment='{before}']")).not_to_be_attached()
    assert at(page) == first
    assert closed(study) == 0


def test_an_ended_session_loses_no_decision(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    segment = at(page)
    page.context.clear_cookies()
    press(page, "n", "Enter")
    expect(page.locator("#pending")).to_be_visible()
    assert closed(study) == 0
    held = json.loads(page.evaluate("JSON.stringify(sessionStorage)"))
    assert "chair" not in str(held)
    page.get_by_role("link", name="Sign in again").click()
    page.get_by_role("button", name="Sign in as Lead (demo)").click()
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    expect(page.locator("#pending")).to_be_hidden()
    expect(page.locator("#status")).to_contain_text("What was kept is sent.")
    rows = study.db.conn.execute("SELECT segment FROM standing WHERE action = 'close'").fetchall()
    assert [row["segment"] for row in rows] == [segment]


def test_a_save_sent_twice_is_one_decision(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    with page.expect_request(lambda r: r.method == "POST" and "/items/" in r.url) as sent:
        go_on(page, "n", "Enter")
    body, url = sent.value.post_data, sent.value.url
    again = page.evaluate(
        "([url, body]) => fetch(url, {method: 'POST', body, headers: {'Content-Type': 'application/json'}}).then((a) => a.status)",
        [url, body],
    )
    assert (again, closed(study)) == (200, 1)


def test_what_somebody_wrote_is_shown_and_never_run(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    odd = study.db.conn.execute("SELECT voice FROM clean_texts WHERE text LIKE '%script%'").fetchone()[0]
    page.goto(f"{address}/studies/queue/rounds/{round_of(study, 'review').id}/read?at={odd}.0")
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    assert "<script>alert(1)</script>" in page.locator("#words").inner_text()
    assert page.locator("#words script").count() == 0


def test_keys_can_be_changed_and_stay_changed(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    press(page, "?")
    page.locator("[data-remap=nothing]").click()
    press(page, "g")
    expect(page.locator("[data-remap=nothing]")).to_have_text("g")
    page.reload()
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    press(page, "g")
    expect(page.locator("[data-act=nothing]")).to_have_attribute("aria-pressed", "true")


def test_a_memo_and_flags_are_kept_without_leaving_the_text(browser: Browser, address: str, study: Study) -> None:
    page = opened(browser, address, round_of(study, "review"))
    press(page, "m")
    page.get_by_label("Your memo").fill("They say this as if it were nothing.")
    page.get_by_role("button", name="Keep this memo").click()
    expect(page.locator("#status")).to_have_text("The memo is kept.")
    press(page, "d", "p")
    expect(page.locator("[data-act=disclosure]")).to_have_attribute("aria-pressed", "true")
    assert study.db.conn.execute("SELECT count(*) FROM memos").fetchone()[0] == 1
    assert study.db.conn.execute("SELECT count(*) FROM flags").fetchone()[0] == 2


@pytest.mark.parametrize("width", [320, 640, 1280])
@pytest.mark.parametrize("kind", ["review", "counting"])
def test_the_queue_fits_the_screen(browser: Browser, address: str, study: Study, width: int, kind: str) -> None:
    page = opened(browser, address, round_of(study, kind), width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
