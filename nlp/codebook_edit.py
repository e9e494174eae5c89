"""Editing a codebook: a draft on top of a version, changed code by code, until it becomes the next version.

Everything here takes a version and a draft on it and gives a new draft. A draft holds the codes that differ and what
became of which code; nothing is lost until it is published, and each change can be taken back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import TypeVar

from nlp.codebook import fingerprint
from nlp.codebook_meaning import Turn, Turned, numbers
from nlp.codebook_order import in_order, past_neighbour
from nlp.errors import EditError
from nlp.types import Change, Code, Codebook, CodeStatus, Family

T = TypeVar("T")
MOST_PARTS = 9
_ENDED = (Turn.SPLIT, Turn.RETIRE)
_NO_LONGER = {Turn.SPLIT: "split", Turn.MERGE: "merged into another code", Turn.RETIRE: "retired"}


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to change in the version `based_on`: codes that differ or are new, new headings, what became of codes.

    `order` has the ids of all codes where some changed places.
    """

    based_on: str
    edited: tuple[Code, ...] = ()
    families: tuple[Family, ...] = ()
    turned: tuple[Turned, ...] = ()
    order: tuple[str, ...] = ()


class Level(StrEnum):
    """Which of a version's three numbers a draft raises."""

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


def drafted(base: Codebook, draft: Draft) -> Codebook:
    """The codebook as the draft has it, still under the number of the version it is based on."""
    edited = {code.id: code for code in draft.edited}
    codes = [edited.pop(code.id, code) for code in base.codes]
    for code in edited.values():
        codes.insert(_place(codes, code), code)
    codes = in_order(codes, draft.order) if draft.order else codes
    joined = _joined(draft.turned)
    codes = [_redirected(code, joined) for code in codes] if joined else codes
    return replace(base, codes=tuple(codes), families=(*base.families, *draft.families), fingerprint="")


def _place(codes: Sequence[Code], new: Code) -> int:
    """After the last code under the same heading."""
    return 1 + max((i for i, code in enumerate(codes) if code.parent == new.parent), default=len(codes) - 1)


def _joined(turned: Iterable[Turned]) -> dict[str, str]:
    """Where merged codes went, those apart that kept their id."""
    return {one.code: one.into[0] for one in turned if one.turn is Turn.MERGE and one.code != one.into[0]}


def _redirected(code: Code, joined: Mapping[str, str]) -> Code:
    """The code with references to merged codes pointing to where they went; a reference to itself is dropped."""

    def now(target: str) -> str:
        moved = joined.get(target, target)
        return "" if moved == code.id else moved

    exclude = tuple(replace(e, see=now(e.see)) for e in code.exclude)
    misses = tuple(replace(m, belongs_to=now(m.belongs_to)) for m in code.near_misses)
    return replace(code, exclude=exclude, near_misses=misses, parent=now(code.parent))


def code_in(base: Codebook, draft: Draft, code_id: str) -> Code:
    """A code as the draft has it; EditError when there is none."""
    for code in chain(draft.edited, base.codes):
        if code.id == code_id:
            return code
    raise EditError("there is no such code in this draft")


def _of(base: Codebook, code_id: str) -> Code | None:
    return next((code for code in base.codes if code.id == code_id), None)


def turns_of(draft: Draft, code_id: str) -> tuple[Turned, ...]:
    """What became of a code in the draft."""
    return tuple(one for one in draft.turned if one.code == code_id)


def _in_use(base: Codebook, draft: Draft, code_id: str) -> Code:
    """A code that can still be changed; EditError when it was retired, split or merged away."""
    code = code_in(base, draft, code_id)
    for one in turns_of(draft, code_id):
        if one.turn in _ENDED or (one.turn is Turn.MERGE and one.into[0] != code_id):
            raise EditError(f"it is {_NO_LONGER[one.turn]} in this draft; take that back first", code=code_id)
    if code.status is CodeStatus.RETIRED:
        raise EditError("it is retired; bring it back first", code=code_id)
    return code


def _published(base: Codebook, draft: Draft, code_id: str) -> Code:
    """A code of the version itself that nothing has become of yet, in that version's words."""
    _in_use(base, draft, code_id)
    code = _of(base, code_id)
    if code is None:
        raise EditError("it is new in this draft: change it, or take it out", code=code_id)
    if any(one.turn not in (Turn.REWORD, Turn.REDEFINE) for one in turns_of(draft, code_id)):
        raise EditError("others are merged into it in this draft; take that back first", code=code_id)
    return code


