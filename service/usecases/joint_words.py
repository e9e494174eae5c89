"""What the joint display says, once for every form of report: for those who decide, and for young people."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from nlp.findings.link import Fit
from nlp.findings.prevalence import Estimate
from service.study.joint import Promise
from service.study.quotations import PUBLIC
from service.study.study import Study
from service.usecases.joint import Entry, Gap, Joint
from service.usecases.quote import Released

FIT_WORDS = {
    Fit.CONVERGENCE: "The two agree",
    Fit.COMPLEMENTARITY: "The two tell different sides of one matter",
    Fit.EXPANSION: "What was heard reaches further than the figure",
    Fit.DIVERGENCE: "The two differ",
    Fit.SILENCE: "It is measured, and hardly anybody speaks of it",
    Fit.NOT_JUDGED: "No view is taken",
}
YOUNG_FIT = {
    Fit.CONVERGENCE: "The numbers and what people said tell the same story.",
    Fit.COMPLEMENTARITY: "The numbers and what people said are about two sides of the same thing.",
    Fit.EXPANSION: "People talked about things that the numbers do not reach.",
    Fit.DIVERGENCE: "The numbers and what people said do not match.",
    Fit.SILENCE: "It gets counted, but hardly anybody talked about it.",
    Fit.NOT_JUDGED: "It is too early to say whether they match.",
}
STANCE_WORDS = {
    "going_well": " as going well",
    "worry": " as a worry",
    "mixed": " as mixed",
    "need": " as a need",
    "": "",
}
NEVER = "The two describe different people at different times. Neither explains the other."
OF_WHOM = (
    "Shares are of the people loaded in this study, not of all children, young people or families. They are corrected for "
    "what suggestions missed or wrongly found: people were drawn by chance and read without suggestions. Five people or "
    "fewer are never shown."
)
NOT_SAID = "Nobody has said yet."


class Kind(StrEnum):
    """What a block is."""

    HEADING = "heading"
    PART = "part"
    TEXT = "text"
    WARNING = "warning"
    SMALL = "small"
    TABLE = "table"
    CHART = "chart"


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a report. `rows` of a table, the first its head; `chart` names one that is drawn, `words` tells it."""

    kind: Kind
    words: str = ""
    rows: tuple[tuple[str, ...], ...] = ()
    chart: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A whole report."""

    title: str
    blocks: tuple[Block, ...]


def percent(share: float) -> str:
    """A share as a whole percentage; “under 1%” and “over 99%” at the edges."""
    if 0 < share < 0.005:
        return "under 1%"
    return "over 99%" if 0.995 < share < 1 else f"{share:.0%}"


def heard_words(e: Estimate) -> str:
    """A share with its interval and what it rests on."""
    return (
        f"{percent(e.share)} (95% interval {percent(e.low)} to {percent(e.high)}; {e.read} of {e.loaded} people read)"
    )


def published_words(entry: Entry) -> str:
    """The indicator as it is published, with its base, interval and place, or why it is not there."""
    f, row = entry.row.figure, entry.row
    what = f"“{f.label}”, {f.area}, {f.group + ', ' if f.group else ''}{f.period}"
    if f.percent is None:
        return f"{what}: not shown by the publisher ({f.percent_status})"
    base = (
        f" ({f.count:,} of {f.denominator:,})"
        if f.count is not None and f.denominator
        else ", published without its base"
    )
    sure = ""
    if row.indicator_low is not None and row.indicator_high is not None:
        sure = f"; 95% interval {percent(row.indicator_low)} to {percent(row.indicator_high)}"
    known = (
        f"; {f.percent_of_known:.0f}% of those whose situation is known" if f.warnings and f.percent_of_known else ""
    )
    return f"{what}: {f.percent:g}%{base}{sure}{known}"


def theme_words(entry: Entry) -> str:
    """The theme's name, with the stance that counts."""
    label = entry.code.label if entry.code else entry.row.link.code
    return f"“{label}”{STANCE_WORDS[entry.row.link.stance]}"


