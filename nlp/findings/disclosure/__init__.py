"""Disclosure control: what may be shown of counts of people, beside everything that was shown before."""

from nlp.findings.disclosure.ledger import Fact, Hidden, Released, from_data, to_data
from nlp.findings.disclosure.profile import DFE, LA5, PROFILES, TRE10, Profile, profile
from nlp.findings.disclosure.release import Cell, Plan, plan
from nlp.findings.disclosure.shown import SMALLEST_SHOWN, SUPPRESSED, Shown, may_show_share, shown_count
from nlp.findings.disclosure.tables import Axis, Counted, Table

__all__ = [
    "DFE",
    "LA5",
    "PROFILES",
    "SMALLEST_SHOWN",
    "SUPPRESSED",
    "TRE10",
    "Axis",
    "Cell",
    "Counted",
    "Fact",
    "Hidden",
    "Plan",
    "Profile",
    "Released",
    "Shown",
    "Table",
    "from_data",
    "may_show_share",
    "plan",
    "profile",
    "shown_count",
    "to_data",
]