def _put(draft: Draft, *codes: Code) -> Draft:
    new = {code.id: code for code in codes}
    kept = [new.pop(code.id, code) for code in draft.edited]
    return replace(draft, edited=(*kept, *new.values()))


def _without_turns(draft: Draft, code_id: str, turns: Collection[Turn]) -> Draft:
    return replace(draft, turned=tuple(o for o in draft.turned if o.code != code_id or o.turn not in turns))


def says_other(before: Code, after: Code) -> bool:
    """Whether the fields differ that say what belongs to a code: definition, include, exclude."""
    return _meaning(before) != _meaning(after)


def _meaning(code: Code) -> tuple[object, ...]:
    return code.definition, code.include, tuple(e.text for e in code.exclude)


def change(base: Codebook, draft: Draft, code: Code, *, declared: Turn | None = None, why: str = "") -> Draft:
    """Give a code other words. Its status may be draft or agreed.

    Where the fields differ that say what belongs to it, `declared` must be REWORD (it means the same) or REDEFINE,
    with a reason; EditError otherwise.
    """
    _in_use(base, draft, code.id)
    if code.status is CodeStatus.RETIRED:
        raise EditError("retire it with a reason instead", code=code.id)
    before = _of(base, code.id)
    plain = _without_turns(draft, code.id, (Turn.REWORD, Turn.REDEFINE))
    if before == code:
        return replace(plain, edited=tuple(c for c in plain.edited if c.id != code.id))
    merged = any(one.turn is Turn.MERGE for one in turns_of(draft, code.id))
    if before is not None and not merged and says_other(before, code):
        plain = replace(plain, turned=(*plain.turned, _declared(code.id, declared, why)))
    return _put(plain, code)


def _declared(code_id: str, turn: Turn | None, why: str) -> Turned:
    if turn not in (Turn.REWORD, Turn.REDEFINE):
        raise EditError(
            "say whether it still means the same, or whether something else belongs to it now", code=code_id
        )
    return Turned(code_id, turn, (code_id,), _reason(why, code_id), same_meaning=turn is Turn.REWORD)


def _reason(why: str, code_id: str) -> str:
    if len(why.strip()) < 3:
        raise EditError("give a reason, in a few words", code=code_id)
    return why.strip()


def add(base: Codebook, draft: Draft, *, label: str, parent: str = "") -> tuple[Draft, str]:
    """A new code with nothing but a name, and its id."""
    _named(label)
    code_id = _free_id(base, draft, parent)
    return _put(draft, Code(code_id, label.strip(), parent=parent)), code_id


def _named(label: str) -> None:
    if len(label.strip()) < 2:
        raise EditError("a code needs a name")


def _free_id(base: Codebook, draft: Draft, parent: str) -> str:
    """The next number behind the letters that codes under this heading have."""
    book = drafted(base, draft)
    beside = next((code.id for code in book.codes if code.parent == parent), parent)
    letters = "".join(re.findall(r"^[A-Za-z][A-Za-z_-]*", beside)) or "C"
    used = [int(n) for code in book.codes if (n := code.id.removeprefix(letters)).isdecimal() and code.id != n]
    return f"{letters}{max(used, default=0) + 1}"


def split(base: Codebook, draft: Draft, code_id: str, labels: Sequence[str], *, why: str) -> Draft:
    """One code as several new ones, each begun in its words; what was coded with it must be read again."""
    code = _published(base, draft, code_id)
    names = [label.strip() for label in labels if label.strip()]
    if not 2 <= len(names) <= MOST_PARTS or len({n.casefold() for n in names}) < len(names):
        raise EditError(f"give two to {MOST_PARTS} names that differ", code=code_id)
    reason = _reason(why, code_id)
    draft, ids = _without_turns(draft, code_id, (Turn.REWORD, Turn.REDEFINE)), list[str]()
    for name in names:
        _named(name)
        new_id = _free_id(base, draft, code.parent)
        part = replace(code, id=new_id, label=name, young_label="", status=CodeStatus.DRAFT, co_produced_by=())
        draft, ids = _put(draft, part), [*ids, new_id]
    turned = Turned(code_id, Turn.SPLIT, tuple(ids), reason)
    return replace(_put(draft, _retired(code)), turned=(*draft.turned, turned))


def _retired(code: Code) -> Code:
    return replace(code, status=CodeStatus.RETIRED)