def fit_words(entry: Entry) -> str:
    """A person's judgement where there is one, else the proposal, and which of the two it is."""
    if entry.judged is not None:
        j = entry.judged.judgement
        moved = " The figures have moved since: it is to be judged again." if entry.judged.moved else ""
        who = f" Took part: {j.took_part}." if j.took_part else ""
        return f"{FIT_WORDS[Fit(j.fit)]} ({j.fit}), judged by {j.by} on {j.at[:10]}: {j.reason}{who}{moved}"
    row = entry.row
    if row.proposed is Fit.NOT_JUDGED:
        return f"{FIT_WORDS[row.proposed]}. {row.because}"
    return f"{FIT_WORDS[row.proposed]} (proposed: {row.proposed}). {row.because} Nobody has judged it yet."


SPEAKERS = {
    "child": "A child", "young_person": "A young person", "parent_carer": "A parent or carer", "practitioner": "A practitioner",
    "unknown": "Somebody",
}  # fmt: skip
WROTE = {
    "practitioner": ", as a practitioner wrote it down", "parent_carer": ", as a parent or carer wrote it down",
    "interpreter": ", through an interpreter",
}  # fmt: skip


def quote_words(quote: Released) -> str:
    """A released quotation with who speaks, and how near it is to their own words."""
    how = ", in other words" if quote.paraphrase else ", as reported" if quote.provenance == "reported" else ""
    only = "" if quote.audience == PUBLIC else " For the council and its partners, not to be published."
    mark = ("", "") if quote.paraphrase else ("“", "”")
    who = f"{SPEAKERS[quote.speaker]}{WROTE.get(quote.via, '')}{how}"
    return f"{mark[0]}{quote.words}{mark[1]} ({who}.){only}"


def report(study: Study, found: Joint, *, now: str) -> Sheet:
    """The joint display and gap map for those who decide."""
    return Sheet(f"{study.title}: voices beside figures", tuple(_report(study, found, now)))


def _report(study: Study, found: Joint, now: str) -> Iterator[Block]:
    if study.fictional:
        yield Block(Kind.WARNING, "Fictional sample. Nobody in it exists. The published figures are real.")
    book = found.codebook
    yield Block(Kind.SMALL, f"Codebook: {book.title}, version {book.version} ({book.provenance}). Written {now[:10]}.")
    yield Block(Kind.TEXT, NEVER)
    yield from _promised(found.promise)
    for entry in found.entries:
        yield from _entry(entry)
    yield Block(Kind.HEADING, "Gap map: what is not measured, and what is not spoken of")
    yield from _gaps(found)
    yield Block(Kind.SMALL, OF_WHOM)
    yield Block(Kind.SMALL, "Each number has an id in brackets. “heard trace STUDY ID” says what it rests on.")


def _entry(entry: Entry) -> Iterator[Block]:
    row = entry.row
    yield Block(Kind.HEADING, row.link.title)
    for warning in (*row.figure.warnings, *row.figure.notes):
        yield Block(Kind.WARNING, f"Take care with this figure. {warning}")
    heard = heard_words(row.estimate) if row.estimate else row.refusal
    yield Block(
        Kind.TABLE,
        rows=(
            ("", "What it says", "Number"),
            ("Published", published_words(entry), entry.published),
            ("Heard", f"{theme_words(entry)}: {heard}", entry.heard),
            ("How they stand to each other", fit_words(entry), ""),
            ("Expected before looking", str(row.link.expectation), ""),
            ("Who is counted, and when", f"{row.link.population_note} {row.link.period_note}", ""),
            (
                "What this tie may say",
                f"{entry.rule.name}: {', '.join(entry.rule.verbs)}. Not shown: {entry.rule.not_shown}",
                "",
            ),
        ),
    )
    if row.estimate is not None and row.figure.percent is not None:
        yield Block(Kind.CHART, f"Published {published_words(entry)}. Heard {heard}.", chart=row.link.id)
    for quote in entry.quotes:
        yield Block(Kind.TEXT, quote_words(quote))
    yield from _promised(entry.promise)


def _promised(promise: Promise | None) -> Iterator[Block]:
    yield Block(Kind.TEXT, f"Who will see this: {promise.who_sees if promise else NOT_SAID}")
    yield Block(Kind.TEXT, f"What will change: {promise.what_changes if promise else NOT_SAID}")


