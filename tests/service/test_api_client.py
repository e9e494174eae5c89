"""The client against a real server, and the examples of docs/api.md, run as they stand there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from heard_client import Heard, HeardError, Text, Voice, verified
from heard_client.client import MOST_CHARACTERS, _parts
from service import wiring, worker
from service.app import build_app
from service.usecases.webhooks import signature
from tests.conftest import ROOT, Made
from tests.service.calling import MANAGER, READER, key_of
from tests.service.serving import give_accounts, port_of, serving

DOC = (ROOT / "docs" / "api.md").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Served:
    """A server with a worker over a small study, and a key to it."""

    url: str
    key: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ, "HEARD_URL": self.url, "HEARD_KEY": self.key, "HEARD_STUDY": "study", "PYTHONPATH": str(ROOT),
        }  # fmt: skip


@pytest.fixture
def served(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("HEARD_KEY_FOLDER", str(tmp_path / "keys"))
    wiring.settings.cache_clear()
    give_accounts(tmp_path)
    stop = threading.Event()
    working = threading.Thread(target=worker.work, args=(tmp_path, stop))
    working.start()
    with serving(tmp_path) as server:
        key = key_of(tmp_path, MANAGER, ["intake", "read", "texts", "findings"])
        yield Served(f"http://127.0.0.1:{port_of(server)}", key, tmp_path)
    stop.set()
    working.join(30)
    wiring.settings.cache_clear()


def test_the_client_takes_voices_from_record_to_suggestion(served: Served) -> None:
    with Heard(served.url, served.key) as heard:
        came = heard.add_voices("study", [Voice("1", "I put a chair against the door.", voice="young_person")])
        assert came.job is not None
        done = heard.wait("study", came.job)
        (line,) = heard.voices("study")
        (segment,) = heard.suggestions("study")
        watched = list(heard.watch("study", came.job))
        text = heard.clean_text("study", line.id).text
        again = heard.add_voices("study", [Voice("1", "I put a chair against the door.", voice="young_person")])
        (study,) = heard.studies()

    assert (came.voices, done.state, watched[-1].state, study.name) == (1, "done", "done", "study")
    assert text[segment.start : segment.end] == text
    assert segment.suggestions[0].code in line.suggested
    assert (again.voices, again.known) == (0, 1)


def test_the_client_gives_what_was_found_with_its_interval_and_its_warnings(demo_folder: Path, tmp_path: Path) -> None:
    studies = Path(shutil.copytree(demo_folder, tmp_path / "studies"))
    key = key_of(studies, READER, ["findings"])
    with serving(studies) as server, Heard(f"http://127.0.0.1:{port_of(server)}", key) as heard:
        shares = heard.estimates("north-yorkshire-care-leavers")
        links = heard.links("north-yorkshire-care-leavers")
        quotes = heard.releases("north-yorkshire-care-leavers")

    (safe,) = [row for row in links if row.indicator.count == 185]
    assert safe.estimate is not None
    assert safe.estimate.low < safe.estimate.share < safe.estimate.high
    assert (safe.proposed, safe.judged, safe.link.code) == ("divergence", None, "CL1")
    assert all((s.estimate is None) == bool(s.refusal) for s in shares)
    assert {q.code for q in quotes} == {"CL1"}


def test_the_client_takes_any_number_of_texts_in_parts_and_keeps_their_order(served: Served) -> None:
    with Heard(served.url, served.key) as heard:
        found = heard.deidentify([Text(f"number {i}", id=str(i)) for i in range(230)])
        (read,) = heard.suggest("north-yorkshire-care-leavers", ["I put a chair against the door."])

    assert [t.id for t in found] == [str(i) for i in range(230)]
    assert read.segments[0].suggestions[0].label


def test_parts_keep_within_what_the_service_takes_at_once() -> None:
    texts = [{"text": "x" * 50_000}] * 9 + [{"text": ""}] * 150

    parts = list(_parts(texts))

    assert sum(map(len, parts)) == 159
    assert max(sum(len(t["text"]) for t in part) for part in parts) <= MOST_CHARACTERS
    assert max(map(len, parts)) == 100


def test_a_refusal_is_an_error_that_names_rows(served: Served) -> None:
    with Heard(served.url, served.key) as heard:
        with pytest.raises(HeardError) as refused:
            heard.add_voices("study", [Voice("1", "fine"), Voice("2", "qzx", period="soon")])
        with pytest.raises(HeardError) as missing:
            heard.job("study", 99)

    assert (refused.value.status, missing.value.status) == (422, 404)
    assert (refused.value.errors[0].pointer, refused.value.errors[0].row) == ("period", 2)
    assert "qzx" not in str(refused.value)


def test_a_service_that_is_not_there_is_told_as_such() -> None:
    with Heard("http://127.0.0.1:9", "heard_x", tries=1) as heard, pytest.raises(HeardError, match="cannot be reached"):
        heard.studies()


def test_a_true_delivery_is_told_from_a_false_and_an_old_one() -> None:
    now = str(int(time.time()))
    headers = {
        "heard-delivery": "s-1",
        "Heard-Timestamp": now,
        "Heard-Signature": f"v1={signature('s', 's-1', now, b'{}')}",
    }

    assert verified("s", headers, b"{}")
    assert not verified("other", headers, b"{}")
    assert not verified("s", headers, b"{} ")
    assert not verified("s", headers, b"{}", now=time.time() + 900)
    assert not verified("s", {}, b"{}")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", DOC, re.DOTALL)
    assert len(found) >= 2
    return found


def test_the_examples_in_python_and_curl_run_as_they_stand(served: Served, tmp_path: Path) -> None:
    runs = [["bash", "-euo", "pipefail", "-c", block] for block in blocks("bash")]
    runs += [[sys.executable, "-c", block] for block in blocks("python")]
    if shutil.which("Rscript") and subprocess.run(["Rscript", "-e", "library(httr2)"], check=False).returncode == 0:
        runs += [["Rscript", "-e", block] for block in blocks("r")]

    told = [
        subprocess.run(run, env=served.environment, cwd=tmp_path, capture_output=True, text=True, check=False)
        for run in runs
    ]

    assert [t.stderr for t in told if t.returncode] == []
    printed = "".join(t.stdout for t in told)
    assert "Kayleigh" not in printed
    assert "done" in printed
    assert "422" in printed


def test_the_addresses_in_the_examples_in_r_are_addresses_of_the_api(tmp_path: Path) -> None:
    known = [re.sub(r"{\w+}", "[^/]+", p) for p in build_app(tmp_path).openapi()["paths"]]
    asked = set(re.findall(r'"(/v1/[a-z]+)"', "".join(blocks("r"))))
    parts = set(re.findall(r'study, "(/[a-z]+)', "".join(blocks("r"))))

    assert asked == {"/v1/deidentify", "/v1/suggest"}
    assert parts == {"/files", "/jobs"}
    for path in (*asked, *(f"/v1/studies/x{p}" for p in parts)):
        assert any(re.fullmatch(pattern, path) for pattern in known), path
