"""The bench of disclosure control: releases attacked all together, printed for anyone to repeat."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from service.cli.main import app


def test_the_bench_attacks_releases_and_recovers_nothing() -> None:
    done = CliRunner().invoke(app, ["bench", "disclosure", "--trials", "2", "--top", "4", "--json"])
    rows = json.loads(done.stdout)
    assert set(rows) == {"dfe", "la5", "tre10"}
    assert all(row["recovered"] == 0 and row["tables"] == 6 for row in rows.values())
    assert sum(row["small"] for row in rows.values()) > 0
