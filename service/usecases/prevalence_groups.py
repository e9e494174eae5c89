"""How many of each group express a theme, each group with its own error rates, and no small count to be worked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.errors import EstimateError
from nlp.findings import prevalence
from nlp.findings.disclosure import DFE, LA5, Axis, Counted, Table, plan
from nlp.findings.prevalence import Estimate, Truth
from nlp.types import Code
from service.errors import RecordError
from service.study.codebooks import newest_codebook
from service.study.study import Study
from service.study.voices import VoiceRecord, all_voices
from service.usecases import counts
from service.usecases.prevalence import no_round, share_of, worded
from service.usecases.rounds import counted_round

DIMENSIONS = ("voice", "age_band", "area", "period")
SEVERAL, NOT_KNOWN = "more than one", "not known"
YES, NO = "said it", "did not"
RECOGNISED = LA5.words[:1].upper() + LA5.words[1:] + "."


@dataclass(frozen=True, slots=True)
class OfGroup:
    """A theme in one group; `estimate` is None when `refusal` says why none is shown."""

    estimate: Estimate | None
    refusal: str


@dataclass(frozen=True, slots=True)
class ByGroup:
    """A theme by group; `refusal` stands where nothing is shown of it at all."""

    code: Code
    refusal: str
    groups: Mapping[str, OfGroup]


@dataclass(frozen=True, slots=True)
class SharesBy:
    """All themes by one attribute. `groups` have a share of some theme; of the `others` none can be shown."""

    dimension: str
    refusal: str
    groups: tuple[str, ...]
    others: tuple[str, ...]
    themes: tuple[ByGroup, ...]


def shares_by(study: Study, dimension: str) -> SharesBy:
    """Every theme by who speaks, age band, area or year; RecordError for any other attribute."""
    if dimension not in DIMENSIONS:
        raise RecordError("findings are told by who speaks, age band, area or period")
    round_ = counted_round(study, unit="participant")
    if round_ is None:
        return SharesBy(dimension, no_round(study), (), (), ())
    counted = counts.counted_in(study, round_)
    group_of = _groups(counted, all_voices(study.db), dimension)
    themes = tuple(_by_group(counted, code, group_of) for code in newest_codebook(study.db).active_codes)
    names = sorted(set(group_of.values()), key=lambda name: (name in (SEVERAL, NOT_KNOWN), name))
    shown = [n for n in names if any(n in t.groups and t.groups[n].estimate is not None for t in themes)]
    return SharesBy(dimension, "", tuple(shown), tuple(n for n in names if n not in shown), themes)


def _groups(counted: counts.Counted, records: Sequence[VoiceRecord], dimension: str) -> dict[str, str]:
    """Each person's group: what all their texts have, or that it is more than one or not known."""
    value = {r.id: _value(r, dimension) for r in records}
    return {person: _one({value[v] for v in voices}) for person, voices in counted.units.items()}


def _value(record: VoiceRecord, dimension: str) -> str:
    value = str(getattr(record, dimension))
    return value[:4] if dimension == "period" else value


def _one(values: set[str]) -> str:
    return (next(iter(values)) or NOT_KNOWN) if len(values) == 1 else SEVERAL


def _by_group(counted: counts.Counted, code: Code, group_of: Mapping[str, str]) -> ByGroup:
    whole = share_of(counted, code)
    if whole.estimate is None:
        return ByGroup(code, whole.refusal, {})
    names = np.array(list(group_of.values()))
    rows = {str(name): names == name for name in np.unique(names)}
    found = prevalence.by_group(counted.sample(code.id), rows, Truth.PEOPLE_LOADED)
    hidden = _hidden(counted, code.id, group_of)
    return ByGroup(code, "", {name: _of_group(estimate, name in hidden) for name, estimate in found.items()})


def _of_group(found: Estimate | EstimateError, hidden: bool) -> OfGroup:
    if hidden:
        return OfGroup(None, RECOGNISED)
    return OfGroup(None, worded(found)) if isinstance(found, EstimateError) else OfGroup(found, "")


def _hidden(counted: counts.Counted, code: str, group_of: Mapping[str, str]) -> set[str]:
    """Groups of whom a count could be worked out that is too small to show, the share of everyone being known."""
    said = counted.speakers(code)
    people = [(YES if p in said else NO, group_of[p]) for p in sorted(counted.read_for(code))]
    answer = Axis("answer", (YES, NO), telling=frozenset({YES}))
    group = Axis("group", tuple(sorted({g for _, g in people})), total="Everyone")
    told = plan(
        [Counted({"answer": a, "group": g}) for a, g in people], [Table("everyone", (answer,))], profile=DFE,
        release="everyone",
    )  # fmt: skip
    apart = plan(
        [Counted({"answer": a, "group": g}, earlier=frozenset({"everyone"})) for a, g in people],
        [Table("groups", (group, answer))], profile=LA5, release="groups", ledger=[told.entry],
    )  # fmt: skip
    return {cell.labels[0] for cell in apart.cells if cell.people is None}
