"""kill -9 at random moments: `python bench/kill_sweep.py [MOMENTS] [ROWS]` (20; 1,500).

`heard batch`, `heard intake` (of twenty times as many rows) and the worker are each run once undisturbed. Then each is
killed with all its processes at random moments of that time, and asked again until it is done. What is there after each
killing (a file under its final name that is not whole) and in the end (a voice lost or doubled, another byte than the
undisturbed run's) is counted.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from large import write_rows

from service.clock import now
from service.study.jobs import ask
from service.study.study import opened

BOOK, SEED = "north-yorkshire-care-leavers", 5
HEARD = (sys.executable, "-m", "service")
ENVIRONMENT = os.environ | {"PYTHONWARNINGS": "ignore", "PYTHONPATH": str(ROOT)}


@dataclass
class Tried:
    """One thing that was killed: how often while it worked, how often it was done before, and what went wrong."""

    what: str
    killed: int = 0
    done_before: int = 0
    lost: int = 0
    doubled: int = 0
    partial: int = 0
    other: list[str] = field(default_factory=list)

    def row(self) -> str:
        """A row of the table."""
        cells = (self.what, self.killed, self.done_before, self.lost, self.doubled, self.partial, len(self.other))
        return "| " + " | ".join(map(str, cells)) + " |"


def main(moments: int, rows: int) -> None:
    """Print a row for each."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        ENVIRONMENT["HEARD_KEY_FOLDER"] = str(folder / "keys")
        write_rows(folder / "in.csv", rows)
        print("| what | killed while it worked | done before | lost | doubled | partial files | other |")
        print("|---|---|---|---|---|---|---|", flush=True)
        tried = []
        for one in (batch, intake, jobs):
            tried.append(one(folder, moments, rows, random.Random(SEED)))
            print(tried[-1].row(), flush=True)
        sys.exit(any(t.lost or t.doubled or t.partial or t.other for t in tried))


def run(*words: object) -> float:
    """Seconds that a command takes; it must succeed."""
    began = time.monotonic()
    subprocess.run(  # noqa: S603 - our own command
        [*HEARD, *map(str, words)], env=ENVIRONMENT, check=True, capture_output=True, cwd=ROOT
    )
    return time.monotonic() - began


def killed(words: Sequence[object], after: float) -> bool:
    """Whether a command was still at work when it and all its processes were killed, `after` seconds on."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*HEARD, *map(str, words)], env=ENVIRONMENT, cwd=ROOT, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def batch(folder: Path, moments: int, _: int, dice: random.Random) -> Tried:
    """A file of responses; the output must not be there, or be whole, and in the end be the undisturbed run's bytes."""
    tried, whole, out = Tried("heard batch"), folder / "whole.csv", folder / "out.csv"
    words = ("batch", folder / "in.csv", out, "--codebook", BOOK)
    takes = run("batch", folder / "in.csv", whole, "--codebook", BOOK)
    want = whole.read_bytes()
    for _ in range(moments):
        _kill_once(tried, words, dice.uniform(0.05, 1.05) * takes)
        tried.partial += out.exists() and out.read_bytes() != want
        if dice.random() < 0.5 and not out.exists():  # killed again on its way back
            _kill_once(tried, words, dice.uniform(0.3, 0.9) * takes)
            tried.partial += out.exists() and out.read_bytes() != want
        if not out.exists():
            run(*words)
        _compare(tried, out.read_bytes(), want)
        tried.partial += len(list(folder.glob(".out.csv*")))
        for file in folder.glob("out.csv*"):
            file.unlink()
    return tried


def _kill_once(tried: Tried, words: Sequence[object], after: float) -> None:
    if killed(words, after):
        tried.killed += 1
    else:
        tried.done_before += 1


def _compare(tried: Tried, found: bytes, want: bytes) -> None:
    if found == want:
        return
    ids, wanted = (content.count(b"\n") for content in (found, want))
    tried.lost += max(0, wanted - ids)
    tried.doubled += max(0, ids - wanted)
    tried.other.append("other bytes than the undisturbed run")


