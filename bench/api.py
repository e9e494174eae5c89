"""How long the API takes: `python bench/api.py [SECONDS]` (20); one caller, then twenty at once beside somebody at the pages.

The server is a process of its own, over the fictional study of North Yorkshire's sample. A note has 300 words, no two are
alike, and its time is that of `POST /v1/deidentify` and then `POST /v1/suggest`, both whole.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import httpx2
from api_contract import NAME, SITE, build

from heard_client import Heard, HeardError
from nlp.models.matcher.fields import read_fields
from service.access.demo_accounts import DEMO_PASSWORD
from service.access.keys import new_key
from service.access.people import people_in
from service.clock import now
from service.study.study import opened

WORDS, ALONE, CLIENTS, PORT = 300, 60, 20, 8399
URL = f"http://127.0.0.1:{PORT}"
PEOPLE = ("Kayleigh Thornton", "Mr Patel", "Donna", "Jayden Okafor", "Dr Siobhan Reid", "Aunt Comfort", "Tyler")
PLACES = ("Scarborough", "Graham School", "Whitby", "12 Castle Road", "the Catterick surgery")


def note(dice: random.Random) -> str:
    """A case note of 300 words, with some people and places in it."""
    texts = [t.text for f in read_fields() for t in f.texts]
    parts: list[str] = []
    while len(" ".join(parts).split()) < WORDS:
        parts.append(dice.choice(texts).strip().rstrip(".") + ".")
        if dice.random() < 0.4:
            parts.append(f"{dice.choice(PEOPLE)} said so at {dice.choice(PLACES)} on {dice.randint(1, 28)} March.")
    return " ".join(" ".join(parts).split()[:WORDS])


def read(heard: Heard, text: str) -> float:
    """How many milliseconds a note takes, de-identified and coded."""
    begun = time.perf_counter()
    (clean,) = heard.deidentify([text])
    heard.suggest(SITE, [clean.clean_text or ""])
    return 1000 * (time.perf_counter() - begun)


@dataclass
class Load:
    """What twenty callers and one reviewer met while all of them were there."""

    notes: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def call(self, key: str, texts: list[str], end: float) -> None:
        """One caller, one note after another."""
        with Heard(URL, key, tries=1) as heard:
            while time.monotonic() < end:
                try:
                    self.notes.append(read(heard, texts[len(self.notes) % len(texts)]))
                except HeardError as refused:
                    self.errors.append(str(refused))

    def look(self, cookies: dict[str, str], paths: list[str], end: float) -> None:
        """One reviewer, who opens a page every quarter of a second."""
        with httpx2.Client(base_url=URL, cookies=cookies, timeout=60) as client:
            turn = 0
            while time.monotonic() < end:
                begun = time.perf_counter()
                answer = client.get(paths[turn % len(paths)])
                self.pages.append(1000 * (time.perf_counter() - begun))
                if answer.status_code != 200:
                    self.errors.append(f"{paths[turn % len(paths)]}: {answer.status_code}")
                turn += 1
                time.sleep(0.25)


def p95(times: list[float]) -> float:
    """The 95th percentile."""
    return quantiles(times, n=20)[-1]


def told(what: str, times: list[float]) -> None:
    """A line of the table."""
    print(f"{what:52} n {len(times):5}   median {median(times):6.0f} ms   p95 {p95(times):6.0f} ms", flush=True)


def pages_of(studies: Path) -> list[str]:
    """The pages that somebody who reviews goes through, most often the text after this one."""
    with opened(studies / NAME) as study:
        voices = [row[0] for row in study.db.conn.execute("SELECT id FROM voices LIMIT 3")]
        (kind,) = study.db.conn.execute("SELECT id FROM rounds ORDER BY rowid DESC LIMIT 1").fetchone()
    here = f"/studies/{NAME}"
    item = f"{here}/rounds/{kind}/item"
    rest = [
        here,
        f"{here}/code",
        f"{here}/rounds/{kind}/read",
        f"{here}/voices",
        *(f"{here}/voices/{v}" for v in voices),
    ]
    return [page for other in (*rest, f"{here}/codebook", f"{here}/excerpts") for page in (item, other)]


def session() -> dict[str, str]:
    """A coder's session at the pages."""
    form = {"name": "Coder A (demo)", "password": DEMO_PASSWORD}
    answer = httpx2.post(f"{URL}/sign-in", data=form, headers={"Origin": URL})
    return dict(re.findall(r"(\w+)=([^;]+)", answer.headers["set-cookie"])[:1])


def wait_for_server() -> None:
    """Until the server answers."""
    for _ in range(600):
        try:
            if httpx2.get(f"{URL}/health").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def main() -> None:
    """Print the table."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    dice = random.Random(7)
    texts = [note(dice) for _ in range(ALONE + 100)]
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        studies = Path(folder) / "studies"
        with people_in(studies) as db:
            keys = [
                new_key(db, "Coder A (demo)", name=str(i), scopes=["texts"], days=1, now=now())[1]
                for i in range(CLIENTS)
            ]
        server = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-m", "service", "serve", str(studies), "--port", str(PORT)], cwd=ROOT, env=os.environ
        )
        try:
            wait_for_server()
            measure(keys, texts, pages_of(studies), seconds)
        finally:
            server.terminate()
            server.wait(20)


def measure(keys: list[str], texts: list[str], pages: list[str], seconds: float) -> None:
    """One caller alone, the pages alone, then everybody."""
    with Heard(URL, keys[0]) as heard:
        for text in texts[-8:]:
            read(heard, text)
        told("one caller: deidentify + suggest, 300 words, warm", [read(heard, text) for text in texts[:ALONE]])
    quiet, cookies = Load(), session()
    quiet.look(cookies, pages, time.monotonic() + 2)
    quiet.pages.clear()
    quiet.look(cookies, pages, time.monotonic() + 6)
    told("pages, nobody calling", quiet.pages)
    load, end = Load(), time.monotonic() + seconds
    threads = [threading.Thread(target=load.call, args=(key, texts, end)) for key in keys]
    threads.append(threading.Thread(target=load.look, args=(cookies, pages, end)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told(f"{CLIENTS} callers at once: each note", load.notes)
    told(f"pages beside {CLIENTS} callers", load.pages)
    print(f"notes a second: {len(load.notes) / seconds:.1f}; errors: {len(load.errors)} {sorted(set(load.errors))[:5]}")


if __name__ == "__main__":
    main()
