"""What people's decisions teach: which word on which code of which segment counts, and how much."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlite_utils import Database

from nlp.codebook_meaning import Meanings
from nlp.themes.crossfit import group_of
from nlp.themes.learn import Lessons
from nlp.themes.match import Matcher
from nlp.themes.share import borrowed, from_bytes
from nlp.themes.suggest import METHOD, Decided
from nlp.themes.views import Matrix, Reading
from nlp.types import Codebook, Span
from service.study.borrowed import borrowed_files
from service.study.codebooks import active_codes_by_version
from service.study.publications import meanings
from service.study.study import Study
from service.study.voices import StoredSegment, participants, segments

ASKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Trust:
    """How much a decision counts: made blind; made with suggestions on screen; a code left alone on such a screen."""

    blind: float = 1.0
    shown: float = 0.7
    left_alone: float = 0.35


@dataclass(frozen=True, slots=True)
class Word:
    """What coders together hold of one code in one segment: `label` from 0 (no) to 1 (yes)."""

    label: float
    weight: float
    evidence: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Taught:
    """Decided segments, in the order of intake, with the words on each code; `random` were drawn uniformly and read blind."""

    segments: tuple[StoredSegment, ...]
    people: Mapping[str, str]
    words: Mapping[str, Mapping[str, Word]]
    random: frozenset[str]

    @property
    def digest(self) -> str:
        """A name for exactly these decisions; empty where nothing is decided."""
        if not self.segments:
            return ""
        rows = [[s, c, w.label, w.weight] for s, by_code in self.words.items() for c, w in by_code.items()]
        said = json.dumps([METHOD, sorted(rows), sorted(self.random)])
        return hashlib.sha256(said.encode()).hexdigest()[:12]


def taught(study: Study, codebook: Codebook, trust: Trust) -> Taught:
    """All that standing decisions teach about the codebook's codes.

    A code accepted, added or rejected is a word on that code. A segment that was closed is a no to every
    other code that its codebook version had. A skip is no word on anything, and what was accepted in
    bulk teaches nothing, since nobody read it. What was changed after a blind decision, with the suggestions
    on screen, is no word either: the machine would learn from its own.
    """
    by_coder, random = _by_coder(study.db, codebook, trust)
    words = {segment: _together(list(opinions)) for segment, opinions in by_coder.items()}
    held = _segments(study.db, sorted(words))
    people = participants(study.db)
    kept = {s.id for s in held}
    return Taught(
        tuple(held),
        {s.id: people[s.voice] for s in held},
        {s: w for s, w in words.items() if s in kept},
        frozenset(random & kept),
    )


def decided(taught_: Taught, matcher: Matcher, reading: Reading, match: Matrix) -> Decided:
    """The same in the form that models learn from, with the reading and the match scores of its segments."""
    place = {code.id: j for j, code in enumerate(matcher.codes)}
    shape = (len(taught_.segments), len(place))
    labels, weights = np.zeros(shape), np.zeros(shape)
    evidence: list[dict[int, Span]] = []
    for i, segment in enumerate(taught_.segments):
        words = taught_.words[segment.id]
        for code, word in words.items():
            labels[i, place[code]], weights[i, place[code]] = word.label, word.weight
        evidence.append({place[c]: _within(segment, *w.evidence) for c, w in words.items() if w.evidence})
    groups = np.array([group_of(taught_.people[s.id]) for s in taught_.segments], np.int64)
    random = np.array([s.id in taught_.random for s in taught_.segments], bool)
    return Decided(Lessons(reading, match, labels, weights), groups, random, evidence)


def borrowed_lessons(study: Study, codebook: Codebook, model: str, own: int) -> tuple[list[Lessons], str]:
    """What the study borrows from others, and a name for exactly that; empty where it borrows nothing."""
    files = borrowed_files(study.db)
    codes = [code.id for code in codebook.active_codes]
    found = [borrowed(from_bytes(content), codes=codes, model=model, own=own) for content in files]
    return found, hashlib.sha256(b"".join(files)).hexdigest()[:12] if files else ""


def _within(segment: StoredSegment, start: int, end: int) -> Span:
    return Span(max(0, start - segment.start), min(end, segment.end) - segment.start)


Opinion = dict[str, Word]


def _by_coder(db: Database, codebook: Codebook, trust: Trust) -> tuple[dict[str, list[Opinion]], set[str]]:
    """For each segment, one opinion a coder and round; and the segments that were drawn uniformly and read blind."""
    known = {code.id for code in codebook.active_codes}
    means = meanings(db)
    whole = {v: means.whole(v, codes) & known for v, codes in active_codes_by_version(db, codebook.id).items()}
    found: dict[str, list[Opinion]] = defaultdict(list)
    random: set[str] = set()
    for segment, acts in _acts(db, codebook.id):
        opinion = _opinion(acts, means, whole, known, trust)
        if opinion:
            found[segment].append(opinion)
        if any(a["action"] == "close" and _is_blind(a) and "uniform" in str(a["stream"]).split("+") for a in acts):
            random.add(segment)
    return found, random


def _acts(db: Database, codebook: str) -> Iterator[tuple[str, list[Mapping[str, object]]]]:
    """Standing acts of one coder on one segment in one round, oldest first."""
    rows = db.conn.execute(
        'SELECT s.segment, s.coder, s.round, s.action, s.code, s.start, s."end", s.shown, s.stream, s.codebook_version,'
        " r.kind FROM standing s JOIN rounds r ON r.id = s.round"
        " WHERE s.codebook = ? AND s.bulk = 0 AND NOT (r.kind = 'counting' AND s.shown)"
        " ORDER BY s.seq",
        [codebook],
    )
    grouped: dict[tuple[str, str, str], list[Mapping[str, object]]] = defaultdict(list)
    for row in rows:
        grouped[row["segment"], row["coder"], row["round"]].append(dict(row))
    for (segment, _, _), acts in grouped.items():
        yield segment, acts


def _is_blind(act: Mapping[str, object]) -> bool:
    """In a review round the screen showed what the machine had to say, be it nothing."""
    return act["kind"] == "counting" and not act["shown"]


def _opinion(
    acts: Sequence[Mapping[str, object]],
    means: Meanings,
    whole: Mapping[str, frozenset[str]],
    known: set[str],
    trust: Trust,
) -> Opinion:
    """What one coder says of today's codes: `whole` are those that each version's readings are a full word on."""
    opinion: Opinion = {}
    if any(a["action"] == "skip" for a in acts):
        return opinion
    last = {str(a["code"]): a for a in acts if a["action"] != "close"}
    for code, a in last.items():
        now = means.now(str(a["codebook_version"]), code)
        if now in known and (now not in opinion or not opinion[now].label):  # of merged codes, one yes is a yes
            opinion[now] = _word(a, trust)
    for a in acts:
        if a["action"] == "close":
            left = trust.blind if _is_blind(a) else trust.left_alone
            rest = whole[str(a["codebook_version"])] - opinion.keys()
            opinion |= {code: Word(0.0, left) for code in rest}
    return opinion


def _word(act: Mapping[str, object], trust: Trust) -> Word:
    yes = act["action"] != "reject"
    span = (int(str(act["start"])), int(str(act["end"]))) if yes else None
    weight = trust.blind if _is_blind(act) else trust.shown
    return Word(float(yes), weight, span if span and span[1] > span[0] else None)


def _together(opinions: Sequence[Opinion]) -> Opinion:
    """Several coders count as one reading: their share of yes, at the trust of the one who is trusted most."""
    out: Opinion = {}
    for code in dict.fromkeys(code for opinion in opinions for code in opinion):
        words = [opinion[code] for opinion in opinions if code in opinion]
        total = sum(w.weight for w in words)
        label = sum(w.weight * w.label for w in words) / total if total else 0.0
        evidence = next((w.evidence for w in words if w.evidence), None)
        out[code] = Word(label, max(w.weight for w in words), evidence)
    return out


def _segments(db: Database, ids: Sequence[str]) -> list[StoredSegment]:
    parts = [ids[i : i + ASKED_AT_ONCE] for i in range(0, len(ids), ASKED_AT_ONCE)]
    return [s for part in parts for s in segments(db, f"s.id IN ({','.join('?' * len(part))})", part)]
