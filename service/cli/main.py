"""The root command: gathers the others and turns refusals into one clear line."""

from __future__ import annotations

import os
import sqlite3
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # our matrices are small: threads cost more than they bring

import typer
from pydantic import ValidationError

from nlp.errors import NlpError
from service.cli import (
    agreement,
    audit,
    backup,
    batch,
    bench,
    check,
    codebook,
    exchange,
    findings,
    indicators,
    jobs,
    joint,
    keys,
    lessons,
    packs,
    papers,
    passport,
    people,
    quotations,
    review,
    rounds,
    serve,
    study,
    themes,
    train,
    vault,
    withdraw,
)
from service.cli.show import say
from service.errors import FullError, ServiceError
from service.hardening import harden

app = typer.Typer(
    name="heard",
    help="Hear what children, families and practitioners say: de-identify, suggest codes, decide, link.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
app.command("init")(study.init)
app.command("intake")(study.intake)
app.command("deidentify")(study.deidentify)
app.command("deid-check")(check.deid_check)
app.command("suggest")(study.suggest)
app.command("batch")(batch.batch)
app.command("draw")(rounds.draw)
app.command("review")(review.review)
app.command("progress")(rounds.progress)
app.command("agreement")(agreement.agreement)
app.command("findings")(findings.findings)
app.command("link")(study.link)
app.command("report")(study.report)
app.command("joint")(joint.joint)
app.command("trace")(joint.trace)
app.command("quotations")(quotations.list_quotations)
app.command("papers")(papers.write_papers)
app.command("withdraw")(withdraw.withdraw_person)
app.command("backup")(backup.back_up)
app.command("verify")(backup.verify)
app.command("restore")(backup.bring_back)
app.command("worker")(jobs.work)
app.command("serve")(serve.serve)
app.command("demo")(serve.demo)
app.add_typer(exchange.taking, name="import")
app.add_typer(exchange.giving, name="export")
app.add_typer(audit.app, name="audit")
app.add_typer(codebook.app, name="codebook")
app.add_typer(themes.app, name="themes")
app.add_typer(indicators.app, name="indicators")
app.add_typer(jobs.app, name="jobs")
app.add_typer(keys.app, name="keys")
app.add_typer(lessons.app, name="lessons")
app.add_typer(packs.app, name="pack")
app.add_typer(passport.app, name="passport")
app.add_typer(people.app, name="people")
app.add_typer(vault.app, name="vault")
app.add_typer(bench.app, name="bench")
app.add_typer(train.app, name="train")


def main() -> None:
    """Run the command line. A refusal is one line on stderr and exit code 1; its words hold no one's text."""
    harden()
    try:
        app()
    except (NlpError, ServiceError) as refused:
        say(f"heard: {refused}")
        sys.exit(1)
    except ValidationError as unsafe:
        say(f"heard: a setting is not allowed: {unsafe.errors(include_input=False)[0]['msg']}")
        sys.exit(1)
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(1)
    except sqlite3.OperationalError as broken:  # outside a write: a study that is being made, or brought to a new shape
        if broken.sqlite_errorcode != sqlite3.SQLITE_FULL:
            raise
        say(f"heard: {FullError()}")
        sys.exit(1)
    except OSError as broken:
        say(f"heard: the system refused: {broken.strerror or type(broken).__name__}")
        sys.exit(1)
