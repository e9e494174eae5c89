"""The pictures of the README: `heard demo --check`, then `python bench/screenshots.py [demo-data]`; needs Chromium.

They are taken of a copy of the fictional North Yorkshire study, in which two made-up coders then read the same people.
"""

from __future__ import annotations

import random
import shutil
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright

from service.access.demo_accounts import DEMO_PASSWORD
from service.cli.server import server_of
from service.clock import now
from service.settings import Settings
from service.study.database import write
from service.study.decisions import draws
from service.study.plans import Plan, add_plan
from service.study.study import Study, open_study
from service.usecases import demo
from service.usecases.queue import next_item
from service.usecases.review import decide
from service.usecases.rounds import draw_counting_round
from service.vault.keys import Key, read_key

SITE = "north-yorkshire-care-leavers"
STUDY = f"/studies/{SITE}"
OUT = ROOT / "docs" / "screenshots"
LEAD, CODERS = "Lead (demo)", ("Coder A (demo)", "Coder B (demo)")
PEOPLE, LEFT, SAME, SEED = 60, 12, 0.85, 11


def main(data: Path) -> None:
    """Take the six pictures."""
    keys = Settings(key_folder=data / "keys")
    with tempfile.TemporaryDirectory() as work, sync_playwright() as playwright:
        folder = shutil.copytree(data / "studies", Path(work, "studies"))
        server = server_of(folder, "127.0.0.1", 0, lambda study: read_key(keys.key_file_for(study.id)))
        threading.Thread(target=server.run, daemon=True).start()
        while not server.started:
            time.sleep(0.05)
        home = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1120}, base_url=home)
        _sign_in(page, LEAD)
        _take(page, "overview", STUDY)
        _take(page, "excerpts", f"{STUDY}/excerpts?code=CL1")
        _take(page, "joint", f"{STUDY}/joint")
        study = open_study(folder / SITE)
        round_ = _read_by_two(study, read_key(keys.key_file_for(study.id)))
        study.db.close()
        _take(page, "agreement", f"{STUDY}/agreement?round={round_}")
        page.goto(f"{STUDY}/codebook/edit")
        page.get_by_role("button", name="Begin a draft").click()
        _take(page, "codebook", f"{STUDY}/codebook/edit/code?code=CL1")
        page.get_by_role("button", name="Sign out").click()
        _sign_in(page, CODERS[0])
        _take(page, "queue", f"{STUDY}/rounds/{round_}/read")
        browser.close()
        server.should_exit = True


def _sign_in(page: Page, name: str) -> None:
    page.goto("/sign-in")
    page.request.post("/sign-in", form={"name": name, "password": DEMO_PASSWORD}, headers={"Origin": page.url[:-8]})


def _take(page: Page, name: str, address: str) -> None:
    answer = page.goto(address)
    if answer is None or answer.status != 200:
        sys.exit(f"{address} did not answer")
    page.wait_for_timeout(800)
    page.screenshot(path=OUT / f"{name}.png")


def _read_by_two(study: Study, key: Key) -> str:
    """A counting round that two coders read as the sample's gold says, each leaving out a code now and then."""
    folder = ROOT / "corpora_sample" / SITE
    gold = demo._gold_by_voice(folder, [folder / name for name in demo.SITES[SITE][1]], key)  # noqa: SLF001 - as the demo reads
    round_ = draw_counting_round(study, people=PEOPLE, seed=SEED, now=now(), actor=LEAD)
    drawn = draws(study.db, round_.id)
    with write(study.db) as db:
        add_plan(db, round_.id, Plan(CODERS, 1.0), {d.position: CODERS for d in drawn}, by=LEAD, at=now())
    dice = random.Random(SEED)
    for coder in CODERS:
        while item := next_item(study, round_, coder):
            if item.draw.position > PEOPLE - LEFT and coder == CODERS[0]:
                break
            choices = [c for c in demo._choices(item, gold[item.voice.id]) if dice.random() < SAME]  # noqa: SLF001
            decide(study, item, coder=coder, choices=choices, seconds=0.0, now=now())
    return round_.id


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-data").resolve())
