"""Commands on a study: init, intake, deidentify, suggest, link, report."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from nlp.findings.indicators import Figure
from nlp.findings.link import JointRow
from nlp.findings.prevalence import Estimate
from nlp.types import Voice
from service import wiring
from service.cli.show import give, progress, say
from service.clock import now
from service.files.mapping import save_profile as keep_profile
from service.study.study import LEAK_LIMIT, SUGGESTED_FROM
from service.usecases import findings as find
from service.usecases.correct import CorrectReport, correct_table
from service.usecases.deidentify import deidentify_lines, deidentify_study
from service.usecases.discover import codebook_in_use
from service.usecases.intake import dry_run, file_hash, look_at, profiles_of, take_in_table
from service.usecases.links import take_links
from service.usecases.passport import require_intake
from service.usecases.report import write_report
from service.usecases.suggest import suggest_lines, suggest_study

StudyFolder = Annotated[Path, typer.Argument(help="The study's folder.")]
MaybeStudy = Annotated[Path | None, typer.Argument(help="The study's folder; leave it out with --in and --out.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
In = Annotated[Path | None, typer.Option("--in", help="A file of JSON lines to read instead of a study.")]
Out = Annotated[Path | None, typer.Option("--out", help="Where to write the result.")]


def actor() -> str:
    """Who is at the terminal, for the audit trail."""
    try:
        return f"terminal:{getpass.getuser()}"
    except (KeyError, OSError):
        return "terminal"


def init(
    folder: StudyFolder,
    codebook: Annotated[str, typer.Option(help="A codebook: the name of a folder in codebooks/, or a path.")],
    title: Annotated[str, typer.Option(help="What people call the study.")] = "",
    leak_limit: Annotated[
        float, typer.Option(min=1, max=1000, help="Voices in 1,000 that may at most still leak when coding begins.")
    ] = LEAK_LIMIT,
    threshold: Annotated[
        float, typer.Option("--suggest-from", min=0.01, max=0.99, help="How probable a code must be to be suggested.")
    ] = SUGGESTED_FROM,
    as_json: Json = False,
) -> None:
    """Make a new, empty study: a folder with study.db and a sealed vault.db, and a key outside it.

    Example: heard init studies/harrogate --codebook north-yorkshire-care-leavers --title "Harrogate survey"
    """
    settings = wiring.settings()
    study, _ = wiring.make_study(
        folder,
        title=title or folder.name,
        codebook=codebook,
        now=now(),
        leak_limit=leak_limit,
        threshold=threshold,
        settings=settings,
    )
    where = wiring.key_source(settings, study.id).where
    say(f"The key is in {where}. Keep it safe and apart from the study: without it the raw text cannot be read.")
    give({"study": study.id, "codebook": study.codebook}, as_json=as_json, words=f"Made the study “{study.title}”.")


def intake(
    folder: StudyFolder,
    file: Annotated[
        Path,
        typer.Argument(help="The export: .csv, .tsv, .xlsx, .json, .jsonl, .parquet; or .docx and .txt documents."),
    ],
    profile: Annotated[
        Path | None,
        typer.Option(
            help="A mapping profile: a YAML file, or the name of a saved one. Recognised by itself where possible."
        ),
    ] = None,
    text: Annotated[str | None, typer.Option(help="The column that holds the text, where no profile fits.")] = None,
    voice: Annotated[
        str, typer.Option(help="Who speaks in the whole file: child, young_person, parent_carer, practitioner.")
    ] = "",
    mend_letters: Annotated[
        bool, typer.Option("--mend-letters", help="Mend letters that another program broke, such as “â€™”.")
    ] = False,
    correct: Annotated[
        bool,
        typer.Option(
            "--correct",
            help="The file corrects records that are here: new words, with codings where theirs still stand.",
        ),
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and store nothing.")] = False,
    save_profile: Annotated[
        str, typer.Option(help="Keep what the columns mean under this name, to be recognised from now on.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Take a file into a study. The words are sealed; nothing is stored if anything is wrong.

    Example: heard intake studies/harrogate survey.xlsx

    Example: heard intake studies/harrogate survey.xlsx --dry-run

    Example: heard intake studies/harrogate survey-corrected.xlsx --correct
    """
    study = wiring.study_in(folder)
    require_intake(study, actor=actor(), now=now())
    key, days = wiring.key_of(study), wiring.settings().keep_raw_days
    _require_speaker(voice)
    table, chosen = look_at(study, file, profile=profile, text_column=text, speaker=voice, mend_letters=mend_letters)
    if save_profile:
        keep_profile(chosen, save_profile, table.columns, profiles_of(study))
        chosen = chosen.model_copy(update={"name": save_profile})
    hashed, corrected = file_hash(file), None
    if dry:
        done = dry_run(study, table, chosen, key, input_hash=hashed, now=now(), correct=correct)
    elif correct:
        with progress("Correcting") as bar:
            corrected = correct_table(
                study, table, chosen, key, wiring.deidentifier(), input_hash=hashed, now=now(), keep_raw_days=days,
                actor=actor(), progress=bar,
            )  # fmt: skip
        done = corrected.intake
    else:
        done = take_in_table(study, table, chosen, key, input_hash=hashed, now=now(), keep_raw_days=days, actor=actor())
    for column, role in done.columns if dry else ():
        say(f"  {column}: {role}")
    for note in done.notes:
        say(note)
    would = "would be " if dry else ""
    words = (
        f"{done.rows} rows ({done.profile}): {done.voices} voices {would}taken in, {done.known} already here,"
        f" {done.blank} blank, {done.confidential} confidential rows refused."
    )
    if correct:
        words += f" {done.corrected} {would}given other words, {done.updated} other particulars."
        _say_unkept(corrected)
    give({**asdict(done), **(asdict(corrected) if corrected else {})}, as_json=as_json, words=words)


