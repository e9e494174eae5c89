"""How many express each theme: what a counting round lets be said, what it does not, and how the findings page tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import unescape

import pytest
from typer.testing import CliRunner

from nlp.codebook_edit import change
from nlp.codebook_meaning import Turn
from nlp.deid.cascade import Deidentifier
from nlp.findings.prevalence import Truth, Unit
from service.cli.main import app
from service.study.codebooks import newest_codebook
from service.study.decisions import Round
from service.usecases.codebook import begin, edit, require_desk
from service.usecases.prevalence import NO_ROUND, TEXTS_ONLY, TOO_FEW, Heard, shares
from service.usecases.publish import Consent, publish
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import heard_chair, read_blind
from tests.service.serving import give_accounts

CODE = "CL5"


def read(made: Made, round_: Round, many: int, choose: Callable[[str], Sequence[Choice]] = heard_chair) -> None:
    """Read so many of a round; each person here has one text of one segment."""
    for _ in range(many):
        item = next_item(made.study, round_, "Ann")
        assert item is not None
        decide(made.study, item, coder="Ann", choices=choose(item.segment.text), seconds=1, now=NOW)


def heard(made: Made, code: str = CODE) -> Heard:
    return next(h for h in shares(made.study).themes if h.share.code.id == code)


def page(made: Made, address: str = "/findings") -> str:
    give_accounts(made.study.folder.parent)
    with sign_in_as(made.study.folder.parent, "Lead (demo)") as client:
        answer = client.get(f"/studies/{made.study.name}{address}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", unescape(answer.text))


def test_without_a_counting_round_the_page_says_what_cannot_be_said_and_why(loaded: Made) -> None:
    told = shares(loaded.study)
    assert (told.reading, told.refusal, told.ranked) == (None, NO_ROUND, [])
    assert {h.share.refusal for h in told.themes} == {NO_ROUND}
    words = page(loaded)
    assert "Nothing can be said yet." in words
    assert "suggestions alone miss too much" in words
    assert "themes.svg" not in words


def test_a_round_says_who_was_drawn_read_and_loaded_and_every_share_names_what_it_is_a_share_of(loaded: Made) -> None:
    read_blind(loaded, 36, heard_chair)
    told = shares(loaded.study)
    assert told.reading is not None
    assert (told.reading.unit, told.reading.loaded, told.reading.drawn, told.reading.read) == (Unit.PERSON, 40, 36, 36)
    found = heard(loaded)
    assert found.share.estimate is not None
    assert found.like_these is not None
    assert found.texts is not None
    truths = [e.truth for e in (found.share.estimate, found.like_these, found.texts)]
    assert truths == [Truth.PEOPLE_LOADED, Truth.PEOPLE_LIKE_THESE, Truth.TEXTS_LOADED]
    width = {e.truth: e.high - e.low for e in (found.share.estimate, found.like_these)}
    assert width[Truth.PEOPLE_LIKE_THESE] > 1.5 * width[Truth.PEOPLE_LOADED]
    assert found.texts.share == pytest.approx(found.share.estimate.share)  # everybody here gave one text


def test_the_page_shows_every_share_with_its_interval_its_base_and_what_would_halve_it(loaded: Made) -> None:
    read_blind(loaded, 36, heard_chair)
    words = page(loaded)
    assert "Of the 40 people in this study, 36 were drawn at random, and 36 of those have been read whole" in words
    label = newest_codebook(loaded.study.db).code(CODE).label
    row = re.search(rf"<tr>(?:(?!</tr>).)*{re.escape(label)}.*?</tr>", words)
    assert row is not None
    assert re.search(r"\d+%</td><td>\d+% to \d+%</td> ?<td>36 of 40 people read</td> ?<td>read \d more people", row[0])
    chart = re.search(r'<img src="[^"]*/themes.svg" alt="([^"]*)">', words)
    assert chart is not None
    assert label in chart[1]
    assert re.search(r"\d+% \(\d+% to \d+%\)", chart[1])
    assert chart[1] in words.replace(chart[0], "")  # whoever sees the chart reads the same words
    assert "drawn at random from all people loaded" in words


def test_what_nobody_said_is_told_with_how_many_there_may_be(loaded: Made) -> None:
    read_blind(loaded, 34, heard_chair)
    found = heard(loaded, "CL1").share.estimate
    assert found is not None
    assert (found.share, found.low) == (0, 0)
    assert 0 < found.high <= 6 / 40
    assert f"0% to {found.high:.0%}" in page(loaded)


def test_a_round_of_texts_tells_of_texts_and_says_why_not_of_people(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=34, seed=1, now=NOW, actor="t", by="text")
    read(loaded, round_, 34)
    told = shares(loaded.study)
    assert told.refusal == TEXTS_ONLY
    found = heard(loaded)
    assert found.share.estimate is not None
    assert found.share.estimate.truth is Truth.TEXTS_LOADED
    assert found.like_these is not None
    assert found.like_these.truth is Truth.TEXTS_LIKE_THESE
    words = page(loaded)
    assert "How many people ever said something cannot be told." in words
    assert "How many texts express each theme" in words
    assert "34 of 40 texts read" in words


def test_too_few_read_are_told_how_many_more_to_read(loaded: Made) -> None:
    read(loaded, draw_counting_round(loaded.study, people=36, seed=1, now=NOW, actor="t"), 20)
    assert heard(loaded).share.refusal == "20 read so far; read at least 10 more before a share is shown."
    words = page(loaded)
    assert "20 of those have been read whole" in words
    assert "read at least 10 more" in words


def test_few_people_leave_no_trace_on_the_page(loaded: Made) -> None:
    few = iter(range(3))

    def rarely(text: str) -> list[Choice]:
        return heard_chair(text) if "chair" in text and next(few, None) is not None else []

    read_blind(loaded, 36, rarely)
    found = heard(loaded)
    assert (found.share.refusal, found.share.estimate, found.like_these, found.texts, found.raw) == (
        TOO_FEW, None, None, None, None,
    )  # fmt: skip
    label = newest_codebook(loaded.study.db).code(CODE).label
    words = page(loaded)
    chart = re.search(r'themes.svg" alt="([^"]*)"', words)
    assert chart is not None
    assert label not in chart[1]
    assert "1 theme is left out" in chart[1]
    assert label not in page(loaded, "/themes.svg")


def test_decisions_under_an_older_version_of_a_code_do_not_count_and_the_page_says_so(
    loaded: Made, cascade: Deidentifier
) -> None:
    round_ = draw_counting_round(loaded.study, people=40, seed=1, now=NOW, actor="t")
    read(loaded, round_, 8)
    begin(loaded.study, by="Lea", now=NOW)
    code = newest_codebook(loaded.study.db).code(CODE)
    new = replace(code, definition=code.definition + " Also when others are near.")
    version = require_desk(loaded.study).held.version
    edit(
        loaded.study, [CODE], lambda b, d: change(b, d, new, declared=Turn.REDEFINE, why="The panel said so"),
        version=version, by="Lea", now=NOW,
    )  # fmt: skip
    consent = Consent("After the workshop", ("Young people's panel",), {})
    publish(loaded.study, consent, version=require_desk(loaded.study).held.version, by="Lea", now=NOW, guard=cascade)
    read(loaded, round_, 32)

    changed, same = heard(loaded).share, heard(loaded, "CL1").share

    assert (changed.outdated, same.outdated) == (8, 0)
    assert changed.estimate is not None
    assert same.estimate is not None
    assert (changed.estimate.read, same.estimate.read) == (32, 40)
    words = page(loaded)
    assert "32 of 40 people read; 8 read under an older version of this code do not count" in words
    assert "1 of the themes changed their meaning" in words


def test_what_was_suggested_or_confirmed_stands_apart_as_no_finding_and_moves_no_share(loaded: Made) -> None:
    [code] = loaded.study.db.conn.execute(
        "SELECT code FROM suggestions JOIN segments s ON s.id = segment WHERE quote LIKE '%chair%'"
        " GROUP BY code ORDER BY count(*) DESC"
    ).fetchone()
    read_blind(loaded, 36, lambda text: [Choice(code, "", 0, 24)] if "chair" in text else [])
    before = heard(loaded, code)
    review = draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    while (item := next_item(loaded.study, review, "Ann")) is not None:
        shown = [s for s in item.suggestions if s.code == code]
        choices = [Choice(code, "", s.start, s.end, suggestion=s.id) for s in shown[:1]]
        decide(loaded.study, item, coder="Ann", choices=choices, seconds=1, now=NOW)
    after = heard(loaded, code)
    assert after.share == before.share
    assert before.raw is not None
    assert after.raw is not None
    assert before.raw.confirmed == 0
    assert 0 < after.raw.confirmed == after.raw.suggested
    words = page(loaded)
    assert "Suggested by the machine (no finding)" in words
    assert "Suggested and confirmed (no finding)" in words


def test_the_old_address_of_the_themes_leads_to_the_findings(loaded: Made) -> None:
    assert "<h1>Findings</h1>" in page(loaded, "/themes")


def test_the_terminal_tells_the_same_and_never_the_counts_behind_it(loaded: Made) -> None:
    asked = ["findings", str(loaded.study.folder)]
    assert NO_ROUND.split(",")[0] in CliRunner().invoke(app, asked).stderr
    read_blind(loaded, 36, heard_chair)
    done = CliRunner().invoke(app, [*asked, "--json"])
    told = json.loads(done.stdout)
    theme = next(t for t in told["themes"] if t["code"] == CODE)
    estimate = heard(loaded).share.estimate
    assert estimate is not None
    assert (told["read"], told["loaded"]) == (36, 40)
    assert [f["of"] for f in theme["figures"]] == [Truth.PEOPLE_LOADED, Truth.PEOPLE_LIKE_THESE, Truth.TEXTS_LOADED]
    assert theme["figures"][0]["low"] == estimate.low
    assert "positives" not in done.stdout
    assert "36 read blind and whole, of 36 drawn and 40 loaded" in CliRunner().invoke(app, asked).stderr
