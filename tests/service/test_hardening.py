"""What every process does first, what a log may hold, and which comparisons and settings are never let through."""

from __future__ import annotations

import ast
import json
import logging
import os
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from service.hardening import FIELDS, Lines, Record, frames, told
from service.settings import Settings
from tests.conftest import ROOT

SECRET = "qzxmarmalade"
_START = "import sys; from service.cli.main import main; sys.argv = ['heard', '--help']\n"
_ENDED = "try:\n    main()\nexcept SystemExit:\n    pass\n"


def in_a_process(code: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=given, capture_output=True, text=True, check=False
    )


def test_every_command_writes_for_its_owner_alone_and_leaves_no_core(tmp_path: Path) -> None:
    look = (
        "import ctypes, json, pathlib, resource\n"
        "pathlib.Path('made').write_text(''); pathlib.Path('folder').mkdir()\n"
        "print(json.dumps([resource.getrlimit(resource.RLIMIT_CORE), ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)]))\n"
    )
    run = in_a_process(_START + _ENDED + look, tmp_path)

    assert run.returncode == 0, run.stderr
    cores, dumpable = json.loads(run.stdout.splitlines()[-1])
    assert cores == [0, 0]
    if sys.platform == "linux":
        assert dumpable == 0
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("made", "folder")]
    assert modes == [0o600, 0o700]


@pytest.mark.parametrize(
    "broken",
    [
        f"def f():\n    words = '{SECRET}'\n    raise KeyError(words)\nf()\n",
        f"import threading\ndef f():\n    raise ValueError('{SECRET}')\nt = threading.Thread(target=f); t.start(); t.join()\n",
        f"class A:\n    def __del__(self):\n        raise ValueError('{SECRET}')\na = A(); del a\n",
        f"import logging; logging.getLogger('other').warning('{SECRET} %s', '{SECRET}')\n",
        (
            f"import logging; l = logging.getLogger('own'); l.propagate = False; l.addHandler(logging.StreamHandler())\n"
            f"try:\n    int('{SECRET}')\nexcept ValueError as e:\n    l.exception('{SECRET} %s', e, extra={{'error': '{SECRET}'}})\n"
            "logging.getLogger('heard').warning('after')\n"
        ),
        f"import logging; logging.getLogger('other').warning('x', extra={{'error': '{SECRET}'}})\n",
        f"import warnings; warnings.warn('{SECRET}')\n",
        f"import logging; logging.getLogger('heard').warning('event %s', '{SECRET}', extra={{'text': '{SECRET}'}})\n",
    ],
    ids=[
        "a command",
        "a thread",
        "a finaliser",
        "a library",
        "a library's own handler",
        "a library's fields",
        "a warning",
        "ourselves",
    ],
)
def test_no_error_and_no_message_brings_words_to_a_log(tmp_path: Path, broken: str) -> None:
    run = in_a_process("from service.hardening import harden\nharden()\n" + broken, tmp_path)

    lines = [json.loads(line) for line in run.stderr.splitlines() if line]
    assert len(lines) == 1
    assert set(lines[0]) <= {"at", "level", "from", "place", "event", *FIELDS}
    assert SECRET not in run.stdout + run.stderr


def test_an_error_is_told_by_its_type_and_places_and_the_systems_own_words() -> None:
    def opened() -> None:
        Path(f"/nothing/{SECRET}").read_bytes()

    with pytest.raises(OSError, match=SECRET) as caught:
        opened()

    kept = told(caught.value)
    assert (kept["error"], kept["system"]) == ("FileNotFoundError", "No such file or directory")
    assert any(place.endswith(" opened") for place in frames(caught.value.__traceback__))
    assert SECRET not in json.dumps(kept)


@pytest.mark.parametrize("value", [f"{SECRET} said\n", {"a": SECRET}, [f"“{SECRET}”"], "é" * 3, "x" * 121])
def test_a_field_of_the_list_with_anything_but_a_plain_name_is_left_out(value: object) -> None:
    record = Record("heard", logging.ERROR, "app.py", 1, "incident", (), None)
    record.incident = value

    line = json.loads(Lines().format(record))

    assert "incident" not in line
    assert line["event"] == "incident"


