"""The bench of shares: a small part of it, printed as anyone would repeat it."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from service.cli.main import app


def test_the_bench_prints_coverage_bias_and_width_and_keeps_every_cell(tmp_path: Path) -> None:
    out = tmp_path / "cells.jsonl"
    asked = ["bench", "prevalence", "--only", "fifteen codes", "--only", "groups", "--runs", "40", "--out", str(out)]
    done = CliRunner().invoke(app, [*asked, "--json"])
    data = json.loads(done.stdout)
    methods = {line["method"]: line for line in data["methods"]}
    assert methods["texts default, 15 codes"]["cells"] == 15
    assert methods["texts, difference of groups"]["cells"] == 4
    assert all(line["mean"] > 0.9 for line in methods.values())
    assert any(wanted["what"].startswith("width, 15 codes") for wanted in data["wanted"])
    cells = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert len(cells) == 19
    assert all(mark["runs"] == 40 for cell in cells for mark in cell["marks"].values())


def test_the_bench_says_whether_what_is_wanted_is_reached() -> None:
    done = CliRunner().invoke(app, ["bench", "prevalence", "--only", "groups", "--runs", "20"])
    assert done.exit_code == 0
    assert "reached" in done.stdout
    assert "must reach" in done.stdout
