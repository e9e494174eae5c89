"""The rules of `codebooks/schema.json` for a codebook in memory: what breaks them, by code and field, in plain words.

The schema is the one source of the rules; they are applied here by hand because a validator takes a millisecond a code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from nlp.codebook import SCHEMA
from nlp.types import Code, Codebook

FIELD_WORDS = {
    "id": "id",
    "label": "name",
    "young_label": "name in young people's words",
    "definition": "definition",
    "include": "what to include",
    "exclude": "what to leave out",
    "see": "“use … instead”",
    "examples": "examples",
    "near_misses": "near misses",
    "belongs_to": "“belongs to”",
    "why": "“because”",
    "parent": "place",
    "status": "status",
    "co_produced_by": "who co-produced it",
    "date": "date",
    "title": "title",
    "version": "version",
    "provenance": "where it stands",
    "description": "description",
    "note": "change note",
    "families": "headings",
    "order": "order",
}
LONGEST = {"label": 120, "young_label": 120, "definition": 2_000, "why": 600}
LONGEST_ITEM, MOST_ITEMS = 600, 40


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that is broken: in which code (none for the book itself), in which field, and how. Never with its words."""

    code: str
    field: str
    words: str


def problems(book: Codebook) -> list[Problem]:
    """Everything in a codebook that breaks a rule of its file's form."""
    codes = frozenset(code.id for code in book.codes)
    parents = codes | {family.id for family in book.families}
    found = [p for code in book.codes for p in (*code_problems(code), *_lost_references(code, codes, parents))]
    found += [Problem(code, "id", "stands twice") for code in _twice([c.id for c in book.codes])]
    for field in ("id", "title", "version", "date", "provenance"):
        found += _broken("", field, getattr(book, field), _rules("book")[field])
    if not book.changes:
        found.append(Problem("", "note", "is missing: a version needs one"))
    return [*found, *(p for c in book.changes for p in _broken("", "note", c.note, _rules("change")["note"]))]


def code_problems(code: Code) -> list[Problem]:
    """What in one code breaks a rule, its references apart."""
    return [p for field, value in asdict(code).items() for p in _broken(code.id, field, value, _rules("code")[field])]


def too_long(code: Code) -> list[Problem]:
    """What in a code is longer than a page can hold."""
    found = []
    for field, value in asdict(code).items():
        if isinstance(value, str):
            found += _over(code.id, field, value, LONGEST.get(field, LONGEST_ITEM))
            continue
        if len(value) > MOST_ITEMS:
            found.append(Problem(code.id, field, f"has {len(value)} entries and may have {MOST_ITEMS}"))
        for number, item in enumerate(value, 1):
            longest = max(map(len, item.values() if isinstance(item, dict) else [item]), default=0)
            if longest > LONGEST_ITEM:
                words = f"has {longest:,} characters in entry {number} and may have {LONGEST_ITEM}"
                found.append(Problem(code.id, field, words))
    return found


def _over(code: str, field: str, value: str, most: int) -> list[Problem]:
    return [Problem(code, field, f"has {len(value):,} characters and may have {most:,}")] if len(value) > most else []


def _lost_references(code: Code, codes: Collection[str], parents: Collection[str]) -> Iterator[Problem]:
    if code.parent and code.parent not in parents:
        yield Problem(code.id, "parent", "names neither a code nor a heading of this codebook")
    if any(e.see and e.see not in codes for e in code.exclude):
        yield Problem(code.id, "see", "names no code of this codebook")
    if any(m.belongs_to and m.belongs_to not in codes for m in code.near_misses):
        yield Problem(code.id, "belongs_to", "names no code of this codebook")


def _twice(ids: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    return [id_ for id_ in ids if id_ in seen or seen.add(id_)]  # type: ignore[func-returns-value]


@cache
def _rules(part: str) -> dict[str, Any]:
    """The schema's rule for each field of the book, of a code or of an entry of its change log."""
    schema = json.loads(SCHEMA.read_text("utf-8"))
    held, date = schema["properties"], schema["$defs"]["date"]
    held = {
        "book": held,
        "code": schema["$defs"]["code"]["properties"],
        "change": held["changes"]["items"]["properties"],
    }[part]
    return {field: date if rule.get("$ref") == "#/$defs/date" else rule for field, rule in held.items()}


def _broken(code: str, field: str, value: Any, rule: Mapping[str, Any]) -> Iterator[Problem]:
    if rule.get("type") == "array":
        yield from _broken_list(code, field, value, rule)
    elif "enum" in rule and value not in rule["enum"]:
        yield Problem(code, field, f"must be one of {', '.join(rule['enum'])}")
    elif len(value) < rule.get("minLength", 0):
        yield Problem(code, field, _short(value, rule["minLength"]))
    elif "pattern" in rule and re.search(rule["pattern"], value) is None:
        yield Problem(code, field, "has the wrong form")


def _short(value: str, least: int) -> str:
    return f"has {len(value)} characters and needs {least}" if value else "is missing"


def _broken_list(code: str, field: str, value: Sequence[Any], rule: Mapping[str, Any]) -> Iterator[Problem]:
    least = rule.get("minItems", 0)
    if len(value) < least:
        yield Problem(code, field, "is missing" if least == 1 else f"has {len(value)} and needs {least} or more")
    shape = rule["items"].get("properties", {}).get("text", rule["items"])
    for item in value:
        text = item["text"] if isinstance(item, dict) else item
        if len(text) < shape.get("minLength", 0):
            yield Problem(code, field, f"has an entry that is shorter than {shape['minLength']} characters")
            return
