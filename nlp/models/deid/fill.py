"""From marked sentences to training examples: other names, places and dates in the same words.

A marked text reads `saw [[first#1:kasia]] at [[place:Thirsk]]`. Each time it is used, its people are
given a heritage drawn evenly from all those listed, so that no origin is seen more than another.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.deid.lexicon import FLAGS, OPEN_LISTS, flags_of, folded, listed
from nlp.deid.tokens import tokenise

MARK = re.compile(r"\[\[([a-z]+)(?:#(\d+))?:([^\[\]]+)\]\]")
KIND = {
    "first": "PERSON", "full": "PERSON", "family": "PERSON", "reversed": "PERSON", "nick": "PERSON", "initials": "PERSON",
    "place": "LOCATION", "street": "LOCATION", "postcode": "LOCATION", "school": "ORG", "setting": "ORG", "org": "ORG",
    "date": "DATE", "dob": "DATE", "age": "AGE", "phone": "ID", "email": "ID", "url": "ID", "handle": "ID", "nhs": "ID",
    "ni": "ID", "upn": "ID", "plate": "ID", "id": "ID",
}  # fmt: skip
KEPT = {"first": 0.08, "full": 0.08, "family": 0.1, "nick": 0.4, "initials": 0.2, "place": 0.3, "school": 0.35,
        "setting": 0.35, "org": 0.4, "street": 0.4, "date": 0.4, "age": 0.4}  # fmt: skip
_MONTHS = "January February March April May June July August September October November December".split()
_NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen"
).split()
_STREETS = "Road Street Lane Avenue Close Drive Crescent Court Gardens Grove Terrace Walk Way Place Rise Green".split()


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens with a label each: `O`, or a kind with `B-` or `I-`; `?` where the source does not say."""

    tokens: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Marked:
    """A text as written, with its marks."""

    id: str
    voice: str
    text: str


@dataclass(frozen=True, slots=True)
class Pools:
    """What slots are filled from: names by heritage and kind, and lists of the rest."""

    names: dict[str, dict[str, list[str]]]
    others: dict[str, list[str]]


def read_marked(path: Path) -> list[Marked]:
    """One `Marked` for each line of a file of `{"id", "voice", "text"}`."""
    rows = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip())
    return [Marked(row["id"], row["voice"], row["text"]) for row in rows]


def read_pools(folder: Path, *, held_out: bool) -> Pools:
    """The half of every list that trains, or the half that is held out (each fourth entry)."""
    names: dict[str, dict[str, list[str]]] = {}
    for path in sorted(folder.glob("[a-z]*.tsv")):
        names[path.stem] = _by_kind(path, held_out)
    others = dict(_by_kind(folder / "_settings.tsv", held_out))
    places = [w for w in (folder / "_places.txt").read_text("utf-8").splitlines() if w and not w.startswith("#")]
    others["place"] = _half(places, held_out)
    others["double"] = _half((folder / "_double_barrelled.txt").read_text("utf-8").splitlines(), held_out)
    for kind, words in _by_kind(folder / "_word_names.txt", held_out).items():
        others[f"word {kind}"] = words
    kept_apart = folded(
        n for path in folder.glob("[a-z]*.tsv") for kinds in _by_kind(path, True).values() for n in kinds
    )
    for kind, listed_as in (("any first", "forenames"), ("any family", "family_names")):
        others[kind] = [n.title() for n in sorted(listed(listed_as)) if n not in kept_apart and len(n) > 2]
    return Pools(names, others)


