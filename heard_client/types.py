"""What is sent and what comes back. Offsets are code points, half-open. What holds people's words has no repr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """A text to de-identify. Those of one participant are read together; `known` are names on the form."""

    text: str
    id: str = ""
    participant: str = ""
    known: Sequence[str] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Voice:
    """A contribution to take in; `record` is its id where it comes from."""

    record: str
    text: str
    participant: str = ""
    voice: str = "unknown"
    via: str = "unknown"
    provenance: str = "unknown"
    consent: str = "analysis_only"
    question: str = ""
    age_band: str = "unknown"
    area: str = ""
    period: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    known: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class CleanSpan:
    """What was replaced: `start` and `end` in the text that was sent, the others in the clean text."""

    label: str
    start: int
    end: int
    clean_start: int
    clean_end: int


@dataclass(frozen=True, slots=True, repr=False)
class CleanText:
    """A de-identified text; `clean_text` is None where a person must see to it."""

    id: str
    clean_text: str | None
    needs_person: bool
    language: str
    spans: tuple[CleanSpan, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A code that may fit, and where its evidence stands. A person decides."""

    code: str
    probability: float
    band: str
    start: int
    end: int
    label: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment with its suggestions, best first. `blind` says that they are kept back until the caller has decided."""

    start: int
    end: int
    suggestions: tuple[Proposal, ...]
    segment: str = ""
    voice: str = ""
    blind: bool = False


@dataclass(frozen=True, slots=True)
class SuggestedText:
    """A text as its segments."""

    id: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of voices or a file: `voices` are new, `known` were there. `job` is what was asked for, if anything."""

    run: str
    rows: int
    voices: int
    known: int
    blank: int
    confidential: int
    notes: tuple[str, ...]
    job: int | None


@dataclass(frozen=True, slots=True)
class Job:
    """Long work; `state` is waiting, running, done, failed or cancelled."""

    id: int
    kind: str
    state: str
    done: int
    total: int
    result: Mapping[str, int]
    problem: str

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Study:
    """A study that is served; without a dataset passport, nothing is taken in."""

    name: str
    title: str
    codebook: str
    fictional: bool
    passport: Mapping[str, object] | None = None


@dataclass(frozen=True, slots=True)
class VoiceLine:
    """A voice in short, with the ids of the codes suggested and confirmed, as far as the caller may see them."""

    id: str
    participant: str
    voice: str
    area: str
    period: str
    suggested: tuple[str, ...]
    confirmed: tuple[str, ...]


@dataclass(frozen=True, slots=True, repr=False)
class VoiceText:
    """A voice's newest clean text."""

    voice: str
    version: int
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """One act of one coder."""

    segment: str
    action: str
    code: str
    stance: str
    start: int
    end: int
    coder: str
    at: str
    shown: bool
    round: str
    codebook_version: str


@dataclass(frozen=True, slots=True)
class Codebook:
    """A version of a codebook in short."""

    id: str
    title: str
    version: str
    codes: int
    current: bool


@dataclass(frozen=True, slots=True)
class Round:
    """A round; `ended_at` is empty while it goes on."""

    id: str
    kind: str
    unit: str
    codebook_version: str
    created_at: str
    ended_at: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share (0 to 1) with its 95% interval, and how many were read of how many are loaded."""

    share: float
    low: float
    high: float
    read: int
    loaded: int
    truth: str


@dataclass(frozen=True, slots=True)
class Share:
    """The people who express a theme; without `estimate`, `refusal` says why. `number` is what `heard trace` takes."""

    code: str
    label: str
    estimate: Estimate | None
    refusal: str
    number: str


@dataclass(frozen=True, slots=True)
class Indicator:
    """A published figure; `percent` and `count` are None where it was not published."""

    label: str
    group: str
    area: str
    period: str
    count: int | None
    percent: float | None
    denominator: int | None


@dataclass(frozen=True, slots=True)
class Tie:
    """What a link ties together, and why."""

    id: str
    title: str
    code: str
    stance: str
    expectation: str
    why: str


@dataclass(frozen=True, slots=True)
class Judged:
    """What a person judged of a link; `moved` where the figures have changed since."""

    fit: str
    reason: str
    at: str
    moved: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A theme beside an indicator. Read `warnings` before its value; `proposed` is no finding until it is `judged`."""

    link: Tie
    level: str
    indicator: Indicator
    warnings: tuple[str, ...]
    estimate: Estimate | None
    refusal: str
    proposed: str
    judged: Judged | None


@dataclass(frozen=True, slots=True)
class Released:
    """Words that may be quoted, as two people released them."""

    number: int
    code: str
    words: str
    paraphrase: bool
    speaker: str
    audience: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that is told of events; its `secret` comes once, when it is made."""

    id: str
    url: str
    events: tuple[str, ...]
    secret: str = field(default="", repr=False)


_NESTED: dict[tuple[type, str], type] = {
    (CleanText, "spans"): CleanSpan, (SuggestedText, "segments"): Segment, (Segment, "suggestions"): Proposal,
    (Share, "estimate"): Estimate, (Link, "link"): Tie, (Link, "indicator"): Indicator, (Link, "estimate"): Estimate,
    (Link, "judged"): Judged,
}  # fmt: skip


def made(kind: type[T], raw: Mapping[str, Any]) -> T:
    """An answer as its type. What a newer service adds is passed over."""
    names = kind.__dataclass_fields__  # type: ignore[attr-defined]
    return kind(**{name: _value(kind, name, raw[name]) for name in names if name in raw})


def _value(kind: type, name: str, raw: Any) -> Any:
    inner = _NESTED.get((kind, name))
    if isinstance(raw, list):
        return tuple(raw if inner is None else (made(inner, r) for r in raw))
    return made(inner, raw) if inner is not None and raw is not None else raw
