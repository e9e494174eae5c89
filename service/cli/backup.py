"""`heard backup`, `heard verify` and `heard restore`: a study in one sealed file, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service import wiring
from service.cli.show import say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.errors import KeyFileError, StudyError
from service.usecases.backup import Backup, make_backup, note_checked, read_about, read_backup, ring_missing
from service.usecases.restore import list_from, restore
from service.usecases.withdrawn import read_list

TheBackup = Annotated[Path, typer.Argument(help="A backup that “heard backup” made.")]


def back_up(
    folder: StudyFolder, file: Annotated[Path, typer.Argument(help="The file to write; it must be new.")]
) -> None:
    """Write a study into one sealed file, as it is at this moment, while others go on working. The key is not in it.

    Example: heard backup studies/harrogate /mnt/backups/harrogate-2026-11-27.heard
    """
    study, settings = wiring.study_in(folder), wiring.settings()
    wiring.key_of(study)
    key = wiring.backup_key(study, settings, file)
    done = make_backup(study, file, key, list_file=settings.withdrawn_file_for(study.id), by=actor(), now=now())
    say(f"{file.name} is whole: {_words(done)}.")
    say(f"Keep apart from it: the key ring, and the list {settings.withdrawn_file_for(study.id)}.")


def verify(
    file: TheBackup,
    study: Annotated[
        Path | None, typer.Option("--for", help="The study, in which it is recorded that this was done.")
    ] = None,
) -> None:
    """Open a backup from its first byte to its last, and write nothing of it anywhere. Exit code 1 when anything is amiss.

    Example: heard verify /mnt/backups/harrogate-2026-11-27.heard --for studies/harrogate
    """
    done = _read(file)
    if study is not None:
        note_checked(wiring.study_in(study), done, by=actor(), now=now())
    say(f"{file.name} is whole: {_words(done)}.")


def bring_back(
    file: TheBackup,
    folder: Annotated[Path, typer.Argument(help="Where to make the study; the folder must be new.")],
    withdrawals: Annotated[
        Path | None,
        typer.Option(help="Who has withdrawn since: the list that was kept with the key, or the study itself."),
    ] = None,
    without_list: Annotated[
        bool, typer.Option("--without-list", help="Nobody has withdrawn since, or nobody knows; this goes on record.")
    ] = False,
) -> None:
    """Make a study of a backup, without those who have withdrawn since. No study is left where anything is amiss.

    Example: heard restore /mnt/backups/harrogate-2026-11-27.heard studies/harrogate
    """
    settings, at = wiring.settings(), now()
    about = read_about(file)
    kept = settings.withdrawn_file_for(about.study)
    gone = None
    if not without_list:
        if withdrawals is None and read_list(kept) is None:
            raise StudyError(
                f"nobody can tell who has withdrawn since the backup was made: there is no list at {kept}. Give the one that was"
                " kept with the key, with --withdrawals, or say --without-list; nothing was restored"
            )
        gone = list_from(withdrawals or kept, about.study, now=at)
    try:
        key, rings = wiring.rings_for(about.study, settings, folder)
        done = restore(
            file, folder, key, rings, gone, list_file=kept, books=settings.codebooks, by=actor(), now=at
        )  # fmt: skip
    except KeyFileError as refused:
        raise ring_missing(about, refused) from None
    say(f"“{folder.name}” is as it was on {about.made_at[:16]}: {_words(done.backup)}.")
    say(f"People withdrawn again: {done.withdrawn}. {_until(done.as_of, listed=gone is not None)}")
    if done.purged:
        say(f"{done.purged} raw texts were destroyed, whose date has come.")
    for fault in done.faults:
        say(f"The record of who did what was NOT WHOLE when the backup was made: {fault}.")
    if about.key != key.id:
        say(f"The backup was sealed under an older key: heard vault rotate {folder}")


def _until(as_of: str, *, listed: bool) -> str:
    if listed:
        return f"The list goes to {as_of[:16]}: whoever asked after that must be withdrawn again by hand."
    return (
        f"There was no list: whoever has withdrawn since {as_of[:16]} is in the study again, until withdrawn by hand."
    )


def _read(file: Path) -> Backup:
    about = read_about(file)
    try:
        return read_backup(file, wiring.rings_for(about.study, wiring.settings(), None)[1])
    except KeyFileError as refused:
        raise ring_missing(about, refused) from None


def _words(done: Backup) -> str:
    counts = ", ".join(f"{count:,} {name}" for name, count in done.counts.items())
    return (
        f"backup {done.about.id} of study {done.about.study}, made {done.about.made_at[:16]}, sealed under the key"
        f" {done.about.key}; {counts}; seal of the record {done.head.count}:{done.head.hash[:12]}"
    )
