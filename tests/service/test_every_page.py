"""Every page, for everybody who may sign in, in a real browser: readable, reachable by keyboard, fit for a small phone.

Pages are found by their links, so one that is added later is looked at without a change here.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from playwright.sync_api import sync_playwright

from service import web
from service.access.demo_accounts import ACCOUNTS
from service.app import build_app
from service.settings import Settings
from service.study.database import write
from service.study.decisions import Decision, add_decisions, draws, frame
from service.study.flags import DISCLOSURE, DISCUSS
from service.study.plans import Plan, add_plan
from service.study.study import Study, open_study
from service.study.voices import segments
from service.usecases.flags import raise_flag
from service.usecases.memos import add_memo
from service.usecases.rounds import draw_counting_round
from service.vault.keys import read_key
from tests.conftest import NOW
from tests.service.crawling import Crawler, Visit
from tests.service.serving import port_of, serving
from tests.service.test_browser import CHROMIUM, FLAGS

A, B, LEAD = "Coder A (demo)", "Coder B (demo)", "Lead (demo)"
PEOPLE = [name for name in ACCOUNTS if name != B]
NY = "/studies/north-yorkshire-care-leavers"
FOR_MACHINES = ("/api/", "/health", "/static", "/openapi")
STATIC = Path(web.__file__).parent / "static"
TEMPLATES = Path(web.__file__).parent / "templates"
TO_TAKE_ALONG = ("report.html", "joint_report.html")  # files that hold all that they need
MOST_SCRIPT = 40_000


@pytest.fixture(scope="module")
def visits(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Visit]:
    """Every page as everybody sees it, of a study in which much has happened."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: the pages were not looked at")
    folder = shutil.copytree(demo_folder, tmp_path_factory.mktemp("pages") / "studies")
    study = open_study(folder / NY.rpartition("/")[2])
    _liven(study)
    study.db.close()
    keys = Settings(key_folder=demo_folder.parent / "keys")
    with (
        serving(folder, lambda study: read_key(keys.key_file_for(study.id))) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        crawler = Crawler(browser, f"http://127.0.0.1:{port_of(server)}")
        found = list(crawler.visit_all("", ("/sign-in", "/nothing-here")))
        found += crawler.visit_all(LEAD, (NY, "/"))
        for who in (name for name in PEOPLE if name != LEAD):
            found += crawler.visit_all(who, (NY, "/"))
        browser.close()
    return found


def _liven(study: Study) -> None:
    """Memos, flags, and a counting round that two read and do not agree on."""
    first, second, *_ = segments(study.db)
    for kind, about in (("question", first.id), ("idea", second.id)):
        add_memo(study, object="segment", subject=about, kind=kind, words="Is this about trust?", by=A, now=NOW)
    add_memo(study, object="study", subject=study.id, kind="decision", words="We read on.", by=LEAD, now=NOW)
    raise_flag(study, first.id, DISCUSS, by=A, now=NOW)
    raise_flag(study, second.id, DISCLOSURE, by=B, now=NOW)
    _read_by_two(study)


def _read_by_two(study: Study) -> None:
    round_ = draw_counting_round(study, people=4, seed=5, now=NOW, actor=LEAD)
    drawn = draws(study.db, round_.id)
    scope = frame(study.db, round_.id)
    parts = {s.id: s for s in segments(study.db)}
    with write(study.db) as connection:
        add_plan(connection, round_.id, Plan((A, B), 1.0), {d.position: (A, B) for d in drawn}, by=LEAD, at=NOW)
        for draw in drawn[:3]:
            for part in (p for p in parts.values() if p.voice in scope[draw.unit]):
                for coder, code in ((A, "CL1"), (B, "CL5")):
                    close = Decision(
                        segment=part.id, action="close", coder=coder, at=NOW, round=round_.id, stream=draw.stream,
                        probability=draw.probability, codebook=round_.codebook, seconds=4.0,
                        codebook_version=round_.codebook_version, shown=False,
                    )  # fmt: skip
                    given = replace(close, action="add", code=code, stance="worry", start=part.start, end=part.end)
                    add_decisions(connection, [given, close])


def wrong(visits: list[Visit], part: str) -> str:
    """What is wrong, a line each; empty when nothing is."""
    return "\n".join(line for visit in visits for line in visit.of(part))


def test_every_page_that_the_app_has_is_reached_by_links(visits: list[Visit], tmp_path: Path) -> None:
    asked = {path for visit in visits for path in visit.asked}
    pages = [route for route in build_app(tmp_path).routes if isinstance(route, APIRoute) and "GET" in route.methods]
    ours = [route for route in pages if not route.path.startswith(FOR_MACHINES)]

    assert [route.path for route in ours if not any(route.path_regex.match(path) for path in asked)] == []
    assert {visit.who for visit in visits} == {"nobody", *PEOPLE}


def test_no_link_leads_to_nothing_or_to_what_one_may_not_see(visits: list[Visit]) -> None:
    assert {(v.who, v.address, v.status) for v in visits if v.status != 200} == {("nobody", "/nothing-here", 404)}


def test_every_page_has_one_heading_a_title_a_language_and_a_skip_link(visits: list[Visit]) -> None:
    assert wrong(visits, "shape") == ""


def test_no_page_has_a_violation_that_axe_finds_in_light_or_in_dark(visits: list[Visit]) -> None:
    assert wrong(visits, "axe") == ""


def test_no_page_is_wider_than_a_small_phone_or_than_half_a_screen_with_large_text(visits: list[Visit]) -> None:
    assert wrong(visits, "wide") == ""


def test_no_page_breaks_its_policy_or_complains(visits: list[Visit]) -> None:
    assert wrong([v for v in visits if v.status == 200], "said") == ""


def test_everything_on_every_page_is_reached_with_the_tab_key_and_shows_it(visits: list[Visit]) -> None:
    assert wrong(visits, "keyboard") == ""


def test_the_scripts_are_ours_small_and_never_inside_a_page() -> None:
    scripts = list(STATIC.rglob("*.js"))
    assert scripts
    assert sum(script.stat().st_size for script in scripts) < MOST_SCRIPT
    for template in (t for t in TEMPLATES.rglob("*.html") if t.name not in TO_TAKE_ALONG):
        source = template.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\ssrc=\"/static/)|<style|\s(style|on[a-z]+)=\"", source), template.name
