"""The codebook in a real browser: changed, published and read again, and a candidate theme adopted, without any script.

Where no Chromium is installed these say so and do not run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from service.study.codebooks import newest_codebook
from service.study.decisions import codings, rounds
from service.study.study import Study, open_study
from service.usecases.codebook import require_desk
from service.usecases.review import Choice
from tests.service.reading import read_round
from tests.service.serving import give_accounts, port_of, serving
from tests.service.test_browser import browser, sign_in
from tests.service.test_candidates import searched_folder
from tests.service.test_codebook_drafts import CODE, coded, read_folder

__all__ = ["browser", "read_folder", "searched_folder"]


@pytest.fixture
def studies(read_folder: Path, searched_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "studies"
    shutil.copytree(read_folder, folder / "read")
    shutil.copytree(searched_folder, folder / "searched")
    give_accounts(folder)
    return folder


@pytest.fixture
def address(studies: Path) -> Iterator[str]:
    with serving(studies) as server:
        yield f"http://127.0.0.1:{port_of(server)}"


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    sign_in(page, address)
    yield page
    page.close()


@pytest.fixture
def read(studies: Path) -> Iterator[Study]:
    study = open_study(studies / "read")
    yield study
    study.db.close()


def test_a_code_is_split_published_and_what_had_it_is_read_again(page: Page, address: str, read: Study) -> None:
    label = newest_codebook(read.db).code(CODE).label
    before = coded(read)
    page.goto(address + "/studies/read/codebook")
    page.get_by_role("link", name="Edit the codebook").click()
    page.get_by_role("button", name="Begin a draft").click()
    page.locator(f"#{CODE} .name a", has_text=label).click()
    page.get_by_text("Split it into several codes").click()
    page.get_by_label("Name of part 1").fill("Alone at night")
    page.get_by_label("Name of part 2").fill("Alone in a crowd")
    page.locator("#why-split").fill("The panel hears two things")
    page.get_by_role("button", name="Split it").click()
    for name in ("Alone at night", "Alone in a crowd"):
        page.get_by_role("link", name=name, exact=True).first.click()
        page.get_by_label("In young people’s words").fill(name + ", like me")
        page.get_by_role("button", name="Save these words").click()

    page.get_by_role("link", name="What changes, and publish").click()
    expect(page.get_by_text(f"{len(before)} segments are read again")).to_be_visible()
    page.get_by_label("What changed and why").fill("Two kinds of being alone")
    page.get_by_label("Who co-produced it").fill("Young people’s panel")
    page.get_by_role("button", name="Publish version 1.0.0").click()

    expect(page.get_by_text(f"{len(before)} segments are read again because of it")).to_be_visible()
    again = rounds(read.db)[-1]
    new = next(c.id for c in newest_codebook(read.db).active_codes if c.label == "Alone at night")
    assert codings(read.db) == []
    assert set(read_round(read, again, lambda _: [Choice(new, "worry", 0, 24)])) == before
    assert {c.code for c in codings(read.db)} == {new}


def test_a_candidate_theme_is_adopted_and_that_is_undone(page: Page, address: str, studies: Path) -> None:
    study = open_study(studies / "searched")
    page.goto(address + "/studies/searched/candidates")
    first = page.locator("article.candidate").first
    words = first.locator(".keywords li").first.inner_text()
    quote = first.locator(".excerpt:has(input) blockquote").first.inner_text()
    first.get_by_text("Adopt it as a new code").click()
    first.get_by_label("Name", exact=True).fill("Leaving a pet behind")
    first.get_by_role("button", name="Adopt into the draft").click()

    page.get_by_role("link", name="Give the code its words").click()
    assert page.locator("h1").inner_text().startswith("Leaving a pet behind")
    assert quote in page.get_by_label("Quotes").input_value()
    page.goto(address + "/studies/searched/candidates")
    page.get_by_role("button", name="Undo").click()

    expect(page.get_by_text("Undone: the candidate is open again.")).to_be_visible()
    assert words in page.locator("article.candidate").first.inner_text()
    assert require_desk(study).held.draft.edited == ()
    study.db.close()


@pytest.mark.parametrize("width", [320, 1280])
def test_no_page_of_the_codebook_is_wider_than_the_screen(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 700})
    sign_in(page, address)
    for path in PATHS:
        page.goto(address + path)
        if page.get_by_role("button", name="Begin a draft").count():
            page.get_by_role("button", name="Begin a draft").click()
        page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()


PATHS = [
    "/studies/read/codebook", "/studies/read/codebook?words=young", "/studies/read/codebook/edit",
    "/studies/read/codebook/edit/code?code=CL5", "/studies/read/codebook/edit/changes", "/studies/searched/candidates",
]  # fmt: skip
