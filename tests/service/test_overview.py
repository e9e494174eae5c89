"""The first page: what came in, how far reading is, who is heard and who is missing, and what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from nlp.findings.disclosure import shown_count
from service.access.demo_accounts import add_demo_accounts
from service.study.database import write
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.overview import NOT_SHOWN, StudyOverview, _groups, next_steps, study_overview
from service.usecases.progress import progress
from service.usecases.queue import next_item
from service.usecases.review import decide
from service.usecases.rounds import draw_counting_round, draw_review_round
from service.web.overview import ADVICE
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import heard_chair, quiet, read_blind, suggest

NY = "/studies/north-yorkshire-care-leavers"


def keys(made: Made, person: str = "Ann") -> list[str]:
    return [step.key for step in next_steps(made.study, study_overview(made.study), person)]


def seen(made: Made) -> StudyOverview:
    return study_overview(made.study)


def test_the_next_step_leads_from_an_empty_study_to_its_findings(
    shut: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder
) -> None:
    assert keys(shut) == ["intake"]

    file = tmp_path / "in.csv"
    rows = [f"{i},I put a chair against the door number {i} of many,child,P{i}" for i in range(12)]
    file.write_text("\n".join(["id,text,voice,participant", *rows]) + "\n", "utf-8")
    take_in(shut.study, file, shut.key, now=NOW, keep_raw_days=30, actor="t")
    assert keys(shut)[:2] == ["deidentify", "check"]

    deidentify_study(shut.study, shut.key, cascade, now=NOW, actor="t", progress=quiet)
    assert keys(shut)[0] == "check"

    with write(shut.study.db) as connection:
        connection.execute("INSERT INTO acceptances VALUES (1, 'A', 'r', 0, 1000, 50, ?)", [NOW])
        connection.execute("INSERT INTO audit VALUES (NULL, ?, 'A', 'accept risk', 's', '{}')", [NOW])
    assert keys(shut)[0] == "suggest"

    suggest(shut, minilm)
    assert keys(shut)[0] == "draw counting"

    read_blind(shut, 12, heard_chair)
    assert keys(shut)[0] == "draw review"
    assert keys(shut)[-1] == "findings"


def test_a_begun_counting_round_comes_before_everything_else_with_what_is_left(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=10, seed=1, now=NOW, actor="t")
    draw_review_round(loaded.study, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ann")
    assert item is not None
    decide(loaded.study, item, coder="Ann", choices=[], seconds=1, now=NOW)

    first = next_steps(loaded.study, seen(loaded), "Ann")[0]

    assert (first.key, first.count, first.round) == ("read participant", 9, round_.id)


def test_flags_to_talk_about_are_a_step_for_those_who_may_see_them(loaded: Made) -> None:
    round_ = draw_counting_round(loaded.study, people=5, seed=1, now=NOW, actor="t")
    item = next_item(loaded.study, round_, "Ann")
    assert item is not None
    with write(loaded.study.db) as connection:
        connection.execute("INSERT INTO flags VALUES (1, ?, 'discuss', 'Ben', ?)", (item.segment.id, NOW))

    assert "discuss" in keys(loaded, "Ben")
    assert "discuss" not in keys(loaded, "Ann")


def test_rounds_say_how_much_is_read_and_by_two(loaded: Made) -> None:
    round_ = read_blind(loaded, 4, heard_chair)
    item = next_item(loaded.study, round_, "Ben")
    assert item is not None
    decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)

    [line] = seen(loaded).rounds

    assert (line.units, line.whole, line.texts, line.read, line.twice, line.coders, line.ended) == (
        4, 4, 4, 4, 1, 2, False,
    )  # fmt: skip


def test_counts_of_few_people_are_left_out_and_so_is_a_lone_gap_that_the_total_would_fill() -> None:
    by = {"Selby": (30, 20), "Filey": (4, 3), "Ripon": (9, 8)}

    apart = {g.name: g for g in _groups(by, {"Selby": 9, "Ripon": 2}, apart=True)}
    together = {g.name: g for g in _groups(by, {}, apart=False)}

    assert (apart["Filey"].people, apart["Filey"].voices.value) == (shown_count(3), None)
    assert (apart["Ripon"].people, apart["Ripon"].voices.value) == (NOT_SHOWN, None)
    assert (apart["Selby"].people.value, apart["Selby"].read.value) == (20, 9)
    assert together["Ripon"].people.value == 8


def test_who_is_missing_is_told_by_voice_and_by_who_was_read(loaded: Made) -> None:
    with write(loaded.study.db) as connection:
        connection.execute("UPDATE voices SET area = 'Selby' WHERE rowid <= 20")
        connection.execute("UPDATE voices SET area = 'Ripon' WHERE rowid > 20")
    round_ = draw_counting_round(loaded.study, people=40, seed=1, now=NOW, actor="t")
    while (item := next_item(loaded.study, round_, "Ann")) is not None and item.voice.area == "Selby":
        decide(loaded.study, item, coder="Ann", choices=[], seconds=1, now=NOW)

    told = {(m.gap, m.dimension, m.name) for m in seen(loaded).missing}

    assert {("silent", "voice", "parent_carer"), ("silent", "voice", "young_person")} <= told
    assert ("unknown", "age_band", "") in told
    assert ("unread", "area", "Selby") not in told


def test_nothing_is_worked_out_twice_and_everything_anew_after_a_decision(loaded: Made) -> None:
    round_ = read_blind(loaded, 3, heard_chair)
    before = seen(loaded)

    assert seen(loaded) is before
    item = next_item(loaded.study, round_, "Ben")
    assert item is not None
    decide(loaded.study, item, coder="Ben", choices=[], seconds=1, now=NOW)
    assert seen(loaded).rounds[0].coders == 2


def test_progress_passes_over_voices_that_wait_for_a_person(loaded: Made) -> None:
    read_blind(loaded, 10, heard_chair)
    before = progress(loaded.study)
    with write(loaded.study.db) as connection:
        connection.execute(
            "UPDATE clean_texts SET held = 'pl' WHERE voice = (SELECT s.voice FROM standing d"
            " JOIN segments s ON s.id = d.segment LIMIT 1)"
        )

    assert progress(loaded.study).saturation.read == before.saturation.read - 1


def test_every_step_has_words() -> None:
    assert all(advice.words and advice.why for advice in ADVICE.values())


# The page.


@pytest.fixture(scope="module")
def lead(demo_folder: Path) -> Iterator[TestClient]:
    with sign_in_as(demo_folder, "Lead (demo)") as client:
        yield client


def test_the_page_answers_the_questions_of_somebody_who_comes_back(lead: TestClient) -> None:
    page = unescape(lead.get(NY).text)

    for words in (
        "Next best step", "270</span> voices of 135 people", "Coding is open", "60 of 60 people",
        "Parent or carer: nobody here speaks in this voice", "Do further voices still bring something new?",
        "The last 6 voices brought no new code", "What is still missed", "fewer than 6",
    ):  # fmt: skip
        assert words in page, words


def test_the_curve_is_drawn_here_and_the_table_says_the_same(lead: TestClient) -> None:
    picture = lead.get(f"{NY}/saturation.svg")
    page = unescape(lead.get(NY).text)

    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg")
    rows = re.findall(r'<th scope="row">(\d+ to \d+)</th><td class="num">(\d+)</td>', page)
    assert len(rows) == 12
    assert f"{rows[-1][1]} in voices {rows[-1][0]}" in page


def test_a_reader_sees_no_count_behind_which_few_people_stand_and_no_way_to_the_voices(demo_folder: Path) -> None:
    with sign_in_as(demo_folder, "Reader (demo)") as reader:
        page = unescape(reader.get(NY).text)

    assert "What is still missed" not in page
    assert "/voices" not in page
    assert "Look at the findings" in page
    assert "Memos about" not in page
    suppressed = re.findall(r">Filey</th><td class=\"num\">([^<]+)</td>", page)
    assert suppressed == ["fewer than 6"]


def test_an_empty_study_says_what_to_do_first(tmp_path: Path, made: Made) -> None:
    add_demo_accounts(made.study.folder, now=NOW)
    with sign_in_as(made.study.folder, "Lead (demo)") as client:
        page = unescape(client.get("/studies/study").text)

        assert "Take in an export" in page
        assert '<a href="/studies/study/upload">Take in an export</a>' in page
        assert client.get("/studies/study/saturation.svg").status_code == 404
