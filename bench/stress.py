"""Eight coders at once: `python bench/stress.py [DECISIONS] [KILLS]` (10,000 and 12); how many decisions are lost or doubled.

The server is a process of its own, killed without warning and started again while they work. One save in ten is cut
off before its answer, and one in twenty is sent twice at once. A coder sends a save, always under the same token, until
the service has answered; what they sent is compared with the store at the end.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote, urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from review_room import BOOK, NOW, build

from nlp.codebook import read_codebook
from service.access.people import add_person, people_in
from service.access.permissions import Role
from service.study.database import write
from service.study.plans import Plan, add_plan
from service.study.study import Study, opened

PORT, ROUND, SEED, TWICE = 8397, "stress", 11, 0.05
CODERS = tuple(f"Coder {n}" for n in range(1, 9))
PASSWORD = secrets.token_urlsafe(16)
CUT_OFF, SENT_TWICE, DROPPED_READS = 0.10, 0.05, 0.05
LOST = (OSError, http.client.HTTPException)


@dataclass
class Coder:
    """Somebody at the queue over real HTTP, and what they have sent and been told is kept."""

    name: str
    dice: random.Random
    codes: list[str]
    cookie: str = ""
    kept: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    cuts: int = 0

    def ask(
        self, method: str, path: str, body: str | None = None, kind: str = "", *, cut: bool = False
    ) -> tuple[int, str]:
        """One request; with `cut` the line goes dead before the answer."""
        line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        headers = {"Cookie": self.cookie, "Origin": f"http://127.0.0.1:{PORT}", "fetch": "queue"}
        try:
            line.request(method, path, body, headers | ({"Content-Type": kind} if kind else {}))
            if cut:
                self.cuts += 1
                raise ConnectionAbortedError
            answer = line.getresponse()
            self.cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0] or self.cookie
            return answer.status, answer.read().decode()
        finally:
            line.close()

    def certainly(
        self, method: str, path: str, body: str | None = None, kind: str = "", cut: float = 0.0
    ) -> tuple[int, str]:
        """The same until it is answered, however often the server is gone."""
        while True:
            try:
                return self.ask(method, path, body, kind, cut=self.dice.random() < cut)
            except LOST:
                time.sleep(self.dice.uniform(0.01, 0.2))

    def sign_in(self) -> None:
        """A session of their own."""
        form = urlencode({"name": self.name, "password": PASSWORD})
        status, _ = self.certainly("POST", "/sign-in", form, "application/x-www-form-urlencoded")
        if status != 303:
            raise SystemExit(f"{self.name} cannot sign in: {status}")

    def work(self, study: str) -> None:
        """Decide until there is nothing more to read."""
        here, after = f"/studies/{study}/rounds/{ROUND}", ""
        while True:
            begun = time.perf_counter()
            asked = f"{here}/item" + (f"?after={quote(after)}" if after else "")
            status, page = self.certainly("GET", asked, cut=DROPPED_READS)
            if status != 200:
                self.refused[f"reading: {status}"] += 1
                after = ""
                continue
            segment, version, shown = found_in(page)
            if not segment:
                return
            self.decide(f"{here}/items/{quote(segment)}", segment, version, shown)
            self.times.append(1000 * (time.perf_counter() - begun))
            after = segment

    def decide(self, path: str, segment: str, version: str, shown: list[int]) -> None:
        """Send a decision, under one token, until the service has answered."""
        token, codes = secrets.token_hex(16), self.dice.sample(self.codes, self.dice.choice((0, 1, 1, 2)))
        sent = {
            "token": token,
            "choices": [{"code": c} for c in codes],
            "shown": shown,
            "seconds": 1.0,
            "codebook": version,
        }
        body = json.dumps(sent)
        twin = threading.Thread(target=self.certainly, args=("POST", path, body, "application/json"))
        twice = self.dice.random() < SENT_TWICE
        if twice:
            twin.start()
        status, answer = self.certainly("POST", path, body, "application/json", CUT_OFF)
        if twice:
            twin.join()
        if status == 200:
            self.kept[token] = (segment, frozenset(codes))
        else:
            self.refused[f"{status}: {answer[:120]}"] += 1


def found_in(page: str) -> tuple[str, str, list[int]]:
    """The text on the page, the codebook's version and the suggestions shown."""
    (segment, version) = (re.findall(rf'data-{what}="([^"]*)"', page)[0] for what in ("segment", "version"))
    return segment, version, [int(s) for s in re.findall(r'data-suggestion="(\d+)"', page)]


