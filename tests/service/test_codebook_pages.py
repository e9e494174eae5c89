"""The codebook's pages: read by all, changed by leads in a draft, published with what is read again; no work is lost."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from nlp.codebook import fingerprint
from nlp.types import Code
from service.study.codebooks import keep_codebook, newest_codebook
from service.study.database import write
from service.study.decisions import rounds
from service.study.publications import use_version
from service.study.study import Study, open_study
from service.usecases.codebook import begin, require_desk
from tests.conftest import NOW, sign_in_as
from tests.service.serving import give_accounts
from tests.service.test_codebook_drafts import CODE, coded, read_folder

__all__ = ["read_folder"]
PAGE = "/studies/study/codebook"
EDIT = PAGE + "/edit"


@pytest.fixture
def study(read_folder: Path, tmp_path: Path) -> Iterator[Study]:
    shutil.copytree(read_folder, tmp_path / "studies" / "study")
    give_accounts(tmp_path / "studies")
    study = open_study(tmp_path / "studies" / "study")
    yield study
    study.db.close()


@pytest.fixture
def lead(study: Study) -> Iterator[TestClient]:
    with sign_in_as(study.folder.parent, "Lead (demo)") as client:
        yield client


def act(client: TestClient, study: Study, name: str, code: str = CODE, **fields: object) -> Any:
    version = fields.pop("version", None) or require_desk(study).held.version
    return client.post(EDIT + "/act", data={"act": name, "code": code, "version": version, **fields})


def form_of(study: Study, code_id: str = CODE, **other: object) -> dict[str, object]:
    """What the browser sends of a code's form, with some fields typed anew."""
    code = newest_codebook(study.db).code(code_id)
    fields: dict[str, object] = {
        "code": code.id, "label": code.label, "young_label": code.young_label, "definition": code.definition,
        "include": "\n".join(code.include), "exclude": [e.text for e in code.exclude], "see": [e.see for e in code.exclude],
        "examples": "\n".join(code.examples), "misses": [m.text for m in code.near_misses],
        "belongs_to": [m.belongs_to for m in code.near_misses], "miss_why": [m.why for m in code.near_misses],
        "co_produced_by": "\n".join(code.co_produced_by),
    }  # fmt: skip
    return fields | other


def test_readers_see_each_code_with_its_rules_and_who_co_produced_it(study: Study) -> None:
    with sign_in_as(study.folder.parent, "Reader (demo)") as reader:
        page = unescape(reader.get(PAGE).text)

        assert all(c.label in page and c.definition in page for c in newest_codebook(study.db).active_codes)
        assert newest_codebook(study.db).code(CODE).co_produced_by[0] in page
        assert "Edit the codebook" not in page
        assert reader.get(EDIT).status_code == 403
        assert reader.post(EDIT + "/act", data={"act": "retire", "code": CODE}).status_code == 403


def test_young_peoples_wording_takes_the_place_of_the_teams(lead: TestClient, study: Study) -> None:
    page = unescape(lead.get(PAGE + "?words=young").text)

    assert all(c.young_label in page for c in newest_codebook(study.db).active_codes)
    assert newest_codebook(study.db).code(CODE).definition not in page


def test_codes_are_found_by_words_in_any_of_their_names_and_rules(lead: TestClient, study: Study) -> None:
    page = lead.get(PAGE, params={"find": newest_codebook(study.db).code(CODE).young_label.upper()}).text

    found = re.findall(r'<article class="code[^"]*" id="(\w+)"', page)
    assert CODE in found
    assert len(found) < len(newest_codebook(study.db).codes) / 2
    assert "No code fits" in lead.get(PAGE, params={"find": "<script>alert(1)</script>"}).text


def test_a_draft_is_begun_changed_and_shown_beside_what_the_linter_remarks(lead: TestClient, study: Study) -> None:
    assert "Begin a draft on version 0.1.0" in lead.get(EDIT).text

    lead.post(EDIT)
    lead.post(EDIT + "/act", data={"act": "add", "label": "Leaving a pet behind", "parent": "CL", "version": 1})
    page = lead.get(EDIT).text

    assert "Leaving a pet behind" in page
    assert "It has no definition: only its name is read." in page
    assert lead.get(EDIT).headers["ETag"] == '"2"'


