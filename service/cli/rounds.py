"""Commands on rounds: draw one by design, and see how far reading is."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json, StudyFolder, actor
from service.clock import now
from service.usecases import progress as how_far
from service.usecases.progress import Unseen
from service.usecases.rounds import BY, ByChoice, draw_counting_round, draw_review_round

Focus = Annotated[list[str] | None, typer.Option(help="A code to read more of, by strata; up to five times.")]
Start = Annotated[int, typer.Option(min=0, help="Add so many that lie far apart; 40 is usual.")]
Rare = Annotated[int, typer.Option(min=0, help="Add so many that may hold codes which are seldom confirmed.")]
Uncertain = Annotated[int, typer.Option(min=0, help="Add so many that the machine is least sure of.")]


def draw(
    folder: StudyFolder,
    kind: Annotated[str, typer.Option("--round", help="counting (random, blind first) or review.")] = "counting",
    by: Annotated[str, typer.Option(help="Draw by person (all their texts) or by text.")] = "person",
    reads: Annotated[int, typer.Option(min=1, help="How many people or texts a counting round draws at random.")] = 60,
    focus: Focus = None,
    start: Start = 0,
    rare: Rare = 0,
    uncertain: Uncertain = 0,
    seed: Annotated[int, typer.Option(help="The same seed draws the same.")] = 1,
) -> None:
    """Draw a round. Who may come and how probably is written down before anyone reads.

    Example: heard draw studies/harrogate --reads 60 --focus CL5 --start 40
    """
    if by not in BY:
        raise typer.BadParameter("--by is person or text")
    if kind not in ("counting", "review"):
        raise typer.BadParameter("--round is counting or review")
    study, at, who = wiring.study_in(folder), now(), actor()
    if kind == "review":
        round_ = draw_review_round(study, seed=seed, now=at, actor=who, start=start)
    else:
        choice = ByChoice(tuple(focus or ()), start=start, rare=rare, uncertain=uncertain)
        round_ = draw_counting_round(study, people=reads, seed=seed, now=at, actor=who, by=by, choice=choice)
    say(f"Drew {round_.id}. Read it with “heard review {folder} --round {kind} --coder NAME”.")


def progress(folder: StudyFolder, as_json: Json = False) -> None:
    """What is probably still missed of each code, and whether new voices still bring new codes.

    Example: heard progress studies/harrogate
    """
    found = how_far.progress(wiring.study_in(folder))
    if as_json:
        give(asdict(found), as_json=True, words="")
        return
    if found.unseen:
        table = Table("code", "still missed (95% interval)", "not read, not suggested")
        for one in found.unseen:
            table.add_row(f"{one.code.id} {one.code.label}", _missed_words(one), f"{one.missed.unread:,} {one.unit}")
        output.print(table)
    else:
        say("What is still missed can be said once a counting round is read: “heard draw”.")
    s = found.saturation
    say(f"{s.read} voices read, {s.seen} codes met. {s.hint}")
    say("New codes in each ten voices: " + (", ".join(map(str, s.codes.new)) or "none yet"))
    say("New pairs of codes: " + (", ".join(map(str, s.pairs.new)) or "none yet"))


def _missed_words(one: Unseen) -> str:
    m = one.missed
    if m.estimate != m.estimate:
        return f"0 to {m.high:.0f}; none read yet"
    return f"{m.estimate:.0f} ({m.low:.0f} to {m.high:.0f})"
