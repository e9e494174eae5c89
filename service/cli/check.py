"""Checking de-identification in the terminal: the random sample, what was unsure, other languages, and the gate."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from nlp.deid.assurance import LeakEstimate
from nlp.types import Label, Span
from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json, StudyFolder
from service.clock import now
from service.errors import ConflictError, StudyError
from service.study.study import Study
from service.usecases.check import (
    Gate,
    ToRead,
    Unsure,
    accept_risk,
    gate,
    next_held,
    next_in_sample,
    next_unsure,
    record_reading,
    record_unsure,
)
from service.usecases.check_undo import undo_check

PARTS = ("sample", "unsure", "languages")
KINDS = {
    "person": Label.PERSON, "place": Label.LOCATION, "school": Label.ORG, "date": Label.DATE, "age": Label.AGE,
    "phone": Label.PHONE, "email": Label.EMAIL, "number": Label.ID, "web": Label.URL, "detail": Label.DETAIL,
}  # fmt: skip
_READ_HELP = (
    "Read the text. Does anything in it still say who somebody is?\n"
    f"Enter alone: nothing does. m WORDS: mask these words (a person; otherwise m {'|'.join(list(KINDS)[1:4])}: WORDS, …).\n"
    "x NUMBER: this mask hides nothing, show the words. d: done with this text.\n"
    "u: take back your last check. q: stop."
)
_UNSURE_HELP = "Should the words between « » be masked? y: yes. n: no. s: skip. u: take back your last check. q: stop."


def deid_check(
    folder: StudyFolder,
    checker: Annotated[str, typer.Option(help="Your name, kept with every check.")] = "",
    part: Annotated[str, typer.Option(help="sample (random voices, read whole), unsure, or languages.")] = "sample",
    accept: Annotated[
        str, typer.Option("--accept-risk", help="Open the study for coding in your name; give the reason.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Check what was masked, and see how many voices may still hold a direct identifier.

    Nobody codes before the 95% bound is under the study's limit, or a named person accepts the risk.

    Example: heard deid-check studies/harrogate

    Example: heard deid-check studies/harrogate --checker "Sam" --part unsure
    """
    if part not in PARTS:
        raise typer.BadParameter(f"--part is one of: {', '.join(PARTS)}")
    study = wiring.study_in(folder)
    if accept:
        accept_risk(study, person=checker, reason=accept, now=now())
    elif checker:
        _go(study, part, checker)
    state = gate(study)
    if as_json:
        give(_as_data(state), as_json=True, words="")
    else:
        _print(state)


def _as_data(state: Gate) -> dict[str, object]:
    groups = {"all": state.overall, **state.by_voice}
    return {
        **asdict(state),
        "estimates": {g: {**asdict(e), "per_thousand": e.per_thousand, "upper": e.upper} for g, e in groups.items()},
    }


def _print(state: Gate) -> None:
    table = Table("voice", "read", "leaking", "identifiers missed", "leaking in 1,000", "95% sure: at most")
    for group, e in {"all": state.overall, **state.by_voice}.items():
        table.add_row(group, str(e.read), str(e.leaking), str(e.missed), *_in_thousand(e))
    output.print(table)
    say(f"Limit of this study: {state.limit:g} voices in 1,000. {state.why}")
    say("Coding may begin." if state.open else "Nobody may code yet.")
    if state.still_to_read:
        say(f"If nothing is found, {state.still_to_read} more voices of the sample bring the bound under the limit.")
    say(f"{state.unsure} stretches were unsure and wait for a look; {state.held} voices are in another language.")


def _in_thousand(e: LeakEstimate) -> tuple[str, str]:
    return (f"{e.per_thousand:.0f}", f"{e.upper:.0f}") if e.read else ("–", "–")


def _go(study: Study, part: str, checker: str) -> None:
    if part == "unsure":
        _unsure(study, checker)
        return
    say(_READ_HELP)
    following = next_in_sample if part == "sample" else next_held
    while (item := following(study)) is not None:
        if not _read_one(study, item, checker):
            return
    say("Everything of this part is read.")


def _read_one(study: Study, item: ToRead, checker: str) -> bool:
    """Show one voice and carry out what is typed; False to stop."""
    _show(item)
    missed: list[tuple[str, Label]] = []
    rejected: list[Span] = []
    while True:
        typed = typer.prompt("check", default="", show_default=False).strip()
        command, _, rest = typed.partition(" ")
        match command.casefold():
            case "q":
                return False
            case "m":
                missed.append(_marked(rest.strip()))
            case "x":
                rejected += _mask(item, rest)
            case "u":
                _take_back(study, checker)
                return True
            case "" | "d":
                try:
                    changed = record_reading(
                        study, wiring.key_of(study), item, missed=missed, rejected=rejected, checker=checker, now=now()
                    )
                except (ConflictError, StudyError) as refused:
                    say(str(refused))
                    missed, rejected = [], []
                    continue
                say(f"Noted; {changed} voices of this person have a new clean text." if changed else "Noted.")
                return True
            case _:
                say(_READ_HELP)


def _show(item: ToRead) -> None:
    record = item.record
    output.rule(f"{record.voice} via {record.via}, {record.age_band}, {record.period}")
    text, done, pieces = item.clean.text, 0, []
    for number, mask in enumerate(item.clean.redactions, 1):
        pieces += [text[done : mask.end], f"⟨{number}⟩"]
        done = mask.end
    output.print("".join([*pieces, text[done:]]), markup=False)
    for flag in item.flags:
        output.print(f"  may single somebody out: “{text[flag.start : flag.end]}” ({flag.why})", markup=False)
    if item.k:
        output.print(f"  {item.k} of the people in this study share this person’s attributes", markup=False)


def _marked(rest: str) -> tuple[str, Label]:
    kind, colon, words = rest.partition(":")
    if colon and kind.strip().casefold() in KINDS:
        return words.strip(), KINDS[kind.strip().casefold()]
    return rest, Label.PERSON


def _mask(item: ToRead, number: str) -> list[Span]:
    if not number.strip().isdigit() or not 1 <= int(number) <= len(item.clean.redactions):
        say(f"There is no mask {number.strip()} here.")
        return []
    mask = item.clean.redactions[int(number) - 1]
    return [Span(mask.start, mask.end)]


def _unsure(study: Study, checker: str) -> None:
    say(_UNSURE_HELP)
    skipped: set[tuple[str, int, int]] = set()
    while (item := next_unsure(study, wiring.key_of(study), frozenset(skipped))) is not None:
        _show_unsure(item)
        answer = typer.prompt("mask? y/n/s/q", default="s", show_default=False).strip().casefold()
        if answer == "q":
            return
        if answer == "u":
            _take_back(study, checker)
            continue
        if answer not in ("y", "n"):
            skipped.add((item.record.id, item.span.start, item.span.end))
            continue
        record_unsure(study, wiring.key_of(study), item, mask=answer == "y", checker=checker, now=now())
    say("Everything unsure has been looked at.")


def _take_back(study: Study, checker: str) -> None:
    try:
        undone = undo_check(study, wiring.key_of(study), checker=checker, now=now())
    except (ConflictError, StudyError) as refused:
        say(str(refused))
        return
    say("Taken back." if undone else "There is nothing of yours to take back.")


def _show_unsure(item: Unsure) -> None:
    text, span = item.clean.text, item.span
    before, after = text[max(0, span.start - 80) : span.start], text[span.end : span.end + 80]
    words = item.words or span.of(text)
    output.rule(f"{item.record.voice}: {item.why}; {'masked now' if item.masked else 'not masked'}")
    output.print(f"… {before}«{words}»{after} …", markup=False)
