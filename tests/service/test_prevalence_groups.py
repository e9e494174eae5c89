"""Shares by group: each on its own reads, nothing small to be worked out, no difference that was not declared."""

from __future__ import annotations

from collections.abc import Sequence
from html import unescape
from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.encode import Encoder
from service.errors import RecordError
from service.usecases.deidentify import deidentify_study
from service.usecases.intake import take_in
from service.usecases.prevalence import NO_ROUND, TEXTS_ONLY
from service.usecases.prevalence_groups import RECOGNISED, OfGroup, shares_by
from service.usecases.queue import next_item
from service.usecases.review import Choice, decide
from service.usecases.rounds import draw_counting_round
from tests.conftest import NOW, Made, sign_in_as
from tests.service.reading import quiet, read_blind, suggest
from tests.service.serving import give_accounts

NORTH, SOUTH, EAST = 36, 34, 32
PROFILE = """\
name: areas
record_id: id
participant: participant
texts: [text]
voice: {column: voice}
area: {column: area}
"""


@pytest.fixture
def areas(made: Made, tmp_path: Path, cascade: Deidentifier, minilm: Encoder) -> Made:
    """People of three areas; everybody's text holds a word for the area and a number among its people."""
    rows = [
        f"{area}-{i},we went to the {area} hall for pasta number {i} {'x' * i},child,{area}{i},{area}"
        for area, many in (("north", NORTH), ("south", SOUTH), ("east", EAST))
        for i in range(many)
    ]
    file = tmp_path / "in.csv"
    file.write_text("\n".join(["id,text,voice,participant,area", *rows]) + "\n", "utf-8")
    profile = tmp_path / "areas.yaml"
    profile.write_text(PROFILE, "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", profile=profile)
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    suggest(made, minilm)
    return made


def read_all(made: Made, **many: int) -> None:
    """Read everybody; CL5 is found in so many people of each area."""
    left = dict(many)

    def choose(text: str) -> Sequence[Choice]:
        area = next(a for a in ("north", "south", "east") if f"the {a} hall" in text)
        left[area] = left.get(area, 0) - 1
        return [Choice("CL5", "worry", 0, 7)] if left[area] >= 0 else []

    read_blind(made, NORTH + SOUTH + EAST, choose)


def by_area(made: Made) -> dict[str, OfGroup]:
    return dict(next(t.groups for t in shares_by(made.study, "area").themes if t.code.id == "CL5"))


def page(made: Made, dimension: str) -> str:
    give_accounts(made.study.folder.parent)
    with sign_in_as(made.study.folder.parent, "Lead (demo)") as client:
        return unescape(client.get(f"/studies/{made.study.name}/findings/by/{dimension}").text)


def test_each_group_has_the_share_of_its_own_reads(areas: Made) -> None:
    read_all(areas, north=18, south=17, east=8)
    found = by_area(areas)
    shares = {name: of.estimate.share if of.estimate else None for name, of in found.items()}
    assert shares == {"north": 0.5, "south": 0.5, "east": 0.25}
    told = page(areas, "area")
    assert "<h1>Findings by area</h1>" in told
    assert "50% (50% to 50%)" in told
    assert "no difference between them is given" in told


def test_a_small_count_is_held_back_with_another_so_that_it_cannot_be_worked_out(areas: Made) -> None:
    """Three people of the east said it; everyone's share is known, so one more area is held back with theirs."""
    read_all(areas, north=18, south=17, east=3)
    found = by_area(areas)
    assert found["east"].estimate is None
    held_back = [name for name, of in found.items() if of.refusal == RECOGNISED]
    assert len(held_back) >= 2
    assert "east" in held_back
    assert RECOGNISED in page(areas, "area")


def test_that_a_whole_group_said_it_is_not_shown(areas: Made) -> None:
    read_all(areas, north=NORTH, south=17, east=8)
    assert by_area(areas)["north"] == OfGroup(None, RECOGNISED)


def test_groups_of_whom_too_few_were_read_are_named_without_a_figure(areas: Made) -> None:
    round_ = draw_counting_round(areas.study, people=80, seed=1, now=NOW, actor="t")
    read = 0
    while read < 60 and (item := next_item(areas.study, round_, "Ann")) is not None:
        found = [Choice("CL5", "worry", 0, 7)] if read % 2 else []
        decide(areas.study, item, coder="Ann", choices=found, seconds=1, now=NOW)
        read += 1
    told = shares_by(areas.study, "area")
    assert (told.groups, set(told.others)) == ((), {"north", "south", "east"})
    assert all("read so far; read at least" in of.refusal for of in by_area(areas).values())
    assert "No group can be told apart yet." in page(areas, "area")


def test_without_a_round_of_people_no_group_is_told_and_the_page_says_why(areas: Made) -> None:
    assert shares_by(areas.study, "area").refusal == NO_ROUND
    draw_counting_round(areas.study, people=40, seed=1, now=NOW, actor="t", by="text")
    assert shares_by(areas.study, "area").refusal == TEXTS_ONLY
    assert TEXTS_ONLY in page(areas, "area")


def test_only_attributes_that_are_kept_for_this_can_be_asked_for(areas: Made) -> None:
    with pytest.raises(RecordError, match="who speaks, age band, area or period"):
        shares_by(areas.study, "participant")
    assert "who speaks, age band, area or period" in page(areas, "participant")
