"""The de-identification table: `python bench/deid/table.py [--presidio PYTHON] [--data ../shared/data]`.

Every figure is measured on texts written by other hands than the training texts, with the names that
no training text was filled from left out of the lists too. `--presidio` names a Python that has
Presidio installed (see `make bench-deid`), for the same texts in the same run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nlp.deid.cascade import Deidentifier, default_deidentifier
from nlp.deid.evaluate import GoldText, Row, evaluate
from nlp.deid.lexicon import without
from nlp.deid.names import NameDetector
from nlp.deid.patterns import PatternDetector
from nlp.deid.tagger import ModelDetector
from nlp.models.deid.fill import read_marked
from nlp.models.deid.held_out import (
    gold_of,
    has_one_name,
    held_out_names,
    held_out_pools,
    origin_texts,
    tab_texts,
    tweet_texts,
    word_texts,
)
from nlp.types import Span

HERE = Path(__file__).parent
Masks = list[list[Span]]
NUMBERS = ("phone", "email", "nhs", "ni", "upn", "postcode", "dob")


@dataclass(frozen=True, slots=True)
class Sets:
    """The texts to measure on: all that were written by hand, the origin sentences, judgments and posts."""

    written: list[GoldText]
    origin: list[GoldText]
    tab: list[GoldText]
    tweets: list[GoldText]
    words: list[GoldText]

    def each(self) -> dict[str, list[GoldText]]:
        """The sets by name, without those that are not here."""
        sets = {
            "written": self.written,
            "origin": self.origin,
            "words": self.words,
            "TAB dev": self.tab,
            "BTC dev": self.tweets,
        }
        return {name: texts for name, texts in sets.items() if texts}


@dataclass(slots=True)
class Result:
    """The rows of one system by set, and its speed on the short texts in MB a second."""

    name: str
    rows: dict[str, dict[tuple[str, str], Row]] = field(default_factory=dict)
    speed: float = 0.0


def read_sets(data: Path) -> Sets:
    """The sets of this folder, and those of the data folder where it is there."""
    marked = [m for path in sorted(HERE.glob("*.jsonl")) for m in read_marked(path)]
    carriers = [m for m in marked if has_one_name(m)]
    tab, tweets = data / "ner" / "tab-dev.jsonl", data / "ner" / "btc-dev.jsonl"
    return Sets(
        [gold_of(m) for m in marked],
        list(origin_texts(carriers, held_out_pools())),
        list(tab_texts(tab)) if tab.exists() else [],
        list(tweet_texts(tweets)) if tweets.exists() else [],
        list(word_texts(carriers, held_out_pools())),
    )


def measured(name: str, sets: Sets, mask: Callable[[list[GoldText]], tuple[Masks, float]]) -> Result:
    """Run a system over every set."""
    result = Result(name)
    for label, texts in sets.each().items():
        masks, seconds = mask(texts)
        result.rows[label] = {(r.measure, r.group): r for r in evaluate(texts, masks)}
        if label == "origin":
            result.speed = sum(len(t.text.encode()) for t in texts) / seconds / 1e6
    return result


def ours(cascade: Deidentifier) -> Callable[[list[GoldText]], tuple[Masks, float]]:
    """Our cascade, each text a case of its own."""

    def mask(texts: list[GoldText]) -> tuple[Masks, float]:
        cascade.deidentify(["Warm up."])
        began = time.perf_counter()
        clean = cascade.deidentify([t.text for t in texts])
        seconds = time.perf_counter() - began
        return [[Span(r.start, r.end) for r in c.plan] for c in clean], seconds

    return mask


def presidio(python: str, configuration: str) -> Callable[[list[GoldText]], tuple[Masks, float]]:
    """Presidio in its own environment, in one process."""

    def mask(texts: list[GoldText]) -> tuple[Masks, float]:
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
            source.write_text("".join(json.dumps({"id": str(i), "text": t.text}) + "\n" for i, t in enumerate(texts)))
            command = [python, str(HERE / "presidio_masks.py"), configuration, str(source), str(target)]
            subprocess.run(command, check=True)  # noqa: S603 - our own script
            *lines, summary = (json.loads(line) for line in target.read_text("utf-8").splitlines())
        return [[Span(a, b) for a, b in line["spans"]] for line in lines], summary["seconds"]

    return mask


TARGETS: tuple[tuple[str, str, str, str, str], ...] = (
    ("PERSON covered, all", "written", "recall PERSON", "all", "≥ .97"),
    ("PERSON covered, lower case", "written", "recall PERSON", "lower case", "≥ .96"),
    ("PERSON covered, child", "written", "recall PERSON", "voice: child", "≥ .96"),
    ("names that are words", "words", "recall PERSON", "kind: word", "≥ .95"),
    ("nicknames", "written", "recall PERSON", "kind: nick", "≥ .92"),
    ("initials", "written", "recall PERSON", "kind: initials", "≥ .88"),
    ("gap between origins", "origin", "gap between origins", "", "≤ .04"),
    ("texts with no direct identifier left", "written", "texts with no direct identifier left", "all", "≥ .97"),
    ("schools", "written", "recall ORG", "kind: school", "≥ .90"),
    ("settings", "written", "recall ORG", "kind: setting", "≥ .90"),
    ("places", "written", "recall LOCATION", "kind: place", "≥ .92"),
    ("ages", "written", "recall AGE", "all", "≥ .90"),
    ("token precision", "written", "token precision", "all", "≥ .92"),
    ("texts with nothing to hide untouched", "written", "texts with nothing to hide left untouched", "all", "≥ .94"),
    ("harmless words masked", "written", "harmless words masked", "all", "≤ .01"),
    ("TAB direct entities", "TAB dev", "entities whole", "kind: direct", "≥ .97"),
    ("TAB quasi entities", "TAB dev", "entities whole", "kind: quasi", "≥ .85"),
    ("TAB token precision", "TAB dev", "token precision", "all", "≥ .70"),
    ("BTC persons", "BTC dev", "recall PERSON", "all", ""),
)


def print_table(results: Sequence[Result]) -> None:
    """Every row with its n; origins and numbers by name; the speeds last."""
    head = ["measure", *(r.name for r in results), "must reach", "n"]
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for title, label, measure, group, target in TARGETS:
        print_row(title, [_find(r, label, measure, group) for r in results], target)
    for kind in NUMBERS:
        rows = [next((x for (_, g), x in r.rows["written"].items() if g == f"kind: {kind}"), None) for r in results]
        print_row(kind, rows, "≥ .99")
    for _, group in sorted(k for k in results[-1].rows["origin"] if k[1].startswith("origin: ")):
        print_row(group, [r.rows["origin"].get(("recall PERSON", group)) for r in results], "≥ .95")
    for _, group in sorted(k for k in results[-1].rows["written"] if k[0] == "recall PERSON" and "voice" in k[1]):
        print_row(f"PERSON {group}", [r.rows["written"].get(("recall PERSON", group)) for r in results], "")
    cells = [f"{r.speed:.3f}" for r in results]
    print("| speed, MB a second, one process, short texts | " + " | ".join(cells) + " | ≥ 25 × Presidio |  |")


def _find(result: Result, label: str, measure: str, group: str) -> Row | None:
    rows = result.rows.get(label, {})
    return next((row for (m, g), row in rows.items() if m == measure and (g == group or not group)), None)


def print_row(title: str, rows: Sequence[Row | None], target: str) -> None:
    """One line; nothing where no system has the row."""
    if any(rows):
        n = next(row.n for row in reversed(rows) if row)
        print(f"| {title} | " + " | ".join(f"{row.value:.3f}" if row else "" for row in rows) + f" | {target} | {n} |")


def print_stages(sets: Sets) -> None:
    """What each stage adds on the written texts; each line has all the stages before it too."""
    stages = (PatternDetector(), NameDetector(), ModelDetector())
    print("\n| stages | PERSON | places | schools | ages | texts safe | token precision | untouched |\n|" + "---|" * 8)
    asked = (
        ("recall PERSON", "all"), ("recall LOCATION", "all"), ("recall ORG", "all"), ("recall AGE", "all"),
        ("texts with no direct identifier left", "all"), ("token precision", "all"),
        ("texts with nothing to hide left untouched", "all"),
    )  # fmt: skip
    settings = [(stages[: i + 1], False) for i in range(len(stages))] + [(stages, True)]
    for detectors, carries in settings:
        cascade = Deidentifier(detectors, carry_names=carries)
        masks, _ = ours(cascade)(sets.written)
        rows = {(r.measure, r.group): r.value for r in evaluate(sets.written, masks)}
        name = " + ".join(d.name.split(".")[0] for d in detectors) + (" + propagation" if carries else "")
        print(f"| {name} | " + " | ".join(f"{rows[a]:.3f}" for a in asked) + " |")


def print_growth(cascade: Deidentifier, sets: Sets) -> None:
    """Seconds for longer and longer notes: a straight line."""
    note = " ".join(t.text for t in sets.written)
    print("\n| characters | seconds | seconds a million characters |\n|---|---|---|")
    for size in (12_500, 25_000, 50_000, 100_000, 200_000):
        text = (note * (size // len(note) + 1))[:size]
        began = time.perf_counter()
        cascade.deidentify([text])
        seconds = time.perf_counter() - began
        print(f"| {size:,} | {seconds:.2f} | {seconds / size * 1e6:.2f} |")


def print_listed(sets: Sets) -> None:
    """The origin sentences with the lists as they ship, in which most of these names stand."""
    cascade = default_deidentifier()
    masks, _ = ours(cascade)(sets.origin)
    rows = [r for r in evaluate(sets.origin, masks) if r.group.startswith("origin: ") or r.measure.startswith("gap")]
    print("\n| names of each origin, with the lists as they ship | covered | n |\n|---|---|---|")
    for row in rows:
        print(f"| {row.group.removeprefix('origin: ')} | {row.value:.3f} | {row.n} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--presidio", default="")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    asked = parser.parse_args()
    sets = read_sets(asked.data)
    with without(held_out_names(held_out_pools())):
        cascade = default_deidentifier()
        own = measured("Heard", sets, ours(cascade))
        others = [
            measured(name, sets, presidio(asked.presidio, option))
            for name, option in (("Presidio as shipped", "--as-shipped"), ("Presidio + ORG + UK", "--with-uk"))
            if asked.presidio
        ]
        print_table([*others, own])
        print_stages(sets)
        print_growth(cascade, sets)
    print_listed(sets)


if __name__ == "__main__":
    main()
