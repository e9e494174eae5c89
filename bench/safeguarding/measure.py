"""How much the safeguarding words miss, and how often they stop a reader for nothing: `python bench/safeguarding/measure.py`.

The cases are hand-written and fictional. Words were chosen looking at `cases.tsv`; `held_out.tsv` was written apart and
looked at for no word. Prompts are counted on every text of the sample corpora, which hold some worrying ones too, and on
`ordinary_hard.tsv`: harmless texts that use the same words. A voice counts once, however many prompts it has.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from nlp.intervals import wilson
from nlp.safeguarding import prompts

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Print recall by voice and kind, and prompts per 1,000 ordinary voices by place and voice."""
    recall = table("Possible disclosures found", "share")
    for name, told in (("cases.tsv", "words were chosen on these"), ("held_out.tsv", "held out")):
        rows = read(HERE / name)
        add(recall, f"{told}: all", (row[-1] for row in rows), per=1)
        for column in range(len(rows[0]) - 1):
            for value, texts in by(rows, column):
                add(recall, f"{told}: {value}", texts, per=1)
    ordinary = table("Voices with a prompt", "per 1,000")
    corpora = [[site, voice, text] for site, voice, text in samples()]
    add(ordinary, "sample corpora: all", (row[-1] for row in corpora), per=1000)
    for column in (0, 1):
        for value, texts in by(corpora, column):
            add(ordinary, f"sample corpora: {value}", texts, per=1000)
    add(ordinary, "harmless, in the same words", (row[-1] for row in read(HERE / "ordinary_hard.tsv")), per=1000)
    for made in (recall, ordinary):
        Console(width=110).print(made)


def read(path: Path) -> list[list[str]]:
    """The rows of a file of tab-separated cases; the text is last."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def samples() -> Iterator[tuple[str, str, str]]:
    """Site, voice and text of every voice of the sample corpora."""
    for path in sorted(ROOT.glob("corpora_sample/*/gold/texts.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            yield path.parent.parent.name, row["voice"], row["text"]


def by(rows: list[list[str]], column: int) -> Iterator[tuple[str, list[str]]]:
    """The texts of the rows, by what a column says."""
    for value, held in groupby(sorted(rows, key=lambda r: r[column]), key=lambda r: r[column]):
        yield value, [row[-1] for row in held]


def table(title: str, share: str) -> Table:
    """An empty table of counts."""
    made = Table("texts", "n", "with a prompt", share, "95% interval", title=title)
    for column in made.columns[1:]:
        column.justify = "right"
    return made


def add(made: Table, name: str, texts: Iterable[str], *, per: int) -> None:
    """A line of how many of the texts have a prompt."""
    seen = [bool(prompts(text)) for text in texts]
    low, high = wilson(sum(seen), len(seen))
    form = "{:.3f}" if per == 1 else "{:.0f}"
    share, low, high = (form.format(x * per) for x in (sum(seen) / len(seen), low, high))
    made.add_row(name, str(len(seen)), str(sum(seen)), share, f"{low} to {high}")


if __name__ == "__main__":
    main()
