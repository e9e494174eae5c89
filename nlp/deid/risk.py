"""What is left in a clean text that could still single somebody out: flagged for a person, never masked.

A rare event, an unusual job or illness, many siblings, an exact age: each is harmless in a city and
telling in a village. So each comes with its normalised term, for counting who shares it, and
`smallest_groups` gives k, how many people share somebody's attributes (Sweeney 2002).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from nlp.deid.surrogates import SURROGATE


class QuasiKind(StrEnum):
    """What sort of thing may single somebody out."""

    EVENT = "event"
    JOB = "job"
    ILLNESS = "illness"
    SIBLINGS = "siblings"
    AGE = "age"
    ONLY_ONE = "only one"


@dataclass(frozen=True, slots=True)
class QuasiIdentifier:
    """A stretch of a text, in its offsets; `term` is the same however it was put."""

    start: int
    end: int
    kind: QuasiKind
    term: str
    why: str


_WHY = {
    QuasiKind.EVENT: "an event that few people have lived through",
    QuasiKind.JOB: "a job that few people have",
    QuasiKind.ILLNESS: "an illness or condition that few people have",
    QuasiKind.SIBLINGS: "an unusual number of siblings, or a multiple birth",
    QuasiKind.AGE: "an exact age",
    QuasiKind.ONLY_ONE: "somebody who is said to be the only one",
}


@cache
def _shapes() -> tuple[tuple[QuasiKind, str, re.Pattern[str]], ...]:
    """The rows of `data/quasi_identifiers.tsv`; a row whose kind ends in `!` is a part of later ones."""
    lines = resources.files("nlp.deid").joinpath("data", "quasi_identifiers.tsv").read_text("utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    parts = {kind: shape for kind, _, shape in rows if kind.endswith("!")}
    whole = re.compile("|".join(parts))
    return tuple(
        (QuasiKind(kind), term, re.compile(whole.sub(lambda m: parts[m[0]], shape), re.IGNORECASE))
        for kind, term, shape in rows
        if not kind.endswith("!")
    )


def quasi_identifiers(text: str) -> list[QuasiIdentifier]:
    """What may single somebody out, in text order and disjoint; surrogates are left alone."""
    covered = [m.span() for m in SURROGATE.finditer(text)]
    words = _blanked(text, covered)
    found = [
        QuasiIdentifier(m.start(), m.end(), kind, term, _WHY[kind])
        for kind, term, shape in _shapes()
        for m in shape.finditer(words)
        if m.end() > m.start()
    ]
    kept: list[QuasiIdentifier] = []
    for quasi in sorted(found, key=lambda q: (q.start, -q.end)):
        if not kept or quasi.start >= kept[-1].end:
            kept.append(quasi)
    return kept


def _blanked(text: str, covered: Iterable[tuple[int, int]]) -> str:
    """The text with as many unreadable characters in the place of each surrogate."""
    pieces, done = [], 0
    for start, end in covered:
        pieces += [text[done:start], "\x00" * (end - start)]
        done = end
    return "".join([*pieces, text[done:]])


def smallest_groups(attributes: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
    """For each participant with attributes, how many participants have the same ones: k, that person counted."""
    shapes = {p: tuple(sorted((k, v) for k, v in values.items() if v)) for p, values in attributes.items()}
    sizes = Counter(shape for shape in shapes.values() if shape)
    return {participant: sizes[shape] for participant, shape in shapes.items() if shape}


def shared_by(found: Mapping[str, Iterable[QuasiIdentifier]]) -> dict[tuple[QuasiKind, str], int]:
    """With how many participants each kind and term occurs."""
    people: dict[tuple[QuasiKind, str], set[str]] = defaultdict(set)
    for participant, quasis in found.items():
        for quasi in quasis:
            people[quasi.kind, quasi.term].add(participant)
    return {key: len(who) for key, who in people.items()}
