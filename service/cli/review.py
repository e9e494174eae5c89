"""A small reviewer for the terminal: one item at a time, blind first in a counting round."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from nlp.types import Codebook, Stance
from service import wiring
from service.cli.show import output, say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.errors import ConflictError
from service.study.codebooks import newest_codebook
from service.study.decisions import Round
from service.study.study import Study
from service.study.suggestions import suggestions_of_segment
from service.usecases.queue import Fresh, Item, next_item
from service.usecases.review import Choice, decide, undo
from service.usecases.rounds import draw_counting_round, draw_review_round, round_for

_HELP = (
    "Type code ids with commas (CL1, CL5), each with a stance if you wish (CL1:worry); numbers accept suggestions (1, 2).\n"
    "Enter alone: nothing fits. s: skip. u: undo the last. c: list the codes. q: stop."
)
_STANCES = ", ".join(Stance)


def review(
    folder: StudyFolder,
    coder: Annotated[str, typer.Option(help="Your name, kept with every decision.")],
    kind: Annotated[
        str, typer.Option("--round", help="review (suggestions shown) or counting (random, blind first).")
    ] = "review",
    people: Annotated[int, typer.Option(min=1, help="How many people to draw when a counting round begins.")] = 60,
    seed: Annotated[int, typer.Option(help="Seed of a new draw.")] = 1,
    new: Annotated[bool, typer.Option("--new", help="Begin a new round, over all that is here now.")] = False,
) -> None:
    """Read items and decide, in the terminal. In a review round each decision sharpens the next item's suggestions.

    Example: heard review studies/harrogate --coder "Sam" --round counting
    """
    if kind not in ("review", "counting"):
        raise typer.BadParameter("--round is review or counting")
    study = wiring.study_in(folder)
    round_ = (None if new else round_for(study, kind)) or _begin(study, kind, people, seed)
    codebook = newest_codebook(study.db)
    say(_HELP)
    fresh = _sharpening(study, codebook) if kind == "review" else None
    while (item := next_item(study, round_, coder, fresh=fresh, now=now())) is not None:
        if not _one(study, item, codebook, coder):
            return
    say("Everything in this round is read.")


def _sharpening(study: Study, codebook: Codebook) -> Fresh:
    sharpen = wiring.sharpener(study, codebook)
    return lambda segment: sharpen(segment, now())


def _begin(study: Study, kind: str, people: int, seed: int) -> Round:
    if kind == "counting":
        return draw_counting_round(study, people=people, seed=seed, now=now(), actor=actor())
    return draw_review_round(study, seed=seed, now=now(), actor=actor())


def _one(study: Study, item: Item, codebook: Codebook, coder: str) -> bool:
    """Show one item and carry out what is typed; False to stop."""
    _show(item, codebook)
    began = time.monotonic()
    while True:
        typed = typer.prompt("codes", default="", show_default=False).strip()
        match typed.casefold():
            case "q":
                return False
            case "c":
                output.print("\n".join(f"{c.id:5} {c.label}" for c in codebook.active_codes), markup=False)
            case "u":
                say(_undo(study, item, coder))
                return True
            case _:
                if _decide(study, item, codebook, coder, typed, time.monotonic() - began):
                    return True


def _undo(study: Study, item: Item, coder: str) -> str:
    try:
        return "Undone." if undo(study, item.round, coder, now=now()) else "There is nothing to undo."
    except ConflictError as refused:
        return f"{refused}."


def _show(item: Item, codebook: Codebook) -> None:
    voice = item.voice
    part = f", text {item.part} of {item.parts}" if item.parts > 1 else ""
    output.rule(f"{item.position} of {item.total}{part}")
    output.print(f"{voice.voice} via {voice.via}, {voice.age_band}, {voice.period}   {voice.question}", markup=False)
    output.print(f"\n{item.segment.text.strip()}\n", markup=False)
    for number, s in enumerate(item.suggestions, 1):
        output.print(f"  {number}. {s.code} {codebook.code(s.code).label} ({s.band}): “{s.quote}”", markup=False)


def _decide(study: Study, item: Item, codebook: Codebook, coder: str, typed: str, seconds: float) -> bool:
    skip = typed.casefold() == "s"
    try:
        choices = [] if skip else [_choice(item, codebook, part.strip()) for part in typed.split(",") if part.strip()]
    except ValueError as wrong:
        say(str(wrong))
        return False
    accepted = {c.suggestion for c in choices}
    rejected = [s for s in item.suggestions if s.id not in accepted and s.code not in {c.code for c in choices}]
    decide(study, item, coder=coder, choices=choices, rejected=rejected, skip=skip, seconds=seconds, now=now())
    if item.round.kind == "counting" and not skip:
        _reveal(study, item, codebook)
    return True


def _reveal(study: Study, item: Item, codebook: Codebook) -> None:
    """After a blind decision: what the machine had suggested."""
    shown = [
        f"{s.code} {codebook.code(s.code).label} ({s.band})" for s in suggestions_of_segment(study.db, item.segment.id)
    ]
    say("Suggested: " + ("; ".join(shown) or "nothing"))


def _choice(item: Item, codebook: Codebook, part: str) -> Choice:
    """A typed code, with its stance; ValueError says what is wrong with it."""
    word, _, stance = part.partition(":")
    stance = stance.strip().casefold().replace(" ", "_")
    if stance and stance not in Stance.__members__.values():
        raise ValueError(f"“{stance}” is no stance; use {_STANCES}")
    if word.isdigit():
        if not 1 <= int(word) <= len(item.suggestions):
            raise ValueError(f"there is no suggestion {word} here")
        s = item.suggestions[int(word) - 1]
        return Choice(s.code, stance, s.start, s.end, s.id)
    code = next((c.id for c in codebook.active_codes if c.id.casefold() == word.strip().casefold()), None)
    if code is None:
        raise ValueError(f"“{word.strip()}” is no code of {codebook.title}; c lists them")
    suggested = next((s for s in item.suggestions if s.code == code), None)
    if suggested is not None:
        return Choice(code, stance, suggested.start, suggested.end, suggested.id)
    return Choice(code, stance, item.segment.start, item.segment.end)
