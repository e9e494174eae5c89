"""What each role may do. Whatever is not named is refused."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What a page or address asks leave for."""

    FINDINGS = "findings"  # suppressed figures, the codebook, how it works
    READ = "read"  # de-identified voices, one by one
    CODE = "code"  # decide on items of a round
    MEMO = "memo"  # write memos
    LEAD = "lead"  # rounds, adjudication, codebook versions, candidate themes
    CHECK = "check"  # the check of de-identification
    PEOPLE = "people"  # who may sign in, as what, and their sessions and keys
    INTAKE = "intake"  # take voices in, ask for jobs, be told by webhook
    PASSPORT = "passport"  # say why voices are held, until when, and what may leave
    TEXTS = "texts"  # de-identify and code texts that are kept elsewhere
    RELEASE = "release"  # let tables and quotations leave
    SAFEGUARD = "safeguard"  # possible disclosures: what was raised, by whom, and how it ended
    AUDIT = "audit"  # who viewed, decided, exported and released what, in ids and counts


class Role(StrEnum):
    """What somebody is to the studies."""

    READER = "reader"
    CO_PRODUCER = "co_producer"
    CODER = "coder"
    LEAD = "lead"
    DATA_MANAGER = "data_manager"
    SAFEGUARDING_LEAD = "safeguarding_lead"
    RELEASE_OFFICER = "release_officer"
    AUDITOR = "auditor"
    ADMIN = "admin"
    NONE = "none"


ROLE_WORDS = {
    Role.READER: "Reader",
    Role.CO_PRODUCER: "Co-producer",
    Role.CODER: "Coder",
    Role.LEAD: "Lead researcher",
    Role.DATA_MANAGER: "Data manager",
    Role.SAFEGUARDING_LEAD: "Safeguarding lead",
    Role.RELEASE_OFFICER: "Release officer",
    Role.AUDITOR: "Auditor",
    Role.ADMIN: "Administrator",
    Role.NONE: "No role here",
}
_READER = frozenset({Action.FINDINGS})
_CODER = _READER | {Action.READ, Action.CODE, Action.MEMO, Action.TEXTS}
PERMISSIONS: dict[Role, frozenset[Action]] = {
    Role.READER: _READER,
    Role.CO_PRODUCER: _READER | {Action.MEMO},
    Role.CODER: _CODER,
    Role.LEAD: _CODER | {Action.LEAD, Action.CHECK, Action.INTAKE},
    Role.DATA_MANAGER: _READER | {Action.READ, Action.CHECK, Action.INTAKE, Action.PASSPORT, Action.TEXTS},
    Role.SAFEGUARDING_LEAD: _READER | {Action.READ, Action.SAFEGUARD},
    Role.RELEASE_OFFICER: _READER | {Action.READ, Action.RELEASE},
    Role.AUDITOR: _READER | {Action.AUDIT},
    Role.ADMIN: _READER | {Action.PEOPLE},
    Role.NONE: frozenset(),
}
# Duties that no role may join: nobody lets out what they coded, runs the accounts of texts they read, or audits themselves.
APART = (
    (Action.CODE, Action.RELEASE),
    (Action.READ, Action.PEOPLE),
    (Action.SAFEGUARD, Action.PASSPORT),  # who asks to see original words, and who allows it
    *((Action.AUDIT, other) for other in Action if other not in (Action.AUDIT, Action.FINDINGS)),
)

# What goes with a role held in every study and stays where the person has another role in one of them.
WHOLE_HOUSE = frozenset({Action.PEOPLE, Action.AUDIT})


def may(role: Role, action: Action) -> bool:
    """Whether a role may do it."""
    return action in PERMISSIONS[role]


def clash(everywhere: Role, here: Role) -> tuple[Action, Action] | None:
    """Two duties kept apart that somebody would join who is one thing in every study and another in one; None if none."""
    kept = PERMISSIONS[everywhere] & WHOLE_HOUSE
    held = PERMISSIONS[here]
    return next(
        ((one, other) for one, other in APART if (one in kept and other in held) or (other in kept and one in held)),
        None,
    )