def merge(base: Codebook, draft: Draft, code_ids: Sequence[str], *, why: str, into: str = "", label: str = "") -> Draft:
    """Several codes as one: `into`, which is among them, or a new one of that name."""
    ids = list(dict.fromkeys(code_ids))
    codes = [_published(base, draft, code_id) for code_id in ids]
    if len(codes) < 2 or (into and into not in ids):
        raise EditError("choose two codes or more, and into which of them the others go")
    reason = _reason(why, ids[0])
    for code_id in ids:
        draft = _without_turns(draft, code_id, (Turn.REWORD, Turn.REDEFINE))
    if into:
        target = _union(base.code(into), codes)
    else:
        _named(label)
        target = _union(replace(codes[0], id=_free_id(base, draft, codes[0].parent), label=label.strip()), codes)
        target = replace(target, young_label="", co_produced_by=())
    turned = tuple(Turned(code_id, Turn.MERGE, (target.id,), reason) for code_id in ids)
    gone = [_retired(code) for code in codes if code.id != target.id]
    return replace(_put(draft, *gone, target), turned=(*draft.turned, *turned))


def _union(target: Code, codes: Sequence[Code]) -> Code:
    """The target with all that any of the codes takes in; what they pointed to each other for falls away."""
    ids = {code.id for code in codes}
    return replace(
        target,
        status=CodeStatus.DRAFT,
        include=_once(item for code in codes for item in code.include),
        exclude=_once(e for code in codes for e in code.exclude if e.see not in ids),
        examples=_once(item for code in codes for item in code.examples),
        near_misses=_once(m for code in codes for m in code.near_misses if m.belongs_to not in ids),
    )