def test_a_code_goes_up_and_down_among_its_neighbours(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    order = [c.id for c in newest_codebook(study.db).codes]

    act(lead, study, "up", "CL2")

    assert [c.id for c in require_desk(study).book.codes][:2] == [order[1], order[0]]
    assert act(lead, study, "up", "CL2").status_code == 422


def test_words_are_saved_only_with_a_word_on_the_meaning_and_what_was_typed_stays(
    lead: TestClient, study: Study
) -> None:
    begin(study, by="Lea", now=NOW)
    typed = form_of(study, definition="Whether somebody is there to talk to, by day or by night.", version=1)

    refused = lead.post(EDIT + "/code", data=typed)
    assert refused.status_code == 422
    assert "whether it still means the same" in refused.text
    assert "by day or by night." in refused.text

    saved = lead.post(EDIT + "/code", data={**typed, "declared": "reword", "why": "Said more plainly"})
    assert saved.url.path == EDIT
    assert require_desk(study).book.code(CODE).definition == typed["definition"]


def test_saving_a_form_as_it_came_changes_nothing(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    for code in newest_codebook(study.db).codes:
        lead.post(EDIT + "/code", data=form_of(study, code.id, version=1))

    assert require_desk(study).held.version == 1


def test_whoever_saves_second_is_told_who_was_first_and_sees_both_words(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    lead.post(EDIT + "/code", data=form_of(study, label="Alone at night", version=1))

    late = lead.post(EDIT + "/code", data=form_of(study, label="Alone at home", version=1))

    assert late.status_code == 412
    assert "Lead (demo) changed CL5 at" in late.text
    assert 'value="Alone at home"' in late.text
    assert "night</del>" in late.text
    version = re.search(r'name="version" value="(\d+)"', late.text)
    assert version is not None
    lead.post(EDIT + "/code", data=form_of(study, label="Alone at home", version=version[1]))
    assert require_desk(study).book.code(CODE).label == "Alone at home"


def test_an_if_match_header_is_heeded_and_a_change_without_any_version_refused(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    act(lead, study, "retire", why="Too wide")
    data = {"act": "take-back", "code": CODE}

    assert lead.post(EDIT + "/act", data=data).status_code == 412
    assert lead.post(EDIT + "/act", data=data, headers={"If-Match": '"1"'}).status_code == 412
    assert lead.post(EDIT + "/act", data=data, headers={"If-Match": '"2"'}, follow_redirects=False).status_code == 303


def test_a_split_is_looked_at_published_and_read_again(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    act(lead, study, "split", names=["Alone at night", "Alone in a crowd", ""], why="Two things")
    changes = unescape(lead.get(EDIT + "/changes").text)
    assert "version 1.0.0" in changes
    assert f"{len(coded(study))} segments are read again" in changes
    assert "Split into Alone at night and Alone in a crowd: Two things" in changes
    for code in require_desk(study).held.draft.edited:
        if code.status != "retired":
            edited = form_of(study, code=code.id, label=code.label, young_label=code.label)
            lead.post(EDIT + "/code", data={**edited, "version": require_desk(study).held.version})

    version = require_desk(study).held.version
    said = {
        "version": version,
        "based_on": "0.1.0",
        "note": "Two kinds of being alone",
        "groups": "The panel\nA parents’ group",
    }
    refused = lead.post(EDIT + "/publish", data={**said, "note": ""})
    assert refused.status_code == 422
    assert "A parents’ group" in refused.text
    page = lead.post(EDIT + "/publish", data=said)

    assert page.url.path == PAGE
    assert "Two kinds of being alone" in page.text
    assert "The panel; A parents’ group" in page.text
    assert f"{len(coded(study))} segments are read again because of it, in round {rounds(study.db)[-1].id}" in page.text
    assert lead.post(EDIT + "/publish", data=said).url.path == PAGE
    assert len(rounds(study.db)) == 2
    compare = lead.get(PAGE + "/compare?before=0.1.0&after=1.0.0")
    assert "Alone in a crowd" in compare.text
    assert "An older version" in lead.get(PAGE + "?version=0.1.0").text


def test_a_merge_may_keep_the_meaning_and_says_so_before(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    act(lead, study, "merge", others=["CL4", ""], keep=CODE, why="One thing")
    data = {"version": 2, "same": [CODE], "same_code": [CODE], "same_why": ["Always used as one"], "look": "true"}

    looked = lead.post(EDIT + "/publish", data=data)

    assert "0 segments are" in looked.text
    assert "Always used as one" in looked.text


def test_what_was_typed_survives_the_publication_of_the_draft_in_another_tab(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    act(lead, study, "move", parent="", heading="Days and nights")
    typed = form_of(study, label="Alone at night", version=2)
    lead.post(
        EDIT + "/publish", data={"version": 2, "based_on": "0.1.0", "note": "A heading", "groups": "no group yet"}
    )

    late = lead.post(EDIT + "/code", data=typed)

    assert late.status_code == 409
    assert "Version 0.1.1 was published by Lead (demo)" in late.text
    assert 'value="Alone at night"' in late.text
    lead.post(EDIT + "/code", data={**typed, "begin": "true"})
    assert require_desk(study).base.version == "0.1.1"
    assert require_desk(study).book.code(CODE).label == "Alone at night"


def test_an_act_on_a_draft_that_is_gone_says_so_plainly(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    lead.post(EDIT + "/discard", data={"version": 1})

    late = lead.post(EDIT + "/act", data={"act": "split", "code": CODE, "names": ["One part", "Another"], "version": 1})

    assert late.status_code == 409
    assert "The draft was thrown away by Lead (demo)" in late.text
    assert "Another" in late.text


@pytest.mark.parametrize(
    "fields",
    [{"act": "nonsense"}, {"act": "merge", "others": "no such code", "why": "x y z"}, {"act": "split", "names": "One"},
     {"act": "move", "parent": "CL5"}, {"act": "retire", "why": ""}, {"act": "retire", "code": "no such", "why": "abc"},
     {"act": "add", "label": ""}, {"act": "retire", "why": "y" * 301}],
)  # fmt: skip
def test_no_bad_request_breaks_the_page(lead: TestClient, study: Study, fields: dict[str, str]) -> None:
    begin(study, by="Lea", now=NOW)

    answer = lead.post(EDIT + "/act", data={"code": CODE, "version": 1, **fields})

    assert answer.status_code == 422
    assert "Not " in answer.text
    assert require_desk(study).held.version == 1


def test_five_thousand_codes_are_shown_a_page_at_a_time_and_found(lead: TestClient, study: Study) -> None:
    book = newest_codebook(study.db)
    one = book.code(CODE)
    codes = (*book.codes, *(replace(one, id=f"X{i}", label=f"Number {i}", near_misses=()) for i in range(5_000)))
    large = replace(book, version="0.2.0", codes=codes, fingerprint=fingerprint(codes))
    with write(study.db) as connection:
        keep_codebook(connection, large, NOW)
        use_version(connection, large.id, large.version)
    begin(study, by="Lea", now=NOW)

    for address in (PAGE, EDIT):
        page = lead.get(address)
        assert page.elapsed.total_seconds() < 2
        assert len(page.text) < 400_000
        assert "page 1 of 51" in page.text
        assert "Number 4711" in lead.get(address, params={"find": "number 4711"}).text
        assert 'id="X4711"' in lead.get(address, params={"code": "X4711"}).text
    act(lead, study, "retire", "X4711", why="Too many")
    assert "1 code so far" in lead.get(EDIT).text
    assert lead.get(EDIT + "/changes").elapsed.total_seconds() < 5


def test_words_that_look_like_html_are_shown_as_words(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)
    said = "</textarea><script>alert('x')</script> 👩‍👧 שלום"
    saved = form_of(study, include=said, young_label=said, declared="reword", why="To try", version=1)

    lead.post(EDIT + "/code", data=saved)
    pages = [
        lead.get(EDIT).text,
        lead.get(EDIT + "/code", params={"code": CODE}).text,
        lead.get(EDIT + "/changes").text,
    ]

    assert require_desk(study).book.code(CODE).include == (said,)
    assert all("<script>alert" not in page for page in pages)
    assert "👩‍👧" in pages[2]


def test_a_code_that_is_none_leads_back_to_the_draft(lead: TestClient, study: Study) -> None:
    begin(study, by="Lea", now=NOW)

    assert lead.get(EDIT + "/code?code=nothing").url.path == EDIT
    assert lead.post(EDIT + "/code", data={"code": "nothing", "label": "kept", "version": 1}).status_code == 409
    assert isinstance(newest_codebook(study.db).code(CODE), Code)