def _by_kind(path: Path, held_out: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for line in path.read_text("utf-8").splitlines():
        if "\t" in line:
            kind, word = line.split("\t")[:2]
            found[kind].append(word.strip())
    return {kind: _half(words, held_out) for kind, words in found.items()}


def _half(words: Sequence[str], held_out: bool) -> list[str]:
    return [w for i, w in enumerate(words) if (i % 4 == 3) is held_out]


class Filler:
    """Fills the slots of marked texts from pools, with a random stream of its own."""

    def __init__(self, pools: Pools, seed: int) -> None:
        self._pools = pools
        self._heritages = sorted(pools.names)
        self.random = random.Random(seed)

    def fill(self, text: str, heritage: str = "") -> tuple[str, list[tuple[int, int, str, str]]]:
        """The text with its slots filled, and (start, end, label, kind) for each of them."""
        people: dict[str, tuple[str, str, str]] = {}
        pieces: list[str] = []
        spans: list[tuple[int, int, str, str]] = []
        done = length = 0
        for match in MARK.finditer(text):
            before, words = text[done : match.start()], self._words(match, people, heritage)
            pieces += (before, words)
            start = length + len(before)
            length, done = start + len(words), match.end()
            spans.append((start, length, KIND[match[1]], match[1]))
        return "".join((*pieces, text[done:])), spans

    def _words(self, match: re.Match[str], people: dict[str, tuple[str, str, str]], heritage: str) -> str:
        kind, number, words = match[1], match[2] or f"@{match.start()}", match[3]
        if KIND[kind] == "PERSON":
            if not heritage and number not in people and self.random.random() < KEPT.get(kind, 0):
                return words
            if number not in people:
                people[number] = self._person(heritage)
            return _same_case(self._name(kind, words, people[number]), words)
        if self.random.random() < KEPT.get(kind, 0):
            return words
        return _same_case(self._other(kind, words), words)

    def _person(self, heritage: str) -> tuple[str, str, str]:
        pick, pools = self.random, self._pools
        names = pools.names[heritage or pick.choice(self._heritages)]
        first, family = pick.choice(names["first"]), pick.choice(names["family"])
        if not heritage:
            first, family = (
                self._unheard_of(first, names["first"], "any first"),
                self._unheard_of(family, names["family"], "any family"),
            )
        if not heritage and pick.random() < 0.08:
            first = pick.choice(pools.others["word first"])
        if not heritage and pick.random() < 0.06:
            family = pick.choice(pools.others["word family"])
        if not heritage and pick.random() < 0.05:
            family = pick.choice(pools.others["double"])
        return first, family, pick.choice(names.get("nick") or names["first"])

    def _unheard_of(self, name: str, others: Sequence[str], listed_as: str) -> str:
        """Often another: one of all listed names, or two names' halves joined, which no list has."""
        pick = self.random
        draw = pick.random()
        if draw < 0.25:
            return blend(name, pick.choice(others), pick)
        return pick.choice(self._pools.others[listed_as]) if draw < 0.45 else name

    def _name(self, kind: str, words: str, person: tuple[str, str, str]) -> str:
        first, family, nick = person
        if kind == "initials":
            return re.sub(r"[A-Za-z]", lambda _: self.random.choice("ABCDEFGHIJKLMNOPRSTWYZ"), words)
        if kind == "reversed":
            comma = ", " if "," in words else " "
            shout = words.split(maxsplit=1)[0].rstrip(",").isupper()
            return f"{family.upper() if shout else family}{comma}{first}"
        return {"first": first, "family": family, "nick": nick, "full": f"{first} {family}"}[kind]

    def _other(self, kind: str, words: str) -> str:
        pick, others = self.random, self._pools.others
        if kind in ("school", "setting", "org", "place"):
            return pick.choice(others[kind])
        if kind == "street":
            return re.sub(r"[^\W\d_]{4,}", lambda m: m[0], self._street(words))
        if kind == "age":
            return self._age(words)
        if kind == "date":
            return self._date()
        return re.sub(r"\d", lambda _: str(pick.randrange(10)), words) if kind != "dob" else self._birth(words)

    def _street(self, words: str) -> str:
        pick = self.random
        place = pick.choice(self._pools.others["place"]).split()[-1].title()
        number = f"{pick.randrange(1, 180)} " if words[0].isdigit() else ""
        return f"{number}{place} {pick.choice(_STREETS)}"

    def _age(self, words: str) -> str:
        pick = self.random
        ceiling = 30 if "mo" in words or "mth" in words or "w" in words else 19
        words = re.sub(r"\d+", lambda _: str(pick.randrange(1, ceiling)), words)
        return re.sub(rf"\b(?:{'|'.join(_NUMBERS)})\b", lambda _: pick.choice(_NUMBERS), words)

    def _date(self) -> str:
        pick = self.random
        day, month, year = pick.randrange(1, 29), pick.randrange(12), pick.randrange(2004, 2027)
        name = _MONTHS[month]
        ordinal = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd"}.get(day, "th")
        forms = (
            f"{day} {name}", f"{day}{ordinal} {name}", f"{day}{ordinal} of {name}", f"{name} {day}{ordinal}",
            f"{day} {name[:3]}", f"{day}{ordinal} {name[:3]}", f"{day} {name} {year}", f"{day:02}/{month + 1:02}/{year}",
            f"{day}/{month + 1}/{year % 100:02}", f"{day}.{month + 1}.{year % 100:02}", f"{day}/{month + 1}",
            f"{name} {year}", f"{name[:3]} {year}", f"{day}-{name[:3]}-{year % 100:02}", f"the {day}{ordinal}",
            f"{year}-{month + 1:02}-{day:02}",
        )  # fmt: skip
        return pick.choice(forms)

    def _birth(self, words: str) -> str:
        pick = self.random
        return pick.choice(
            (words, f"{pick.randrange(1, 29):02}/{pick.randrange(1, 13):02}/{pick.randrange(1975, 2025)}", self._date())
        )


def blend(one: str, two: str, pick: random.Random) -> str:
    """The beginning of one name with the end of another: “Kasia” and “Nasreen” make “Kasreen”."""
    if min(len(one), len(two)) < 4:
        return one
    head = one[: pick.randrange(2, len(one) - 1)]
    return head + two[pick.randrange(1, len(two) - 1) :].lower()


def _same_case(words: str, like: str) -> str:
    letters = [ch for ch in like if ch.isalpha()]
    if letters and all(ch.islower() for ch in letters):
        return words.lower()
    return words.upper() if len(letters) > 2 and all(ch.isupper() for ch in letters) else words


def to_example(text: str, spans: Sequence[tuple[int, int, str, str]]) -> Example:
    """Tokens and labels of a text with (start, end, label, ...) spans in order."""
    tokens, labels = [], []
    for token, start, end in tokenise(text):
        span = next((s for s in spans if s[0] < end and start < s[1]), None)
        tokens.append(token)
        labels.append("O" if span is None else f"{'B' if start <= span[0] else 'I'}-{span[2]}")
    return Example(tuple(tokens), tuple(labels))


_RESPELL = (("ph", "f"), ("ck", "k"), ("ight", "ite"), ("ea", "ee"), ("ou", "u"), ("tion", "shun"), ("th", "f"), ("ie", "ee"),
            ("qu", "kw"), ("ai", "ay"), ("oo", "u"), ("er", "a"), ("y", "i"), ("c", "k"), ("ll", "l"), ("ss", "s"))  # fmt: skip


def respell(word: str, pick: random.Random) -> str:
    """One slip of a child or of a hurried thumb."""
    fits = [pair for pair in _RESPELL if pair[0] in word]
    if fits and pick.random() < 0.6:
        return word.replace(*pick.choice(fits), 1)
    if len(word) < 3:
        return word
    at = pick.randrange(1, len(word) - 1)
    return pick.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at] + word[at:],
            word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :],
        )
    )