def _gaps(found: Joint) -> Iterator[Block]:
    gaps = found.gaps
    yield Block(Kind.PART, "What families speak of that nobody measures")
    if gaps.unmeasured:
        rows = [_gap_row(g) for g in gaps.unmeasured]
        yield Block(Kind.TABLE, rows=(("Theme", "Heard", "What will change", "Number"), *rows))
        yield Block(Kind.CHART, "The same as a chart.", chart="gaps")
    else:
        yield Block(
            Kind.TEXT, "No theme without an indicator can be shown to be voiced by more than one person in twenty."
        )
    if gaps.unshown:
        are = "theme has" if gaps.unshown == 1 else "themes have"
        yield Block(Kind.SMALL, f"{gaps.unshown} further {are} no share that may be shown, so nobody can tell.")
    yield Block(Kind.PART, "What is measured that nobody mentions")
    silent = [e.row.link.title for e in gaps.unmentioned]
    if silent:
        yield Block(Kind.TEXT, f"Measured, and surely under one person in twenty speaks of it: {'; '.join(silent)}.")
    if gaps.untied:
        yield Block(Kind.TEXT, f"Measured, and no code listens for it: {'; '.join(gaps.untied)}.")
    if not silent and not gaps.untied:
        yield Block(Kind.TEXT, "Nothing that is loaded here.")


def _gap_row(gap: Gap) -> tuple[str, ...]:
    heard = heard_words(gap.share.estimate) if gap.share.estimate else gap.share.refusal
    return gap.share.code.label, heard, gap.promise.what_changes if gap.promise else NOT_SAID, gap.number


def in_ten(share: float) -> str:
    """A share in plain words."""
    count = round(10 * share)
    if share < 0.05:
        return "fewer than 1 in 20 people"
    if count == 0:
        return "fewer than 1 in 10 people"
    return "nearly everybody" if count == 10 else f"about {count} in 10 people"


def young_report(study: Study, found: Joint) -> Sheet:
    """The same for young people, in plain words and with the young people's names of codes."""
    return Sheet(f"{study.title}: what you told us, and what the numbers say", tuple(_young(study, found)))


def _young(study: Study, found: Joint) -> Iterator[Block]:
    if study.fictional:
        yield Block(Kind.WARNING, "This is a made-up example. Nobody in it is real.")
    yield Block(
        Kind.TEXT, "People told us things. Computers helped to find them, and people checked. Here is what came out."
    )
    for entry in found.entries:
        yield from _young_entry(entry)
    if found.gaps.unmeasured:
        yield Block(Kind.HEADING, "Things people talk about that nobody counts")
        for gap in found.gaps.unmeasured:
            if gap.share.estimate is not None:
                promised = f" What will change: {gap.promise.what_changes}" if gap.promise else ""
                yield Block(Kind.TEXT, f"{gap.share.code.young_label}: {in_ten(gap.share.estimate.share)}.{promised}")
    yield Block(Kind.HEADING, "Who will see this, and what will change")
    yield from _promised(found.promise)
    yield Block(
        Kind.SMALL, "Is something here wrong, or missing? Tell the person who gave you this. They have to listen."
    )


def _young_entry(entry: Entry) -> Iterator[Block]:
    row, f = entry.row, entry.row.figure
    label = entry.code.young_label if entry.code else row.link.code
    yield Block(Kind.HEADING, label)
    if f.percent is None:
        yield Block(Kind.TEXT, "There is a number about this, but it is kept secret so that nobody can be recognised.")
    else:
        yield Block(
            Kind.TEXT, f"The official number: “{f.label}”, {f.percent:.0f} in every 100 ({f.area}, {f.period})."
        )
    for warning in f.warnings:
        yield Block(Kind.WARNING, f"Be careful with this number. {warning}")
    if row.estimate is None:
        yield Block(Kind.TEXT, "We cannot say yet how many people talk about this. More has to be read first.")
    else:
        low, high = percent(row.estimate.low), percent(row.estimate.high)
        yield Block(
            Kind.TEXT,
            f"What people told us: {in_ten(row.estimate.share)} talk about this{STANCE_WORDS[row.link.stance]}. "
            f"We are fairly sure that it is between {low} and {high}.",
        )
    fit = Fit(entry.judged.judgement.fit) if entry.judged else row.proposed
    by = "" if entry.judged else " (The computer suggests this. A person has to decide.)"
    yield Block(Kind.TEXT, YOUNG_FIT[fit] + (by if fit is not Fit.NOT_JUDGED else ""))
    for quote in entry.quotes:
        yield Block(Kind.TEXT, quote_words(quote))
    if entry.promise is not None:
        yield Block(Kind.TEXT, f"What will change: {entry.promise.what_changes}")
