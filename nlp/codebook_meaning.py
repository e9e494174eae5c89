"""What a code that was given under one version of a codebook means under a later one.

A code keeps its meaning from version to version unless a version says what became of it. What was coded under a code
that was split, merged or redefined counts under nothing until it is read again, except where a person declared, in
publishing, that the meaning is kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Turn(StrEnum):
    """What became of a code in a version."""

    SPLIT = "split"
    MERGE = "merge"
    RETIRE = "retire"
    REDEFINE = "redefine"
    REWORD = "reword"
    REREAD = "reread"


@dataclass(frozen=True, slots=True)
class Turned:
    """What became of one code, and why.

    `into` are the codes that stand in its place. `same_meaning` is a person's declaration that whatever had the old
    code has the new one, and nothing else has. REREAD takes back such a declaration, made in `of_version` about `code`.
    `version` is the version that it came with, empty in a draft.
    """

    code: str
    turn: Turn
    into: tuple[str, ...] = ()
    why: str = ""
    same_meaning: bool = False
    version: str = ""
    of_version: str = ""


def numbers(version: str) -> tuple[int, ...]:
    """A version's numbers, to sort by; a part that is no number counts as 0."""
    return tuple(int(part) if part.isdecimal() else 0 for part in version.split("."))


class Meanings:
    """All that became of codes over a codebook's versions."""

    def __init__(self, turned: Iterable[Turned] = ()) -> None:
        every = list(turned)
        taken_back = {(one.code, one.of_version) for one in every if one.turn is Turn.REREAD}
        steps: dict[tuple[int, ...], list[Turned]] = defaultdict(list)
        for one in every:
            if one.turn not in (Turn.RETIRE, Turn.REREAD):
                steps[numbers(one.version)].append(one)
        self._steps = [(at, _moves(found, taken_back), _merged(found)) for at, found in sorted(steps.items())]

    def __bool__(self) -> bool:
        return bool(self._steps)

    def now(self, version: str, code: str) -> str:
        """The code that a word given under `version` counts under now; empty where it must be read again."""
        at = numbers(version)
        for step, moves, _ in self._steps:
            if step > at:
                code = moves.get(code, code)
        return code

    def whole(self, version: str, codes: Iterable[str]) -> frozenset[str]:
        """Of today's codes, those on which a reading under `version` is a full word, yes or no.

        `codes` are those that could be given then. A merged code is one only where each of its sources is.
        """
        at, known = numbers(version), frozenset(codes)
        for step, moves, merged in self._steps:
            if step > at:
                known = _carried(known, moves, merged)
        return known


def _moves(turned: Iterable[Turned], taken_back: set[tuple[str, str]]) -> dict[str, str]:
    """Where each code goes in one version; to nothing where its meaning changed."""
    return {one.code: one.into[0] if _kept(one, taken_back) else "" for one in turned}


def _kept(one: Turned, taken_back: set[tuple[str, str]]) -> bool:
    return one.same_meaning and len(one.into) == 1 and (one.into[0], one.version) not in taken_back


def _merged(turned: Iterable[Turned]) -> dict[str, frozenset[str]]:
    """For each code that a version merged others into, all its sources."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in turned:
        if one.turn is Turn.MERGE:
            found[one.into[0]].add(one.code)
    return {target: frozenset(sources) for target, sources in found.items()}


def _carried(
    known: frozenset[str], moves: Mapping[str, str], merged: Mapping[str, frozenset[str]]
) -> frozenset[str]:  # fmt: skip
    stays = {code for code in known if moves.get(code, code) == code and code not in merged}
    joined = {t for t, sources in merged.items() if sources <= known and all(moves[s] == t for s in sources)}
    return frozenset(stays | joined)