def _once(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def move(base: Codebook, draft: Draft, code_id: str, parent: str, *, heading: str = "") -> Draft:
    """Put a code under another heading or code, or under a new heading of that name."""
    code, book = _in_use(base, draft, code_id), drafted(base, draft)
    if heading.strip():
        family = Family(_free_family(book, heading), " ".join(heading.split()))
        return _put(replace(draft, families=(*draft.families, family)), replace(code, parent=family.id))
    above, parents = parent, {c.id: c.parent for c in book.codes}
    if parent and parent not in parents and parent not in {f.id for f in book.families}:
        raise EditError("there is no such heading or code to move it to", code=code_id)
    while above:
        if above == code_id:
            raise EditError("it cannot stand under itself", code=code_id)
        above = parents.get(above, "")
    return change(
        base, draft, replace(code, parent=parent), declared=_as_declared(draft, code_id), why=_as_said(draft, code_id)
    )


def shift(base: Codebook, draft: Draft, code_id: str, *, up: bool) -> Draft:
    """Put a code one place up or down among those under the same heading."""
    code_in(base, draft, code_id)
    moved = replace(draft, order=past_neighbour(drafted(base, draft), code_id, up=up))
    return moved if _reordered(base, moved) else replace(draft, order=())


def _as_declared(draft: Draft, code_id: str) -> Turn | None:
    return next((o.turn for o in turns_of(draft, code_id) if o.turn in (Turn.REWORD, Turn.REDEFINE)), None)


def _as_said(draft: Draft, code_id: str) -> str:
    return next((o.why for o in turns_of(draft, code_id)), "")


def _free_family(book: Codebook, heading: str) -> str:
    letters = "".join(word[0] for word in re.findall(r"[A-Za-z]+", heading)).upper()[:4] or "H"
    used = {f.id for f in book.families} | {c.id for c in book.codes}
    return next(name for n in range(1, len(used) + 2) if (name := letters if n == 1 else f"{letters}_{n}") not in used)


def retire(base: Codebook, draft: Draft, code_id: str, *, why: str) -> Draft:
    """Take a code out of use; what was coded with it is read again, in case another code fits."""
    code, reason = _published(base, draft, code_id), _reason(why, code_id)
    draft = _without_turns(draft, code_id, (Turn.REWORD, Turn.REDEFINE))
    turned = Turned(code_id, Turn.RETIRE, (), reason)
    return replace(_put(draft, _retired(code)), turned=(*draft.turned, turned))


def bring_back(base: Codebook, draft: Draft, code_id: str) -> Draft:
    """Use a code again that an earlier version retired."""
    code = _of(base, code_id)
    if code is None or code.status is not CodeStatus.RETIRED or turns_of(draft, code_id):
        raise EditError("only a code that an earlier version retired can be brought back", code=code_id)
    return _put(draft, replace(code, status=CodeStatus.DRAFT))


def read_again(base: Codebook, draft: Draft, code_id: str, *, of_version: str, why: str) -> Draft:
    """Take back a declaration of an earlier version, that a code kept its meaning."""
    _in_use(base, draft, code_id)
    turned = Turned(code_id, Turn.REREAD, (), _reason(why, code_id), of_version=of_version)
    kept = [o for o in draft.turned if (o.code, o.turn, o.of_version) != (code_id, Turn.REREAD, of_version)]
    return replace(draft, turned=(*kept, turned))


def take_back(base: Codebook, draft: Draft, code_id: str) -> Draft:
    """Undo all that the draft does to a code; a split or a merge goes as a whole."""
    code_in(base, draft, code_id)
    gone = {one for one in draft.turned if code_id == one.code or code_id in one.into}
    gone |= {one for one in draft.turned if any(g.turn is Turn.MERGE and one.into == g.into for g in gone)}
    ids = {code_id, *(one.code for one in gone), *(i for one in gone for i in one.into)}
    edited = tuple(code for code in draft.edited if code.id not in ids)
    return replace(draft, edited=edited, turned=tuple(one for one in draft.turned if one not in gone))


def rebased(base: Codebook, draft: Draft, newer: Codebook) -> Draft:
    """The draft on a newer version: what the draft changed stays, field by field, and all else is the newer one's."""
    then, now = {c.id: c for c in base.codes}, {c.id: c for c in newer.codes}
    taken = [c.id for c in draft.edited if c.id not in then and c.id in now]
    if taken:
        raise EditError("the newer version has a code of its own under that id; take the draft's out", code=taken[0])
    edited = tuple(_rebased(then.get(c.id), c, now.get(c.id)) for c in draft.edited)
    return replace(draft, based_on=newer.version, edited=edited)


def _rebased(then: Code | None, code: Code, now: Code | None) -> Code:
    if then is None or now is None:
        return code
    ours = {f: getattr(code, f) for f in Code.__dataclass_fields__ if getattr(code, f) != getattr(then, f)}
    return replace(now, **ours)


def level(base: Codebook, draft: Draft) -> Level | None:
    """How much the draft changes; None when it changes nothing."""
    if any(one.turn is not Turn.REWORD for one in draft.turned):
        return Level.MAJOR
    before = {code.id: code.status is CodeStatus.RETIRED for code in base.codes}
    if any(before.get(code.id, True) for code in draft.edited):
        return Level.MINOR
    return Level.PATCH if draft.edited or draft.families or _reordered(base, draft) else None


def _reordered(base: Codebook, draft: Draft) -> bool:
    def ids(one: Draft) -> list[str]:
        return [code.id for code in drafted(base, one).codes]

    return bool(draft.order) and ids(draft) != ids(replace(draft, order=()))


def next_version(version: str, level_: Level) -> str:
    """The version number after this one."""
    major, minor, patch, *_ = (*numbers(version), 0, 0, 0)
    return {
        Level.MAJOR: f"{major + 1}.0.0",
        Level.MINOR: f"{major}.{minor + 1}.0",
        Level.PATCH: f"{major}.{minor}.{patch + 1}",
    }[level_]


def as_version(
    base: Codebook, draft: Draft, *, date: str, note: str, groups: Sequence[str], same: Mapping[str, str] | None = None
) -> tuple[Codebook, tuple[Turned, ...]]:  # fmt: skip
    """The next version and what became of codes in it; EditError when nothing differs.

    `same` names merged codes that are declared to mean what their sources meant, each with the reason. New codes that
    name no group of their own take `groups`.
    """
    how = level(base, draft)
    if how is None:
        raise EditError("nothing in this draft differs from the version it is based on")
    version, touched = next_version(base.version, how), {code.id for code in draft.edited}
    codes = tuple(
        replace(code, date=date, co_produced_by=code.co_produced_by or tuple(groups)) if code.id in touched else code
        for code in drafted(base, draft).codes
    )
    book = replace(
        drafted(base, draft), version=version, date=date, codes=codes, fingerprint=fingerprint(codes),
        changes=(Change(version, date, note), *base.changes),
    )  # fmt: skip
    return book, tuple(_settled(one, version, same or {}) for one in draft.turned)


def _settled(one: Turned, version: str, same: Mapping[str, str]) -> Turned:
    if one.turn is Turn.MERGE and one.into[0] in same:
        return replace(one, version=version, same_meaning=True, why=_reason(same[one.into[0]], one.into[0]))
    return replace(one, version=version)
