"""A round's plan: who reads it, which share two coders read apart, and how far each of them is; ending a round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from service.errors import ConflictError, RecordError, StudyError
from service.study.database import write
from service.study.decisions import Draw, Round, closed_by_coder, rounds
from service.study.plans import End, Plan, add_end, assigned, ends, plan_of
from service.study.runs import add_audit
from service.study.standing import RoundCounts, round_counts
from service.study.study import Study
from service.study.voices import segments
from service.usecases.rounds import ByChoice, Drawing, counting_drawing, review_drawing, store_round

LARGEST = 100_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The round that a lead wants. `twice` is the share of its units that two coders read, each without the other."""

    kind: str
    coders: tuple[str, ...]
    twice: float
    by: str = "person"
    reads: int = 60
    choice: ByChoice = field(default_factory=ByChoice)
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Planned:
    """A round before it is made: `units` drawn with their `texts`, of which `shared` units are read by two."""

    drawing: Drawing
    plan: Plan
    assigned: Mapping[int, tuple[str, ...]]
    texts: int

    @property
    def units(self) -> int:
        """How many people, texts or segments are drawn."""
        return len(self.drawing.draws)

    @property
    def shared(self) -> int:
        """How many of them two coders read."""
        return len(self.assigned)


@dataclass(frozen=True, slots=True)
class CoderLine:
    """One coder in a round: units that are theirs by the plan, and texts that they have read to the end."""

    name: str
    units: int
    read: int


@dataclass(frozen=True, slots=True)
class RoundLine:
    """A round as it stands; `plan` is None where everybody reads it whole, `end` where it goes on."""

    round: Round
    counts: RoundCounts
    plan: Plan | None
    shared: int
    coders: tuple[CoderLine, ...]
    end: End | None


def planned(study: Study, asked: Asked) -> Planned:
    """What the round would be. Nothing is stored; making it draws and assigns the same."""
    _check(asked)
    if asked.kind == "counting":
        drawing = counting_drawing(study, people=asked.reads, seed=asked.seed, by=asked.by, choice=asked.choice)
    else:
        drawing = review_drawing(study, seed=asked.seed, start=asked.choice.start)
    shared = assignments(drawing.draws, asked.coders, asked.twice, seed=asked.seed)
    return Planned(drawing, Plan(asked.coders, asked.twice), shared, _texts(study, drawing))


def _check(asked: Asked) -> None:
    if asked.kind not in ("counting", "review"):
        raise StudyError("a round is for counting or for review")
    if not asked.coders:
        raise StudyError("choose at least one coder")
    if len(set(asked.coders)) < len(asked.coders):
        raise StudyError("a coder can be chosen once")
    if not 0 <= asked.twice <= 1:
        raise StudyError("the share that two coders read lies between 0 and 100%")
    if asked.twice and len(asked.coders) < 2:
        raise StudyError("for some to be read by two, choose at least two coders")
    if not 1 <= asked.reads <= LARGEST:
        raise StudyError(f"a counting round draws between 1 and {LARGEST:,}")


def assignments(drawn: Sequence[Draw], coders: Sequence[str], twice: float, *, seed: int) -> dict[int, tuple[str, ...]]:
    """Which positions two coders read: a random share, and each pair of coders as often as any other.

    All other positions are a pool, for whichever coder comes first. The same seed assigns the same.
    """
    pairs = list(combinations(coders, 2))
    if not pairs:
        return {}
    dice = np.random.default_rng([seed, len(drawn)])
    positions = [d.position for d in drawn]
    chosen = dice.permutation(positions)[: round(twice * len(positions))]
    turns = dice.permutation(len(pairs))
    found = {int(position): pairs[turns[i % len(pairs)]] for i, position in enumerate(chosen)}
    return dict(sorted(found.items()))


def _texts(study: Study, drawing: Drawing) -> int:
    if drawing.unit == "segment":
        return len(drawing.draws)
    voices = {voice for d in drawing.draws for voice in drawing.scope.get(d.unit, ())}
    return sum(s.voice in voices for s in segments(study.db))


def make_round(study: Study, asked: Asked, *, after: int, now: str, actor: str) -> Round:
    """Draw the round and store it with its plan.

    `after` is how many rounds there were when it was asked for; ConflictError where one was made in the meantime, so
    that the same form sent twice makes one round.
    """
    wanted = planned(study, asked)
    if len(rounds(study.db)) != after:
        raise ConflictError(
            "A round was made after you opened this page. Look at the list of rounds before you make one."
        )
    return store_round(study, wanted.drawing, now, actor, wanted.plan, wanted.assigned)


def end_round(study: Study, round_id: str, *, now: str, actor: str) -> None:
    """End a round: nobody is asked for more of it, and what was kept apart in it is opened. Ending it twice is one end."""
    named_round(study, round_id)
    with write(study.db) as connection:
        if add_end(connection, round_id, by=actor, at=now):
            add_audit(connection, at=now, actor=actor, action="end round", subject=round_id)


def named_round(study: Study, round_id: str) -> Round:
    """A round by its id; RecordError when there is none."""
    found = next((r for r in rounds(study.db) if r.id == round_id), None)
    if found is None:
        raise RecordError("there is no round of that name in this study")
    return found


def round_lines(study: Study) -> list[RoundLine]:
    """Every round, newest first."""
    counts, over = {c.id: c for c in round_counts(study.db)}, ends(study.db)
    return [_line(study, r, counts[r.id], over.get(r.id)) for r in reversed(rounds(study.db))]


def _line(study: Study, round_: Round, counts: RoundCounts, end: End | None) -> RoundLine:
    plan, shared = plan_of(study.db, round_.id), assigned(study.db, round_.id)
    read = {coder: len(closed) for coder, closed in closed_by_coder(study.db, round_.id).items()}
    names = dict.fromkeys([*(plan.coders if plan else ()), *read])
    own = {name: sum(name in coders for coders in shared.values()) for name in names}
    coders = tuple(CoderLine(name, own[name], read.get(name, 0)) for name in names)
    return RoundLine(round_, counts, plan, len(shared), coders, end)
