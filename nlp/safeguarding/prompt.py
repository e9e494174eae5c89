"""Words in a text that sometimes come up when somebody is being harmed, for a person who reads to think about.

It looks for words and for nothing else: it does not learn, gives no number, and says nothing about a child. What it finds
is for the eyes of whoever reads the text; it must not be stored, counted by person, or used for coding. It is made to
miss little, so most of what it finds is harmless (`bench/safeguarding.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from nlp.deid.lexicon import listed
from nlp.types import Span

_TOKEN = re.compile(r"\[(\w+)[^\]\n]*\]|[^\W_]+(?:['’`][^\W_]+)*|[.!?\n]+")
_WORD = re.compile(r"[a-z0-9]+\*?")
_LONG = re.compile(r"(.)\1{2,}")
_BREAK = "|"
_SHORTEST_MENDED = 6


def _cuts(word: str) -> set[str]:
    return {word} | {word[:i] + word[i + 1 :] for i in range(len(word))}


@dataclass(frozen=True, slots=True)
class Prompt:
    """Words to stop at: what they sometimes go with, in plain words, and where they stand (code points, half-open)."""

    kind: str
    when: str
    span: Span


def prompts(text: str) -> tuple[Prompt, ...]:
    """What a person might stop at in a text, in the order of the text, at most once for each kind."""
    folded, spans = _folded(text)
    found = []
    for kind, rule in _rules().items():
        hit = rule.first(folded)
        if hit is not None:
            first, last = folded.count(" ", 0, hit[0]), folded.count(" ", 0, hit[1])
            found.append(Prompt(kind, rule.when, Span(spans[first - 1].start, spans[last - 2].end)))
    return tuple(sorted(found, key=lambda p: (p.span.start, p.kind)))


@dataclass(frozen=True, slots=True)
class _Rule:
    when: str
    seen: tuple[re.Pattern[str], ...]
    harmless: tuple[re.Pattern[str], ...]

    def first(self, folded: str) -> tuple[int, int] | None:
        """The first hits that overlap, as one (first letter to past the last space), which nothing harmless overlaps."""
        hits = [m.span() for pattern in self.seen for m in pattern.finditer(folded)]
        fine = [m.span() for pattern in self.harmless for m in pattern.finditer(folded)] if hits else []
        left = sorted(hit for hit in hits if not any(hit[0] < end and start < hit[1] for start, end in fine))
        if not left:
            return None
        start, end = left[0]
        for other in left:
            end = max(end, other[1]) if other[0] < end else end
        return start, end


def _folded(text: str) -> tuple[str, list[Span]]:
    """The text's words as patterns see them, each after one space, and where each stands in the text."""
    words, spans = [], []
    for token in _TOKEN.finditer(text):
        words.append(_fold(token))
        spans.append(Span(*token.span()))
    return " " + "".join(f"{word} " for word in words), spans


def _fold(token: re.Match[str]) -> str:
    if token[1]:
        return token[1].casefold()
    word = re.sub("['’`]", "", token[0].casefold())
    if not word[0].isalnum():
        return _BREAK
    word = _LONG.sub(r"\1", word)
    return _mended(_respelt().get(word, word))


@cache
def _mended(word: str) -> str:
    """One of the words that matter most with one slip in it, as it is spelt; any other word as it is."""
    if len(word) < _SHORTEST_MENDED or word in listed("everyday"):
        return word
    near = _near()
    return next((near[cut] for cut in sorted(_cuts(word)) if cut in near and near[cut][0] == word[0]), word)


@cache
def _source() -> Any:
    return yaml.safe_load((files(__package__) / "words.yaml").read_text("utf-8"))


@cache
def _respelt() -> Mapping[str, str]:
    return {other: word for word, others in _source()["respelt"].items() for other in others.split(", ")}


@cache
def _near() -> Mapping[str, str]:
    """The words to be mended, by themselves and by what is left of them with a letter out."""
    return {cut: word for word in _source()["mended"].split(", ") for cut in _cuts(word)}


@cache
def _rules() -> Mapping[str, _Rule]:
    groups: dict[str, str] = {}
    for name, listing in _source()["groups"].items():
        groups[name] = f"(?:{'|'.join(_sequence(words.strip(), groups) for words in listing.split(','))})"
    return {
        kind: _Rule(held["words"], _compiled(held["patterns"], groups), _compiled(held["unless"], groups))
        for kind, held in _source()["kinds"].items()
    }


def _compiled(patterns: Sequence[str], groups: Mapping[str, str]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(f"(?<= ){_sequence(pattern, groups)}") for pattern in patterns)


def _sequence(pattern: str, groups: Mapping[str, str]) -> str:
    """A pattern as a regular expression over folded words, of which each ends with its space."""
    return "".join(_item(item, groups) for item in _split(pattern, " ") if item)


def _item(item: str, groups: Mapping[str, str]) -> str:
    choices = [_atom(choice, groups) for choice in _split(item.removesuffix("?"), "|")]
    made = choices[0] if len(choices) == 1 else f"(?:{'|'.join(choices)})"
    return f"(?:{made})?" if item.endswith("?") else made


def _atom(atom: str, groups: Mapping[str, str]) -> str:
    if atom.startswith("("):
        return f"(?:{'|'.join(_sequence(choice, groups) for choice in _split(atom[1:-1], '|'))})"
    if atom.startswith(".."):
        return f"(?:[^| ]+ ){{0,{int(atom[2:])}}}"
    if atom in groups:
        return groups[atom]
    if not _WORD.fullmatch(atom):
        raise ValueError(f"not a word of a pattern: {atom}")
    return f"{atom.removesuffix('*')}[a-z0-9]* " if atom.endswith("*") else f"{_respelt().get(atom, atom)} "


def _split(pattern: str, mark: str) -> list[str]:
    """A pattern cut at each mark that stands in no brackets."""
    parts, depth = [""], 0
    for letter in pattern:
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
