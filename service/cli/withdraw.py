"""`heard withdraw`: somebody takes back all that they said."""

from __future__ import annotations

from typing import Annotated

import typer

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.errors import RecordError
from service.study.study import Study
from service.study.withdrawals import withdrawal_of
from service.usecases.withdraw import called, receipt_lines, withdraw
from service.wiring import StudyKey


def withdraw_person(
    folder: StudyFolder,
    pseudonym: Annotated[
        str, typer.Argument(help="A pseudonym, what a file that came in calls them, or a voice's id.")
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Remove everything of a person: their words, what was coded in them, what was learnt from them. It cannot be undone.

    Prints a receipt in ids and counts. Asking again for the same person finishes what was cut short.

    Example: heard withdraw studies/harrogate p-3f9c2a7b41d0
    """
    study, settings = wiring.study_in(folder), wiring.settings()
    key = wiring.key_of(study)
    person = pseudonym if withdrawal_of(study.db, pseudonym) else _one(study, key, pseudonym, yes=yes)
    done = withdraw(
        study, key, person, by=actor(), now=now(),
        list_file=settings.withdrawn_file_for(study.id), books=settings.codebooks,
    )  # fmt: skip
    for line in receipt_lines(done.receipt):
        say(line)
    if done.job:
        say(f"Job {done.job} makes the suggestions anew without what they taught; “heard worker” does it.")
    if not done.scrubbed:
        say("Somebody was reading: the database's log still holds their words. Give the same command again.")


def _one(study: Study, key: StudyKey, id_: str, *, yes: bool) -> str:
    people = called(study, key, id_)
    if len(people) > 1:
        names = ", ".join(p.participant for p in people)
        raise RecordError(f"files call several people that: say which of {names}")
    if not yes:
        (person,) = people
        typer.confirm(f"Remove {person.participant} with {len(person.voices)} voices, for good?", abort=True, err=True)
    return people[0].participant
