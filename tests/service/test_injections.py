"""What somebody wrote, wherever it stands, is words on every page: nothing in it runs, opens or becomes part of a page.

Where no Chromium is installed these say so and do not run.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page

from nlp.codebook import fingerprint
from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.types import Codebook
from service import wiring
from service.settings import Settings
from service.study.flags import DISCUSS
from service.study.study import Study
from service.study.voices import segments
from service.usecases.check import accept_risk
from service.usecases.codebook import begin
from service.usecases.deidentify import deidentify_study
from service.usecases.flags import raise_flag
from service.usecases.intake import take_in
from service.usecases.memos import add_memo
from service.usecases.review import Choice
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.usecases.suggest import suggest_study
from tests.conftest import NOW, give_passport
from tests.service.crawling import DESK, kind_of, sign_in
from tests.service.reading import CHAIR, PASTA, quiet, read_round
from tests.service.serving import give_accounts, port_of, serving
from tests.service.test_browser import browser

__all__ = ["browser"]
LEAD, HERE = "Lead (demo)", "/studies/odd"
CLASSIC = '<script>alert("ran")</script><b class="slipped">bold</b>'
QUOTES = '" onfocus="alert(\'ran\')" autofocus class="slipped" x=\''
CLOSING = "</textarea></title></script></style><img src=x onerror=alert(1) class=slipped>"
RTL = "\u202eשלום עולם مرحبا 👩‍👧‍👦🏴󠁧󠁢󠁷󠁬󠁳󠁿 {{ 7 * 7 }} ${1+1}"
ODD = (CLASSIC, QUOTES, CLOSING, RTL)
BACKWARDS = (
    "\u202eback to front 👩‍👧‍👦 {{ 7 * 7 }} ${1+1}"  # a text in another script waits for a person, so is on no page yet
)
SAID = (CLASSIC, QUOTES, CLOSING, BACKWARDS)
WORDS = ("bold", "onfocus=", "onerror=alert(1)", "שלום")
SAID_WORDS = ("bold", "onfocus=", "onerror=alert(1)", "back to front")
_SLIPPED = """[...document.querySelectorAll(".slipped, [onfocus], [onerror], [autofocus], script:not([src^='/static/'])")]
  .map((e) => e.outerHTML.slice(0, 100))"""


def _odd(book: Codebook) -> Codebook:
    """The codebook with odd words in the names, definitions and rules of its first codes."""
    odd = [
        replace(code, label=words, young_label=words, definition=words, include=(words,))
        for code, words in zip(book.codes, ODD, strict=False)
    ]
    codes = (*odd, *book.codes[len(odd) :])
    return replace(book, title=CLASSIC, codes=codes, fingerprint=fingerprint(codes))


def _take_in(study: Study, folder: Path) -> Path:
    rows = [(f"{n}", text, ODD[n % 4], "child", f"P{n}", ODD[n % 4]) for n, text in enumerate(_texts())]
    with (folder / "odd.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("id", "text", "question", "voice", "participant", "area"), *rows])
    return folder / "odd.csv"


def _texts() -> list[str]:
    said = [f"i said {words} and then i put a chair against the door every single night" for words in SAID]
    return [*said, *((CHAIR if n % 2 else PASTA).format("one two") for n in range(12))]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, cascade: Deidentifier, minilm: Encoder) -> Iterator[str]:
    """A study in which everybody wrote odd things wherever somebody may write."""
    folder = tmp_path_factory.mktemp("odd")
    settings, name = Settings(key_folder=folder / "keys"), "north-yorkshire-care-leavers"
    place = folder / "studies" / "odd"
    study, key = wiring.make_study(place, title=CLASSIC + QUOTES, codebook=name, now=NOW, settings=settings)
    give_passport(study)
    accept_risk(study, person=QUOTES, reason=CLOSING, now=NOW)
    take_in(study, _take_in(study, folder), key, now=NOW, keep_raw_days=30, actor=CLASSIC)
    deidentify_study(study, key, cascade, now=NOW, actor=CLOSING, progress=quiet)
    suggest_study(study, _odd(wiring.codebook_named(name)), minilm, now=NOW, actor="t", progress=quiet)
    _write_about(study)
    study.db.close()
    give_accounts(folder / "studies")
    with serving(folder / "studies", lambda _: key) as server:
        yield f"http://127.0.0.1:{port_of(server)}"


def _write_about(study: Study) -> None:
    first, *_ = segments(study.db)
    for words in ODD:
        add_memo(
            study,
            object="segment",
            subject=first.id,
            kind="idea",
            words=words,
            by=LEAD,
            now=NOW,
            identifies_nobody=True,
        )
        add_memo(
            study, object="code", subject="CL1", kind="idea", words=words, by=LEAD, now=NOW, identifies_nobody=True
        )
    raise_flag(study, first.id, DISCUSS, by=QUOTES, now=NOW)
    draw_review_round(study, seed=1, now=NOW, actor=CLOSING)
    round_ = draw_counting_round(study, people=16, seed=1, now=NOW, actor=CLASSIC)
    read_round(study, round_, lambda text: [Choice("CL1", "worry", 0, 6)] if "chair" in text else [], QUOTES)
    begin(study, by=LEAD, now=NOW)


@dataclass
class Found:
    """What a walk through all pages met."""

    pages: int = 0
    wrong: list[str] = field(default_factory=list)
    words: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def found(browser: Browser, address: str) -> Found:
    """Every page that a lead gets to by links."""
    page = browser.new_context(viewport=DESK).new_page()  # type: ignore[arg-type]
    met = Found()

    def opened(dialog: Dialog) -> None:
        met.wrong.append(f"{page.url}: a dialog")
        dialog.dismiss()

    page.on("dialog", opened)
    page.on("pageerror", lambda error: met.wrong.append(f"{page.url}: {error}"))
    sign_in(page, address, LEAD)
    waiting = deque([HERE, "/", f"{HERE}/excerpts?code=CL1"])
    known = {kind_of(path) for path in waiting}
    while waiting:
        for link in _look(page, met, address, waiting.popleft()):
            if kind_of(link) not in known:
                known.add(kind_of(link))
                waiting.append(link)
    page.context.close()
    return met


def _look(page: Page, met: Found, home: str, path: str) -> list[str]:
    answer = page.goto(home + path)
    if answer is None or answer.status != 200 or not answer.headers["content-type"].startswith("text/html"):
        met.wrong.append(f"{path}: answered {answer and answer.status}")
        return []
    if "/read" in path:
        page.wait_for_selector("#queue[data-ready=yes]")
    met.pages += 1
    met.wrong += [f"{path}: {one}" for one in page.evaluate(_SLIPPED)]
    text = page.evaluate(
        "document.body.innerText + [...document.querySelectorAll('textarea, input')].map((e) => e.value)"
    )
    met.words |= {f"{kind_of(path)} {words}" for words in {*WORDS, *SAID_WORDS} if words in text}
    links: list[str] = page.evaluate("[...document.querySelectorAll('a[href]:not([download])')].map((a) => a.href)")
    return [link.removeprefix(home).partition("#")[0] for link in links if link.startswith(home)]


def test_no_words_become_part_of_a_page_and_nothing_in_them_runs(found: Found) -> None:
    assert found.pages > 20
    assert found.wrong == []


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("path", ["/memos", "/codebook", "/codebook/edit"])
def test_the_words_of_codes_and_memos_are_there_to_be_read(found: Found, path: str, words: str) -> None:
    assert f"/studies/*{path}? {words}" in found.words


@pytest.mark.parametrize("words", SAID_WORDS)
@pytest.mark.parametrize("path", ["/voices?", "/excerpts?code"])
def test_the_words_that_were_said_are_there_to_be_read(found: Found, path: str, words: str) -> None:
    assert f"/studies/*{path} {words}" in found.words
