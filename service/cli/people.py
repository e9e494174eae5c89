"""Who may sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.access import people
from service.access.permissions import ROLE_WORDS, Role
from service.cli.show import say
from service.clock import now
from service.errors import StudyError

app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies, as given to “heard serve”.")]
Name = Annotated[str, typer.Argument(help="The name that decisions are signed with.")]


@app.command()
def add(
    folder: Folder,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when left out.")
    ],
) -> None:
    """Make an account.

    Example: heard people add studies "Ada Byron" --role coder
    """
    with people.people_in(there(folder)) as db:
        made = people.add_person(db, name=name, role=role, password=password, now=now())
    say(f"{made.name} may sign in as {ROLE_WORDS[made.role].lower()}.")


@app.command("list")
def list_(folder: Folder) -> None:
    """Say who may sign in.

    Example: heard people list studies
    """
    with people.people_in(there(folder)) as db:
        for person in people.all_people(db):
            say(f"{person.name}: {ROLE_WORDS[person.role].lower()}")


@app.command("role")
def change_role(folder: Folder, name: Name, role: Annotated[Role, typer.Argument(help="The new role.")]) -> None:
    """Give somebody another role; they must sign in again.

    Example: heard people role studies "Ada Byron" lead
    """
    with people.people_in(there(folder)) as db:
        people.set_role(db, name, role)
    say(f"{name} is now {ROLE_WORDS[role].lower()}.")


@app.command()
def remove(folder: Folder, name: Name) -> None:
    """End an account; what the person decided stays theirs.

    Example: heard people remove studies "Ada Byron"
    """
    with people.people_in(there(folder)) as db:
        people.deactivate(db, name)
    say(f"{name} may no longer sign in.")


def there(folder: Path) -> Path:
    """The folder, if it is one."""
    if not folder.is_dir():
        raise StudyError(f"there is no folder “{folder.name}”")
    return folder
