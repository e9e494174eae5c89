"""The API against its own description, signed in as each role: `python bench/api_contract.py [SECONDS]` (600).

Schemathesis makes requests that fit the description, and ones that do not, over a small study; nothing may break (5xx),
differ from what the description says, or repeat in a refusal what was sent.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, Verbosity, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS

from service import wiring
from service.access.demo_accounts import ACCOUNTS, add_demo_accounts
from service.access.keys import new_key
from service.access.people import people_in
from service.access.permissions import PERMISSIONS
from service.api import jobs
from service.api.limits import Rates
from service.app import build_app
from service.clock import now
from service.study.study import opened
from service.usecases import demo

NAME, SITE = "study", "north-yorkshire-care-leavers"
SHORTEST = 6  # shorter words are in any sentence
# What the description cannot say: a study's own state, the leave of a role, and what a codebook or a file holds.
NOT_CHECKED = ("positive_data_acceptance", "use_after_free", "ensure_resource_availability", "ignored_auth")


def build(folder: Path) -> FastAPI:
    """The app over one small study of fictional people."""
    os.environ["HEARD_KEY_FOLDER"] = str(folder / "keys")
    wiring.settings.cache_clear()
    study, key = wiring.make_study(
        folder / "studies" / NAME, title="A study", codebook=SITE, now=now(), fictional=True, settings=wiring.settings()
    )
    tools = demo.Tools(
        wiring.deidentifier(), wiring.encoder(), wiring.settings().codebooks, ROOT / "corpora_sample", clock=now
    )
    demo.build_site(study, key, wiring.codebook_named(SITE), tools, lambda _: None)
    study.db.close()
    add_demo_accounts(folder / "studies", now=now())
    return app_over(folder / "studies")


def app_over(studies: Path) -> FastAPI:
    """The app without limits of its own, and with streams that end soon."""
    jobs.LONGEST = 0.2
    app = build_app(studies)
    app.state.rates = Rates(10**9)
    return app


def key_of(studies: Path, name: str) -> str:
    """A key of somebody with every scope that their role may have."""
    with people_in(studies) as db:
        scopes = [action.value for action in PERMISSIONS[ACCOUNTS[name]]]
        return new_key(db, name, name="contract", scopes=scopes, days=1, now=now())[1]


class RepeatedError(AssertionError):
    """A refusal holds a word of what was sent."""


def strings(value: Any) -> Iterator[str]:
    """Every string in a JSON value, the names of its fields too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from (str(name), *strings(inner))
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings(inner)


def wrong_body(case: Any) -> bool:
    """Whether the body does not fit the description. (A key, and names of what is there, are put into every request.)"""
    parts = case.meta.components if case.meta else {}
    return any(where.name == "BODY" and part.mode is GenerationMode.NEGATIVE for where, part in parts.items())


def repeats_nothing(case: Any, response: Any, ours: str) -> None:
    """No refusal holds what was sent, unless those are words of our own, which Hypothesis likes to send."""
    if response.status_code < 300:
        return
    text = response.content.decode("utf-8", "replace")
    sent = [case.body, case.query, case.path_parameters]
    for word in strings([dict(s) if hasattr(s, "items") else s for s in sent]):
        if len(word) >= SHORTEST and word in text and word not in ours:
            raise RepeatedError(f"{word!r} of the request stands in {text[:400]}")


def requests(operation: Any, ids: dict[str, list[Any]]) -> st.SearchStrategy[Any]:
    """Requests to one address that fit its description and that do not, mostly about things that are there."""
    kinds = [operation.as_strategy(generation_mode=GenerationMode.POSITIVE)]
    if operation.body or operation.query or operation.path_parameters:
        kinds.append(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))

    @st.composite
    def about_what_is_there(draw: Any) -> Any:
        case = draw(st.one_of(kinds))
        for name in set(case.path_parameters or {}) & set(ids):
            if draw(st.integers(0, 9)):
                case.path_parameters[name] = draw(st.sampled_from(ids[name]))
        names_one = isinstance(case.body, dict) and "codebook" in case.body
        if names_one and not wrong_body(case) and draw(st.booleans()):
            case.body["codebook"] = SITE
        return case

    return about_what_is_there()


