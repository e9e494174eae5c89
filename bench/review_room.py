"""The review room on a large study: `python bench/review_room.py [ROWS]`; how long each page takes, whole request, and each key.

The study is made of fictional texts, two segments a voice and three voices a person, straight into its store: a
review round over everything with a tenth of it read, and a counting round of 300 people, some of them read by two.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import quantiles

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from fastapi.testclient import TestClient
from playwright.sync_api import sync_playwright

from nlp.codebook import read_codebook
from nlp.models.matcher.fields import read_fields
from nlp.types import Codebook
from service.access.demo_accounts import DEMO_PASSWORD, add_demo_accounts
from service.app import build_app
from service.cli.server import server_of
from service.study.database import write
from service.study.study import Study, create_study

NOW = "2026-01-15T10:00:00.000+00:00"
BOOK = "north-yorkshire-care-leavers"
READING, CODERS = "bench", ("Coder A (demo)", "Coder B (demo)")
DRAWN, SEED, TIMES = 300, 7, 40
LONGEST_PART = 18
PRESSES, PAUSE = 100, 300
_STOPWATCH = """() => {
  window.took = [];
  const at = () => document.querySelector("#text")?.dataset.segment;
  addEventListener("keydown", (e) => {
    if (e.key !== "Enter") return;
    const before = at();
    const look = () => requestAnimationFrame(() => {
      if (at() === before) return look();
      setTimeout(() => took.push(performance.now() - e.timeStamp));
    });
    look();
  }, true);
}"""


def build(folder: Path, count: int) -> Study:
    """A study of `count` segments."""
    codebook = read_codebook(ROOT / "codebooks" / BOOK)
    study = create_study(folder, title="A large study", codebook=BOOK, now=NOW, fictional=True)
    dice = random.Random(SEED)
    with write(study.db) as db:
        db.execute("INSERT INTO runs VALUES ('in', 'intake', 'm', '', '', '', '', '{}', ?, ?)", (NOW, NOW))
        content = json.dumps(asdict(codebook))
        db.execute("INSERT INTO codebooks VALUES (?, ?, 'f', ?, ?)", (BOOK, codebook.version, content, NOW))
        db.execute("INSERT INTO current_reading VALUES (1, ?, ?, ?)", (READING, BOOK, codebook.version))
        voices = list(range(count // 2))
        db.executemany("INSERT INTO participants VALUES (?)", [(f"p-{p}",) for p in range(-(-len(voices) // 3))])
        db.executemany(f"INSERT INTO voices VALUES ({','.join('?' * 14)})", [_voice(v, dice) for v in voices])
        _texts(db, voices, dice)
        _suggestions(db, voices, codebook, dice)
        _rounds(db, voices, codebook, dice)
        db.execute("ANALYZE")
    return study


def _voice(v: int, dice: random.Random) -> tuple[object, ...]:
    speaker = dice.choices(["child", "young_person", "parent_carer", "practitioner"], [2, 4, 3, 1])[0]
    band = dice.choice(["11 to 15", "16 to 17", "18 to 21", "22 to 25", "unknown"])
    area, period = dice.choice(["Scarborough", "Selby", "Ryedale", "Harrogate"]), dice.choice(["2024", "2025"])
    attributes = json.dumps({"first language": dice.choice(["English", "English", "Polish", "Arabic"])})
    return (
        f"v-{v}", f"p-{v // 3}", speaker, "self", "verbatim", "analysis_and_quotes", "How is home?", band, area, period,
        attributes, "in", v, "d",
    )  # fmt: skip


def _texts(db: object, voices: list[int], dice: random.Random) -> None:
    parts = [" ".join(t.text.split()[:LONGEST_PART]) for f in read_fields() for t in f.texts]
    clean, cuts, redactions = [], [], []
    for v in voices:
        first, second = f"{dice.choice(parts)}. ", f"{dice.choice(parts)}. [Person 1] said so."
        text = first + second
        clean.append((f"v-{v}", 1, text, "in", "", 0.01))
        cuts.append((f"v-{v}.0", f"v-{v}", 1, 0, 0, len(first)))
        cuts.append((f"v-{v}.1", f"v-{v}", 1, 1, len(first), len(text)))
        redactions.append((f"v-{v}", 1, len(text) - 19, len(text) - 9, "PERSON", 0.95, "names.v1", "a name"))
    db.executemany("INSERT INTO clean_texts VALUES (?, ?, ?, ?, ?, ?)", clean)
    db.executemany("INSERT INTO segments VALUES (?, ?, ?, ?, ?, ?)", cuts)
    db.executemany("INSERT INTO redactions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", redactions)


def _suggestions(db: object, voices: list[int], codebook: Codebook, dice: random.Random) -> None:
    codes = [c.id for c in codebook.active_codes]
    rows = [
        ("in", READING, f"v-{v}.{s}", code, p, "likely" if p > 0.6 else "possible", 0, 0, "", "n", BOOK,
         codebook.version, "m", "m", "", "", 0)
        for v in voices for s in (0, 1) for code in dice.sample(codes, dice.choice((0, 1, 1, 2, 3)))
        for p in [dice.uniform(0.2, 0.99)]
    ]  # fmt: skip
    db.executemany("INSERT INTO matched VALUES (?, 'in', ?)", [(f"v-{v}.{s}", READING) for v in voices for s in (0, 1)])
    db.executemany(
        'INSERT INTO suggestions (run, reading, segment, code, probability, band, start, "end", quote, nearest, codebook,'
        f" codebook_version, method, model, nearest_segment, against, calibrated_on) VALUES ({','.join('?' * 17)})",
        rows,
    )


def _rounds(db: object, voices: list[int], codebook: Codebook, dice: random.Random) -> None:
    every = [f"v-{v}.{s}" for v in voices for s in (0, 1)]
    people = sorted({v // 3 for v in voices})
    drawn = dice.sample(people, min(DRAWN, len(people)))
    for kind, unit in (("review", "segment"), ("counting", "participant")):
        row = (f"{kind}-1", kind, unit, SEED, BOOK, codebook.version, NOW)
        db.execute("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    share = len(drawn) / len(people)
    draws = [("review-1", i, s, "rest", 1.0, NOW) for i, s in enumerate(every, 1)]
    draws += [("counting-1", i, f"p-{p}", "uniform", share, NOW) for i, p in enumerate(drawn, 1)]
    db.executemany("INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?)", draws)
    db.executemany("INSERT INTO frames VALUES ('counting-1', ?, ?)", [(f"p-{v // 3}", f"v-{v}") for v in voices])
    twice = [(r, i, c) for r, n in (("counting-1", len(drawn)), ("review-1", len(every))) for i in range(1, n + 1)
             if i % 5 == 0 for c in CODERS]  # fmt: skip
    db.executemany("INSERT INTO assignments VALUES (?, ?, ?)", twice)
    blind = [f"v-{v}.{s}" for p in drawn[: len(drawn) // 2] for v in voices[3 * p : 3 * p + 3] for s in (0, 1)]
    decided = [d for s in every[: len(every) // 10] for d in _read(s, "review-1", CODERS[0], codebook, dice)]
    decided += [d for c in CODERS for s in blind for d in _read(s, "counting-1", c, codebook, dice)]
    db.executemany(
        'INSERT INTO decisions (segment, action, code, stance, start, "end", coder, at, seconds, shown, round, stream,'
        f" probability, codebook, codebook_version, model) VALUES ({','.join('?' * 16)})",
        decided,
    )


def _read(
    segment: str, round_: str, coder: str, codebook: Codebook, dice: random.Random
) -> Iterator[tuple[object, ...]]:
    shown, rest = int(round_ == "review-1"), (BOOK, codebook.version, "")
    if dice.random() < 0.6:
        code = dice.choice(codebook.active_codes).id
        yield (segment, "add", code, "worry", 0, 10, coder, NOW, 4.0, shown, round_, "rest", 1.0, *rest)
    yield (segment, "close", "", "", 0, 0, coder, NOW, 4.0, shown, round_, "rest", 1.0, *rest)


def pages(study: Study) -> dict[str, list[str]]:
    """What is asked for, under the names of the table."""
    here = f"/studies/{study.name}"
    words = ["home", "school bus", "frie", "nobody listens", "“a safe place” OR *", "zzzz", "the"]
    return {
        "overview": [here],
        "search": [f"{here}/voices?words={w}" for w in words],
        "voices, filtered": [
            f"{here}/voices?suggested=CL5&voice=child", f"{here}/voices?confirmed=CL1&area=Selby",
            f"{here}/voices?silent=1&sort=period", f"{here}/voices?words=home&suggested=CL2&codes=1",
        ],
        "voices, a late page": [f"{here}/voices?page={p}" for p in (500, 1500)],
        "one voice": [f"{here}/voices/v-{i}" for i in (3, 700, 4000)],
        "excerpts": [f"{here}/excerpts?code=CL5", f"{here}/excerpts?code=CL1&stance=worry"],
        "activity": [f"{here}/activity"],
    }  # fmt: skip


def main(count: int) -> None:
    """Print one row a page."""
    with tempfile.TemporaryDirectory() as work:
        began = time.perf_counter()
        study = build(Path(work, "large"), count)
        add_demo_accounts(Path(work), now=NOW)
        print(f"made {count:,} segments in {time.perf_counter() - began:.0f} s\n")
        client = TestClient(build_app(Path(work)), headers={"Origin": "http://testserver"})
        client.post("/sign-in", data={"name": CODERS[0], "password": DEMO_PASSWORD})
        print("| page | first, ms | p50, ms | p95, ms |\n|---|---|---|---|")
        for name, addresses in pages(study).items():
            _row(name, [_milliseconds(client, addresses[i % len(addresses)]) for i in range(TIMES)])
        _row("overview, each after a decision", [_after_a_decision(client, study) for _ in range(TIMES)])
        _row("key press to the next text on screen, in Chromium", key_presses(Path(work), study))


def _row(name: str, times: list[float]) -> None:
    cuts = quantiles(times, n=20)
    print(f"| {name} | {times[0]:.0f} | {cuts[9]:.0f} | {cuts[18]:.0f} |", flush=True)


def _after_a_decision(client: TestClient, study: Study) -> float:
    with write(study.db) as db:
        columns = [row[1] for row in db.execute("PRAGMA table_info(decisions)") if row[1] != "seq"]
        held = ", ".join(f'"{name}"' for name in columns)
        db.execute(f"INSERT INTO decisions ({held}) SELECT {held} FROM decisions LIMIT 1")
    return _milliseconds(client, f"/studies/{study.name}")


def key_presses(folder: Path, study: Study) -> list[float]:
    """From the key that saves a text with nothing that fits to the next text painted, in a real browser and over HTTP."""
    server = server_of(folder, "127.0.0.1", 0)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    home = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=home)
        page.goto("/sign-in")
        form = {"name": CODERS[1], "password": DEMO_PASSWORD}
        page.request.post("/sign-in", form=form, headers={"Origin": home})
        page.goto(f"/studies/{study.name}/rounds/review-1/read")
        page.wait_for_selector("#queue[data-ready=yes]")
        page.evaluate(_STOPWATCH)
        for count in range(1, PRESSES + 1):
            page.keyboard.press("n")
            page.keyboard.press("Enter")
            while len(page.evaluate("window.took")) < count:
                time.sleep(0.02)
            page.wait_for_timeout(PAUSE)
        took: list[float] = page.evaluate("window.took")
        browser.close()
    server.should_exit = True
    thread.join(10)
    return took


def _milliseconds(client: TestClient, address: str) -> float:
    began = time.perf_counter()
    answer = client.get(address)
    if answer.status_code != 200:
        sys.exit(f"{address} answered {answer.status_code}")
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
