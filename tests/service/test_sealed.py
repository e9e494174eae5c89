"""What a coder is still to read blind or alone cannot be learnt from any address.

The proof is by two worlds that differ in nothing but what is sealed: other codes, stances and evidence in the
suggestions and in another coder's decisions on sealed items, other words in that coder's memos. Whatever tells of a sealed item
must answer the same in both.
"""

from __future__ import annotations

import inspect
import itertools
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from service.access.demo_accounts import add_demo_accounts
from service.study.codebooks import newest_codebook
from service.study.database import open_database, write
from service.study.decisions import codings, draws, rounds
from service.study.plans import Plan, add_end, add_plan
from service.study.sealed import all_without_others, all_without_suggestions, without_others, without_suggestions
from service.study.search import VoiceFilter
from service.study.study import STUDY_FILE
from service.study.suggestions import newest_reading
from service.study.voices import segments
from service.usecases.memos import add_memo
from service.usecases.queue import Item, next_item
from service.usecases.reading import excerpts, read_voice
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.usecases.search import search_voices
from tests.conftest import NOW, Made, sign_in_as

A, B = "Coder A (demo)", "Coder B (demo)"
NAME = "study"
CHANGES = (
    f"UPDATE decisions SET code = 'CL7', stance = 'need', start = start + 1 WHERE coder = '{B}' AND code <> ''",
    f"UPDATE memos SET words = 'quite other words' WHERE by = '{B}'",
)


@dataclass(frozen=True, slots=True)
class Worlds:
    """A study that A is still to read, and the same with other sealed contents; `sealed` are segments, `ids` all ids."""

    first: Path
    second: Path
    sealed: frozenset[str]
    texts: tuple[str, ...]
    ids: tuple[str, ...]


@pytest.fixture
def twice(loaded: Made) -> Made:
    """A counting round of five people and a review round of all texts; A and B read both alone, and B has begun."""
    counting = draw_counting_round(loaded.study, people=5, seed=1, now=NOW, actor="t")
    review = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    for round_ in (counting, review):
        both = {d.position: (A, B) for d in draws(loaded.study.db, round_.id)}
        with write(loaded.study.db) as connection:
            add_plan(connection, round_.id, Plan((A, B), 1.0), both, by="t", at=NOW)
    for round_ in (counting, review):
        for _ in range(8):
            item = next_item(loaded.study, round_, B)
            if item is not None:
                decide(loaded.study, item, coder=B, choices=[_whole(item)], seconds=1, now=NOW)
    return loaded


def _whole(item: Item) -> Choice:
    return Choice("CL5", "worry", item.segment.start, item.segment.end)