def study_in(folder: Path, name: str) -> Path:
    """A new study that may be taken into."""
    run("init", folder / name, "--codebook", BOOK)
    run("passport", "set", folder / name, ROOT / "corpora_sample" / "passport.toml")
    return folder / name


def intake(folder: Path, moments: int, rows: int, dice: random.Random) -> Tried:
    """A file taken into a study: all of it or nothing is there, and asked again all of it is, once."""
    tried, first, rows = Tried("heard intake"), study_in(folder, "first"), rows * 20
    write_rows(folder / "many.csv", rows)
    takes = run("intake", first, folder / "many.csv")
    empty = study_in(folder, "empty")
    for moment in range(moments):
        study = shutil.copytree(empty, folder / f"in-{moment}")
        _kill_once(tried, ("intake", study, folder / "many.csv"), dice.uniform(0.2, 1.0) * takes)
        tried.partial += _voices(study)[0] not in (0, rows)
        run("intake", study, folder / "many.csv")
        _count(tried, study, rows)
        shutil.rmtree(study)
    return tried


def jobs(folder: Path, moments: int, rows: int, dice: random.Random) -> Tried:
    """The worker de-identifies and suggests; killed again and again, it goes on until every voice has its text and codes."""
    tried, start = Tried("heard worker"), study_in(folder, "start")
    run("intake", start, folder / "in.csv")
    takes = run_job(shutil.copytree(start, folder / "timed"))
    while tried.killed < moments:
        study = shutil.copytree(start, folder / f"job-{tried.killed}")
        _asked(study)
        for _ in range(4):
            _kill_once(tried, ("worker", study, "--until-idle"), dice.uniform(0.2, 0.8) * takes)
            _let_go(study)
        run("worker", study, "--until-idle")
        _count(tried, study, rows)
        _count_texts(tried, study, rows)
        shutil.rmtree(study)
    return tried


def run_job(study: Path) -> float:
    """Seconds that the worker takes undisturbed."""
    _asked(study)
    return run("worker", study, "--until-idle")


def _asked(study: Path) -> None:
    with opened(study) as held:
        ask(held.db, "prepare", {}, by="bench", now=now())


def _let_go(study: Path) -> None:
    """What the killed worker held is free at once, not after its lease; a kill is no fault of the job's."""
    with sqlite3.connect(study / "study.db") as db:
        db.execute("UPDATE jobs SET lease_until = '', attempts = 0 WHERE state = 'running'")


def _voices(study: Path) -> tuple[int, int]:
    return _pair(study, "SELECT count(*), count(DISTINCT id) FROM voices")


def _pair(study: Path, query: str) -> tuple[int, int]:
    with sqlite3.connect(study / "study.db") as db:
        first, second = db.execute(query).fetchone()
    return int(first), int(second)


def _count(tried: Tried, study: Path, rows: int) -> None:
    found, apart = _voices(study)
    tried.lost += max(0, rows - apart)
    tried.doubled += max(0, found - rows)
    _look_into(tried, study)


def _count_texts(tried: Tried, study: Path, rows: int) -> None:
    texts, voices = _pair(study, "SELECT count(*), count(DISTINCT voice) FROM clean_texts")
    segments, matched = _pair(study, "SELECT (SELECT count(*) FROM segments), (SELECT count(*) FROM matched)")
    tried.lost += max(0, rows - voices) + max(0, segments - matched)
    tried.doubled += max(0, texts - voices) + max(0, matched - segments)


def _look_into(tried: Tried, study: Path) -> None:
    with sqlite3.connect(study / "study.db") as db:
        told = db.execute("PRAGMA integrity_check").fetchone()[0]
    if told != "ok":
        tried.other.append("integrity")
    run("audit", "verify", study)


if __name__ == "__main__":
    main(*(int(word) for word in [*sys.argv[1:], *("20", "1500")[len(sys.argv) - 1 :]]))
