"""`heard vault`: the keys that seal a study's raw words."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from service import wiring
from service.cli.show import progress, say
from service.cli.study import StudyFolder, actor
from service.clock import now
from service.errors import KeyFileError
from service.study.study import VAULT_FILE
from service.usecases import rotate as use

app = typer.Typer(help="The keys that seal a study's raw words; they lie outside the study.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(help="The key's id, as “heard vault keys” gives it.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask first.")]


@app.command("keys")
def keys_(folder: StudyFolder) -> None:
    """Say which keys the ring has, and how much is sealed under each. No secret is printed.

    Example: heard vault keys studies/harrogate
    """
    study = wiring.study_in(folder)
    wiring.key_of(study)
    source = wiring.key_source_of(study, wiring.settings())
    say(f"The ring is in {source.where}.")
    for key in use.keys_in_use(study, source):
        state = "seals now" if key.active else "can be retired" if not key.fields else "still needed"
        typer.echo(f"{key.id}: {key.fields:,} fields, {state}")


@app.command()
def rotate(folder: StudyFolder) -> None:
    """Make a new key and seal everything under it. It may be cut short at any moment: asked again, it goes on.

    Where the ring comes from HEARD_KEY or HEARD_KEY_COMMAND, the new ring is printed first, to be put in its place; asked
    again after that, everything is sealed under its new key.

    Example: heard vault rotate studies/harrogate
    """
    study = wiring.study_in(folder)
    wiring.key_of(study)
    source = wiring.key_source_of(study, wiring.settings())
    _not_to_a_screen(source.where)
    with progress("Sealing anew") as bar:
        done = use.rotate(study, source, by=actor(), now=now(), progress=bar)
    if done.to_keep:
        _hand_over(done.to_keep, source.where)
        say("Then give the same command again. Nothing was changed yet.")
        return
    again = "An earlier rotation is finished: " if done.finished_earlier else ""
    say(f"{again}{done.fields:,} fields were sealed under the key {done.key_id}, which is the active one.")
    if not done.scrubbed:
        say("Somebody was reading: the database's log holds what was sealed under the older key until they are done.")
    say(f"The older keys still open earlier backups. To let one go: heard vault retire {folder} KEY")


@app.command()
def retire(folder: StudyFolder, key_id: KeyId, yes: Yes = False) -> None:
    """Take a key out of the ring for good, once nothing is sealed under it. Backups made under it open no more.

    Example: heard vault retire studies/harrogate 1f0c93ab
    """
    study, settings = wiring.study_in(folder), wiring.settings()
    wiring.key_of(study)
    source = wiring.key_source_of(study, settings)
    _not_to_a_screen(source.where)
    if not yes:
        typer.confirm(
            f"Whatever else was sealed under {key_id}, such as a backup, is lost. Retire it?", abort=True, err=True
        )
    others = [f for f in study.folder.parent.glob(f"*/{VAULT_FILE}") if f != study.vault_file]
    done = use.retire(study, source, key_id, beside=others, by=actor(), now=now())
    if done.to_keep:
        _hand_over(done.to_keep, source.where)
    say(f"The key {key_id} seals and opens nothing any more. Destroy the copies of it that were kept elsewhere.")
    if done.still_names:
        say(
            "Its secret stays in the ring, since it was this study's only key once and pseudonyms are made of it: whoever has"
            " the ring and a vault from before can still read that vault."
        )


def _not_to_a_screen(where: str) -> None:
    """What may have to be printed is secret."""
    if where.startswith("HEARD_KEY") and sys.stdout.isatty():
        raise KeyFileError("this may print the key ring: send standard output to your key store, not to a screen")


def _hand_over(ring: str, where: str) -> None:
    typer.echo(ring)
    say(f"The ring on standard output goes where {where} has it from.")