def _require_speaker(voice: str) -> None:
    if voice and voice not in set(Voice):
        raise typer.BadParameter("--voice is child, young_person, parent_carer or practitioner")


def _say_unkept(done: CorrectReport | None) -> None:
    """What a corrected file took back, in ids alone, and where it is read again."""
    for one in done.unkept if done else ():
        again = f"; read again in {one.again}" if one.again else "; no word of its segment is left"
        say(f"  not kept: decision {one.decision}, code {one.code} of segment {one.segment} in {one.round}{again}")
    for voice in done.look_again if done else ():
        say(f"  check again: voice {voice}, in which people had masked words that are purged by now")


def deidentify(
    folder: MaybeStudy = None,
    in_: In = None,
    out: Out = None,
    spans: Annotated[bool, typer.Option("--spans/--no-spans", help="With --in: give the spans too.")] = True,
    as_json: Json = False,
) -> None:
    """De-identify what waits in a study, or a file of JSON lines.

    Example: heard deidentify studies/harrogate

    Example: heard deidentify --in texts.jsonl --out clean.jsonl --spans
    """
    if folder is None:
        source, target = _both(in_, out)
        with progress("De-identifying") as bar:
            count = deidentify_lines(source, target, wiring.deidentifier(), spans=spans, progress=bar)
        give({"texts": count}, as_json=as_json, words=f"{count} texts de-identified.")
        return
    study = wiring.study_in(folder)
    key = wiring.key_of(study)
    with progress("De-identifying") as bar:
        done = deidentify_study(study, key, wiring.deidentifier(), now=now(), actor=actor(), progress=bar)
    words = f"{done.voices} voices de-identified: {done.redactions} identifiers replaced, {done.segments} segments."
    if done.held:
        say(f"{done.held} voices are in another language and wait for a person: “heard deid-check --part languages”.")
    if done.purged:
        say(f"{done.purged} voices could not be read: their raw text was purged on its date.")
    give(asdict(done), as_json=as_json, words=words)


