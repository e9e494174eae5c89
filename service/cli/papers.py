"""`heard papers`: what an information-governance officer asks for, from the study as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.files.atomic import write_whole
from service.papers.facts import facts
from service.papers.write import papers


def write_papers(
    folder: StudyFolder, out: Annotated[Path, typer.Argument(help="A folder for the papers; made if it is not there.")]
) -> None:
    """Write the DPIA fact sheet, transparency record, model cards, methods statement, notices, data flow and bill of materials.

    Each field is filled from the running system or marked as yours to fill. Files of the same names are replaced.

    Example: heard papers studies/harrogate papers
    """
    study = wiring.study_in(folder)
    out.mkdir(parents=True, exist_ok=True, mode=0o700)
    for paper in papers(facts(study, wiring.settings(), person=actor(), now=now())):
        write_whole(out / paper.name, paper.content)
        rest = f"; {paper.to_fill} fields are yours to fill" if paper.to_fill else ""
        say(f"{paper.name}: {paper.title}{rest}")
