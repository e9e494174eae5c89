"""What the papers are filled in from: the study, its check, its blind reads, its runs and the settings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from nlp.findings.disclosure.shown import Shown, shown_count
from nlp.findings.error_rates import BlindText, ErrorRates, error_rates
from nlp.types import Codebook
from service.errors import RecordError
from service.papers.bill import OURS, Library, libraries
from service.settings import Settings
from service.study.codebooks import newest_codebook
from service.study.indicators import Listed, listed_indicators
from service.study.passports import passport_of
from service.study.readings import given_in, readings, suggested
from service.study.runs import Run, all_runs
from service.study.standing import Counts, RoundCounts, counts, round_counts
from service.study.study import Study
from service.study.voices import VoiceRecord, all_voices
from service.usecases.agreement import Glance, at_a_glance
from service.usecases.check import Gate, gate, origin_of
from service.usecases.passport import in_words


@dataclass(frozen=True, slots=True)
class Method:
    """A method that a machine used on the study, with its model's fingerprint; how often, and when last."""

    kind: str
    method: str
    model: str
    times: int
    last: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known by itself. `voices`, `hands` and `provenances` are people, small counts held back.

    `by_voice` and `by_origin` are the machine's error rates on what people read blind; `codebook` is None before one is used.
    """

    made_on: str
    version: str
    study: Study
    counts: Counts
    codebook: Codebook | None
    voices: Mapping[str, Shown]
    hands: Mapping[str, Shown]
    provenances: Mapping[str, Shown]
    gate: Gate
    methods: Sequence[Method]
    rounds: Sequence[RoundCounts]
    by_voice: Sequence[ErrorRates]
    by_origin: Sequence[ErrorRates]
    agreement: Glance | None
    indicators: Sequence[Listed]
    settings: Settings
    libraries: Sequence[Library]
    passport: Mapping[str, str]


def facts(study: Study, settings: Settings, *, person: str, now: str) -> Facts:
    """Everything, as it is now; `person` asks, and does not see what is kept from them as a coder."""
    held = all_voices(study.db)
    by_id = {v.id: v for v in held}
    return Facts(
        made_on=now[:10], version=version(OURS), study=study, counts=counts(study.db), codebook=_codebook(study),
        voices=_people(held, "voice"), hands=_people(held, "via"), provenances=_people(held, "provenance"),
        gate=gate(study), methods=_methods(all_runs(study.db)), rounds=round_counts(study.db),
        by_voice=error_rates(_blind(study, {v.id: v.voice for v in held})),
        by_origin=error_rates(_blind(study, {id_: origin_of(v) for id_, v in by_id.items()})),
        agreement=at_a_glance(study, person), indicators=listed_indicators(study.db), settings=settings,
        libraries=libraries(), passport=_passport(study),
    )  # fmt: skip


def _passport(study: Study) -> dict[str, str]:
    """What the dataset passport says, as it may stand in a table; empty before there is one."""
    held = passport_of(study)
    return {} if held is None else {name: words.replace("|", "\\|") for name, words in in_words(held).items()}


def _codebook(study: Study) -> Codebook | None:
    try:
        return newest_codebook(study.db)
    except RecordError:
        return None


def _people(held: Sequence[VoiceRecord], field: str) -> dict[str, Shown]:
    """How many people there are of each kind."""
    pairs = {(str(getattr(v, field)), v.participant) for v in held}
    return {kind: shown_count(n) for kind, n in sorted(Counter(kind for kind, _ in pairs).items())}


def _methods(runs: Sequence[Run]) -> list[Method]:
    last: dict[tuple[str, str, str], Run] = {}
    times: Counter[tuple[str, str, str]] = Counter()
    for run in runs:
        key = (run.kind, run.method, run.model)
        last[key] = run
        times[key] += 1
    return [Method(*key, times[key], run.finished_at[:10]) for key, run in last.items()]


def _blind(study: Study, group_of: Mapping[str, str]) -> list[BlindText]:
    """Texts that were read blind after the machine had read them, each once: by whoever closed it first."""
    said = {r.segment: r for r in reversed(readings(study.db, "x.stream <> ''")) if r.blind and r.machine}
    machine = suggested(study.db, list(said.values()))
    given = {r: given_in(study.db, r, blind=True) for r in {one.round for one in said.values()}}
    return [
        BlindText(
            one.participant, group_of.get(one.segment.rpartition(".")[0], ""),
            frozenset(c.code for c in given[one.round].get((one.coder, one.segment), ())), frozenset(machine[one.seq]),
        )
        for one in said.values()
    ]  # fmt: skip
