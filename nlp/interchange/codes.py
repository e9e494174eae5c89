"""A codebook as the codes of an exchange file and back: what has no place there stands in a code's description, readably."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nlp.codebook import fingerprint
from nlp.interchange.project import CodeEntry, guid
from nlp.types import Change, Code, Codebook, CodeStatus, Exclusion, Family, NearMiss

_LISTS = ("Include", "Exclude", "Examples", "Near misses", "Co-produced by")
_WORDS = ("Young people's words", "Status", "Agreed on", "Id")
_HEAD = re.compile(rf"^({'|'.join(_LISTS + _WORDS)}):[ ]?(.*)$")
_SEE, _BELONGS = " → use instead: ", " → belongs to: "
_WHY = " — because "
_NOT_IN_IDS = re.compile(r"[^a-z0-9]+")


def code_guid(book: str, code: str) -> str:
    """The guid under which a code of a codebook goes out, in every version and export."""
    return guid("code", book, code)


def entries(book: Codebook) -> tuple[CodeEntry, ...]:
    """Headings as codes that cannot be given, and under them the codes that are not retired, and retired ones that cannot."""
    at = {family.id: guid("family", book.id, family.id) for family in book.families}
    at |= {code.id: code_guid(book.id, code.id) for code in book.codes}
    heads = [CodeEntry(at[f.id], f.label, f"Id: {f.id}", codable=False) for f in book.families]
    codes = [
        CodeEntry(at[c.id], c.label, description(c), c.status is not CodeStatus.RETIRED, parent=at.get(c.parent, ""))
        for c in book.codes
    ]
    return tuple(_under_one_another([*heads, *codes]))


def _under_one_another(codes: Sequence[CodeEntry]) -> Iterator[CodeEntry]:
    """In the order in which a nested file has them."""
    under: dict[str, list[CodeEntry]] = {}
    for code in codes:
        under.setdefault(code.parent, []).append(code)
    waiting = list(reversed(under.get("", ())))
    while waiting:
        code = waiting.pop()
        yield code
        waiting += reversed(under.get(code.guid, ()))


def description(code: Code) -> str:
    """All that a code says, under plain headings; `coded` reads it back."""
    excluded = [f"{e.text}{_SEE}{e.see}" if e.see else e.text for e in code.exclude]
    parts = [code.definition, *_listed("Include", code.include), *_listed("Exclude", excluded)]
    parts += [*_listed("Examples", code.examples), *_listed("Near misses", map(_miss, code.near_misses))]
    parts += _listed("Co-produced by", code.co_produced_by)
    said = {"Young people's words": code.young_label, "Status": code.status.value, "Agreed on": code.date}
    parts += [f"{head}: {words}" for head, words in (said | {"Id": code.id}).items() if words]
    return "\n".join(parts)


def _miss(miss: NearMiss) -> str:
    belongs = f"{_BELONGS}{miss.belongs_to}" if miss.belongs_to else ""
    return f"{miss.text}{belongs}{_WHY}{miss.why}" if miss.why else f"{miss.text}{belongs}"


def _listed(head: str, items: Sequence[str] | Iterator[str]) -> list[str]:
    lines = ["- " + item.replace("\n", "\n  ") for item in items]
    return [f"{head}:", *lines] if lines else []


@dataclass(frozen=True, slots=True)
class Imported:
    """A codebook from a file, with the id that each of its codable entries got."""

    book: Codebook
    ids: Mapping[str, str]


def coded(codes: Sequence[CodeEntry], *, book_id: str, title: str, date: str, origin: str) -> Imported:
    """A codebook of an exchange file's codes. Headings are entries that cannot be given and stand at the top.

    Ids come from the description where this tool wrote it, else from the name. A code without a description is
    defined by its name.
    """
    above = {code.guid for code in codes if not code.codable and not code.parent and _said(code).get("Status") is None}
    ids = _ids(codes)
    families = tuple(Family(ids[c.guid], c.name) for c in codes if c.guid in above)
    made = tuple(_code(code, ids) for code in codes if code.guid not in above)
    note = f"Read from a file of {origin or 'another tool'}."
    book = Codebook(
        id=book_id, title=title, version="1.0.0", provenance=note, codes=made, families=families,
        changes=(Change("1.0.0", date, note),), date=date, fingerprint=fingerprint(made),
    )  # fmt: skip
    return Imported(book, {code.guid: ids[code.guid] for code in codes})


def slug(name: str) -> str:
    """A name as an id: small letters and digits between hyphens, beginning with a letter."""
    plain = _NOT_IN_IDS.sub("-", name.casefold()).strip("-")[:60]
    return plain if plain[:1].isalpha() else f"code-{plain}".rstrip("-")


def _ids(codes: Sequence[CodeEntry]) -> dict[str, str]:
    """One id an entry, each once."""
    found: dict[str, str] = {}
    taken = Counter[str]()
    for code in codes:
        wanted = _said(code).get("Id", "") or slug(code.name)
        taken[wanted] += 1
        found[code.guid] = wanted if taken[wanted] == 1 else f"{wanted}-{taken[wanted]}"
    return found


def _said(code: CodeEntry) -> dict[str, str]:
    """What stands on one line under each plain heading of a description."""
    return {m[1]: m[2] for line in code.description.split("\n") if (m := _HEAD.match(line)) and m[1] in _WORDS}


def _code(code: CodeEntry, ids: Mapping[str, str]) -> Code:
    said, lists, definition = _said(code), dict[str, list[str]](), list[str]()
    at = definition
    for line in code.description.split("\n"):
        head = _HEAD.match(line)
        if head and head[1] in _LISTS:
            at = lists.setdefault(head[1], [])
        elif head:
            at = []
        elif at is definition:
            at.append(line)
        elif line.startswith("- "):
            at.append(line[2:])
        elif at:
            at[-1] += "\n" + line.removeprefix("  ")
    status = said.get("Status", "") or ("draft" if code.codable else "retired")
    return Code(
        id=ids[code.guid],
        label=code.name,
        definition=" ".join(" ".join(definition).split()) or code.name,
        young_label=said.get("Young people's words", ""),
        include=tuple(lists.get("Include", ())),
        exclude=_parts(lists.get("Exclude", ()), _SEE, Exclusion),
        examples=tuple(lists.get("Examples", ())),
        near_misses=tuple(_near(item) for item in lists.get("Near misses", ())),
        parent=ids.get(code.parent, ""),
        status=CodeStatus(status) if status in set(CodeStatus) else CodeStatus.DRAFT,
        co_produced_by=tuple(lists.get("Co-produced by", ())),
        date=said.get("Agreed on", ""),
    )


def _parts(items: Sequence[str], mark: str, make: Callable[[str, str], Exclusion]) -> tuple[Exclusion, ...]:
    return tuple(make(*(item.rsplit(mark, 1) if mark in item else (item, ""))) for item in items)


def _near(item: str) -> NearMiss:
    rest, _, why = item.partition(_WHY)
    text, _, belongs = rest.partition(_BELONGS)
    return NearMiss(text, belongs, why)
