"""Who may do what, written down from the permissions and the routes: `python -m service.cli.rules > docs/permissions.md`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from service.access import permissions
from service.access.permissions import APART, PERMISSIONS, ROLE_WORDS, Action, Role
from service.app import build_app
from service.doors import Door, doors_of

HEAD = """# Who may do what

Made from `service/access/permissions.py` and from the routes themselves by `python -m service.cli.rules > docs/permissions.md`;
a test fails when it is out of date. Whatever is not named is refused. Every account has a role in a study, or one for every
study in which it has none of its own; a role in one study gives nothing in another, and an address of a study in which
somebody has no role answers as if the study did not exist. A new address without a rule stops the service from being built.
"""
APART_HEAD = """## Duties kept apart

No role joins two of these, and no account may be given roles that do: what goes with an account in the whole house (people,
audit) clashes with roles in single studies too. In a study, its own role takes the place of the general one, so somebody may
be coder of one study and release officer of another. Whoever was a coder and becomes release officer of the same study does
not rule on quotations of people whom they coded.
"""


def main() -> None:
    """Print the document."""
    print(written(), end="")


def written() -> str:
    """The whole document."""
    doors = doors_of(build_app(Path("nowhere")))
    return "\n".join([HEAD, *_roles(), "", APART_HEAD, *_apart(), "", "## Addresses", "", *_doors(doors)]) + "\n"


def _meanings() -> dict[str, str]:
    """What each action is, from the comments beside them."""
    lines = (line.partition("  # ") for line in inspect.getsource(permissions.Action).splitlines())
    return {code.split('"')[1]: meaning for code, _, meaning in lines if meaning}


def _roles() -> Iterator[str]:
    roles = [role for role in Role if role is not Role.NONE]
    yield "| leave for | " + " | ".join(ROLE_WORDS[role] for role in roles) + " |"
    yield "|---|" + "---|" * len(roles)
    for action, meaning in _meanings().items():
        held = ("yes" if Action(action) in PERMISSIONS[role] else "" for role in roles)
        yield f"| **{action}**: {meaning} | " + " | ".join(held) + " |"


def _apart() -> Iterator[str]:
    for one, others in groupby(APART, key=lambda pair: pair[0]):
        yield f"- **{one}** from {', '.join(other for _, other in others)}"


def _doors(doors: list[Door]) -> Iterator[str]:
    yield "| method | address | who |"
    yield "|---|---|---|"
    for door in doors:
        yield f"| {door.method} | `{door.path}` | {_who(door)} |"


def _who(door: Door) -> str:
    if door.open:
        return "anybody"
    return " and ".join(f"leave for {action}" for action in sorted(door.leaves)) or "anybody signed in"


if __name__ == "__main__":
    main()
