"""Where a number comes from: file and row, or round, decisions, codebook version, suggestions, texts and files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from nlp.findings.link import fingerprint
from nlp.findings.prevalence import Estimate
from service.errors import RecordError
from service.study.decisions import Round
from service.study.joint import link_versions
from service.study.runs import Run, all_runs
from service.study.study import Study
from service.study.suggestions import newest_reading
from service.usecases.joint import LINK, THEME, Entry, joint, theme_number
from service.usecases.prevalence import theme_shares
from service.usecases.rounds import counted_round

_RESTS_ON = ("intake", "deidentify", "suggest")


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a number rests on, in words, with the ids, versions and hashes that name it."""

    what: str
    words: str
    named: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """A number, as it stands now, and what it rests on. `moved` where it is no longer the one that was asked for."""

    number: str
    value: str
    moved: bool
    steps: tuple[Step, ...]


def trace(study: Study, number: str) -> Trace:
    """What a number rests on. `number` is its id as printed, with or without the last part, which tells its state.

    RecordError when no number goes by that id.
    """
    found = joint(study)
    for entry in found.entries:
        if _is(entry.published, number):
            return _told(number, entry.published, _published_words(entry), _published_steps(study, entry))
        if _is(entry.heard, number):
            value = _share_words(entry.row.estimate) if entry.row.estimate else entry.row.refusal
            return _told(number, entry.heard, value, [_link_step(study, entry), *_heard_steps(study)])
    for share in theme_shares(study):
        own = theme_number(share)
        if own and share.estimate is not None and _is(own, number):
            return _told(number, own, _share_words(share.estimate), list(_heard_steps(study)))
    raise RecordError(f"no number goes by that id; ids begin with {LINK} or {THEME} and stand beside the numbers")


def _is(own: str, asked: str) -> bool:
    """Whether it is the same number, be it in another state."""
    return asked in (own, own.rpartition(".")[0]) or asked.rpartition(".")[0] == own.rpartition(".")[0]


def _told(asked: str, own: str, value: str, steps: list[Step]) -> Trace:
    moved = asked not in (own, own.rpartition(".")[0])
    return Trace(own, value, moved, tuple(steps))


def _share_words(e: Estimate) -> str:
    return (
        f"{e.share:.1%} (95% interval {e.low:.1%} to {e.high:.1%}); {e.read} of {e.loaded} read; a share of {e.truth}"
    )


def _published_words(entry: Entry) -> str:
    f = entry.row.figure
    if f.percent is None:
        return f"not shown by the publisher ({f.percent_status})"
    base = f" ({f.count:,} of {f.denominator:,})" if f.count is not None and f.denominator else ""
    return f"{f.percent:g}%{base}"


def _published_steps(study: Study, entry: Entry) -> list[Step]:
    f, link = entry.row.figure, entry.row.link
    words = f"“{f.label}”, {f.area}, {f.group + ', ' if f.group else ''}{f.period}, as {f.publisher or 'its publisher'} gives it"
    named = (("file", link.file), ("row", str(f.row)), ("SHA-256", f.source_sha256), ("licence", f.licence))
    return [Step("File", words, named), _link_step(study, entry)]


def _link_step(study: Study, entry: Entry) -> Step:
    link = entry.row.link
    held = [v for v in link_versions(study.db).get(link.id, []) if v.fingerprint == fingerprint(link)]
    taken = f"; taken in by {held[-1].by} on {held[-1].at[:10]}" if held else ""
    words = f"{link.id}, version {link.version}, by {link.author}, {link.date}{taken}"
    return Step("Link", words, (("fingerprint", fingerprint(link)),))


def _heard_steps(study: Study) -> Iterator[Step]:
    round_ = counted_round(study, unit="participant")
    if round_ is None:
        return
    yield _round_step(study, round_)
    yield _decisions_step(study, round_)
    for version in dict.fromkeys((round_.codebook_version, _used_version(study))):
        yield _codebook_step(study, round_.codebook, version)
    runs = all_runs(study.db)
    made = _suggesting_runs(study)
    for run in runs:
        if run.kind in _RESTS_ON and (run.kind != "suggest" or run.id in made):
            yield _run_step(run)


def _used_version(study: Study) -> str:
    row = study.db.conn.execute("SELECT codebook_version FROM current_reading").fetchone()
    return str(row["codebook_version"]) if row else ""


def _round_step(study: Study, round_: Round) -> Step:
    drawn, streams = study.db.conn.execute(
        "SELECT count(*), count(DISTINCT stream) FROM draws WHERE round = ?", [round_.id]
    ).fetchone()
    frame = study.db.conn.execute("SELECT count(DISTINCT unit) FROM frames WHERE round = ?", [round_.id]).fetchone()[0]
    words = (
        f"{drawn} of {frame} people drawn by chance on {round_.created_at[:10]}, in {streams} "
        f"{'stream' if streams == 1 else 'streams'}, each with a probability that was logged before reading"
    )
    return Step("Counting round", words, (("round", round_.id), ("seed", str(round_.seed))))


def _decisions_step(study: Study, round_: Round) -> Step:
    """Every decision of the round in order, as one hash: change, add or take away one and it is another."""
    rows = study.db.conn.execute(
        'SELECT seq, segment, action, code, stance, start, "end", undoes, coder, at, shown, stream, probability,'
        " codebook_version FROM decisions WHERE round = ? ORDER BY seq",
        [round_.id],
    )
    hashed, count, coders = hashlib.sha256(), 0, set[str]()
    first = last = 0
    for row in rows:
        hashed.update(("\x1f".join(map(str, tuple(row))) + "\n").encode())
        count, first, last = count + 1, first or row["seq"], row["seq"]
        coders.add(row["coder"])
    people = "coder" if len(coders) == 1 else "coders"
    words = f"{count:,} decisions by {len(coders)} {people}, of which those made without seeing suggestions count"
    return Step("Decisions", words, (("numbers", f"{first} to {last}"), ("SHA-256", hashed.hexdigest())))


def _codebook_step(study: Study, codebook: str, version: str) -> Step:
    row = study.db.conn.execute(
        "SELECT fingerprint FROM codebooks WHERE id = ? AND version = ?", [codebook, version]
    ).fetchone()
    return Step(
        "Codebook", f"{codebook}, version {version}", (("fingerprint", str(row["fingerprint"]) if row else ""),)
    )


def _suggesting_runs(study: Study) -> set[str]:
    rows = study.db.conn.execute("SELECT DISTINCT run FROM matched WHERE reading = ?", [newest_reading(study.db)])
    return {row["run"] for row in rows}


def _run_step(run: Run) -> Step:
    what = {"intake": "File taken in", "deidentify": "De-identification", "suggest": "Suggestions"}[run.kind]
    named = (("run", run.id), ("model", run.model), ("input SHA-256", run.input_hash))
    return Step(what, f"{run.method}, {run.started_at[:10]}", tuple((k, v) for k, v in named if v))
