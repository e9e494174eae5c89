"""The command line as people and later measurements use it: real processes, exit codes, streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from service.cli import app
from tests.conftest import ROOT

Done = subprocess.CompletedProcess[str]


def heard(*arguments: str | Path, folder: Path, typed: str = "") -> Done:
    environment = {**os.environ, "HEARD_KEY_FOLDER": str(folder / "keys"), "COLUMNS": "200", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "service", *map(str, arguments)],
        env=environment, cwd=folder, capture_output=True, text=True, input=typed, check=False, timeout=300,
    )  # fmt: skip


def lines(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_deidentify_lines_keeps_order_and_gives_spans_in_code_points_of_the_input(tmp_path: Path) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    rows = [
        {"id": "b", "text": "😀 please ring Kirsty on 07700 900123", "voice": "child"},
        {"id": "a", "text": "", "voice": "parent_carer"},
        {"id": "c", "text": "we moved, my fiance\u0301 and me, near OL9 6AA \ud800", "voice": "practitioner"},
        {"id": 4, "text": "nothing to hide here"},
    ]
    source.write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")

    done = heard("deidentify", "--in", source, "--out", out, "--spans", folder=tmp_path)

    found = lines(out)
    assert done.returncode == 0, done.stderr
    assert [r["id"] for r in found] == ["b", "a", "c", 4]
    assert found[0]["clean_text"] == "😀 please ring [Person 1] on [Phone number]"
    assert [(s["start"], s["end"], s["label"]) for s in found[0]["spans"]] == [(14, 20, "PERSON"), (24, 36, "PHONE")]
    assert [str(rows[2]["text"])[s["start"] : s["end"]] for s in found[2]["spans"]] == ["OL9 6AA"]
    assert found[1] == {"id": "a", "clean_text": "", "needs_person": False, "spans": []}
    assert found[3] == {"id": 4, "clean_text": "nothing to hide here", "needs_person": False, "spans": []}


@pytest.mark.parametrize("codebook", ["codebooks/north-yorkshire-care-leavers/codebook.yaml", "plain"])
def test_suggest_lines_takes_either_codebook_and_gives_best_first(tmp_path: Path, codebook: str) -> None:
    source, out, every = tmp_path / "in.jsonl", tmp_path / "out.jsonl", tmp_path / "all.jsonl"
    source.write_text(
        '{"id": "1", "text": "Nice flat. I put a chair against the door at night."}\n{"id": "2", "text": ""}\n'
    )
    book = ROOT / codebook
    if codebook == "plain":
        book = tmp_path / "codebook.json"
        book.write_text(json.dumps([{"code": "safe", "name": "Feeling safe", "definition": "Fear at home, doors, locks."},
                                    {"code": "pets", "name": "Pets", "examples": ["my dog"]}]))  # fmt: skip

    shown = heard("suggest", "--codebook", book, "--in", source, "--out", out, folder=tmp_path)
    listed = heard("suggest", "--codebook", book, "--in", source, "--out", every, "--all", folder=tmp_path)

    assert (shown.returncode, listed.returncode) == (0, 0), shown.stderr + listed.stderr
    first = lines(every)[0]["suggestions"]
    assert len(first) == (20 if codebook != "plain" else 2)
    assert [s["probability"] for s in first] == sorted((s["probability"] for s in first), reverse=True)
    assert first[0]["code"] in ("CL1", "safe")
    text = "Nice flat. I put a chair against the door at night."
    assert text[first[0]["start"] : first[0]["end"]] == "I put a chair against the door at night."
    assert lines(out)[0]["suggestions"] == [s for s in first if s["probability"] >= 0.2]


def test_bench_deid_prints_json_on_stdout(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    row = {
        "id": "1",
        "text": "Ask Kirsty.",
        "voice": "child",
        "spans": [{"start": 4, "end": 10, "label": "PERSON", "origin": "irish"}],
    }
    gold.write_text(json.dumps(row) + "\n", "utf-8")

    done = heard("bench", "deid", gold, "--json", folder=tmp_path)

    rows = {(r["measure"], r["group"]): (r["value"], r["n"]) for r in json.loads(done.stdout)["rows"]}
    assert rows["recall PERSON", "all"] == (1.0, 1)
    assert rows["recall PERSON", "origin: irish"] == (1.0, 1)
    assert rows["recall PERSON", "voice: child"] == (1.0, 1)


def test_bench_themes_prints_json_on_stdout(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    codes = [
        {"code": "food", "name": "Food", "definition": "Meals and eating."},
        {"code": "sport", "name": "Sport", "definition": "Games and running."},
    ]
    (tmp_path / "set" / "codebook.json").write_text(json.dumps(codes), "utf-8")
    texts = [
        {"id": str(i), "text": t, "codes": [c]}
        for i, (t, c) in enumerate([("we ate soup", "food"), ("I like football", "sport")] * 6)
    ]
    (tmp_path / "set" / "texts.jsonl").write_text("\n".join(map(json.dumps, texts)), "utf-8")

    done = heard("bench", "themes", tmp_path / "set", "--json", folder=tmp_path)

    assert "NaN" not in done.stdout
    scores = json.loads(done.stdout)["scores"]["all"]
    assert (scores["n"], scores["macro_ap"], scores["recall_at_3"]) == (12, 1.0, 1.0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["deidentify"], 2), (["suggest", "--in", "x"], 2), (["nonsense"], 2), (["review", "x"], 2), (["intake", "none", "x.csv"], 1),
     (["deidentify", "--in", "none.jsonl", "--out", "o"], 1), (["serve", "none"], 1), (["init", "s", "--codebook", "none"], 1)],
)  # fmt: skip
def test_wrong_use_is_exit_2_and_failure_exit_1_with_one_plain_line(
    tmp_path: Path, arguments: list[str], code: int
) -> None:
    done = heard(*arguments, folder=tmp_path)

    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    if code == 1:
        assert done.stderr.startswith("heard: ")
        assert done.stderr.count("\n") == 1


def _commands(group: Any, name: str = "") -> Iterator[str]:
    for part, held in group.commands.items():
        full = f"{name} {part}".strip()
        yield from _commands(held, full) if hasattr(held, "commands") else (full,)


@pytest.mark.parametrize("command", list(_commands(typer.main.get_command(app))))
def test_every_command_has_an_example_in_its_help(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    done = CliRunner().invoke(app, [*command.split(), "--help"], prog_name="heard")

    assert done.exit_code == 0
    assert f"Example: heard {command}" in done.stdout


def test_a_study_from_the_terminal_from_init_to_report(tmp_path: Path) -> None:
    study = tmp_path / "study"
    export = ROOT / "corpora_sample" / "rochdale-family-hub" / "family-hub-panel.csv"
    steps = [
        heard("init", study, "--codebook", "rochdale-family-hub", folder=tmp_path),
        heard("passport", "set", study, ROOT / "corpora_sample" / "passport.toml", folder=tmp_path),
        heard("intake", study, export, "--json", folder=tmp_path),
        heard("deidentify", study, folder=tmp_path),
        heard("suggest", study, "--json", folder=tmp_path),
        heard("deid-check", study, "--checker", "Sam", "--accept-risk", "The people are fictional.", folder=tmp_path),
        heard("review", study, "--coder", "Sam", "--round", "counting", folder=tmp_path, typed="FH8:need, IU2\nu\nFH8\n\nzzz\ns\nc\nq\n"),
        heard("review", study, "--coder", "Sam", folder=tmp_path, typed="1\nq\n"),
        heard("report", study, "--out", tmp_path / "report.html", folder=tmp_path),
    ]  # fmt: skip

    assert [s.returncode for s in steps] == [0] * len(steps), [s.stderr for s in steps if s.returncode]
    assert json.loads(steps[2].stdout)["voices"] == 150
    assert "“zzz” is no code" in steps[6].stderr
    assert "Suggested:" in steps[6].stderr
    html = (tmp_path / "report.html").read_text("utf-8")
    assert "read at least" in html
    assert "<script" not in html


def test_a_wrong_key_stops_with_one_line_and_changes_nothing(tmp_path: Path) -> None:
    heard("init", tmp_path / "one", "--codebook", "rochdale-family-hub", folder=tmp_path)
    heard("init", tmp_path / "two", "--codebook", "rochdale-family-hub", folder=tmp_path)
    heard("passport", "set", tmp_path / "one", ROOT / "corpora_sample" / "passport.toml", folder=tmp_path)
    keys = sorted((tmp_path / "keys").iterdir())
    contents = [k.read_bytes() for k in keys]
    keys[0].write_bytes(contents[1])
    keys[1].write_bytes(contents[0])
    file = tmp_path / "x.csv"
    file.write_text("text\nhello there\n")

    done = heard("intake", tmp_path / "one", file, folder=tmp_path)

    assert done.returncode == 1
    assert "wrong key" in done.stderr
    assert b"hello" not in b"".join(p.read_bytes() for p in (tmp_path / "one").iterdir())


def test_settings_refuse_an_address_that_others_can_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARD_HOST", "0.0.0.0")  # noqa: S104 - the address under test

    done = heard("init", tmp_path / "s", "--codebook", "rochdale-family-hub", folder=tmp_path)

    assert done.returncode == 1
    assert "HEARD_HOST must be 127.0.0.1 or localhost, unless HEARD_TLS_CERT" in done.stderr