@pytest.fixture
def worlds(twice: Made, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    study = twice.study
    sealed = all_without_others(study.db, A)
    held = segments(study.db)
    one = next(s for s in held if s.id in sealed)
    add_memo(study, object="segment", subject=one.id, kind="note", words="a memo of B", by=B, now=NOW)
    add_demo_accounts(tmp_path, now=NOW)
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    study.db.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for folder in (first, second):
        shutil.copytree(tmp_path / NAME, folder / NAME)
        shutil.copy(tmp_path / "people.db", folder)
    _change(second / NAME / STUDY_FILE)
    few = [s for s in held if s.id in all_without_suggestions(study.db, A)][:3] + [s for s in held if s.id in sealed][
        :3
    ]
    codes = ["CL5", "CL7", "CL8", "CL9", *{row[0] for row in study.db.conn.execute("SELECT code FROM suggestions")}]
    ids = [*(s.id for s in few), *(s.voice for s in few), *codes, *(r.id for r in rounds(study.db)), "1", "2", study.id]
    return Worlds(
        first,
        second,
        frozenset(sealed),
        tuple(s.text.strip() for s in held if s.id in sealed),
        tuple(dict.fromkeys(ids)),
    )


def _change(file: Path) -> None:
    db = open_database(file)
    for table in ("suggestions", "decisions"):
        db.conn.execute(f"DROP TRIGGER {table}_no_update")
    for change in CHANGES:
        assert db.conn.execute(change).rowcount > 0
    sealed = sorted(all_without_suggestions(db, A))
    codes = [code.id for code in newest_codebook(db).active_codes]
    rows = db.conn.execute(f"SELECT id, code FROM suggestions WHERE segment IN ({','.join('?' * len(sealed))})", sealed)
    other = [(codes[codes.index(row["code"]) - 1], row["id"]) for row in rows.fetchall()]
    assert other
    db.conn.executemany("UPDATE suggestions SET code = 'other' || id WHERE id = ?", [(number,) for _, number in other])
    db.conn.executemany(
        "UPDATE suggestions SET code = ?, start = start + 1, quote = substr(quote, 2), nearest = 'else' WHERE id = ?",
        other,
    )
    db.conn.commit()
    db.close()


def _routes(client: TestClient, method: str) -> list[APIRoute]:
    """Every page and address of the app with this method, whichever router it came by."""
    held = client.app.routes  # type: ignore[attr-defined]
    routers = [route.original_router.routes for route in held if hasattr(route, "original_router")]
    found = [r for r in itertools.chain(held, *routers) if isinstance(r, APIRoute) and method in r.methods]
    assert len({r.path for r in found}) >= {"GET": 20, "POST": 5}[method]
    return found


def _asks(client: TestClient, ids: tuple[str, ...]) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Every request that the app answers: with every id of the study in its path, in each query and in each form."""
    for route in _routes(client, "GET"):
        if "Streaming" in str(inspect.signature(route.endpoint).return_annotation):
            continue  # an open stream tells the kinds of change alone; it is tried by itself
        addresses = list(_addresses(route, ids))
        names = {q.alias for q in route.dependant.query_params}
        names |= {f.name for f in fields(VoiceFilter)} if route.path.endswith("/voices") else set()
        yield from (("GET", address, {}) for address in addresses)
        yield from (("GET", f"{addresses[0]}?{name}={v}", {}) for name in sorted(names) for v in (*ids, "1"))
    for route in _routes(client, "POST"):
        if route.path.startswith("/studies/"):
            names = {b.alias for b in route.dependant.body_params}
            yield from (
                ("POST", address, dict.fromkeys(names, v)) for address in _addresses(route, ids) for v in ids[:4]
            )


def _addresses(route: APIRoute, ids: tuple[str, ...]) -> Iterator[str]:
    path = route.path.replace("{name}", NAME)
    blanks = re.findall(r"{(\w+)(?::\w+)?}", path)
    for values in itertools.product(ids, repeat=len(blanks)):
        address = path
        for blank, value in zip(blanks, values, strict=True):
            address = re.sub(rf"{{{blank}(:\w+)?}}", value, address)
        yield address


def _told_apart(worlds: Worlds, person: str) -> dict[str, str]:
    """Addresses that tell of a sealed item and do not answer this person the same in both worlds."""
    with sign_in_as(worlds.first, person) as one, sign_in_as(worlds.second, person) as other:
        found = {}
        for method, address, form in _asks(one, worlds.ids):
            answers = [c.request(method, address, data=form or None, follow_redirects=False) for c in (one, other)]
            first, second = ((a.status_code, a.headers.get("Location"), a.text) for a in answers)
            if first != second and _tells(worlds, "".join(map(str, first + second))):
                found[f"{method} {address}"] = answers[0].text
        return found


def _tells(worlds: Worlds, page: str) -> bool:
    voices = {s.rpartition(".")[0] for s in worlds.sealed}
    return any(word in page for word in (*worlds.sealed, *voices, *worlds.texts))


def test_no_address_tells_a_coder_what_the_machine_or_another_coder_said_of_what_they_are_still_to_read(
    worlds: Worlds,
) -> None:
    assert sorted(_told_apart(worlds, A)) == []


def test_the_same_addresses_do_tell_the_one_who_has_decided(worlds: Worlds) -> None:
    told = _told_apart(worlds, B)

    assert {re.sub(r"v-\w+$", "ID", address) for address in told} >= {
        f"GET /studies/{NAME}/voices/ID", f"GET /v1/studies/{NAME}/voices/ID", f"GET /studies/{NAME}/voices",
        f"GET /v1/studies/{NAME}/voices",
    }  # fmt: skip


def test_what_is_kept_back_is_said_to_be_kept_back(worlds: Worlds) -> None:
    with sign_in_as(worlds.first, A) as client:
        pages = [client.get(f"/studies/{NAME}/voices/{s.rpartition('.')[0]}").text for s in sorted(worlds.sealed)]
        listed = client.get(f"/studies/{NAME}/voices").text

    assert any("kept back until then" in page for page in pages)
    assert any("until each coder has read it alone" in page for page in pages)
    assert not any("before seeing any suggestion" in page for page in pages)
    assert "once you have read it without" in listed
    assert any(s.rpartition(".")[0] in listed for s in worlds.sealed)


def test_a_voice_cannot_be_found_by_a_suggestion_that_is_kept_back(twice: Made) -> None:
    sealed = all_without_suggestions(twice.study.db, A)
    hidden = {s.voice for s in segments(twice.study.db) if s.id in sealed}
    codes = [row[0] for row in twice.study.db.conn.execute("SELECT DISTINCT code FROM suggestions")]

    for code in codes:
        mine, theirs = (search_voices(twice.study, p, VoiceFilter(suggested=code), page=1) for p in (A, B))
        assert not hidden & {line.id for line in mine.lines}
        assert mine.total <= theirs.total
    listed = search_voices(twice.study, A, VoiceFilter(), page=1).lines
    assert any(line.waits and not line.suggested for line in listed)


def test_anothers_coding_is_no_excerpt_until_both_have_read_and_ones_own_is(twice: Made) -> None:
    twice.study.db.conn.execute("UPDATE voices SET consent = 'analysis_and_quotes'")

    assert excerpts(twice.study, "CL5", "", person=A) == []
    assert len(excerpts(twice.study, "CL5", "", person=B)) == 3


def test_all_is_open_once_both_have_read_or_the_round_has_ended(twice: Made) -> None:
    counting, review = rounds(twice.study.db)
    item = next_item(twice.study, counting, A)
    assert item is not None
    before = read_voice(twice.study, item.voice.id, person=A).segments[0]
    decide(twice.study, item, coder=A, choices=[], seconds=1, now=NOW)
    own = next_item(twice.study, review, A)
    while own is not None and own.segment.id != item.segment.id:
        decide(twice.study, own, coder=A, choices=[], seconds=1, now=NOW)
        own = next_item(twice.study, review, A)
    with write(twice.study.db) as connection:
        add_end(connection, review.id, by="t", at=NOW)
    after = read_voice(twice.study, item.voice.id, person=A).segments[0]

    assert (before.blind, before.alone, before.suggestions, before.codings) == (True, True, (), ())
    assert (after.blind, after.alone) == (False, False)
    assert {c.coder for c in after.codings} == {B}


def test_a_suggestion_does_not_name_the_segment_that_another_coder_gave_its_code_to(twice: Made) -> None:
    sealed = all_without_others(twice.study.db, A)
    taught = sorted({c.segment for c in codings(twice.study.db)} & sealed)[0]
    db = twice.study.db
    suggested = {row[0] for row in db.conn.execute("SELECT segment FROM suggestions")}
    open_segment = next(s for s in segments(db) if s.id in suggested - all_without_suggestions(db, A))
    db.conn.execute("DROP TRIGGER suggestions_no_update")
    db.conn.execute(
        "UPDATE suggestions SET nearest = '', nearest_segment = ? WHERE segment = ?", [taught, open_segment.id]
    )

    seen = {p: read_voice(twice.study, open_segment.voice, person=p).segments[0].suggestions for p in (A, B)}

    assert {s.nearest_segment for s in seen[A]} == {""}
    assert {s.nearest_segment for s in seen[B]} == {taught}


def test_one_list_of_all_that_is_sealed_says_the_same_as_asking_for_each(twice: Made) -> None:
    db, everything = twice.study.db, [s.id for s in segments(twice.study.db)]

    for person in (A, B, "Lead (demo)"):
        assert all_without_suggestions(db, person) == without_suggestions(db, person, everything)
        assert all_without_others(db, person) == without_others(db, person, everything)
    assert all_without_others(db, A)
    assert newest_reading(db)
