"""Findings: themes counted in people, corrected for machine error, and set beside indicators."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nlp.findings.disclosure import Shown, shown_count
from nlp.findings.indicators import Figure, Status, pick, read_ees
from nlp.findings.link import Expectation, JointRow, Link, joint_row, read_links
from nlp.types import Codebook, CodeStatus
from service.errors import StudyError
from service.study.codebooks import newest_codebook
from service.study.database import write
from service.study.runs import add_audit
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import all_voices
from service.usecases.counts import Counted, counted_in
from service.usecases.prevalence import no_round, share_of
from service.usecases.rounds import counted_round

RETIRED = "The codebook now in use has retired this code."


def joint_display(study: Study) -> list[JointRow]:
    """The study's links with both figures, as far as each can be shown."""
    codebook = newest_codebook(study.db)
    round_ = counted_round(study, unit="participant")
    figures = _stored_figures(study)
    if round_ is None:
        return [joint_row(link, figure, None, no_round(study)) for link, figure in figures]
    counted = counted_in(study, round_) if figures else None
    return [_joint(counted, codebook, link, figure) for link, figure in figures if counted is not None]


def _joint(counted: Counted, codebook: Codebook, link: Link, figure: Figure) -> JointRow:
    code = next((c for c in codebook.codes if c.id == link.code), None)
    if code is None:
        return joint_row(link, figure, None, f"The codebook now in use has no code {link.code}.")
    if code.status is CodeStatus.RETIRED:
        return joint_row(link, figure, None, RETIRED)
    share = share_of(counted, code, link.stance)
    return joint_row(link, figure, share.estimate, share.refusal)


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
    counted = counted_in(study, round_) if round_ else None
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
