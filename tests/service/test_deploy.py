"""deploy/compose.yaml: what it starts works over TLS with a private authority, and nothing in it may do more than it must."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.batch.engines import engine
from tests.service.test_batch import coded, responses

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_may_do_more_than_it_must(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["user"] == "10001:10001"
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in one.get("ports", []))
    assert COMPOSE["networks"]["inside"]["internal"] is True


@pytest.fixture
def tls(tmp_path: Path) -> Path:
    subprocess.run([ROOT / "deploy/certificates.sh", tmp_path / "tls"], check=True)
    return tmp_path / "tls"


def test_the_keys_are_their_owners_alone_and_nobody_can_sign_further_ones(tls: Path) -> None:
    assert {file.name for file in tls.iterdir()} == {"ca.pem", "cert.pem", "key.pem"}
    assert {file.stat().st_mode & 0o777 for file in tls.iterdir()} == {0o600}


def environment(name: str, tls: Path) -> dict[str, str]:
    return {key: str(value).replace("/tls", str(tls)) for key, value in SERVICES[name]["environment"].items()}


@contextmanager
def running(name: str, port: int, tls: Path) -> Iterator[None]:
    """A service's own command, with this machine's paths and a free port."""
    words = [word.replace("tls://scheduler:8786", f"tls://127.0.0.1:{port}") for word in SERVICES[name]["command"]]
    words = [str(port) if word == "8786" else word for word in words]
    here = [str(Path(sys.executable).with_name("dask")), *words[1:]]
    with subprocess.Popen(here, env={**os.environ, **environment(name, tls)}, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def settings_of(name: str, tls: Path) -> dict[str, Any]:
    """A service's settings one by one: a whole branch of them would take the place of the defaults beside it."""
    from dask.config import interpret_value

    named = {key: value for key, value in environment(name, tls).items() if key.startswith("DASK_")}
    return {key.removeprefix("DASK_").lower().replace("__", "."): interpret_value(v) for key, v in named.items()}


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def test_a_batch_on_the_cluster_gives_the_same_bytes_as_this_process_over_tls(tls: Path, tmp_path: Path) -> None:
    import dask
    import distributed  # noqa: F401  its defaults, which another test may have read already

    source, port = responses(tmp_path), free_port()
    coded(source, tmp_path / "here.jsonl", window=3)
    with ExitStack() as cluster:
        for name in ("scheduler", "worker"):
            cluster.enter_context(running(name, port, tls))
        with dask.config.set(settings_of("batch", tls)):
            on_it = engine("dask", workers=1, scheduler=f"tls://127.0.0.1:{port}")
            coded(source, tmp_path / "there.jsonl", on_it, window=3)
    assert (tmp_path / "there.jsonl").read_bytes() == (tmp_path / "here.jsonl").read_bytes()
