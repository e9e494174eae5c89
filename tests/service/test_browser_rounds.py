"""Two coders at once in real browsers: a lead plans the round, each reads blind by keyboard, and what differs is settled.

Where no Chromium is installed these say so and do not run.
"""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from service.study.decisions import Round, closed_by_coder, rounds
from service.study.plans import assigned
from service.study.sealed import without_others
from service.study.study import Study
from tests.service.test_browser import browser
from tests.service.test_browser_queue import address, at, kept, press, studies, study

__all__ = ["address", "browser", "kept", "studies", "study"]
A, B = "Coder A (demo)", "Coder B (demo)"
HOME = "/studies/queue"
PEOPLE = 8


def signed_in(browser: Browser, address: str, name: str) -> Page:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.goto(address + "/sign-in")
    page.get_by_role("button", name=f"Sign in as {name}").click()
    page.wait_for_url(address + "/")
    return page


def planned(browser: Browser, address: str, study: Study, share: str) -> tuple[Page, Round]:
    """A counting round that a lead made for both coders on the page."""
    lead = signed_in(browser, address, "Lead (demo)")
    lead.goto(f"{address}{HOME}/rounds")
    lead.get_by_label(A).check()
    lead.get_by_label(B).check()
    lead.get_by_label("Share that two coders read").fill(share)
    lead.get_by_label("How many to draw").fill(str(PEOPLE))
    lead.get_by_role("button", name="See what it would be").click()
    expect(lead.locator(".plan")).to_contain_text("Nothing is made yet")
    lead.get_by_role("button", name="Make the round").click()
    made = rounds(study.db)[-1]
    expect(lead.locator(f"#{made.id}")).to_be_visible()
    return lead, made


def reading(browser: Browser, address: str, name: str, round_: Round) -> Page:
    page = signed_in(browser, address, name)
    page.goto(f"{address}{HOME}/rounds/{round_.id}/read")
    expect(page.locator("#queue[data-ready=yes]")).to_be_attached()
    return page


def read_on(page: Page, *, code: bool) -> list[str]:
    """Read all that the round has for this coder; the texts, in order."""
    seen = []
    while page.locator("#text[data-segment]:not([data-segment=''])").count():
        seen.append(at(page))
        press(page, "1" if code else "n")
        before = at(page)
        for _ in range(3):  # a blind text is saved first, then left
            if not page.locator(f"#text[data-segment='{before}']").count():
                break
            press(page, "Enter")
            page.wait_for_timeout(300)
        expect(page.locator(f"#text[data-segment='{before}']")).not_to_be_attached()
    return seen


def test_two_coders_read_apart_and_the_lead_settles_where_they_differ(
    browser: Browser, address: str, study: Study
) -> None:
    lead, round_ = planned(browser, address, study, "100")
    one, two = reading(browser, address, A, round_), reading(browser, address, B, round_)
    mine = read_on(one, code=True)
    assert len(mine) == len(set(mine)) >= PEOPLE

    voice = mine[0].rpartition(".")[0]
    two.goto(f"{address}{HOME}/voices/{voice}")
    assert A not in two.inner_text("main")
    assert "Settle" not in two.inner_text("body")
    two.goto(f"{address}{HOME}/rounds/{round_.id}/read")
    expect(two.locator("#queue[data-ready=yes]")).to_be_attached()
    assert sorted(read_on(two, code=False)) == sorted(mine)

    kept_back = without_others(study.db, "Lead (demo)", mine)  # an earlier round asks the lead for these, blind
    differ = len(mine) - len(kept_back)
    assert differ > 1
    lead.goto(f"{address}{HOME}/rounds")
    lead.get_by_role("link", name=re.compile("Settle where coders disagree")).click()
    expect(lead.locator("#left")).to_contain_text(f"{differ} of {differ} texts are still to settle")
    lead.locator("main a[href*='/adjudicate/']").first.click()
    page = lead.inner_text("main")
    assert A not in page
    assert B not in page
    lead.get_by_role("button", name="Settle it").click()
    assert "/adjudicate/" in lead.url  # a reason is asked for
    lead.get_by_label(re.compile("^This code stands")).first.check()
    lead.get_by_label(re.compile("^Why")).fill("The rule names just this")
    lead.get_by_role("button", name="Settle it").click()
    lead.goto(f"{address}{HOME}/rounds/{round_.id}/adjudicate")
    expect(lead.locator("#left")).to_contain_text(f"{differ - 1} of {differ} texts are still to settle")
    assert {len(s) for s in closed_by_coder(study.db, round_.id).values()} == {len(mine)}


def test_two_coders_at_once_never_have_the_same_text_of_the_pool_on_screen(
    browser: Browser, address: str, study: Study
) -> None:
    _, round_ = planned(browser, address, study, "0")
    assert assigned(study.db, round_.id) == {}
    one, two = reading(browser, address, A, round_), reading(browser, address, B, round_)
    seen: dict[Page, set[str]] = {one: set(), two: set()}
    for turn in range(2 * PEOPLE):
        page = (one, two)[turn % 2]
        if not page.locator("#text[data-segment]:not([data-segment=''])").count():
            continue
        seen[page].add(at(page))
        assert at(one) != at(two) or not at(one)
        press(page, "n", "Enter")
        page.wait_for_timeout(300)
        press(page, "Enter")
        page.wait_for_timeout(300)
    assert seen[one] & seen[two] == set()
    assert len(seen[one] | seen[two]) >= PEOPLE
