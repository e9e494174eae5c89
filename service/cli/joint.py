"""The joint display as a file, and where each of its numbers comes from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.show import give, say
from service.cli.study import Json, StudyFolder, actor
from service.clock import now
from service.usecases.trace import trace as trace_number
from service.web.joint_files import joint_file


def joint(
    folder: StudyFolder,
    out: Annotated[Path, typer.Option(help="Where to write it; its ending says the form: .html, .docx or .pdf.")],
    young: Annotated[bool, typer.Option("--young", help="The young people's version, in plain words.")] = False,
) -> None:
    """Write the joint display and gap map as a report.

    Example: heard joint studies/harrogate --out harrogate.docx
    """
    form, study = out.suffix.removeprefix(".").lower(), wiring.study_in(folder)
    content = joint_file(study, form, young=young, person=actor(), now=now())
    part = out.with_name(out.name + ".part")
    part.write_bytes(content)
    part.replace(out)
    say(f"Wrote {out}.")


def trace(
    folder: StudyFolder,
    number: Annotated[str, typer.Argument(help="A number's id, as it stands beside it: link.NY-SAFE.heard.6dbdef98.")],
    as_json: Json = False,
) -> None:
    """Say what a number rests on: file and row, or round, decisions, codebook version, models and input files.

    Example: heard trace studies/harrogate link.NY-SAFE.heard
    """
    found = trace_number(wiring.study_in(folder), number)
    if found.moved:
        say("This number has moved since it was printed: something that it rests on changed.")
    lines = [f"{found.number}: {found.value}"]
    for step in found.steps:
        named = "; ".join(f"{name} {words}" for name, words in step.named)
        lines.append(f"  {step.what}: {step.words}" + (f" ({named})" if named else ""))
    give(asdict(found), as_json=as_json, words="\n".join(lines))
