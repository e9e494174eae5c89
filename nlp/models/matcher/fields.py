"""The written corpus: codebooks of neighbouring fields and texts that people of those fields might say.

One folder a field: `codebook.json` and a `texts-HAND.jsonl` for each hand that wrote. All of it is fictional.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nlp.errors import CorpusError
from nlp.themes.corpus import CodedSet, CodedText
from nlp.types import Code, Codebook, Exclusion, NearMiss

WRITTEN = Path(__file__).resolve().parent / "written"
HELD_OUT = (
    "kinship-care", "youth-justice", "practitioner-working-lives", "long-term-illness", "friends-and-belonging",
    "separated-parents",
)  # fmt: skip
HELD_OUT_HAND = "W8"
RUN = 8

_SMALL_WORDS = frozenset(
    "a about after again all also an and any are as at be because been being both but by can could d did do does dont each "
    "few for from get got had has have he her hers him his how i id if im in into is it its just ll m me more my no not now "
    "of on only or other our out own re s same she should so some t than that the their them then there they this those "
    "through to too under until up us ve very was we were what when where which while who why will with would you your".split()
)
_ENDINGS = ("ing", "edly", "ment", "ness", "ed", "es", "er", "ly", "s")


@dataclass(frozen=True, slots=True)
class Given:
    """A code that the writer gave a text, with the clause that shows it; `implied` where the theme is never named."""

    code: str
    evidence: str
    implied: bool


@dataclass(frozen=True, slots=True)
class WrittenText:
    """A text with its codes; `near` are codes that its words bring to mind and its meaning does not."""

    id: str
    text: str
    voice: str
    style: str
    hand: str
    given: tuple[Given, ...]
    near: tuple[str, ...]

    @property
    def codes(self) -> frozenset[str]:
        """The ids of its codes."""
        return frozenset(g.code for g in self.given)


@dataclass(frozen=True, slots=True)
class Field:
    """A codebook, other wordings of its labels by code, and its texts."""

    name: str
    codebook: Codebook
    other_labels: dict[str, tuple[str, ...]]
    texts: tuple[WrittenText, ...]


def read_fields(folder: Path = WRITTEN) -> list[Field]:
    """All fields, by name; CorpusError names the file and row that cannot be used."""
    return [read_field(path) for path in sorted(folder.iterdir()) if (path / "codebook.json").is_file()]


def read_field(folder: Path) -> Field:
    """The field in a folder."""
    raw = json.loads((folder / "codebook.json").read_text("utf-8"))
    codes = tuple(_code(entry) for entry in raw["codes"])
    book = Codebook(raw["id"], raw["title"], "1", "fictional, for training", codes)
    known = {code.id for code in codes}
    texts = tuple(text for file in sorted(folder.glob("texts-*.jsonl")) for text in _texts(file, known))
    return Field(folder.name, book, {e["id"]: tuple(e.get("other_labels", ())) for e in raw["codes"]}, texts)


def _code(entry: dict[str, Any]) -> Code:
    return Code(
        id=entry["id"],
        label=entry["label"],
        definition=entry.get("definition", ""),
        include=tuple(entry.get("include", ())),
        exclude=tuple(Exclusion(x["text"], x.get("see", "")) for x in entry.get("exclude", ())),
        examples=tuple(entry.get("examples", ())),
        near_misses=tuple(NearMiss(m["text"], m.get("belongs_to", "")) for m in entry.get("near_misses", ())),
    )


def _texts(file: Path, known: set[str]) -> Iterator[WrittenText]:
    hand = file.stem.removeprefix("texts-")
    for number, line in enumerate(file.read_text("utf-8").split("\n"), 1):
        if line.strip():
            yield _text(json.loads(line), hand, known, f"{file.parent.name}/{file.name}, row {number}")


def _text(row: dict[str, Any], hand: str, known: set[str], where: str) -> WrittenText:
    given = tuple(Given(c["code"], c["evidence"], bool(c.get("implied"))) for c in row["codes"])
    near = tuple(row.get("near", ()))
    if not {g.code for g in given} | set(near) <= known:
        raise CorpusError(f"{where}: a code that the codebook has not")
    if any(g.evidence not in row["text"] for g in given):
        raise CorpusError(f"{where}: evidence that is not in the text")
    return WrittenText(row["id"], row["text"], row["voice"], row.get("style", ""), hand, given, near)


def held_out_fields(fields: Sequence[Field]) -> list[Field]:
    """The fields that nothing is taught on."""
    return [field for field in fields if field.name in HELD_OUT]


def as_coded_set(field: Field) -> CodedSet:
    """The field in the measuring form."""
    texts = tuple(CodedText(t.id, t.text, t.codes, t.voice) for t in field.texts)
    return CodedSet(field.name, field.codebook, texts)


@dataclass(frozen=True, slots=True)
class Diversity:
    """What the corpus holds. `wordless` are positives whose evidence shares no content word with the code's entry."""

    fields: int
    codes: int
    texts: int
    hands: int
    positives: int
    implied: int
    wordless: int
    repeated_runs: int


def diversity(fields: Sequence[Field]) -> Diversity:
    """Counts over all fields; a repeated run is eight words in a row that stand in two texts."""
    texts = [text for field in fields for text in field.texts]
    given = [(field, g) for field in fields for text in field.texts for g in text.given]
    entries = {(f.name, c.id): content_words(_entry(c)) for f in fields for c in f.codebook.codes}
    return Diversity(
        fields=len(fields),
        codes=len(entries),
        texts=len(texts),
        hands=len({text.hand for text in texts}),
        positives=len(given),
        implied=sum(g.implied for _, g in given),
        wordless=sum(not content_words(g.evidence) & entries[f.name, g.code] for f, g in given),
        repeated_runs=sum(n > 1 for n in Counter(run for text in texts for run in _runs(text.text)).values()),
    )


def is_wordless(code: Code, evidence: str) -> bool:
    """Whether the evidence shares no content word with the code's entry."""
    return not content_words(evidence) & content_words(_entry(code))


def content_words(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    words = re.findall(r"[a-z]+", re.sub(r"['’]", "", text.lower()))
    return frozenset(_stem(word) for word in words if len(word) > 2 and word not in _SMALL_WORDS)


def _stem(word: str) -> str:
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 3), "")
    return word.removesuffix(ending)


def _entry(code: Code) -> str:
    return " ".join((code.label, code.definition, *code.include, *code.examples))


def _runs(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return {tuple(words[i : i + RUN]) for i in range(len(words) - RUN + 1)}
