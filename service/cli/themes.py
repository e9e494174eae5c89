"""Commands on candidate themes: what no code fits, and what people make of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from nlp.findings.disclosure import shown_count
from service import wiring
from service.cli.show import output, progress, say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.study.candidates import StoredCandidate
from service.usecases import discover

app = typer.Typer(
    help="Candidate themes: find what no code fits; adopt, merge, split or dismiss.", no_args_is_help=True
)
Number = Annotated[int, typer.Argument(help="The candidate theme's number.")]
By = Annotated[str, typer.Option(help="Who decides; kept on record.")]
Note = Annotated[str, typer.Option(help="Why.")]


@app.command()
def find(folder: StudyFolder, seed: Annotated[int, typer.Option(help="The same seed finds the same.")] = 1) -> None:
    """Search the segments that have no suggestion and no code.

    Example: heard themes find studies/harrogate
    """
    study = wiring.study_in(folder)
    with progress("Searching"):
        found = discover.find_candidates(study, wiring.encoder(), seed=seed, now=now(), actor=actor())
    say(f"{found.leftovers} segments that no code fits; {found.unplaced} of them stand alone.")
    list_(folder)


@app.command("list")
def list_(folder: StudyFolder) -> None:
    """The candidates that nobody has settled, with their most central excerpts.

    Example: heard themes list studies/harrogate
    """
    found, held, words = discover.shown(wiring.study_in(folder))
    if not held:
        say(
            "No candidate theme is open." if found.how != "list" else "Too few segments to group; read them one by one."
        )
    for one in held:
        _show(one, words)


def _show(one: StoredCandidate, words: Mapping[str, str]) -> None:
    c = one.candidate
    steady = "put together by hand" if c.stability != c.stability else f"stability {c.stability:.2f}"
    people = shown_count(c.people).words
    output.print(f"\n{one.id}. {', '.join(c.keywords) or 'no common words'}", markup=False)
    output.print(
        f"   {people} people, {len(c.members)} segments, {steady}; nearest codes: {', '.join(c.nearest)}", markup=False
    )
    spread = ", ".join(f"{name or 'not known'} {shown_count(n).words}" for name, n in (*c.voices, *c.places))
    output.print(f"   {spread}", markup=False)
    for segment in c.central:
        if segment in words:
            output.print(f"   {segment}: “{words[segment]}”", markup=False)


@app.command()
def adopt(
    folder: StudyFolder, number: Number, label: Annotated[str, typer.Option(help="The new code's name.")], by: By,
    definition: Annotated[str, typer.Option(help="What it covers, in a sentence.")] = "",
) -> None:  # fmt: skip
    """Make a candidate a draft code, with its central excerpts as quotes, in a new codebook version.

    Example: heard themes adopt studies/harrogate 3 --label "Pets left behind" --by "Sam"
    """
    book = discover.adopt(wiring.study_in(folder), number, label=label, definition=definition, by=by, now=now())
    say(f"{book.codes[-1].id} “{label}” is a draft in version {book.version}. Run “heard suggest {folder}” to use it.")


@app.command()
def merge(
    folder: StudyFolder, numbers: Annotated[list[int], typer.Argument(help="Two or more.")], by: By, note: Note = ""
) -> None:
    """Put candidates together.

    Example: heard themes merge studies/harrogate 3 5 --by "Sam"
    """
    made = discover.merge(wiring.study_in(folder), numbers, by=by, now=now(), note=note)
    say(f"They are candidate theme {made.id} now.")


@app.command()
def split(
    folder: StudyFolder, number: Number, segments: Annotated[list[str], typer.Argument(help="Segments to set apart.")], by: By,
    note: Note = "",
) -> None:  # fmt: skip
    """Set some of a candidate's segments apart.

    Example: heard themes split studies/harrogate 3 v-12.0 v-31.2 --by "Sam"
    """
    made = discover.split(wiring.study_in(folder), number, segments, by=by, now=now(), note=note)
    say(f"They are candidate themes {made[0].id} and {made[1].id} now.")


@app.command()
def dismiss(folder: StudyFolder, number: Number, by: By, note: Note) -> None:
    """Turn a candidate down.

    Example: heard themes dismiss studies/harrogate 3 --by "Sam" --note "Only greetings"
    """
    discover.dismiss(wiring.study_in(folder), number, by=by, now=now(), note=note)
    say(f"Candidate theme {number} is dismissed.")
