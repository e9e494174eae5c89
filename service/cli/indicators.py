"""Published indicators of a study: load a file, list what is there, show values with their quality."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nlp.findings.indicators import Value
from nlp.findings.indicators.quality import refuse_ranking
from nlp.findings.indicators.values import STATUS_WORDS
from service import wiring
from service.cli.show import give, say
from service.cli.study import Json, StudyFolder, actor
from service.clock import now
from service.usecases.indicators import Wish, indicators_of, load_indicators, values_of

app = typer.Typer(
    help="Published indicators: load files, list them, show values with their quality.", no_args_is_help=True
)
Areas = Annotated[list[str] | None, typer.Option("--area", help="An area's name or code; may stand several times.")]


@app.command()
def load(
    folder: StudyFolder,
    file: Annotated[Path, typer.Argument(help="The CSV as published, or in the plain form of docs/indicators.md.")],
    kind: Annotated[
        str, typer.Option(help="ees, lait, fingertips, oc3 or plain; told by the header where left out.")
    ] = "",
    meta: Annotated[Path | None, typer.Option(help="The metadata or dictionary file that belongs to it.")] = None,
    area: Areas = None,
    year: Annotated[int, typer.Option(help="For a return of your own (oc3): the year whose 31 March it ends on.")] = 0,
    url: Annotated[str, typer.Option(help="Where the file came from.")] = "",
    retrieved: Annotated[str, typer.Option(help="When, as 2026-01-31.")] = "",
    as_json: Json = False,
) -> None:
    """Load an indicator file. Nothing is stored if anything in it cannot be read.

    Example: heard indicators load studies/harrogate corpora_sample/indicators/ees_cin_referrals_sample.csv

    Example: heard indicators load studies/harrogate oc3.csv --area E06000065 --year 2025
    """
    wish = Wish(kind, meta, tuple(area or ()), year, url, retrieved)
    came = load_indicators(wiring.study_in(folder), file, wish, now=now(), actor=actor())
    for remark in came.remarks:
        say(remark)
    words = f"{came.values} values ({came.kind}) of {came.file}: {came.new} new, SHA-256 {came.sha256[:12]}…"
    give(asdict(came), as_json=as_json, words=words)


@app.command("list")
def list_(folder: StudyFolder, as_json: Json = False) -> None:
    """Say which indicators a study holds.

    Example: heard indicators list studies/harrogate
    """
    found = indicators_of(wiring.study_in(folder))
    words = [
        f"{i.indicator}: {i.label} ({i.unit}; {i.kind}), {i.places} areas, {i.first} to {i.last}, "
        f"{i.shown} of {i.values} values published"
        for i in found
    ]
    give([asdict(i) for i in found], as_json=as_json, words="\n".join(words) or "No indicators are loaded yet.")


@app.command()
def show(
    folder: StudyFolder,
    indicator: Annotated[str, typer.Argument(help="An indicator, as “heard indicators list” names it.")],
    area: Areas = None,
    period: Annotated[str, typer.Option(help="One period, as the publisher writes it.")] = "",
    as_json: Json = False,
) -> None:
    """Show an indicator's values with base, interval, share not known and every quality note.

    Example: heard indicators show studies/harrogate rereferral_percent --area "North Yorkshire"
    """
    found = values_of(wiring.study_in(folder), indicator, area or (), period)
    lines = [line for stored in found for line in _lines(stored.value)]
    refusal = refuse_ranking([s.value for s in found]) if len({s.value.area for s in found}) > 1 else ""
    sources = sorted({f"Source: {s.source.publisher}. {s.source.licence}. {s.source.file}" for s in found})
    data = [{"value": asdict(s.value), "source": asdict(s.source)} for s in found]
    give(data, as_json=as_json, words="\n".join([*lines, *([refusal] if refusal else []), *sources]))


def _lines(value: Value) -> list[str]:
    group = "".join(f"; {chosen}" for _, chosen in value.filters)
    revision = f", {value.revision}" if value.revision else ""
    head = f"{value.area.name} ({value.area.code or value.area.old_code}), {value.period.label}{revision}{group}"
    return [f"{head}: {value_words(value)}", *(f"  {note.words}" for note in value.notes)]


def value_words(value: Value) -> str:
    """A value with its base, interval and the rate on a known base, or why there is none."""
    if value.value is None:
        return STATUS_WORDS[value.status]
    unit = "%" if value.unit == "%" else "" if value.unit == "count" else f" ({value.unit})"
    words = f"{value.value:,g}{unit}" if value.unit == "%" else f"{value.value:,.12g}{unit}"
    if value.numerator is not None and value.denominator:
        words += f" ({value.numerator:,.12g} of {value.denominator:,.12g})"
    if value.low is not None and value.high is not None:
        words += f", 95% interval {value.low:g} to {value.high:g}"
    if value.not_known_share and value.percent_of_known is not None:
        words += f"; {value.percent_of_known:.0f}% of those whose situation is known"
    return words
