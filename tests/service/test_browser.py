"""The pages in a real browser: from the front page to the words behind a finding, by keyboard and on a phone.

Where no Chromium is installed these say so and do not run (Debian: `apt-get install chromium`).
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from service.app import build_app

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NY = "/studies/north-yorkshire-care-leavers"


@pytest.fixture(scope="module")
def address(demo_folder: Path) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(build_app(demo_folder), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the browser tests did not run")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    sign_in(page, address)
    yield page
    page.close()


def sign_in(page: Page, address: str) -> None:
    page.goto(address + "/sign-in")
    page.get_by_role("button", name="Sign in as Lead (demo)").click()
    page.wait_for_url(address + "/")


def tab_to(page: Page, words: str) -> None:
    """Press Tab until the link with those words has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if words in (page.evaluate("document.activeElement.textContent") or ""):
            return
    raise AssertionError(f"“{words}” cannot be reached with the Tab key")


def test_a_newcomer_gets_from_the_front_page_to_a_finding_by_keyboard(page: Page, address: str) -> None:
    page.goto(address)
    for words in ("North Yorkshire: care leavers", "Suitable on paper, safe in fact?"):
        tab_to(page, words)
        with page.expect_navigation():
            page.keyboard.press("Enter")

    assert page.locator("h1").inner_text() == "Findings"
    assert page.locator(".proposal").inner_text().startswith("The two differ (proposed: divergence).")
    assert page.locator(".finding figure img").evaluate("img => img.naturalWidth") > 300


def test_the_skip_link_leads_to_the_content(page: Page, address: str) -> None:
    page.goto(address + NY)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"


@pytest.mark.parametrize(
    "path", ["/", "/how-it-works", NY, NY + "/findings", NY + "/themes", NY + "/voices", NY + "/codebook"]
)
def test_no_page_is_wider_than_a_small_phone(browser: Browser, address: str, path: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640})
    sign_in(page, address)
    page.goto(address + path)

    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()


def test_filtering_voices_by_code_shows_only_voices_with_it(page: Page, address: str) -> None:
    page.goto(address + NY + "/voices")
    page.get_by_text("Filter and sort").click()
    page.select_option("select[name=suggested]", "CL5")
    page.get_by_role("button", name="Show").click()

    codes = page.locator(".voice-table td[data-label=Suggested]").all_inner_texts()
    assert codes
    assert all("Loneliness" in c for c in codes)


def test_no_page_asks_another_machine_or_breaks_its_own_policy(page: Page, address: str) -> None:
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for path in ("/", NY, NY + "/findings", NY + "/themes", NY + "/voices"):
        page.goto(address + path)

    assert asked
    assert [url for url in asked if not url.startswith(address)] == []
    assert said == []
