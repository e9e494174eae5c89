"""What in a draft keeps every rule and still reads wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from nlp.codebook_edit import Draft, drafted
from nlp.codebook_meaning import Turn
from nlp.codebook_rules import Problem
from nlp.types import Code, Codebook, CodeStatus


def worth_a_look(base: Codebook, draft: Draft) -> list[Problem]:
    """What keeps no rule from being kept, but reads wrong: pointers to retired codes, parts of a split that are still alike."""
    book = drafted(base, draft)
    retired = {code.id for code in book.codes if code.status is CodeStatus.RETIRED}
    found = [p for code in book.active_codes for p in _points_to(code, retired)]
    parts = {code_id: one.code for one in draft.turned if one.turn is Turn.SPLIT for code_id in one.into}
    held = {code.id: code for code in book.codes}
    for code_id, source in parts.items():
        others = [held[i] for i, s in parts.items() if s == source and i != code_id]
        if set(held[code_id].examples) & set(chain.from_iterable(o.examples for o in others)):
            found.append(Problem(code_id, "examples", "still shares examples with another part of the split"))
        if held[code_id].definition in [o.definition for o in others]:
            found.append(Problem(code_id, "definition", "is still that of another part of the split"))
    return found


def _points_to(code: Code, retired: Collection[str]) -> Iterable[Problem]:
    if any(e.see in retired for e in code.exclude):
        yield Problem(code.id, "see", "points to a retired code")
    if any(m.belongs_to in retired for m in code.near_misses):
        yield Problem(code.id, "belongs_to", "points to a retired code")
    if code.parent in retired:
        yield Problem(code.id, "parent", "is under a retired code")
