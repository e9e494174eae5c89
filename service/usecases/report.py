"""A study's report: one self-contained HTML page with intervals, suppression and how each figure came to be."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from nlp.findings.link import JointRow
from nlp.types import Codebook
from service.study.codebooks import newest_codebook
from service.study.passports import Output
from service.study.runs import Run, all_runs
from service.study.study import Study
from service.usecases.findings import Overview, joint_display, overview
from service.usecases.passport import require_output
from service.usecases.prevalence import ThemeShare, theme_shares


@dataclass(frozen=True, slots=True)
class Report:
    """All that a report prints."""

    study: Study
    codebook: Codebook
    overview: Overview
    themes: list[ThemeShare]
    joint: list[JointRow]
    runs: list[Run]


def report_of(study: Study) -> Report:
    """Gather the report; RecordError before any codebook was used."""
    return Report(
        study, newest_codebook(study.db), overview(study), theme_shares(study), joint_display(study), all_runs(study.db)
    )


def write_report(study: Study, out: Path, *, person: str, now: str) -> None:
    """Write the report as HTML; it appears under its name only when whole. PassportError where counts may not leave."""
    require_output(study, Output.COUNTS, actor=person, now=now)
    environment = Environment(loader=PackageLoader("service.web"), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template("report.html").render(report=report_of(study), now=now)
    part = out.with_name(out.name + ".part")
    part.write_text(html, "utf-8")
    part.replace(out)
