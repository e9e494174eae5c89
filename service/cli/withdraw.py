"""`heard withdraw`: somebody takes back all that they said."""

from __future__ import annotations

from typing import Annotated

import typer

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.study.withdrawals import Receipt
from service.usecases.withdraw import BACKUPS, found, withdraw


def withdraw_person(
    folder: StudyFolder,
    pseudonym: Annotated[str, typer.Argument(help="The participant's pseudonym, or the id of one of their voices.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask first.")] = False,
) -> None:
    """Remove everything of a person: their words, what was coded in them, what was learnt from them. It cannot be undone.

    Prints a receipt in ids and counts. Asking again for the same person finishes what was cut short.

    Example: heard withdraw studies/harrogate p-3f9c2a7b41d0
    """
    study, settings = wiring.study_in(folder), wiring.settings()
    if not yes:
        person = found(study, pseudonym)
        typer.confirm(f"Remove {person.participant} with {len(person.voices)} voices, for good?", abort=True, err=True)
    done = withdraw(
        study, wiring.key_of(study), pseudonym, by=actor(), now=now(),
        list_file=settings.withdrawn_file_for(study.id), books=settings.codebooks,
    )  # fmt: skip
    for line in receipt_lines(done.receipt):
        say(line)
    if done.job:
        say(f"Job {done.job} makes the suggestions anew without what they taught; “heard worker” does it.")
    if not done.scrubbed:
        say("Somebody was reading: the database's log still holds their words. Give the same command again.")


def receipt_lines(receipt: Receipt) -> list[str]:
    """The receipt for people: ids and counts, no words."""
    removed = ", ".join(f"{count} of {table}" for table, count in sorted(receipt.counts.items()))
    lines = [
        f"Withdrawn: {receipt.participant}, {receipt.at[:10]}, by {receipt.by}.",
        f"Removed: {len(receipt.voices)} voices, {receipt.sealed} sealed originals; rows: {removed}.",
    ]
    if receipt.rounds:
        lines.append(f"Shares are worked out anew without them. They had been drawn in: {', '.join(receipt.rounds)}.")
    if receipt.judged:
        lines.append(f"To be judged again, since the figures changed: {', '.join(receipt.judged)}.")
    lines += [
        f"Left the study before, and cannot be called back: {given.action}, {given.at[:10]}, by {given.actor}."
        for given in receipt.given_out
    ]
    lines += [f"The codebook's file {file} quotes them: take the quotation out." for file in receipt.files]
    return [*lines, BACKUPS]
