"""Commands on packs: what a study found, signed, for another council; and theirs beside one's own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from nlp.findings.meta import Told
from nlp.findings.pack import Signed
from service import wiring
from service.cli.show import give, output, say
from service.cli.study import Json, StudyFolder, actor
from service.clock import now
from service.usecases.packs import content_of, export_pack, load_pack
from service.usecases.packs import verify as verify_pack
from service.usecases.packs_compare import Comparison, Row, compare

app = typer.Typer(help="Set findings of several councils side by side, in signed packs without a word or person in them.",
                  no_args_is_help=True)  # fmt: skip
PackFile = Annotated[Path, typer.Argument(help="A pack's file.")]


@app.command()
def export(
    folder: StudyFolder,
    out: Annotated[Path, typer.Option(help="Where to write the pack.")],
    council: Annotated[str, typer.Option(help="What others call you; the study's title otherwise.")] = "",
) -> None:
    """Write what the study found as a signed pack: shares, suppressed counts and how people were read.

    Example: heard pack export studies/harrogate --out harrogate.pack.json --council "North Yorkshire"
    """
    signer = wiring.signer()
    pack = export_pack(wiring.study_in(folder), out, signer, council=council, now=now(), actor=actor())
    told = sum(not t.why for t in pack.themes)
    say(f"Wrote {told} of {len(pack.themes)} themes to {out}; the others may not be shown. It cannot be called back.")
    say(f"Your key's fingerprint, to read out to who loads it: {wiring.key_words(signer)}")


@app.command()
def verify(file: PackFile, as_json: Json = False) -> None:
    """Say who made a pack, with which key, and whether it is as they signed it.

    Example: heard pack verify rochdale.pack.json
    """
    found = verify_pack(content_of(file))
    give(_about(found), as_json=as_json, words="\n".join(f"{name}: {value}" for name, value in _about(found).items()))


@app.command()
def load(
    folder: StudyFolder,
    file: PackFile,
    fingerprint: Annotated[str, typer.Option(help="The fingerprint that the council read out to you.")] = "",
) -> None:
    """Keep another council's pack in a study, to be set beside its own findings.

    Example: heard pack load studies/harrogate rochdale.pack.json --fingerprint "1f3c 99a0 07be 45d2 c311"
    """
    study = wiring.study_in(folder)
    found = load_pack(study, content_of(file), fingerprint=fingerprint, now=now(), actor=actor())
    say(f"Loaded the pack of “{found.pack.council}”, made on {found.pack.made_at[:10]}.")
    if not fingerprint:
        say(
            f"Nobody has confirmed whose it is: ask “{found.pack.council}” to read out their fingerprint, which should be"
            f" {found.fingerprint}, and load it again with --fingerprint."
        )


@app.command("compare")
def compare_(folder: StudyFolder, as_json: Json = False) -> None:
    """Set each theme's share beside those of other councils, and put them together where that can be done.

    Example: heard pack compare studies/harrogate
    """
    found = compare(wiring.study_in(folder))
    if as_json:
        give(_plain(found), as_json=True, words="")
        return
    table = Table("theme", *(s.council for s in found.sources), "together", "a further council")
    for row in found.rows:
        table.add_row(row.code.label, *map(_cell, row.told), *_together(row))
    output.print(table)
    say("Shares are of people like those who were read, each with its 95% interval.")
    if found.others:
        say(f"{found.others} codes of other councils are not in this study's codebook.")


def _about(found: Signed) -> dict[str, Any]:
    pack = found.pack
    return {
        "council": pack.council, "made": pack.made_at, "codebook": f"{pack.book.id} {pack.book.version}",
        "read": pack.design.read, "loaded": pack.design.loaded, "themes": sum(not t.why for t in pack.themes),
        "held back": sum(bool(t.why) for t in pack.themes), "rules": pack.rules.name, "fictional": pack.fictional,
        "fingerprint": found.fingerprint,
    }  # fmt: skip


def _cell(told: Told) -> str:
    return told.held_back or f"{told.share:.1%} ({told.low:.1%} to {told.high:.1%})"


def _together(row: Row) -> tuple[str, str]:
    t = row.together
    if t is None:
        return row.refusal, ""
    m = t.model
    spread = f"I² {m.i2:.0%}, tau² {m.tau2:.3f}, Q {m.q:.1f} on {m.df}"
    return f"{t.share:.1%} ({t.low:.1%} to {t.high:.1%}); {spread}", f"{t.next_low:.1%} to {t.next_high:.1%}"


def _plain(found: Comparison) -> dict[str, Any]:
    rows = [
        {
            "code": r.code.id, "label": r.code.label, "told": [asdict(t) for t in r.told], "refusal": r.refusal,
            "together": asdict(r.together) if r.together else None,
        }
        for r in found.rows
    ]  # fmt: skip
    return {"sources": [asdict(s) for s in found.sources], "rows": rows, "others": found.others}
