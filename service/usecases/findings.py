"""Findings: themes counted in people, corrected for machine error, and set beside indicators."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nlp.errors import EstimateError
from nlp.findings import prevalence
from nlp.findings.disclosure import SMALLEST_SHOWN, Shown, may_show_share, shown_count
from nlp.findings.indicators import Figure, Status, pick, read_ees
from nlp.findings.link import Expectation, JointRow, Link, joint_row, read_links
from nlp.findings.prevalence import Estimate, Sample, Truth, Unit
from nlp.types import Code, Codebook, CodeStatus
from service.errors import StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.decisions import Coding, Round, blind_codings, closed_by_coder, draws, frame, is_uniform
from service.study.runs import add_audit
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import all_voices
from service.usecases.meaning import Readings, readings
from service.usecases.rounds import counted_round

TOO_FEW = "Too few people to show: five or fewer expressed it, or five or fewer did not."
NO_ROUND = "No counting round has been drawn, so no share can be given: suggestions alone miss too much."
CHANGED = (
    "This code is new or has changed since people were read, so nobody was read for it. Draw a new counting round."
)
RETIRED = "The codebook now in use has retired this code."
TEXTS_ONLY = (
    "The counting round drew texts, not people, so it cannot say how many people ever said this. Draw one by person."
)


@dataclass(frozen=True, slots=True)
class ThemeShare:
    """A theme's share of people; `estimate` is None when `refusal` says why none is shown."""

    code: Code
    stance: str
    estimate: Estimate | None
    refusal: str


@dataclass(frozen=True, slots=True)
class _Counted:
    """A counting round as it stands: who was read whole, by whom, and what was found in whom."""

    people: Mapping[str, Sequence[str]]
    probability: Mapping[str, float]
    read: Mapping[str, str]
    segments: Mapping[str, Sequence[str]]
    readings: Readings
    found: Mapping[str, Sequence[Coding]]
    suggested: Mapping[str, frozenset[str]]

    def read_for(self, code: str) -> list[str]:
        """Those whose reading is a word on the code as it is now."""
        return sorted(p for p, coder in self.read.items() if self.readings.count_for(code, coder, self.segments[p]))


def theme_shares(study: Study) -> list[ThemeShare]:
    """For every code of the newest codebook, the share of people who express it."""
    codebook = newest_codebook(study.db)
    round_ = counted_round(study, unit="participant")
    if round_ is None:
        return [ThemeShare(code, "", None, _no_round(study)) for code in codebook.active_codes]
    counted = _counted(study, round_)
    return [_share(counted, code, "") for code in codebook.active_codes]


def joint_display(study: Study) -> list[JointRow]:
    """The study's links with both figures, as far as each can be shown."""
    codebook = newest_codebook(study.db)
    round_ = counted_round(study, unit="participant")
    figures = _stored_figures(study)
    if round_ is None:
        return [joint_row(link, figure, None, _no_round(study)) for link, figure in figures]
    counted = _counted(study, round_) if figures else None
    return [_joint(counted, codebook, link, figure) for link, figure in figures if counted is not None]


def _no_round(study: Study) -> str:
    return NO_ROUND if counted_round(study) is None else TEXTS_ONLY


def _joint(counted: _Counted, codebook: Codebook, link: Link, figure: Figure) -> JointRow:
    code = next((c for c in codebook.codes if c.id == link.code), None)
    if code is None:
        return joint_row(link, figure, None, f"The codebook now in use has no code {link.code}.")
    if code.status is CodeStatus.RETIRED:
        return joint_row(link, figure, None, RETIRED)
    share = _share(counted, code, link.stance)
    return joint_row(link, figure, share.estimate, share.refusal)


def _share(counted: _Counted, code: Code, stance: str) -> ThemeShare:
    read = counted.read_for(code.id)
    if counted.read and not read:
        return ThemeShare(code, stance, None, CHANGED)
    try:
        estimate = prevalence.estimate(_sample(counted, code, stance, frozenset(read)), Truth.PEOPLE_LOADED)
    except EstimateError as refused:
        return ThemeShare(code, stance, None, str(refused).capitalize() + ".")
    if not may_show_share(estimate.positives_read, estimate.read) or _tells_the_rest(
        counted, read, code, stance, estimate
    ):
        return ThemeShare(code, stance, None, TOO_FEW)
    return ThemeShare(code, stance, estimate, "")


def _sample(counted: _Counted, code: Code, stance: str, read: frozenset[str]) -> Sample:
    """Everybody who could have been drawn; of those in `read`, whether they express the code."""
    people = list(counted.people)
    of_code = [[c for c in counted.found.get(p, ()) if c.code == code.id] for p in people]
    return Sample(
        Unit.PERSON,
        suggested=np.array([code.id in counted.suggested.get(p, frozenset()) for p in people], bool),
        read=np.array([p in read for p in people], bool),
        positive=np.array([any(stance in ("", c.stance) for c in found) for found in of_code], bool),
        weight=np.array([1 / counted.probability.get(p, 1.0) for p in people]),
    )


def _tells_the_rest(counted: _Counted, read: Sequence[str], code: Code, stance: str, estimate: Estimate) -> bool:
    """Whether this stance's share, taken from the share of all stances, would give away one to five people."""
    whole = sum(any(c.code == code.id for c in counted.found.get(p, ())) for p in read)
    return bool(stance) and 0 < whole - estimate.positives_read < SMALLEST_SHOWN


