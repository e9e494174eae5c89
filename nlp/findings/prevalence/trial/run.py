"""A cell tried many times: every method's share beside the truth that it names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.random import Generator

from nlp.findings.prevalence.sample import Floats, Whole, Yes
from nlp.findings.prevalence.shown import MIN_TWICE, Blind, Shown, with_shown
from nlp.findings.prevalence.strata import FIVE, score
from nlp.findings.prevalence.trial import methods
from nlp.findings.prevalence.trial.cells import Cell, Kind
from nlp.findings.prevalence.trial.draws import equally, five, stratified, uniform
from nlp.findings.prevalence.trial.marks import ALONE, Mark, mark
from nlp.findings.prevalence.trial.methods import Found
from nlp.findings.prevalence.trial.worlds import Worlds, ever, people, texts

AT_ONCE = 250_000  # units held in memory
PLANNED, READS_FOR_FIVE = 20, 100
Tried = dict[str, tuple[Found, Floats]]


def mark_cell(cell: Cell, *, runs: int, seed: int) -> dict[str, Mark]:
    """Each method's marks after so many runs, the same for the same seed."""
    dice = np.random.default_rng([seed, *_spelt(cell)])
    parts = [_TRIED[cell.kind](cell, count, dice) for count in _portions(runs, cell.loaded)]
    return {name: mark([part[name] for part in parts]) for name in parts[0]}


def real_code(holds: Yes, suggested: Yes, machine: Floats, *, reads: int, runs: int, seed: int) -> Mark:
    """Marks of the default on texts that people coded: what they gave is the truth, the draw alone is simulated."""
    dice, parts = np.random.default_rng(seed), list[tuple[Found, Floats]]()
    for count in _portions(runs, len(holds)):
        worlds = _repeated(holds, suggested, machine, count)
        read = uniform(count, len(holds), reads, dice)
        parts.append((methods.by_strata(worlds, read, worlds.suggested.astype(np.int64), 2), worlds.truth))
    return mark(parts)


def _repeated(holds: Yes, suggested: Yes, machine: Floats, runs: int) -> Worlds:
    shape = (runs, len(holds))
    person = np.broadcast_to(np.arange(len(holds)), shape)
    yes, also, sure = (np.broadcast_to(a, shape) for a in (holds, suggested, machine))
    return Worlds(yes.astype(bool), also.astype(bool), sure.astype(float), person, np.zeros(shape, bool))


def _portions(runs: int, units: int) -> Iterator[int]:
    at_once = max(1, AT_ONCE // units)
    return (min(at_once, runs - begun) for begun in range(0, runs, at_once))


def _spelt(cell: Cell) -> list[int]:
    """The cell as whole numbers, for a seed of its own."""
    numbers = (cell.share, cell.sensitivity, cell.specificity, cell.loaded, cell.reads, cell.icc, cell.machine_icc,
               cell.most_texts, cell.slope, cell.shift + 10, cell.worse_group, cell.accepts)  # fmt: skip
    return [round(1e4 * number) for number in numbers] + [list(Kind).index(cell.kind)]


def _both_units(cell: Cell, runs: int, dice: Generator) -> Tried:
    of_texts, of_people = texts(cell, runs, dice), people(cell, runs, dice)
    return {
        **_level("texts", cell, of_texts, cell.share, dice),
        **_by_five(cell, of_texts, dice),
        **_level("people", cell, of_people, ever(cell), dice),
    }


def _level(unit: str, cell: Cell, worlds: Worlds, wider: float, dice: Generator) -> Tried:
    runs, truth = len(worlds.holds), worlds.truth
    labels = worlds.suggested.astype(np.int64)
    read = uniform(runs, cell.loaded, cell.reads, dice)
    drawn = stratified(labels, 2, worlds.machine, cell.reads, dice)
    found = {
        "default, one read for every code": methods.by_strata(worlds, read, labels, 2),
        "default, strata of one code": methods.by_strata(worlds, drawn, labels, 2),
        ALONE: methods.blind_alone(worlds, read),
    }
    if cell.reads * wider >= PLANNED:  # what is known before these reads
        found |= {name: methods.with_machine(worlds, read, fitted=name == "PPI++") for name in ("PPI", "PPI++")}
    found |= {"raw suggestions": _known(worlds.suggested), "confirmed only": _known(worlds.suggested & worlds.holds)}
    like = methods.like_these(worlds, read)
    return {
        **{f"{unit} {name}": (f, truth) for name, f in found.items()},
        f"{unit} like these": (like, np.full(runs, wider)),
    }


def _by_five(cell: Cell, worlds: Worlds, dice: Generator) -> Tried:
    if cell.reads < READS_FOR_FIVE:
        return {}
    labels: Whole = five(worlds.machine)
    read = stratified(labels, FIVE, worlds.machine, cell.reads, dice)
    return {"texts five strata of one code": (methods.by_strata(worlds, read, labels, FIVE, score), worlds.truth)}


def _known(yes: Yes) -> Found:
    share = yes.mean(axis=1)
    return Found(share, share, share)


def _fifteen(cell: Cell, runs: int, dice: Generator) -> Tried:
    worlds = texts(cell, runs, dice)
    read = uniform(runs, cell.loaded, cell.reads, dice)
    by_code = methods.by_strata(worlds, read, worlds.suggested.astype(np.int64), 2)
    alone = methods.blind_alone(worlds, read)
    return {"texts default, 15 codes": (by_code, worlds.truth), f"texts {ALONE}": (alone, worlds.truth)}


def _groups(cell: Cell, runs: int, dice: Generator) -> Tried:
    """Two groups of one study, as many reads in each; the machine misses more of one."""
    of = texts(cell, runs, dice)
    read = equally(of.worse.astype(np.int64), 2, cell.reads // 2, dice)
    one, other = (
        methods.by_strata(of, read & g, of.suggested.astype(np.int64), 2, among=g) for g in (of.worse, ~of.worse)
    )
    here, there = ((of.holds & g).sum(axis=1) / g.sum(axis=1) for g in (of.worse, ~of.worse))
    return {
        "texts of the group heard worse": (one, here),
        "texts of the group heard better": (other, there),
        "texts, difference of groups": (methods.differences(one, other), here - there),
    }


def _shown(cell: Cell, runs: int, dice: Generator) -> Tried:
    """Half of the reads are suggested texts with the suggestion on screen, a half of them read again blind; the rest blind."""
    of = texts(cell, runs, dice)
    found = np.array([_leaning(cell, of.holds[i], of.suggested[i], dice) for i in range(runs)])
    return {"texts, shown by difference": (Found(*found.T), of.truth)}


def _leaning(cell: Cell, holds: Yes, suggested: Yes, dice: Generator) -> tuple[float, float, float]:
    here, rest = np.flatnonzero(suggested), np.flatnonzero(~suggested)
    shown = dice.choice(here, min(len(here), cell.reads // 2), replace=False)
    first = holds[shown] | (dice.random(len(shown)) < cell.accepts)
    twice = dice.permutation(len(shown))[: max(MIN_TWICE, len(shown) // 2)]
    blind = dice.choice(rest, min(len(rest), cell.reads // 2), replace=False)
    of_suggested = Shown(len(here), first, first[twice], holds[shown][twice])
    return with_shown(of_suggested, Blind(len(rest), len(blind), int(holds[blind].sum())))


_TRIED: Mapping[Kind, Callable[[Cell, int, Generator], Tried]] = {
    Kind.GRID: _both_units,
    Kind.HARDER: _both_units,
    Kind.FIFTEEN: _fifteen,
    Kind.GROUPS: _groups,
    Kind.SHOWN: _shown,
}
