"""A study in which some speak of a chair against the door, and ways to read it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service import wiring
from service.settings import Settings
from service.study.database import write
from service.study.decisions import Round, add_decisions, last_standing
from service.study.study import Study
from service.usecases.check import accept_risk
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.queue import next_item
from service.usecases.review import Choice, _undoing, decide
from service.usecases.rounds import draw_counting_round
from service.usecases.suggest import SuggestReport, suggest_study
from tests.conftest import NOW, Made, give_passport

CHAIR = "i put a chair against the door every single night {}"
PASTA = "we had pasta for tea and then watched a film {}"


def quiet(done: int, total: int) -> None:
    """No progress to show."""


def suggest(made: Made, encoder: Encoder, book: str = "") -> SuggestReport:
    codebook = wiring.codebook_named(book or made.study.codebook)
    return suggest_study(made.study, codebook, encoder, now=NOW, actor="t", progress=quiet)


def fill(made: Made, folder: Path, cascade: Deidentifier, encoder: Encoder) -> None:
    """Take in forty people, half of whom speak of a chair against the door and half of pasta; de-identify and suggest."""
    said = ["one two", "three four", "five six", "seven eight", "nine ten"]
    lines = [f"{i},{(CHAIR if i % 2 else PASTA).format(said[i % 5])} {'x' * (i // 5)},child,P{i}" for i in range(40)]
    file = folder / "in.csv"
    file.write_text("\n".join(["id,text,voice,participant", *lines]) + "\n", "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t")
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(made, encoder)


def read_blind(made: Made, people: int, choose: Callable[[str], Sequence[Choice]], coder: str = "Ann") -> Round:
    round_ = draw_counting_round(made.study, people=people, seed=1, now=NOW, actor="t")
    read_round(made.study, round_, choose, coder)
    return round_


def read_round(study: Study, round_: Round, choose: Callable[[str], Sequence[Choice]], coder: str = "Ann") -> list[str]:
    """Read what a round still has for a coder; the segments, in the order in which they came."""
    found = []
    while (item := next_item(study, round_, coder)) is not None:
        decide(study, item, coder=coder, choices=choose(item.segment.text), seconds=1, now=NOW)
        found.append(item.segment.id)
    return found


def take_back(made: Made, round_: Round, coder: str) -> None:
    """Undo a coder's last item though it was read blind, as an earlier version allowed."""
    last = last_standing(made.study.db, coder, round_.id)
    rows = made.study.db.conn.execute(
        "SELECT * FROM standing WHERE round = ? AND coder = ? AND segment = (SELECT segment FROM decisions WHERE seq = ?)",
        [round_.id, coder, last],
    ).fetchall()
    with write(made.study.db) as connection:
        add_decisions(connection, [_undoing(row, round_, coder, NOW) for row in rows])


def heard_chair(text: str) -> list[Choice]:
    return [Choice("CL5", "worry", 0, 24)] if "chair" in text else []


def kept_study(folder: Path, cascade: Deidentifier, encoder: Encoder) -> Path:
    """The forty people's study in a folder of its own, closed, to be copied for each test; its parent is for studies."""
    study, key = wiring.make_study(
        folder / "studies" / "study", title="A study", codebook="north-yorkshire-care-leavers", now=NOW,
        settings=Settings(key_folder=folder / "keys"),
    )  # fmt: skip
    give_passport(study)
    accept_risk(study, person="A tester", reason="The people in these tests are fictional.", now=NOW)
    fill(Made(study, key), folder, cascade, encoder)
    study.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    study.db.close()
    return folder / "studies"
