"""What no service should be sent: it is refused in plain words, nothing of it stays, and the machine lives on."""

from __future__ import annotations

import errno
import http.client
import os
import resource
import shutil
import subprocess
import sys
import threading
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from openpyxl import Workbook

from service.errors import FullError, InputError
from service.files.tables import read_table
from service.study import jobs
from service.study.database import pairs, write
from service.worker import work
from tests.conftest import NOW, ROOT, Made
from tests.service.serving import Visitor, give_accounts, port_of, serving
from tests.service.test_check_page import MANAGER, client_of

SECRET = "Zebedee Quartermain"
TWO_GIGABYTES = 2 * 1024**3
MEGABYTE = b"x" * 1024**2


@pytest.fixture
def manager(made: Made) -> TestClient:
    give_accounts(made.study.folder.parent)
    return client_of(made, MANAGER)


def test_a_csv_with_one_line_of_50_megabytes_is_refused_by_row_without_being_held(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("id,text\n1,short and fine\n2,")
        for _ in range(50):
            out.write(SECRET * 55_000)
        out.write("\n")

    tracemalloc.start()
    with pytest.raises(InputError, match=r"in\.csv, row 3: the line is longer than") as refused:
        list(read_table(file).rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert SECRET not in str(refused.value)
    assert peak < 40_000_000


def test_a_quoted_cell_that_swallows_50_megabytes_of_lines_is_refused_without_being_held(tmp_path: Path) -> None:
    file = tmp_path / "in.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write('id,text\n1,short and fine\n2,"')
        for _ in range(50):
            out.write((SECRET + "\n") * 52_000)

    tracemalloc.start()
    with pytest.raises(InputError, match="quotation mark") as refused:
        list(read_table(file).rows())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert SECRET not in str(refused.value)
    assert peak < 60_000_000


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_json_line_cut_in_half_is_refused_by_row_wherever_it_was_cut(tmp_path: Path, cut: int) -> None:
    line = f'{{"id": "2", "text": "I saw {SECRET}"}}'
    file = tmp_path / "in.jsonl"
    file.write_text('{"id": "1", "text": "fine"}\n' + line[:cut], "utf-8")

    with pytest.raises(InputError, match=r"in\.jsonl, row 2: the line is not whole JSON") as refused:
        list(read_table(file).rows())

    assert "Zebedee" not in str(refused.value)


@pytest.mark.parametrize("name", ["in.xlsx", "in.docx"])
@pytest.mark.parametrize("reaches", ["file:///etc/passwd", "grows"])
def test_xml_entities_in_an_office_file_are_never_followed(tmp_path: Path, name: str, reaches: str) -> None:
    file = tmp_path / name
    _office(file)
    entity = (
        '<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY x "&b;&b;&b;&b;">'
        if reaches == "grows"
        else f'<!ENTITY x SYSTEM "{reaches}">'
    )
    _with_entity(file, f"<!DOCTYPE d [{entity}]>")

    with pytest.raises(InputError, match=name):
        list(read_table(file).rows())


def _office(file: Path) -> None:
    """A small file of that kind with “MARK” in it."""
    if file.suffix == ".xlsx":
        book = Workbook()
        sheet = book.active
        assert sheet is not None
        for row in (["id", "text"], ["1", "MARK and some more words"]):
            sheet.append(row)
        book.save(file)
        return
    from docx import Document

    document = Document()
    document.add_paragraph("MARK and some more words")
    document.save(str(file))


def _with_entity(file: Path, doctype: str) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    (inside,) = [name for name, content in parts.items() if b"MARK" in content]
    xml = parts[inside].decode()
    head, mark, body = xml.partition("?>") if xml.startswith("<?xml") else ("", "", xml)
    parts[inside] = (head + mark + doctype + body.replace("MARK", "&x;")).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_two_gigabytes_by_the_api_are_refused_before_they_are_sent(made: Made) -> None:
    give_accounts(made.study.folder.parent)
    with serving(made.study.folder.parent) as server:
        cookie = Visitor(port_of(server), MANAGER).cookie
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=20)
        connection.putrequest("POST", "/v1/studies/study/files?kind=csv")
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "text/csv"}
        for name, value in (headers | {"Content-Length": str(TWO_GIGABYTES)}).items():
            connection.putheader(name, value)
        connection.endheaders(MEGABYTE)
        answer = connection.getresponse()

    assert answer.status == 413


