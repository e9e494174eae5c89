"""Withdrawal: everything of a person is removed, what rested on it is made anew, and a receipt says what was done.

The order makes a kill harmless: the list outside the study first, then study.db in one transaction, then the vault and
the files. Withdrawing the same person again finishes what was left.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.deid.evaluate import DIRECT
from nlp.traces import Traces
from nlp.types import Label
from service.errors import RecordError, StudyError
from service.study import jobs
from service.study.chain import SOURCES, WITHDRAWN
from service.study.database import scrub, write
from service.study.erasure import Person, erase, person_of, texts_of
from service.study.joint import judgements
from service.study.runs import add_audit
from service.study.snapshot import SNAPSHOT
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import newest_version
from service.study.withdrawals import Receipt, add_withdrawal, given_out_since, rounds_with, withdrawal_of
from service.usecases.withdrawn import note_withdrawn
from service.vault.keys import Key
from service.vault.store import Vault

BACKUPS = (
    "Backups made before today still hold this person. “heard restore” withdraws them again by the list beside the key; see"
    " to it that backups are destroyed when your rules say."
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The receipt; the job that makes suggestions anew, 0 where none were made; and whether the log could be emptied."""

    receipt: Receipt
    job: int
    scrubbed: bool


def found(study: Study, id_: str) -> Person:
    """Whose pseudonym, or whose voice, that is; RecordError when it is nobody's."""
    person = person_of(study.db, id_)
    if person is None:
        raise RecordError("there is no participant or voice of that id in this study")
    return person


def called(study: Study, key: Key, id_: str) -> tuple[Person, ...]:
    """Everybody whom that may mean: a pseudonym, a voice's id, or what the files that came in call somebody.

    Two files may call different people the same. RecordError when it is nobody.
    """
    ids = [id_, *(key.pseudonym("p", scope, id_) for scope in _scopes(study))]
    people = {p.participant: p for p in (person_of(study.db, one) for one in ids) if p is not None}
    if not people:
        raise RecordError("nobody in this study is called that, in it or in a file that came in")
    return tuple(people.values())


def _scopes(study: Study) -> list[str]:
    """What intake named people within: the profile of a file with record ids, else the file itself."""
    rows = study.db.conn.execute("SELECT DISTINCT method, input_hash FROM runs WHERE kind = 'intake'")
    return sorted({scope for row in rows for scope in (row["method"].partition("/")[2], row["input_hash"])})


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


def withdraw(study: Study, key: Key, id_: str, *, by: str, now: str, list_file: Path, books: Path) -> Withdrawn:
    """Withdraw the participant of that pseudonym, or whose voice that is.

    `list_file` keeps pseudonyms outside the study, for restores from a backup; `books` is the folder of codebooks,
    whose files are looked through and not changed. RecordError when there is nobody of that id; StudyError while a
    job runs, which might bring back what is removed.
    """
    _require_no_job(study)
    earlier = withdrawal_of(study.db, id_)
    receipt = _erase(study, key, found(study, id_), by, now, list_file, books) if earlier is None else earlier
    scrubbed = _finish(study, key, receipt)
    number = jobs.ask(study.db, "suggest", {}, by=by, now=now).id if newest_reading(study.db) else 0
    return Withdrawn(receipt, number, scrubbed)


def _require_no_job(study: Study) -> None:
    running = [job.id for job in jobs.all_jobs(study.db) if job.state == "running"]
    if running:
        raise StudyError(
            f"job {running[0]} is running and might bring back what is removed; wait for its end or take it back with"
            f" “heard jobs cancel”. Nothing was removed"
        )


def _erase(study: Study, key: Key, person: Person, by: str, now: str, list_file: Path, books: Path) -> Receipt:
    with Vault(study.vault_file, key, study.id) as vault:
        raw = vault.texts(person.voices)
        traces = Traces([*raw.values(), *texts_of(study.db, person)], _names(study, vault, person, list(raw)))
    note_withdrawn(list_file, study.id, [person.participant], now=now)
    files = tuple(_quoting(books / study.codebook, traces))
    judged = tuple(sorted(judgements(study.db)))
    given_out, rounds = given_out_since(study.db, person.voices), rounds_with(study.db, person.voices)
    with write(study.db) as connection:
        counts = erase(connection, person, traces.without, lambda words: traces.without(words, names=False))
        receipt = Receipt(
            person.participant, person.voices, counts, len(raw), rounds, judged if rounds else (), given_out, files, by, now
        )  # fmt: skip
        add_withdrawal(connection, receipt)
        add_audit(
            connection, at=now, actor=by, action=WITHDRAWN, subject=person.participant,
            counts={
                "voices": len(person.voices), "rows": sum(counts.values()),
                **{table: counts.get(table, 0) for table in SOURCES if table != "audit"},
            },
        )  # fmt: skip
    return receipt


def _names(study: Study, vault: Vault, person: Person, voices: Sequence[str]) -> Iterator[str]:
    """What identified them or others in their words: names that came with the file, and what was masked as such."""
    for names in vault.known_people(voices).values():
        yield from names
    for voice, words in vault.texts([v for v in voices if person.segments]).items():
        try:
            clean = newest_version(study.db, voice)
        except RecordError:
            continue  # not de-identified yet
        direct = {(r.start, r.end) for r in clean.redactions if Label(r.label) in DIRECT}
        yield from (words[a:b] for a, b, c, d in vault.offset_map(voice, clean.version) if (c, d) in direct)


def _quoting(folder: Path, traces: Traces) -> Iterator[str]:
    """The files of a codebook that quote them."""
    for file in sorted(p for p in folder.glob("*") if p.suffix in (".yaml", ".yml", ".md")):
        text = file.read_text("utf-8", errors="replace")
        if traces.without(text, names=False) != text:
            yield file.name


def _finish(study: Study, key: Key, receipt: Receipt) -> bool:
    with Vault(study.vault_file, key, study.id) as vault:
        vault.erase(receipt.participant, receipt.voices)
    for copy in study.folder.glob("*.before-migration.db*"):
        copy.unlink()
    for unfinished in study.folder.glob(f"{SNAPSHOT}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
    return scrub(study.db)
