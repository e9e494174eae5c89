"""The API keeps to its own description, whoever asks: the short form of `make bench-api`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.api_contract import app_over, check, key_of
from service import wiring
from service.api import jobs
from tests.conftest import Made
from tests.service.serving import give_accounts


def test_nothing_breaks_differs_from_the_description_or_repeats_what_was_sent(
    loaded: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    monkeypatch.setattr(jobs, "LONGEST", 0.2)
    wiring.settings.cache_clear()
    give_accounts(tmp_path)
    app = app_over(tmp_path)

    asked = [
        check(app, key_of(tmp_path, name), examples=3, seconds=60, number=number)
        for number, name in enumerate(("Lead (demo)", "Data manager (demo)", "Reader (demo)"))
    ]

    wiring.settings.cache_clear()
    assert [fault for caller in asked for fault in caller.wrong] == []
    statuses = {line.rpartition(" ")[2] for caller in asked for line in caller.seen}
    assert statuses >= {"200", "403", "404", "422"}
    assert len({line.rpartition(" ")[0] for caller in asked for line in caller.seen}) >= 30
