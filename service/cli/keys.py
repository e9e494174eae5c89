"""Keys for programs: made, listed, rotated and ended."""

from __future__ import annotations

from typing import Annotated

import typer

from service.access import keys
from service.access.people import people_in
from service.cli.people import Folder, Name, there
from service.cli.show import say
from service.cli.study import actor
from service.clock import now

app = typer.Typer(help="Keys with which programs use the API.", no_args_is_help=True)
KeyId = Annotated[str, typer.Argument(help="The key's id, as “heard keys list” gives it.")]
Days = Annotated[int, typer.Option(min=1, max=366, help="How long it is good for.")]


@app.command()
def new(
    folder: Folder,
    name: Name,
    label: Annotated[str, typer.Option("--for", help="What the key is for.")],
    scope: Annotated[list[str], typer.Option(help=f"What it may do; give it once for each. {', '.join(keys.SCOPES)}.")],
    days: Days = 90,
) -> None:
    """Make a key with which a program acts as a person, as far as its scopes go. It is shown once.

    Example: heard keys new studies "Ada Byron" --for "nightly export" --scope intake
    """
    with people_in(there(folder)) as db:
        key, secret = keys.new_key(db, name, name=label, scopes=scope, days=days, now=now(), by=actor())
    _show(key, secret)


@app.command("list")
def list_(folder: Folder) -> None:
    """Say which keys there are, whose, for what, until when and when last used.

    Example: heard keys list studies
    """
    with people_in(there(folder)) as db:
        for key in keys.all_keys(db):
            state = "ran out" if key.expires_at <= now() else "good until"
            used = f"used {key.used_at[:10]}" if key.used_at else "never used"
            say(f"{key.id}: {key.person}, {key.name} ({', '.join(key.scopes)}); {state} {key.expires_at[:10]}, {used}")


@app.command()
def rotate(
    folder: Folder,
    key_id: KeyId,
    days: Days = 90,
    hours: Annotated[int, typer.Option(min=0, max=720, help="How long the old key stays good.")] = 24,
) -> None:
    """Make a key anew; the old one stays good for a day, so that the program can be given the new one.

    Example: heard keys rotate studies 1f0c93ab
    """
    with people_in(there(folder)) as db:
        key, secret = keys.rotate_key(db, key_id, days=days, hours=hours, now=now(), by=actor())
    say(f"The key {key_id} stays good for {hours} hours.")
    _show(key, secret)


@app.command()
def revoke(folder: Folder, key_id: KeyId) -> None:
    """End a key at once.

    Example: heard keys revoke studies 1f0c93ab
    """
    with people_in(there(folder)) as db:
        keys.revoke_key(db, key_id, now=now(), by=actor())
    say(f"The key {key_id} is good for nothing any more.")


def _show(key: keys.ApiKey, secret: str) -> None:
    say(f"Key {key.id} acts as {key.person} until {key.expires_at[:10]}. Keep it safe: it is not shown again.")
    typer.echo(secret)