def _counted(study: Study, round_: Round) -> _Counted:
    """The round's frame, who of its uniform draw one coder has read whole, and what that coder found in them.

    What came by choice alone teaches; it is no random sample of people.

    Where several coders have read a person, the one who began the round first counts; the others serve
    agreement.
    """
    people = frame(study.db, round_.id)
    person_of = {voice: person for person, voices in people.items() for voice in voices}
    by_person: dict[str, list[str]] = defaultdict(list)
    for row in study.db.conn.execute("SELECT id, voice FROM segments"):
        if row["voice"] in person_of:
            by_person[person_of[row["voice"]]].append(row["id"])
    uniform = [d for d in draws(study.db, round_.id) if is_uniform(d)]
    probability = {d.unit: len(uniform) / len(people) for d in uniform}
    closed = closed_by_coder(study.db, round_.id)
    reader = {p: coder for p in probability for coder in reversed(closed) if set(by_person[p]) <= closed[coder]}
    person_of_segment = {s: p for p, ids in by_person.items() for s in ids}
    found: dict[str, list[Coding]] = defaultdict(list)
    for coding in blind_codings(study.db, round_.id):
        person = person_of_segment.get(coding.segment)
        if person is not None and reader.get(person) == coding.coder:
            found[person].append(coding)
    said = readings(study, round_.id)
    return _Counted(people, probability, reader, by_person, said, found, _suggested(study, person_of_segment))


def _suggested(study: Study, person_of_segment: Mapping[str, str]) -> dict[str, frozenset[str]]:
    codes: dict[str, set[str]] = defaultdict(set)
    for row in study.db.conn.execute(
        "SELECT segment, code FROM suggestions WHERE reading = ?", [newest_reading(study.db)]
    ):
        if row["segment"] in person_of_segment:
            codes[person_of_segment[row["segment"]]].add(row["code"])
    return {person: frozenset(found) for person, found in codes.items()}


def load_links(study: Study, links_file: Path, indicators: Path, *, now: str, actor: str) -> int:
    """Read a codebook's links and the figures they name into the study; how many."""
    links = read_links(links_file)
    figures = {name: read_ees(indicators / name) for name in {link.file for link in links}}
    rows = [(link, _pick(link, figures[link.file])) for link in links]
    with write(study.db) as connection:
        for link, figure in rows:
            content = json.dumps({"link": asdict(link), "figure": asdict(figure)}, ensure_ascii=False)
            connection.execute("INSERT OR REPLACE INTO figures VALUES (?, ?, ?)", (link.id, content, now))
        add_audit(connection, at=now, actor=actor, action="link", subject=study.codebook, counts={"links": len(rows)})
    return len(rows)


def _pick(link: Link, figures: Sequence[Figure]) -> Figure:
    return pick(figures, label=link.label, group=link.group, area_codes=link.area_codes, period=link.period)


def _stored_figures(study: Study) -> list[tuple[Link, Figure]]:
    rows = study.db.conn.execute("SELECT content FROM figures ORDER BY link").fetchall()
    return [_link_and_figure(json.loads(row["content"])) for row in rows]


def _link_and_figure(raw: dict[str, dict[str, Any]]) -> tuple[Link, Figure]:
    link, figure = dict(raw["link"]), dict(raw["figure"])
    link["expectation"] = Expectation(link["expectation"])
    link["area_codes"] = tuple(link["area_codes"])
    figure["count_status"] = Status(figure["count_status"])
    figure["percent_status"] = Status(figure["percent_status"])
    return Link(**link), Figure(**figure)


@dataclass(frozen=True, slots=True)
class Overview:
    """Where a study stands: counts of people, voices and reads."""

    voices: int
    people: int
    clean: int
    segments: int
    redactions: int
    suggestions: int
    silent: int
    by_voice: Mapping[str, tuple[Shown, Shown]]
    drawn: int
    read: int


def overview(study: Study) -> Overview:
    """Counts for the study's first page; StudyError never, zeros before anything came in."""
    one = study.db.conn.execute
    by_voice: dict[str, list[str]] = defaultdict(list)
    for record in all_voices(study.db):
        by_voice[record.voice].append(record.participant)
    round_ = counted_round(study, unit="participant")
    counted = _counted(study, round_) if round_ else None
    return Overview(
        voices=one("SELECT count(*) FROM voices").fetchone()[0],
        people=one("SELECT count(*) FROM participants").fetchone()[0],
        clean=one("SELECT count(DISTINCT voice) FROM clean_texts").fetchone()[0],
        segments=one("SELECT count(*) FROM segments").fetchone()[0],
        redactions=one("SELECT count(*) FROM redactions").fetchone()[0],
        suggestions=one("SELECT count(*) FROM suggestions WHERE reading = ?", [newest_reading(study.db)]).fetchone()[0],
        silent=one(
            "SELECT count(*) FROM matched m WHERE reading = ? AND NOT EXISTS"
            " (SELECT 1 FROM suggestions s WHERE s.segment = m.segment AND s.reading = m.reading)",
            [newest_reading(study.db)],
        ).fetchone()[0],
        by_voice={k: _shown(v) for k, v in sorted(by_voice.items())},
        drawn=len(counted.probability) if counted else 0,
        read=len(counted.read) if counted else 0,
    )


def _shown(participants: Sequence[str]) -> tuple[Shown, Shown]:
    """Voices and people of one kind of speaker; both go where the people are one to five."""
    people = shown_count(len(set(participants)))
    return (Shown(None, people.words) if people.value is None else shown_count(len(participants))), people


def links_file(codebooks: Path, codebook_id: str) -> Path:
    """A codebook's links; StudyError when it has none."""
    file = codebooks / codebook_id / "links.yaml"
    if not file.is_file():
        raise StudyError(f"the codebook “{codebook_id}” has no links.yaml")
    return file