def prepare(folder: Path, count: int) -> tuple[str, int]:
    """A study with a round for eight, and how many decisions it asks for."""
    studies = folder / "studies"
    study = build(studies / "busy", 2 * count)
    dice = random.Random(SEED)
    codebook = read_codebook(ROOT / "codebooks" / BOOK)
    units = [f"v-{v}.{s}" for v in range(count // 2) for s in (0, 1)]
    assigned = {p: dice.sample(CODERS, 2) for p in range(1, count + 1) if dice.random() < TWICE}
    with write(study.db) as connection:
        row = (ROUND, "review", "segment", SEED, BOOK, codebook.version, NOW)
        connection.execute("INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        rows = [(ROUND, i, unit, "rest", 1.0, NOW) for i, unit in enumerate(units, 1)]
        connection.executemany("INSERT INTO draws VALUES (?, ?, ?, ?, ?, ?)", rows)
        add_plan(connection, ROUND, Plan(CODERS, TWICE), assigned, by="the bench", at=NOW)
    with people_in(studies) as db:
        for name in CODERS:
            add_person(db, name=name, role=Role.CODER, password=PASSWORD, now=NOW)
    study.db.conn.close()
    return study.name, count + len(assigned)


def start(studies: Path) -> subprocess.Popen[bytes]:
    """The server, once it answers."""
    command = [sys.executable, "-m", "service", "serve", str(studies), "--port", str(PORT)]
    server = subprocess.Popen(  # noqa: S603 - our own
        command, cwd=ROOT, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    for _ in range(3000):
        try:
            line = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            line.request("GET", "/health")
            if line.getresponse().status == 200:
                return server
        except LOST:
            time.sleep(0.05)
    raise SystemExit("the server did not start")


def kill_now_and_then(
    studies: Path, server: subprocess.Popen[bytes], coders: list[Coder], total: int, kills: int
) -> subprocess.Popen[bytes]:
    """Kill the server without warning at random moments of the work, and start it again."""
    dice = random.Random(SEED)
    for moment in sorted(dice.sample(range(total // 50, total - total // 50), kills)):
        while sum(len(c.kept) for c in coders) < moment:
            time.sleep(0.01)
        server.send_signal(signal.SIGKILL)
        server.wait()
        server = start(studies)
    return server


def compare(study: Study, coders: list[Coder], total: int) -> list[tuple[str, int]]:
    """What the coders were told is kept, beside what is stored."""
    stored: dict[tuple[str, str], list[frozenset[str]]] = {}
    rows = study.db.conn.execute(
        "SELECT coder, segment, group_concat(CASE WHEN action = 'add' THEN code END) AS codes,"
        " sum(action = 'close') AS closed FROM decisions WHERE round = ? GROUP BY coder, segment",
        [ROUND],
    ).fetchall()
    closes = sum(row["closed"] for row in rows)
    for row in rows:
        stored.setdefault((row["coder"], row["segment"]), []).append(frozenset((row["codes"] or "").split(",")) - {""})
    told = {(c.name, segment): codes for c in coders for segment, codes in c.kept.values()}
    adds = study.db.conn.execute(
        "SELECT count(*) FROM decisions WHERE round = ? AND action = 'add'", [ROUND]
    ).fetchone()[0]
    readers = Counter(segment for _, segment in stored)
    pairs = {row[0] for row in study.db.conn.execute(
        "SELECT d.unit FROM draws d JOIN assignments a USING (round, position) WHERE d.round = ?", [ROUND]
    )}  # fmt: skip
    return [
        ("decisions told as kept", len(told)),
        ("of them lost", sum(key not in stored for key in told)),
        ("of them with other codes than sent", sum(stored.get(key, [codes]) != [codes] for key, codes in told.items())),
        ("stored, never told", len(stored.keys() - told.keys())),
        ("closed more than once by one coder", closes - len(rows)),
        ("codes stored more than once", adds - sum(len(codes) for kept in stored.values() for codes in kept)),
        ("texts from the pool read by two", sum(n > 1 for s, n in readers.items() if s not in pairs)),
        ("texts for two not read by two", sum(readers[s] != 2 for s in pairs)),
        ("asked for, not decided", total - len(told)),
    ]


def main() -> None:
    """Print the table; the exit status is 1 when anything was lost or doubled."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    codes = [c.id for c in read_codebook(ROOT / "codebooks" / BOOK).active_codes]
    with tempfile.TemporaryDirectory() as folder:
        studies = Path(folder) / "studies"
        name, total = prepare(Path(folder), count)
        coders = [Coder(c, random.Random(i), codes) for i, c in enumerate(CODERS)]
        server = start(studies)
        begun = time.monotonic()
        for coder in coders:
            coder.sign_in()
        threads = [threading.Thread(target=c.work, args=(name,), daemon=True) for c in coders]
        for thread in threads:
            thread.start()
        server = kill_now_and_then(studies, server, coders, total, kills)
        for thread in threads:
            thread.join()
        taken = time.monotonic() - begun
        server.terminate()
        server.wait(30)
        with opened(studies / name) as study:
            table = compare(study, coders, total)
    times = [t for c in coders for t in c.times]
    print(f"{len(CODERS)} coders, {kills} kills, {sum(c.cuts for c in coders)} requests cut off, {taken:.0f} s")
    print(f"a decision and the next text, p95, all eight at it: {quantiles(times, n=20)[-1]:.0f} ms")
    for what, number in table:
        print(f"{what:40} {number:6}")
    for what, number in sum((c.refused for c in coders), Counter()).items():
        print(f"refused: {what} ({number})")
    raise SystemExit(any(number for _, number in table[1:]))


if __name__ == "__main__":
    main()
