"""The acceptance cases that need a study: 1, 9 and 10. Case 8 stands in `test_withdraw.py`, the others in
`tests/nlp/test_acceptance_findings.py`."""

from __future__ import annotations

import logging
import re
import socket
from datetime import datetime
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service.study.study import opened
from service.usecases.findings import joint_display
from service.usecases.prevalence import shares
from tests.conftest import Made, sign_in_as
from tests.service.reading import CHAIR, PASTA, fill, heard_chair, read_blind
from tests.service.serving import give_accounts
from tests.service.test_traps import LONG, csv, read, sheet

NY = "north-yorkshire-care-leavers"


def test_case_1_north_yorkshires_divergence_stands_with_both_figures_how_many_and_gated_quotes(
    demo_folder: Path,
) -> None:
    with opened(demo_folder / NY) as study:
        row = joint_display(study)[0]
        texts = [r["text"] for r in study.db.query("SELECT text FROM clean_texts") if len(r["text"]) > 40]
    assert row.proposed == "divergence"
    assert (row.figure.count, row.figure.denominator, row.figure.percent) == (185, 194, 95)
    assert row.estimate is not None
    assert row.estimate.low < 0.4 < row.estimate.high  # the corpus was written with 40% of people

    with sign_in_as(demo_folder, "Reader (demo)") as client:
        page = unescape(client.get(f"/studies/{NY}/joint").text)
        findings = unescape(client.get(f"/studies/{NY}/findings").text)
    assert "95% (185 of 194); 95% interval 91% to 98%" in page
    assert "60 of " in page
    assert "The two differ (proposed: divergence)." in page
    assert [t for t in texts if t in page or t in findings] == []  # nobody is quoted before somebody has released it


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("something tried to reach the network")

    for what in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, what, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_network")
def test_case_9_a_full_run_without_a_network_logs_no_word_of_any_text(
    made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fill(made, tmp_path, cascade, minilm)
    read_blind(made, 36, heard_chair)
    assert shares(made.study).ranked
    give_accounts(made.study.folder.parent)
    with sign_in_as(made.study.folder.parent, "Lead (demo)") as client:
        for address in ("", "/findings", "/voices", "/joint", "/nowhere"):
            client.get(f"/studies/{made.study.name}{address}")

    logged = {word for record in caplog.records for word in re.findall(r"[a-z]{5,}", record.getMessage().lower())}
    said = set(re.findall(r"[a-z]{5,}", f"{CHAIR} {PASTA}"))
    assert {"chair", "against", "pasta", "watched"} <= said
    assert logged & said == set()


def test_case_10_forms_of_several_questions_come_to_one_shape(tmp_path: Path) -> None:
    other = "they came round to my house and stayed"
    stem, which, when = "What helped you?", "Which did you use?", "2026-03-04 09:30:00"
    qualtrics = (
        "StartDate,EndDate,Status,ResponseId,Q1,Q2,Q3\n"
        f"Start Date,End Date,Response Type,Response ID,{stem},{stem},{which}\n"
        + ",".join(f'"{{""ImportId"":""{n}""}}"' for n in range(7)) + "\n"
        f'{when},{when},IP Address,R_1,{LONG},{other},"Stay and play,Health visitor"\n'
        f"{when},{when},IP Address,R_2,{other} twice,{LONG} twice,Health visitor\n"
    )  # fmt: skip
    then = datetime(2026, 3, 4, 9, 30)  # noqa: DTZ001 - a workbook's times have no zone
    forms: list[list[object]] = [
        ["ID", "Start time", "Completion time", "Email", "Name", stem, f"{stem}2", which],
        [1, then, then, "a@example.org", "", LONG, other, "Stay and play;Health visitor;"],
        [2, then, then, "b@example.org", "", f"{other} twice", f"{LONG} twice", "Health visitor;"],
    ]

    one, two = read(csv(tmp_path, qualtrics)), read(sheet(tmp_path, forms))

    said = [LONG, other, f"{other} twice", f"{LONG} twice"]
    assert [a.words for a in one] == [a.words for a in two] == said
    assert {a.period for a in (*one, *two)} == {"2026-03"}
    assert [a.person == b.person for a, b in pairwise(one)] == [True, False, True]
    assert [a.person == b.person for a, b in pairwise(two)] == [True, False, True]
    assert {a.question for a in one} == {stem}
    assert {a.question for a in two} == {stem, f"{stem}2"}  # Microsoft Forms numbers a stem that comes again
    assert not any("example.org" in str(a.attributes) for a in two)
