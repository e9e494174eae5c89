"""The demo's ready accounts. They open fictional studies only, and the sign-in page shows them to everybody."""

from __future__ import annotations

from pathlib import Path

from service.access.people import DEMO_PASSWORD, add_person, people_in
from service.access.permissions import Role

__all__ = ["ACCOUNTS", "DEMO_PASSWORD", "add_demo_accounts"]
ACCOUNTS = {
    "Lead (demo)": Role.LEAD,
    "Coder A (demo)": Role.CODER,
    "Coder B (demo)": Role.CODER,
    "Data manager (demo)": Role.DATA_MANAGER,
    "Young co-producer (demo)": Role.CO_PRODUCER,
    "Reader (demo)": Role.READER,
    "Safeguarding lead (demo)": Role.SAFEGUARDING_LEAD,
    "Release officer (demo)": Role.RELEASE_OFFICER,
    "Auditor (demo)": Role.AUDITOR,
    "Administrator (demo)": Role.ADMIN,
}


def add_demo_accounts(folder: Path, *, now: str) -> None:
    """One account for each role, two for coders, so that double coding can be tried."""
    with people_in(folder) as db:
        for name, role in ACCOUNTS.items():
            add_person(db, name=name, role=role, password=DEMO_PASSWORD, now=now, demo=True)