def ids_of(studies: Path) -> dict[str, list[Any]]:
    """Names of things that are in the study."""
    with opened(studies / NAME) as study:
        db = study.db.conn
        held = {
            "voice_id": "SELECT id FROM voices LIMIT 5", "round_id": "SELECT id FROM rounds LIMIT 5",
            "version": "SELECT version FROM codebooks", "indicator": "SELECT DISTINCT indicator FROM indicator_values LIMIT 3",
        }  # fmt: skip
        found = {name: [row[0] for row in db.execute(query)] for name, query in held.items()}
    return {name: values for name, values in {**found, "name": [NAME], "number": [1, 2, 3]}.items() if values}


@dataclass
class Caller:
    """The holder of a key, until when they ask, and what they were answered."""

    key: str
    end: float
    ours: str
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def ask(self, case: Any) -> None:
        """One request, and whether its answer is right."""
        if time.monotonic() > self.end:
            return
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {self.key}"}
        response = case.call()
        self.seen[f"{case.method} {case.path} {response.status_code}"] += 1
        left_out = NOT_CHECKED if wrong_body(case) else (*NOT_CHECKED, "negative_data_rejection")
        case.validate_response(response, excluded_checks=[CHECKS.get_one(name) for name in left_out])
        repeats_nothing(case, response, self.ours)

    def try_out(self, operation: Any, ids: dict[str, list[Any]], *, examples: int, number: int) -> None:
        """Many requests to one address."""
        configured = settings(
            max_examples=examples, deadline=None, database=None, verbosity=Verbosity.quiet,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate], report_multiple_bugs=False,
        )  # fmt: skip
        try:
            seed(number)(configured(given(case=requests(operation, ids))(self._one())))()
        except (Exception, BaseExceptionGroup) as broken:  # noqa: BLE001 - each fault is a line of the report
            parts = getattr(broken, "exceptions", [broken])
            self.wrong += [f"{operation.label}: {type(p).__name__}: {str(p)[:700]}" for p in parts]

    def _one(self) -> Callable[..., None]:
        def one(case: Any) -> None:
            self.ask(case)

        return one


def own_words(app: FastAPI) -> str:
    """The description, and the sources from which refusals take their words."""
    return json.dumps(app.openapi()) + "".join(f.read_text("utf-8") for f in sorted(ROOT.glob("service/**/*.py")))


def check(app: FastAPI, key: str, *, examples: int, seconds: float = 1e9, number: int = 0) -> Caller:
    """Every address, tried out by the holder of a key."""
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", app)
    schema.config.checks.negative_data_rejection.expected_statuses = ["4xx", "5xx"]  # 413 is one too
    caller, ids = Caller(key, time.monotonic() + seconds, own_words(app)), ids_of(app.state.studies)
    for result in schema.get_all_operations():
        caller.try_out(result.ok(), ids, examples=examples, number=number)
    return caller


def main() -> None:
    """Print, for each role, how many requests were made and what was wrong."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 600.0
    end, seen, wrong, number = time.monotonic() + seconds, Counter[str](), list[str](), 0
    with tempfile.TemporaryDirectory() as folder:
        app = build(Path(folder))
        keys = {name: key_of(Path(folder) / "studies", name) for name in ACCOUNTS}
        while time.monotonic() < end:
            for name, key in keys.items():
                if (left := end - time.monotonic()) <= 0:
                    break
                caller = check(app, key, examples=25, seconds=left, number=number)
                seen, wrong, number = seen + caller.seen, wrong + caller.wrong, number + 1
                print(f"{name}: {caller.seen.total()} requests, {len(caller.wrong)} faults", flush=True)
    for line in (*sorted(f"{count:6} {what}" for what, count in seen.items()), *sorted(set(wrong))):
        print(line)
    print(f"{seen.total()} requests, {len(set(wrong))} faults")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
