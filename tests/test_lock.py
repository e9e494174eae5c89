"""What a deployment installs is named with its hashes, and is what the tests ran with."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = re.compile(r"^([A-Za-z0-9._-]+)==([^\s\\]+)(.*?)(?=^[A-Za-z0-9]|\Z)", re.M | re.S)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


LOCK = {
    plain(name): (pin, rest.count("--hash=sha256:"))
    for name, pin, rest in PINS.findall((ROOT / "requirements.lock").read_text())
}


def test_every_library_in_the_lock_has_hashes_and_the_pin_of_the_tests() -> None:
    pins = {plain(name): pin for name, pin, _ in PINS.findall((ROOT / "constraints.txt").read_text())}
    assert [name for name, (_, hashes) in LOCK.items() if not hashes] == []
    assert {name: pin for name, (pin, _) in LOCK.items()} == {name: pins[name] for name in LOCK}


def test_every_library_that_the_project_asks_for_is_in_the_lock_at_the_version_that_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["scale"]]
    names = [plain(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in asked]  # type: ignore[index]
    assert {name: LOCK[name][0] for name in names} == {name: version(name) for name in names}


def test_nothing_is_fetched_from_an_address_of_its_own() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()
