"""Candidate themes of a study: found in what no code fits, and adopted, merged, split or dismissed by people.

A candidate changes nothing by itself. One that is adopted becomes a draft code, with its central excerpts as
quotes, in a new version of the study's codebook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from nlp.codebook import fingerprint
from nlp.codebook_edit import Level, next_version
from nlp.codebook_meaning import numbers
from nlp.deid.lexicon import is_listed_name
from nlp.deid.surrogates import neutralise
from nlp.encode import Encoder, Vectors
from nlp.themes import discover as method
from nlp.themes.discover import Candidate, Leftover
from nlp.types import Change, Code, Codebook
from service.errors import StudyError
from service.study import candidates as store
from service.study.candidates import Act, StoredCandidate
from service.study.codebooks import keep_codebook, latest_codebook, newest_codebook
from service.study.database import write
from service.study.decisions import codings
from service.study.publications import publications
from service.study.runs import add_audit, new_run_id
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.study.voices import StoredSegment, VoiceRecord, all_voices, segments
from service.usecases.suggest import cached_encoder

NEUTRAL = frozenset("someone place service age date day number phone email address link child parent worker".split())
QUOTES = 3


def find_candidates(study: Study, encoder: Encoder, *, seed: int, now: str, actor: str) -> store.Discovery:
    """Search the segments that have neither a suggestion nor a confirmed code; what was found is stored."""
    reading, codebook = newest_reading(study.db), newest_codebook(study.db)
    cached = cached_encoder(study, encoder, re_encode=False)
    left = _leftovers(study, reading)
    found = method.discover(
        left, cached.encode([one.text for one in left]), _code_vectors(codebook, cached), seed=seed, hidden=NEUTRAL,
        is_name=is_listed_name,
    )  # fmt: skip
    record = store.Discovery(
        new_run_id("discover", now), found.how, seed, len(left), len(found.unplaced), codebook.id, codebook.version,
        encoder.fingerprint, now,
    )  # fmt: skip
    with write(study.db) as connection:
        store.add_discovery(connection, record)
        for one in found.candidates:
            store.add_candidate(connection, record.id, one)
        counts = {"leftovers": len(left), "candidates": len(found.candidates)}
        add_audit(connection, at=now, actor=actor, action="discover", subject=record.id, counts=counts)
    return record


def _leftovers(study: Study, reading: str) -> list[Leftover]:
    taken = {row[0] for row in study.db.conn.execute("SELECT segment FROM suggestions WHERE reading = ?", [reading])}
    taken |= {c.segment for c in codings(study.db)}
    voices = {v.id: v for v in all_voices(study.db)}
    return [_leftover(s, voices[s.voice]) for s in segments(study.db) if s.id not in taken]


def _leftover(segment: StoredSegment, voice: VoiceRecord) -> Leftover:
    return Leftover(segment.id, voice.participant, voice.voice, voice.area, neutralise(segment.text).strip())


def _code_vectors(codebook: Codebook, encoder: Encoder) -> dict[str, Vectors]:
    codes = codebook.active_codes
    vectors = encoder.encode([f"{c.label}. {c.definition}".strip() for c in codes])
    return {code.id: vector for code, vector in zip(codes, vectors, strict=True)}


def adopt(
    study: Study, number: int, *, label: str, definition: str, by: str, now: str, quotes: Sequence[str] | None = None
) -> Codebook:
    """Make a candidate a draft code of a new codebook version, and return that.

    `quotes` are ids of segments, the most central ones by default.
    """
    if not label.strip():
        raise StudyError("a code needs a name")
    codebook, one = _newest(study), store.candidate(study.db, number)
    chosen = list(quotes) if quotes is not None else list(one.candidate.central[:QUOTES])
    held = _words(study, chosen)
    examples = tuple(held[segment] for segment in chosen if segment in held)
    code = Code(
        _free_id(codebook),
        label.strip(),
        definition.strip(),
        examples=examples,
        co_produced_by=(by,),
        date=now[:10],
    )
    version = next_version(codebook.version, Level.MINOR)
    codes = (*codebook.codes, code)
    change = Change(version, now[:10], f"{code.id} adopted from a candidate theme")
    new = replace(
        codebook,
        version=version,
        date=now[:10],
        codes=codes,
        changes=(change, *codebook.changes),
        fingerprint=fingerprint(codes),
    )
    _settle(study, Act(number, "adopt", by, now, code.id, version), new)
    return new


def _settle(study: Study, act: Act, new: Codebook | None = None) -> None:
    with write(study.db) as connection:
        store.add_act(connection, act)
        if new is not None:
            keep_codebook(connection, new, act.at)
        subject, counts = act.code or "candidate", {"candidate": act.candidate}
        add_audit(connection, at=act.at, actor=act.by, action=f"{act.act} candidate", subject=subject, counts=counts)


def _words(study: Study, ids: Sequence[str]) -> dict[str, str]:
    marks = ",".join("?" * len(ids))
    return {s.id: s.text.strip() for s in segments(study.db, f"s.id IN ({marks})", list(ids))}


def _free_id(codebook: Codebook) -> str:
    held = {code.id for code in codebook.codes}
    return next(f"T{n}" for n in range(1, len(held) + 2) if f"T{n}" not in held)


def merge(study: Study, numbers: Sequence[int], *, by: str, now: str, note: str = "") -> StoredCandidate:
    """Several candidates of one search as one new candidate; the old ones stay on record as merged."""
    olds = [store.candidate(study.db, n) for n in dict.fromkeys(numbers)]
    if len(olds) < 2 or len({o.discovery for o in olds}) > 1:
        raise StudyError("merging needs two or more candidates of the same search")
    members = list(dict.fromkeys(m for o in olds for m in o.candidate.members))
    central = [m for row in _in_turn([o.candidate.central for o in olds]) for m in row][: method.CENTRAL]
    keywords = [w for row in _in_turn([o.candidate.keywords for o in olds]) for w in row]
    made = _made(study, olds[0], members, central, list(dict.fromkeys(keywords))[: method.KEYWORDS])
    return _replace(study, olds, [made], "merge", by, now, note)[0]


def _in_turn(lists: Sequence[Sequence[str]]) -> list[list[str]]:
    longest = max(map(len, lists), default=0)
    return [[one[i] for one in lists if i < len(one)] for i in range(longest)]


def split(
    study: Study, number: int, members: Sequence[str], *, by: str, now: str, note: str = ""
) -> list[StoredCandidate]:
    """A candidate as two: the named segments, and the rest."""
    old = store.candidate(study.db, number)
    apart = [m for m in old.candidate.members if m in set(members)]
    rest = [m for m in old.candidate.members if m not in set(members)]
    if not apart or not rest or len(apart) < len(set(members)):
        raise StudyError(f"name some, but not all, of the segments of candidate theme {number}")
    made = [_made(study, old, part, part[: method.CENTRAL], old.candidate.keywords) for part in (apart, rest)]
    return _replace(study, [old], made, "split", by, now, note)


def dismiss(study: Study, number: int, *, by: str, now: str, note: str) -> None:
    """Turn a candidate down, and say why."""
    store.candidate(study.db, number)
    if not note.strip():
        raise StudyError("say why the candidate theme is dismissed")
    _settle(study, Act(number, "dismiss", by, now, note=note.strip()))


def _made(
    study: Study, like: StoredCandidate, members: Sequence[str], central: Sequence[str], keywords: Sequence[str]
) -> Candidate:
    """A candidate that a person put together; how steady it is was not measured."""
    voices = {v.id: v for v in all_voices(study.db)}
    place = {row["id"]: row["voice"] for row in study.db.conn.execute("SELECT id, voice FROM segments")}
    records = [voices[place[m]] for m in members]
    return Candidate(
        tuple(keywords), tuple(members), tuple(central), len({r.participant for r in records}),
        _people_by(records, lambda r: r.voice), _people_by(records, lambda r: r.area), float("nan"), like.candidate.nearest,
    )  # fmt: skip


def _people_by(records: Sequence[VoiceRecord], name: Callable[[VoiceRecord], str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(Counter(n for n, _ in {(name(r), r.participant) for r in records}).items()))


def _replace(
    study: Study, olds: Sequence[StoredCandidate], made: Sequence[Candidate], act: str, by: str, now: str, note: str
) -> list[StoredCandidate]:
    numbers = [o.id for o in olds]
    with write(study.db) as connection:
        for old in olds:
            store.add_act(connection, Act(old.id, act, by, now, note=note))
        new = [store.add_candidate(connection, olds[0].discovery, one, numbers) for one in made]
        add_audit(
            connection,
            at=now,
            actor=by,
            action=f"{act} candidates",
            subject="candidates",
            counts={"candidates": len(olds)},
        )
    return [store.candidate(study.db, n) for n in new]


def shown(study: Study) -> tuple[store.Discovery, list[StoredCandidate], Mapping[str, str]]:
    """The last search, its open candidates, and the words of their central excerpts; StudyError before any search."""
    found = store.newest_discovery(study.db)
    if found is None:
        raise StudyError("nobody has searched for candidate themes yet: run “heard themes find”")
    held = store.open_candidates(study.db, found.id)
    ids = [m for one in held for m in one.candidate.central]
    return found, held, _words(study, ids) if ids else {}


def codebook_in_use(study: Study, from_file: Codebook | None) -> Codebook:
    """The study's own newest version where codes were adopted or versions published here, else the file's.

    A study whose codebook came in with a project has none in a file. StudyError when the file has moved on without
    codes that the study's own version has.
    """
    if from_file is None:
        return _newest(study)
    if not any(act.act == "adopt" and act.codebook_version for act in store.acts(study.db)) and not publications(
        study.db
    ):
        return from_file
    own = _newest(study)
    if numbers(from_file.version) <= numbers(own.version):
        return own
    missing = sorted({code.id for code in own.codes} - {code.id for code in from_file.codes})
    if missing:
        raise StudyError(
            f"version {from_file.version} of the codebook file lacks {', '.join(missing)}, which this study has; put"
            " the study’s own version into the file with “heard codebook export”, or give an older one with --codebook"
        )
    return from_file


def _newest(study: Study) -> Codebook:
    """The newest version that the study keeps."""
    newest = latest_codebook(study.db, study.codebook)
    if newest is None:
        raise StudyError("no codebook has been used in this study yet; run “heard suggest” first")
    return newest