def test_two_gigabytes_on_the_page_are_refused_in_plain_words_and_neither_held_nor_kept(made: Made) -> None:
    give_accounts(made.study.folder.parent)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with serving(made.study.folder.parent) as server:
        cookie = Visitor(port_of(server), MANAGER).cookie
        connection = http.client.HTTPConnection("127.0.0.1", port_of(server), timeout=60)
        connection.putrequest("POST", "/studies/study/upload")
        headers = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Content-Type": "multipart/form-data; boundary=b"}
        for name, value in (headers | {"Content-Length": str(TWO_GIGABYTES)}).items():
            connection.putheader(name, value)
        connection.endheaders()
        for _ in range(TWO_GIGABYTES // len(MEGABYTE)):
            connection.send(MEGABYTE)
        answer = connection.getresponse()
        page = answer.read().decode()
        still = Visitor(port_of(server), MANAGER).ask("GET", "/studies/study").status

    assert answer.status == 422
    assert "larger than 100 MB" in page
    assert still == 200
    assert not [f for f in (made.study.folder / "uploads").rglob("*") if f.is_file()]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kilobytes


def filled(made: Made, spare: int = 2) -> None:
    """As on a full disk: the study's file may grow by so many pages and no more."""
    pages = made.study.db.conn.execute("PRAGMA page_count").fetchone()[0]
    made.study.db.conn.execute(f"PRAGMA max_page_count = {pages + spare}")


def test_a_full_disk_is_said_and_leaves_the_store_as_it_was(made: Made) -> None:
    filled(made)
    before = pairs(made.study.db, "SELECT count(*), ifnull(max(id), 0) FROM jobs")

    with pytest.raises(FullError, match="the disk is full; nothing was changed"), write(made.study.db) as connection:
        for n in range(500):
            connection.execute(
                "INSERT INTO jobs (kind, request, by, asked_at, token) VALUES ('prepare', ?, 'x', ?, ?)",
                (f'"{"x" * 500}"', NOW, str(n)),
            )

    assert pairs(made.study.db, "SELECT count(*), ifnull(max(id), 0) FROM jobs") == before
    made.study.db.conn.execute("PRAGMA max_page_count = 1073741823")
    assert jobs.ask(made.study.db, "prepare", {}, by="x", now=NOW, token="after").state == "waiting"


@pytest.mark.parametrize("problem", [FullError(), OSError(errno.ENOSPC, "No space left on device")])
def test_the_api_says_that_the_disk_is_full(
    manager: TestClient, monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def full(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr("service.api.jobs.store.ask", full)
    answer = manager.post("/v1/studies/study/jobs", json={"kind": "prepare"})

    assert answer.status_code == 507
    assert answer.json()["detail"].startswith("the disk is full; nothing was changed")


def test_a_full_disk_stops_no_worker(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.ask(made.study.db, "prepare", {}, by="x", now=NOW, token="one")

    def full(*_: object, **__: object) -> None:
        raise FullError

    with monkeypatch.context() as disk:
        disk.setattr("service.worker.work_once", full)
        assert work(made.study.folder, threading.Event(), until_idle=True, key_of=lambda _: made.key) == 0
    assert work(made.study.folder, threading.Event(), until_idle=True, key_of=lambda _: made.key) == 1


def small_disk() -> None:
    """No file may grow beyond 64 KB: what a full disk does, without one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))


def run(folder: Path, *command: str, limit: Callable[[], None] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HEARD_KEY_FOLDER": str(folder / "keys"), "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300, preexec_fn=limit
    )  # fmt: skip


def test_a_batch_that_fills_the_disk_says_so_leaves_no_part_under_a_final_name_and_can_go_on(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    rows = "".join(f"{n},I told {SECRET} about the bus number {n} and nothing was ever done\n" for n in range(400))
    source.write_text("id,text\n" + rows, "utf-8")
    batch = (sys.executable, "-m", "service", "batch", str(source), str(tmp_path / "out.csv"), "--workers", "1")
    batch = (*batch, "--codebook", "rochdale-family-hub")

    full = run(tmp_path, *batch, limit=small_disk)
    assert full.returncode == 1
    assert full.stderr.strip().splitlines()[-1].startswith("heard: the system refused: ")
    assert "Zebedee" not in full.stderr
    assert not list(tmp_path.glob("out.csv*"))

    assert run(tmp_path, *batch).returncode == 0
    assert (tmp_path / "out.csv").read_text("utf-8-sig").count("\n") == 401


TINY = 'mount -t tmpfs -o size=2m tmpfs "$0" && cd "$0" && exec "$@"'


@pytest.mark.skipif(
    not shutil.which("unshare") or subprocess.run(["unshare", "-rm", "true"], check=False).returncode != 0,
    reason="this machine makes no private file systems",
)
def test_intake_onto_a_disk_that_fills_is_refused_in_one_line_and_takes_nothing_in(tmp_path: Path) -> None:
    disk, source = tmp_path / "disk", tmp_path / "in.csv"
    disk.mkdir()
    source.write_text("id,text\n" + "".join(f"{n},{SECRET} {'and so on ' * 40}\n" for n in range(6000)), "utf-8")
    script = (
        f'H="{sys.executable} -m service"; $H init study --codebook rochdale-family-hub && $H passport set study'
        f" {ROOT / 'corpora_sample' / 'passport.toml'} || exit 9; $H intake study {source}; echo rc $?;"
        " sqlite=$(python3 -c \"import sqlite3; print(sqlite3.connect('study/study.db').execute('SELECT count(*) FROM voices').fetchone()[0])\");"
        " echo voices $sqlite"
    )

    done = run(tmp_path, "unshare", "-rm", "sh", "-c", TINY, str(disk), "sh", "-c", script)

    assert "rc 1" in done.stdout, done.stderr
    assert "voices 0" in done.stdout
    assert done.stderr.strip().splitlines()[-1].startswith("heard: the disk is full; nothing was changed")
    assert "Traceback" not in done.stderr
    assert "Zebedee" not in done.stderr
