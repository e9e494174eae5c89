"""Five hundred voices full of words that exist nowhere else go through everything; then every byte left behind is searched.

A *name* (with its e-mail address and phone number) may stand nowhere once its file is read. A *word* is part of what somebody
said: it may stand in the clean text and where people read that, and nowhere else.
"""

from __future__ import annotations

import csv
import itertools
import json
import logging
import re
import sqlite3
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from pathlib import Path

import httpx2
import pandas as pd
import pytest
from typer.testing import CliRunner

from nlp.errors import NlpError
from service import wiring, worker
from service.batch.engines import engine
from service.batch.run import Asked, run_batch
from service.cli.main import app
from service.clock import now
from service.errors import ServiceError
from service.usecases.check import accept_risk
from service.usecases.export_project import export_project
from service.usecases.intake import take_in
from service.usecases.jobs import work_once
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.calling import LEAD, MANAGER, calling
from tests.service.serving import give_accounts

BEGINNINGS = ("vusk", "blemp", "drosk", "fwint", "glorp", "hruv", "jelk", "krimp", "plisk", "quond")
ENDINGS = ("aroz", "elix", "ibur", "omet", "ulak", "aviq", "ethun", "ixor", "ozum", "uphel")
MIDDLES = ("da", "me", "ri", "so", "tu")
STEMS = ["".join(parts) for parts in itertools.product(BEGINNINGS, MIDDLES, ENDINGS)]
# Where the words of a clean text may stand: in it, its index, and the evidence that people are shown.
FOR_WORDS = {
    "clean_texts",
    "words",
    "words_content",
    "words_data",
    "words_idx",
    "suggestions",
    "candidates",
    "discoveries",
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who was never there."""

    number: int

    @property
    def first(self) -> str:
        return STEMS[self.number].capitalize()

    @property
    def last(self) -> str:
        return f"{STEMS[-1 - self.number].capitalize()}son"

    @property
    def email(self) -> str:
        return f"{self.first}.{self.last}@mail.example".lower()

    @property
    def phone(self) -> str:
        return f"07700 {900000 + self.number}"

    @property
    def word(self) -> str:
        return f"{STEMS[self.number][::-1]}ing"

    @property
    def text(self) -> str:
        called = self.first if self.number % 3 else self.first.lower()
        return (
            f"I am {called} {self.last} and i was {self.word} at tea. Ring {self.phone} or write to {self.email}. "
            f"i put a chair against the door every night, {called} did."
        )

    @property
    def row(self) -> dict[str, str]:
        return {
            "id": f"r{self.number}", "full name": f"{self.first} {self.last}", "email": self.email, "text": self.text,
            "voice": "young_person", "participant": f"P{self.number}", "consent": "analysis_and_quotes",
        }  # fmt: skip


PEOPLE = [Person(n) for n in range(500)]


def any_of(*parts: Sequence[str]) -> str:
    """A pattern for one of each, one after another."""
    return "".join(f"(?:{'|'.join(p)})" for p in parts)


NAME = re.compile(any_of(BEGINNINGS, MIDDLES, ENDINGS).encode() + rb"|mail\.example|07700 ?900\d\d\d")
BACKWARDS = [[part[::-1] for part in parts] for parts in (ENDINGS, MIDDLES, BEGINNINGS)]
WORD = re.compile(f"{any_of(*BACKWARDS)}ing".encode())


def found(pattern: re.Pattern[bytes], content: bytes) -> int:
    """How many different tokens stand in it, in UTF-8 or UTF-16 and in any letters."""
    return len(set(pattern.findall(content.lower().replace(b"\0", b""))))


@dataclass(slots=True)
class Trail:
    """All that was said outside while it happened: answers, errors, log lines, addresses, and what processes were called with."""

    spoken: list[str] = field(default_factory=list)
    pages: list[bytes] = field(default_factory=list)
    processes: set[str] = field(default_factory=set)
    folder: Path = Path()

    def refusal(self, error: Exception) -> None:
        self.spoken.append(f"{error!r} {error}")


def files_of_each_format(folder: Path) -> list[Path]:
    """The five hundred, a hundred in each of five formats."""
    rows = [[p.row for p in PEOPLE[i : i + 100]] for i in range(0, 500, 100)]
    made = [folder / name for name in ("a.csv", "b.xlsx", "c.jsonl", "d.parquet")]
    with made[0].open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, rows[0][0].keys())
        writer.writeheader()
        writer.writerows(rows[0])
    pd.DataFrame(rows[1]).to_excel(made[1], index=False)
    made[2].write_text("".join(json.dumps(r) + "\n" for r in rows[2]), "utf-8")
    pd.DataFrame(rows[3]).to_parquet(made[3], index=False)
    return made


def broken_files(folder: Path) -> list[Path]:
    """Files that are refused, each with names and words in the part that is at fault."""
    one, two = PEOPLE[0], PEOPLE[1]
    bad = {
        "cut.jsonl": json.dumps(one.row)[:-20].encode(),
        "voice.csv": f'id,text,voice\n1,"{one.text}","{one.word} {one.first}"\n'.encode(),
        "words.csv": f'id,text,voice,participant\nr0,"{two.text}",child,{one.first}\nr0,"{one.text}",child,P0\n'.encode(),
        "letters.csv": b"id,text\n1," + one.text.encode() + b"\xff\xfe\x81\n",
        "cells.csv": f"id,text\n1,{one.first},{one.word},{one.email}\n".encode(),
        "sheet.xlsx": b"PK\x03\x04" + one.text.encode(),
        "table.parquet": b"PAR1" + one.text.encode(),
        "letter.docx": one.text.encode(),
    }
    for name, content in bad.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in bad]


def take_files(made: Made, inputs: Path, trail: Trail) -> None:
    """Files of each format, then broken ones."""
    for file in files_of_each_format(inputs):
        done = take_in(made.study, file, made.key, now=now(), keep_raw_days=30, actor="t")
        assert done.voices == 100, file.name
        trail.spoken += [*done.notes, str(done.columns)]
    refused = 0
    for file in broken_files(inputs):
        try:
            done = take_in(made.study, file, made.key, now=now(), keep_raw_days=30, actor="t")
            trail.spoken += [*done.notes, str(done.columns)]
        except (ServiceError, NlpError) as error:
            refused += 1
            trail.refusal(error)
    assert refused >= 5


def call_the_api(studies: Path, trail: Trail) -> None:
    """The last hundred by the API, and requests that are refused with tokens in every field."""
    manager = calling(studies, MANAGER, "intake", "read", "texts")
    voices = [
        {"record": r["id"], "text": r["text"], "participant": r["participant"], "known": [r["full name"]]}
        for r in (p.row for p in PEOPLE[400:])
    ]
    here = "/v1/studies/study"
    keep(trail, manager.post(f"{here}/voices?prepare=true", json={"voices": voices}), 201)
    one = PEOPLE[7]
    keep(
        trail,
        manager.post(f"{here}/voices", json={"voices": [{"record": one.first, "text": 7, one.word: one.email}]}),
        422,
    )
    keep(trail, manager.post(f"{here}/voices", content=f'{{"voices": [{one.text}'.encode()), 422)
    keep(trail, manager.post(f"{here}/files?kind=csv", content=f"id,text\n1,{one.text}\xff".encode("cp1252")), None)
    keep(trail, manager.post(f"{here}/files?kind=xlsx", content=one.text.encode()), 422)
    text = {"texts": [{"text": one.text, "known": [f"{one.first} {one.last}"]}]}
    clean = keep(trail, manager.post("/v1/deidentify", json=text), 200, page=True).json()["texts"][0]["clean_text"]
    again = {"codebook": "north-yorkshire-care-leavers", "texts": [{"text": clean}]}
    keep(trail, manager.post("/v1/suggest", json=again), None, page=True)


def keep(trail: Trail, answer: httpx2.Response, wanted: int | None, *, page: bool = False) -> httpx2.Response:
    """Remember an answer; only a page may hold the words of a clean text."""
    assert answer.status_code < 500
    assert wanted in (None, answer.status_code), answer.text
    (trail.pages.append(answer.content) if page and answer.is_success else trail.spoken.append(answer.text))
    trail.spoken.append(f"{answer.headers} {answer.request.url}")
    return answer


def read_and_export(made: Made, trail: Trail) -> None:
    """Two rounds, some decisions, and what goes out."""
    study = made.study
    draw_counting_round(study, people=20, seed=1, now=NOW, actor="t")
    round_ = draw_review_round(study, seed=1, now=NOW, actor="t")
    for _ in range(12):
        item = next_item(study, round_, "Ann")
        assert item
        choices = [Choice(s.code, "", s.start, s.end, s.id) for s in item.suggestions[:1]]
        decide(study, item, coder="Ann", choices=choices, seconds=1.0, now=NOW)
    content = export_project(study, person="Ann", now=NOW, with_suggestions=True).content
    with zipfile.ZipFile(BytesIO(content)) as archive:
        trail.pages += [archive.read(name) for name in archive.namelist()]


def look_at_every_page(studies: Path, trail: Trail) -> None:
    """Follow the links of the pages, as the lead, and ask for what is not there."""
    lead = sign_in_as(studies, LEAD)
    waiting, seen = ["/"], set[str]()
    while waiting and len(seen) < 120:
        address = waiting.pop(0)
        if address in seen or (address.count("/voices/") and sum("/voices/" in s for s in seen) > 10):
            continue
        seen.add(address)
        answer = keep(trail, lead.get(address), None, page=True)
        waiting += re.findall(r'href="(/[^"#]*)"', answer.text)
    assert len(seen) > 20
    one = PEOPLE[3]
    keep(trail, lead.get("/studies/study/voices", params={"words": "chair"}), 200, page=True)
    keep(trail, lead.post("/studies/study/memos", data={"words": f"{one.first} {one.last} {one.phone}"}), None)
    keep(trail, lead.post("/studies/study/queue/flags", json={"segment": "nothing", "kind": one.word}), None)


def batch(inputs: Path, folder: Path, trail: Trail) -> None:
    """A coded file out of the first hundred."""
    asked = Asked(inputs / "a.csv", folder / "coded.csv", "north-yorkshire-care-leavers")
    done = run_batch(asked, engine("local", workers=1, scheduler=""), now=NOW, progress=lambda *_: None)
    trail.spoken += [*done.notes, (folder / "coded.csv.run.json").read_text("utf-8")]
    trail.pages.append((folder / "coded.csv").read_bytes())


def watch_processes(trail: Trail, stop: threading.Event) -> None:
    """What every process on the machine was called with, again and again."""
    while not stop.wait(0.2):
        for file in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                trail.processes.add(file.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
            except OSError:
                continue


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Trail:
    """Everything done once; the tests search what is left."""
    assert found(NAME, PEOPLE[0].text.encode("utf-16")) > 2  # or the search below would find nothing anywhere
    assert found(WORD, PEOPLE[0].text.encode()) == 1
    inputs, left = tmp_path_factory.mktemp("inputs"), tmp_path_factory.mktemp("left")
    for name in ("tmp", "keys", "out"):
        (left / name).mkdir()
    patch.setenv("HEARD_KEY_FOLDER", str(left / "keys"))
    patch.setenv("TMPDIR", str(left / "tmp"))
    patch.setattr("tempfile.tempdir", str(left / "tmp"))
    wiring.settings.cache_clear()
    log = StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    trail, stop = Trail(folder=left), threading.Event()
    watcher = threading.Thread(target=watch_processes, args=(trail, stop))
    watcher.start()
    try:
        study, key = wiring.make_study(
            left / "studies" / "study", title="Canary", codebook="north-yorkshire-care-leavers", now=NOW, fictional=True,
            leak_limit=0.5, settings=wiring.settings(),
        )  # fmt: skip
        go_through_everything(Made(study, key), inputs, trail)
        study.db.close()
    finally:
        stop.set()
        watcher.join()
        logging.getLogger().removeHandler(handler)
        wiring.settings.cache_clear()
    trail.spoken.append(log.getvalue())
    return trail


def go_through_everything(made: Made, inputs: Path, trail: Trail) -> None:
    studies = made.study.folder.parent
    give_accounts(studies)
    accept_risk(made.study, person="A tester", reason="Nobody in it has ever lived.", now=NOW)
    take_files(made, inputs, trail)
    call_the_api(studies, trail)
    while (job := work_once(made.study, worker.HANDLERS, "w", now)) is not None:
        trail.spoken.append(repr(job))
    ended = [dict(row) for row in made.study.db.conn.execute("SELECT * FROM jobs")]
    trail.spoken.append(repr(ended))
    assert [job["state"] for job in ended] == ["done"], ended
    read_and_export(made, trail)
    look_at_every_page(studies, trail)
    batch(inputs, trail.folder / "out", trail)
    change_the_key_and_come_back(made.study.folder, trail)


def change_the_key_and_come_back(study: Path, trail: Trail) -> None:
    """A rotation, a backup, its check and a restore, with all that they say."""
    (trail.folder / "backups").mkdir()
    file = trail.folder / "backups" / "one.heard"
    for words in (
        ["vault", "rotate", study], ["vault", "keys", study], ["backup", study, file], ["verify", file, "--for", study],
        ["restore", file, trail.folder / "restored" / "study"],
    ):  # fmt: skip
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == 0, done.output
        trail.spoken.append(done.output)


def left_behind(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file())


def test_no_name_stands_in_any_file_that_is_left(trail: Trail) -> None:
    left = {str(f.relative_to(trail.folder)): found(NAME, f.read_bytes()) for f in left_behind(trail.folder)}
    assert any(name.endswith("study.db") for name in left)
    assert any("vault" in name for name in left)
    assert {name: count for name, count in left.items() if count} == {}


def test_no_name_stands_on_any_page_or_in_any_export(trail: Trail) -> None:
    assert sum(found(WORD, page) > 0 for page in trail.pages) > 5  # or there would be nothing to find
    assert [found(NAME, page) for page in trail.pages if found(NAME, page)] == []


def test_neither_names_nor_words_stand_in_errors_logs_addresses_or_processes(trail: Trail) -> None:
    said = "\n".join([*trail.spoken, *trail.processes]).encode()
    assert len(trail.processes) > 1
    assert (found(NAME, said), found(WORD, said)) == (0, 0)


def test_words_stand_only_in_the_clean_text_and_where_people_read_it(trail: Trail) -> None:
    with sqlite3.connect(next(trail.folder.rglob("study.db"))) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        held = {t: found(WORD, rows_of(db, t)) for t in tables}
    assert held["clean_texts"] > 300  # some are taken for names
    assert {t for t, count in held.items() if count} <= FOR_WORDS


def rows_of(db: sqlite3.Connection, table: str) -> bytes:
    rows: Sequence[tuple[object, ...]] = db.execute(f'SELECT * FROM "{table}"').fetchall()
    return b"\n".join(v if isinstance(v, bytes) else str(v).encode() for row in rows for v in row)


def test_no_word_stands_in_keys_vault_accounts_or_temporary_files(trail: Trail) -> None:
    others = [f for f in left_behind(trail.folder) if f.name.split(".db")[0] != "study" and "out" not in f.parts]
    assert len(others) > 2
    assert [f.name for f in others if found(WORD, f.read_bytes())] == []
    assert list((trail.folder / "tmp").rglob("*.csv")) == []
