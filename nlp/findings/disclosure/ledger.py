"""The ledger: everything released so far, as facts that add up; and what must stay hidden. Counts and labels, no people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nlp.errors import DisclosureError
from nlp.findings.disclosure.tables import Where


@dataclass(frozen=True, slots=True)
class Fact:
    """A release said that so many of the people whom it counted are in this set."""

    release: str
    where: Where
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Hidden:
    """People counted in one release (and not in another, `without`) whose number must keep a range of `need`."""

    release: str
    without: str
    where: Where
    need: int


@dataclass(frozen=True, slots=True)
class Released:
    """One release in the ledger."""

    release: str
    profile: str
    facts: tuple[Fact, ...]
    hidden: tuple[Hidden, ...]

    @property
    def wheres(self) -> list[Where]:
        """Every set of people that the entry speaks of."""
        return [*(f.where for f in self.facts), *(h.where for h in self.hidden)]


def to_data(entry: Released) -> dict[str, Any]:
    """The entry as plain data for JSON."""
    return {
        "release": entry.release,
        "profile": entry.profile,
        "facts": [{"where": _plain(f.where), "low": f.low, "high": f.high} for f in entry.facts],
        "hidden": [
            {"release": h.release, "without": h.without, "where": _plain(h.where), "need": h.need} for h in entry.hidden
        ],
    }


def from_data(data: Mapping[str, Any]) -> Released:
    """An entry read back; DisclosureError when it is not one."""
    try:
        release = str(data["release"])
        facts = tuple(Fact(release, _where(f["where"]), int(f["low"]), int(f["high"])) for f in data["facts"])
        hidden = tuple(
            Hidden(str(h["release"]), str(h["without"]), _where(h["where"]), int(h["need"])) for h in data["hidden"]
        )
        return Released(release, str(data["profile"]), facts, hidden)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DisclosureError("an entry of the release ledger is not readable") from None


def _plain(where: Where) -> dict[str, list[str]]:
    return {attribute: sorted(values) for attribute, values in where}


def _where(data: Mapping[str, list[str]]) -> Where:
    return tuple((a, frozenset(map(str, values))) for a, values in sorted(data.items()))