def ordinary_words(texts: Iterable[str]) -> list[str]:
    """Words that people use in lower case twice or more and that are on no list of names, the common ones first."""
    uses = Counter(m[0] for text in texts for m in re.finditer(r"(?<=[a-z,] )[a-z]{3,}\b", text))
    return [w for w, n in uses.most_common() if n >= 2 and not _LISTED & set(flags_of(w))]


_LISTED = frozenset(range(FLAGS)) - {OPEN_LISTS.index("everyday")}


def swap(example: Example, ordinary: Sequence[str], pick: random.Random) -> Example:
    """Other ordinary words in place of some, so that a word never met before is not taken for a name."""
    share = pick.choice((0, 0.08, 0.2))
    tokens = [
        _capital_as(pick.choice(ordinary), t)
        if label == "O"
        and len(t) > 2
        and t.isalpha()
        and pick.random() < share
        and not _LISTED & set(flags_of(t.casefold()))
        else t
        for t, label in zip(example.tokens, example.labels, strict=True)
    ]
    return Example(tuple(tokens), example.labels)


def _capital_as(word: str, like: str) -> str:
    return word.capitalize() if like[0].isupper() else word


def vary(example: Example, pick: random.Random) -> Example:
    """The example in another hand: lower case, shouting, Title Case, slips, no punctuation."""
    tokens, labels = list(example.tokens), list(example.labels)
    draw = pick.random()
    if draw < 0.38:
        tokens = [t.lower() for t in tokens]
    elif draw < 0.42:
        tokens = [t.upper() for t in tokens]
    elif draw < 0.44:
        tokens = [t.capitalize() for t in tokens]
    if pick.random() < 0.18:
        tokens = [respell(t, pick) if t.isalpha() and pick.random() < 0.15 else t for t in tokens]
    if pick.random() < 0.12:
        kept = [i for i, t in enumerate(tokens) if t not in ".,;:!?" or labels[i] != "O"]
        tokens, labels = [tokens[i] for i in kept], [labels[i] for i in kept]
    return Example(tuple(t or "x" for t in tokens), tuple(labels))


def read_tokens(path: Path, person: frozenset[str]) -> Iterator[Example]:
    """A set of BIO tokens of which only persons are taken over; other entities and figures stay open."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        tokens: list[str] = []
        labels: list[str] = []
        for word, label in zip(row["tokens"], row["labels"], strict=True):
            for piece, _, _ in tokenise(word):
                begin = label.startswith("B") and piece is tokenise(word)[0][0]
                tokens.append(piece)
                labels.append(_open_label(word, piece, label, person, begin))
        if tokens:
            yield Example(tuple(tokens), tuple(labels))


def _open_label(word: str, piece: str, label: str, person: frozenset[str], begin: bool) -> str:
    if word.startswith("@") or piece.isdigit():
        return "?"
    if label == "O":
        return "O"
    return f"{'B' if begin else 'I'}-PERSON" if label[2:] in person else "?"


TAB_KIND = {"PERSON": "PERSON", "LOC": "LOCATION", "ORG": "ORG", "DATETIME": "DATE", "CODE": "ID", "DEM": "DETAIL",
            "QUANTITY": "DETAIL", "MISC": "DETAIL"}  # fmt: skip


def read_tab(path: Path) -> Iterator[tuple[str, list[tuple[int, int, str, str]]]]:
    """Judgments with the spans that were to be masked, in order and disjoint."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        spans: list[tuple[int, int, str, str]] = []
        for s in sorted(row["spans"], key=lambda s: (s["start"], -s["end"])):
            if s["identifier_type"] != "NO_MASK" and (not spans or s["start"] >= spans[-1][1]):
                spans.append((s["start"], s["end"], TAB_KIND[s["label"]], s["identifier_type"]))
        yield row["text"], spans


def read_comments(path: Path) -> Iterator[str]:
    """Real comments whose names were replaced by [NAME] or were never there."""
    for line in path.read_text("utf-8").splitlines():
        yield json.loads(line)["text"]
