"""The command on agreement between coders."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from nlp.findings.agreement.coefficients import Coefficient
from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json, StudyFolder
from service.errors import StudyError
from service.usecases import agreement as use
from service.usecases.agreement import Anchoring, RoundAgreement


def agreement(
    folder: StudyFolder,
    round_id: Annotated[
        str, typer.Argument(metavar="[ROUND]", help="A round; the newest that two coders read, if left out.")
    ] = "",
    as_json: Json = False,
) -> None:
    """How far coders agree in a round, code by code, and with the machine. Names nobody.

    Example: heard agreement studies/harrogate counting-2
    """
    study = wiring.study_in(folder)
    wanted = round_id or next(iter(use.compared_rounds(study)), "")
    if not wanted:
        raise StudyError("no text of this study has been read by two coders yet")
    found, machine = use.agreement_in(study, wanted), use.anchoring(study)
    if as_json:
        give({"between coders": _nameless(found), "with the machine": asdict(machine)}, as_json=True, words="")
        return
    output.print(_table(found))
    say(f"On whole sets of codes (MASI): {_words(found.texts.sets)}. {len(found.talk)} differences to talk about.")
    say(_of_machine(machine))


def _nameless(found: RoundAgreement) -> dict[str, object]:
    talk = [{"segment": d.item, "code": d.code, "yes": len(d.yes), "no": len(d.no)} for d in found.talk]
    return {"round": found.round.id, "coders": found.coders, "silent codes": found.silent,
            "segments": asdict(found.texts), "words": asdict(found.words), "talk": talk}  # fmt: skip


def _table(found: RoundAgreement) -> Table:
    table = Table("code", "given", "read by two", "same answer", "alpha (95% interval)", "AC1", "alpha, words")
    for one, words in zip(
        (found.texts.overall, *found.texts.codes), (found.words.overall, *found.words.codes), strict=True
    ):
        c = one.coefficients
        table.add_row(one.code or "all", f"{one.prevalence:.0%}", f"{one.units:,}", _value(c.percent), _words(c.alpha),
                      _value(c.ac1), _value(words.coefficients.alpha))  # fmt: skip
    return table


def _of_machine(found: Anchoring) -> str:
    if found.shifts is None:
        return f"With the machine: {found.blind} blind readings and {found.shown} shown; both are needed."
    all_ = found.shifts.overall
    return (
        f"Alpha with the machine: blind {_words(all_.blind.coefficients.alpha)}, shown"
        f" {_words(all_.shown.coefficients.alpha)}, difference {_words(all_.difference.alpha)}."
    )


def _value(found: Coefficient) -> str:
    return "not defined" if found.value != found.value else f"{found.value:.2f}"


def _words(found: Coefficient) -> str:
    return _value(found) + ("" if found.why else f" ({found.low:.2f} to {found.high:.2f})")