def test_the_server_brings_no_log_of_its_own() -> None:
    source = (ROOT / "service" / "cli" / "server.py").read_text("utf-8")
    assert "log_config=None" in source
    assert "access_log=False" in source


def test_our_own_log_calls_have_constant_words() -> None:
    calls = [
        (file.name, call.lineno)
        for file in (ROOT / "service").rglob("*.py")
        for call in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "log"
        and not (len(call.args) == 1 and isinstance(call.args[0], ast.Constant))
    ]
    assert calls == []


_SECRETS = ("secret", "password", "signature", "token", "mac", "api_key", "session")


def _named(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_no_secret_is_compared_in_a_time_that_tells_of_it() -> None:
    found = set()
    for folder in ("service", "heard_client"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                    names = {_named(side).lower() for side in (node.left, *node.comparators)}
                    found |= {(file.name, name) for name in names if name in _SECRETS}
    assert found == set()


def test_no_settings_file_is_read_so_that_no_secret_can_lie_in_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".env", "heard.env", "secrets"):
        (tmp_path / name).write_text(f"HEARD_KEY={SECRET}\nHEARD_PORT=9\n")

    settings = Settings()

    assert (settings.key, settings.port) == (None, 8000)
    assert SECRET not in repr(Settings(key=SECRET))  # type: ignore[arg-type]


def test_every_finding_of_bandit_that_is_passed_over_has_its_reason() -> None:
    held = (ROOT / "pyproject.toml").read_text("utf-8")
    skipped = tomllib.loads(held)["tool"]["bandit"]["skips"]
    lines = held.splitlines()
    assert skipped
    for rule in skipped:
        (line,) = [one for one in lines if f'"{rule}"' in one]
        assert "#" in line, rule
    for file in (*(ROOT / "service").rglob("*.py"), *(ROOT / "nlp").rglob("*.py")):
        for line in file.read_text("utf-8").splitlines():
            if "# nosec" in line:
                rule, _, why = line.partition("# nosec ")[2].partition(" # ")
                assert rule.startswith("B"), line
                assert why, line


def test_the_check_command_runs_bandit_and_it_finds_nothing() -> None:
    make = (ROOT / "Makefile").read_text("utf-8")
    assert "/bandit " in make.partition("\ncheck:")[2].partition("\n\n")[0]

    run = subprocess.run(
        [sys.executable, "-m", "bandit", "--quiet", "-c", "pyproject.toml", "-r", "nlp", "service", "heard_client"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("outcome", ["clean", "weak", "unreachable"])
def test_the_audit_tells_a_weakness_from_a_database_that_cannot_be_asked(tmp_path: Path, outcome: str) -> None:
    weak = {"name": "some-library", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}
    found = {"dependencies": [weak] if outcome == "weak" else []}
    stand_in = tmp_path / "bin" / "pip-audit"
    stand_in.parent.mkdir()
    write = "" if outcome == "unreachable" else f"echo '{json.dumps(found)}' > \"${{@: -1}}\"\n"
    stand_in.write_text(f"#!/usr/bin/env bash\n{write}exit {0 if outcome == 'clean' else 1}\n")
    stand_in.chmod(0o700)
    given = {**os.environ, "AUDIT": str(tmp_path), "BIN": str(Path(sys.executable).parent)}
    run = subprocess.run([ROOT / ".ci" / "audit"], env=given, capture_output=True, text=True, check=False)

    said, code = {"clean": ("No library", 0), "weak": ("some-library 1.0 PYSEC-1 mended in 1.1", 1),
                  "unreachable": ("could not be asked", 0)}[outcome]  # fmt: skip
    assert (said in run.stdout, run.returncode) == (True, code), run.stdout + run.stderr
