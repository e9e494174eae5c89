"""Who may sign in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.access import people
from service.access.permissions import ROLE_WORDS, Role
from service.access.sessions import end_sessions
from service.cli.show import say
from service.cli.study import actor
from service.clock import now
from service.errors import StudyError
from service.study.study import find_studies, find_study, opened

app = typer.Typer(help="Who may sign in.", no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="A study's folder, or a folder of studies, as given to “heard serve”.")]
OneStudy = Annotated[str, typer.Option("--study", help="One study alone, by its folder's name; otherwise all of them.")]
Name = Annotated[str, typer.Argument(help="The name that decisions are signed with.")]


@app.command()
def add(
    folder: Folder,
    name: Name,
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for when left out.")
    ],
    study: OneStudy = "",
) -> None:
    """Make an account.

    Example: heard people add studies "Ada Byron" --role coder --study harrogate
    """
    with people.people_in(there(folder)) as db:
        made = people.add_person(
            db, name=name, role=role, password=password, now=now(), study=_id(folder, study), by=actor()
        )
    say(f"{made.name} may sign in as {ROLE_WORDS[made.role].lower()}.")


@app.command("list")
def list_(folder: Folder) -> None:
    """Say who may sign in.

    Example: heard people list studies
    """
    with people.people_in(there(folder)) as db:
        names = _names(folder)
        for person in people.all_people(db):
            say(f"{person.name}: {', '.join(_told(role, study, names) for study, role in person.roles)}")


@app.command("role")
def change_role(
    folder: Folder, name: Name, role: Annotated[Role, typer.Argument(help="The new role; “none” lets nobody in.")],
    study: OneStudy = "",
) -> None:  # fmt: skip
    """Give somebody another role; they must sign in again.

    Example: heard people role studies "Ada Byron" lead --study harrogate
    """
    with people.people_in(there(folder)) as db:
        people.set_role(db, name, role, now=now(), study=_id(folder, study), by=actor())
    say(f"{name} is now {ROLE_WORDS[role].lower()}.")


@app.command()
def remove(folder: Folder, name: Name) -> None:
    """End an account; what the person decided stays theirs.

    Example: heard people remove studies "Ada Byron"
    """
    with people.people_in(there(folder)) as db:
        people.deactivate(db, name, now=now(), by=actor())
    say(f"{name} may no longer sign in.")


@app.command()
def unlock(folder: Folder, name: Name) -> None:
    """Let somebody sign in again who typed too many wrong passwords.

    Example: heard people unlock studies "Ada Byron"
    """
    with people.people_in(there(folder)) as db:
        people.unlock(db, name, now=now(), by=actor())
    say(f"{name} may sign in again.")


@app.command("sign-out")
def sign_out(folder: Folder, name: Name) -> None:
    """End all of somebody's sessions at once.

    Example: heard people sign-out studies "Ada Byron"
    """
    with people.people_in(there(folder)) as db:
        ended = end_sessions(db, name, now=now(), by=actor())
    say(f"{name} is signed out everywhere ({ended}).")


@app.command()
def password(
    folder: Folder, name: Name,
    new: Annotated[str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for.")],
) -> None:  # fmt: skip
    """Give somebody another password; they must sign in again.

    Example: heard people password studies "Ada Byron"
    """
    with people.people_in(there(folder)) as db:
        people.set_password(db, name, new, now=now(), by=actor())
    say(f"{name} has another password.")


def _id(folder: Path, study: str) -> str:
    """The id of the study of that name; EVERYWHERE for none."""
    if not study:
        return people.EVERYWHERE
    found = find_study(folder, study)
    if found is None:
        raise StudyError("there is no study of that name here")
    with opened(found) as held:
        return held.id


def _names(folder: Path) -> dict[str, str]:
    names = {}
    for found in find_studies(folder):
        with opened(found) as study:
            names[study.id] = study.name
    return names


def _told(role: Role, study: str, names: dict[str, str]) -> str:
    return ROLE_WORDS[role].lower() + (f" in {names.get(study, 'a study that is not here')}" if study else "")


def there(folder: Path) -> Path:
    """The folder, if it is one."""
    if not folder.is_dir():
        raise StudyError(f"there is no folder “{folder.name}”")
    return folder
