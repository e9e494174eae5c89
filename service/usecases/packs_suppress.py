"""Which counts of a study's themes may leave it, beside every count that left it before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nlp.findings.disclosure import LA5, Axis, Released, Table, plan
from nlp.findings.disclosure import Counted as Person
from service.study.counts_released import Past
from service.usecases.counts import Counted

YES, NO, UNREAD = "said it", "did not", "not read for it"
Answers = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """People who said each theme, None where that must not be told; the ledger's entry, and who was counted how."""

    said: Mapping[str, int | None]
    entry: Released
    answers: Mapping[int, Answers]


def suppressed(
    counted: Counted, codes: Sequence[str], numbers: Mapping[str, int], past: Sequence[Past], release: str
) -> Suppressed:
    """Each theme's count under the profile `la5`; nothing small can be worked out from all releases together."""
    read = {code: counted.read_for(code) for code in codes}
    answers = {number: _answers(counted, read, person) for person, number in numbers.items()}
    tables = [Table(code, (Axis(code, (YES, NO, UNREAD), telling=frozenset({YES})),)) for code in codes]
    made = plan(_people(answers, past), tables, profile=LA5, release=release, ledger=[p.entry for p in past])
    shown = {(cell.table, cell.labels[0]): cell.people for cell in made.cells}
    said = {code: shown[code, YES] if shown[code, NO] is not None else None for code in codes}
    return Suppressed(said, made.entry, answers)


def _answers(counted: Counted, read: Mapping[str, Collection[str]], person: str) -> Answers:
    found = {c.code for voice in counted.units[person] for c in counted.found.get(voice, ())}
    return {code: (YES if code in found else NO) if person in of else UNREAD for code, of in read.items()}


@dataclass(slots=True)
class _Once:
    """One person as they were counted alike, now or in earlier releases."""

    answers: dict[str, str]
    earlier: set[str] = field(default_factory=set)
    now: bool = False

    def agrees(self, other: Answers) -> bool:
        return all(self.answers.get(code, said) == said for code, said in other.items())


def _people(now: Mapping[int, Answers], past: Sequence[Past]) -> list[Person]:
    """Everybody counted now or before. Whoever was read anew since is somebody else who left, and one who came."""
    held: dict[int, list[_Once]] = {number: [_Once(dict(said), now=True)] for number, said in now.items()}
    for release in past:
        for number, said in release.answers.items():
            known = held.setdefault(number, [])
            same = next((one for one in known if one.agrees(said)), None)
            if same is None:
                known.append(same := _Once({}))
            same.answers |= said
            same.earlier.add(release.entry.release)
    every = [one for people in held.values() for one in people]
    unasked = {code: UNREAD for one in every for code in one.answers}
    return [Person(unasked | one.answers, earlier=frozenset(one.earlier), now=one.now) for one in every]