def suggest(
    folder: MaybeStudy = None,
    codebook: Annotated[str | None, typer.Option(help="A codebook's name or path; a study has its own.")] = None,
    in_: In = None,
    out: Out = None,
    every: Annotated[bool, typer.Option("--all", help="With --in: list every code with its score.")] = False,
    re_encode: Annotated[
        bool, typer.Option("--re-encode", help="Make the study's vectors anew, after a change of encoder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Suggest codes for a study's segments, or for a file of de-identified JSON lines.

    Example: heard suggest studies/harrogate

    Example: heard suggest --codebook codebooks/rochdale-family-hub --in clean.jsonl --out suggested.jsonl
    """
    if folder is None:
        source, target = _both(in_, out)
        if codebook is None:
            raise typer.BadParameter("give --codebook with --in")
        with progress("Suggesting") as bar:
            book = wiring.codebook_named(codebook)
            count = suggest_lines(book, wiring.encoder(), source, target, every_code=every, progress=bar)
        give({"texts": count}, as_json=as_json, words=f"{count} texts read.")
        return
    study = wiring.study_in(folder)
    book = wiring.codebook_named(codebook) if codebook else wiring.codebook_of(study)
    with progress("Suggesting") as bar:
        done = suggest_study(
            study,
            book,
            wiring.encoder(),
            now=now(),
            actor=actor(),
            progress=bar,
            re_encode=re_encode,
            trust=wiring.trust(),
        )
    learnt = f" Learnt from {done.learnt_from} decided segments." if done.learnt_from else ""
    words = (
        f"{done.segments} segments read: {done.suggestions} suggestions; nothing fitted {done.silent}.{learnt}"
        " A person decides."
    )
    give(asdict(done), as_json=as_json, words=words)


def _both(in_: Path | None, out: Path | None) -> tuple[Path, Path]:
    if in_ is None or out is None:
        raise typer.BadParameter("give a study's folder, or both --in and --out")
    return in_, out


def link(
    folder: StudyFolder,
    indicators: Annotated[
        Path | None, typer.Option(help="A folder of indicator files to load with the codebook's links.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Set confirmed themes beside published indicators; a person judges what it means.

    Example: heard link studies/harrogate --indicators corpora_sample/indicators
    """
    study = wiring.study_in(folder)
    if indicators is not None:
        file = find.links_file(wiring.settings().codebooks, study.codebook)
        book = codebook_in_use(study, wiring.codebook_named(study.codebook))
        take_links(study, file, indicators, book, now=now(), actor=actor())
    rows = find.joint_display(study)
    if not rows:
        say("No links are loaded. Give --indicators FOLDER.")
    words = "\n".join(_joint_words(row) for row in rows)
    give(
        [{**asdict(row), "estimate": row.estimate and estimate_words(row.estimate)} for row in rows],
        as_json=as_json,
        words=words,
    )


def _joint_words(row: JointRow) -> str:
    figure, estimate = row.figure, row.estimate
    lines = [
        row.link.title,
        f"  published: {figure.label}, {figure.area}, {figure.group}, {figure.period}: {figure_words(figure)}",
    ]
    lines += [f"  warning: {warning}" for warning in figure.warnings]
    lines.append(f"  heard: {estimate_words(estimate) if estimate else row.refusal}")
    lines.append(f"  proposed: {row.proposed}. {row.because}")
    return "\n".join(lines)


def figure_words(figure: Figure) -> str:
    """A published value with its count and base, or why there is none."""
    if figure.percent is None:
        return f"not shown by the publisher ({figure.percent_status})"
    known = figure.count is not None and figure.denominator
    base = f" ({figure.count:,} of {figure.denominator:,})" if known else " (published without its base)"
    return f"{figure.percent:g}%{base}"


def estimate_words(estimate: Estimate) -> str:
    """An estimate with its interval and what it rests on."""
    return (
        f"{estimate.share:.0%} of people (95% interval {estimate.low:.0%} to {estimate.high:.0%}; "
        f"{estimate.read} of {estimate.loaded} people read blind)"
    )


def report(
    folder: StudyFolder,
    out: Annotated[Path, typer.Option(help="Where to write the report (HTML).")],
) -> None:
    """Write a study's report as one HTML page that can be printed.

    Example: heard report studies/harrogate --out harrogate.html
    """
    write_report(wiring.study_in(folder), out, person=actor(), now=now())
    say(f"Wrote {out}.")
