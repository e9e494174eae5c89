"""Plain text and Word files: one voice a file, or an interview cut at its speakers' turns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nlp.types import Voice
from service.errors import InputError
from service.files.delimited import encoding_of, read_delimited
from service.files.layouts import speaker_of
from service.files.tables import Row, Table
from service.files.zips import refuse_bomb

COLUMNS = ("document and turn", "person", "name of speaker", "voice", "kind", "text")
LARGEST = 20_000_000
LONGEST_NAME = 40
_TURN = re.compile(r"^\s*(?P<who>[^\W_][\w .'’()-]{0,39}?)\s*:(?:\s+|$)(?P<words>.*)$")
_ASKS = re.compile(r"^(?:interviewer|researcher|facilitator|moderator|int|i|q|question|r)\s*\d*$", re.IGNORECASE)
_NUMBERED = re.compile(
    r"^(?:p|participant|speaker|respondent|yp|child|parent|young person|mum|dad|worker)\s*\d*$", re.IGNORECASE
)
_MOST_SPEAKERS = 30


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """What one speaker said in one go; `who` is the label that the file gives them, empty where it gives none."""

    who: str
    words: str


def read_document(file: Path) -> Table:
    """The voices in a document as a table; a .txt whose lines are cells is read as one. InputError where it has no words."""
    if file.suffix.casefold() == ".txt" and _is_table(file):
        return read_delimited(file)
    paragraphs, note = _docx(file) if file.suffix.casefold() == ".docx" else _plain(file)
    if not any(p.strip() for p in paragraphs):
        raise InputError(file=file.name, problem="the file is empty")
    turns = turns_in(paragraphs)
    said = [turn for turn in turns if not _ASKS.match(turn.who)]
    notes = [note] if note else []
    if len(turns) > 1:
        asked, speakers = len(turns) - len(said), len({turn.who for turn in said})
        notes.append(f"Cut into {len(said)} turns of {speakers} speakers; {asked} of whoever asks are left out.")
    rows = tuple(_row(file, n, turn) for n, turn in enumerate(said, 1))
    return Table(file.name, COLUMNS, {}, tuple(notes), lambda: iter(rows))


def turns_in(paragraphs: Sequence[str]) -> list[Turn]:
    """The turns of an interview, or the whole as one where the lines name no speakers who come again."""
    found = [_TURN.match(p) for p in paragraphs]
    labels = Counter(" ".join(m["who"].split()) for m in found if m)
    told = {who for who, count in labels.items() if count > 1 or _ASKS.match(who) or _NUMBERED.match(who)}
    if len(told) < 2 or len(told) > _MOST_SPEAKERS:
        return [Turn("", "\n".join(paragraphs).strip())]
    return list(_cut(paragraphs, told))


def _cut(paragraphs: Sequence[str], told: set[str]) -> Iterator[Turn]:
    """Lines without a label go on with the turn before; what precedes the first label is nobody's."""
    who, words = "", list[str]()
    for paragraph in paragraphs:
        match = _TURN.match(paragraph)
        label = " ".join(match["who"].split()) if match else ""
        if match is None or label not in told:
            words.append(paragraph)
            continue
        if who and "\n".join(words).strip():
            yield Turn(who, "\n".join(words).strip())
        who, words = label, [match["words"]]
    if who and "\n".join(words).strip():
        yield Turn(who, "\n".join(words).strip())


def _row(file: Path, number: int, turn: Turn) -> Row:
    """The label of a speaker is a reference, and where it is no number or role it is a name to mask."""
    person = f"{file.stem}/{turn.who.casefold()}"
    name = "" if not turn.who or _NUMBERED.match(turn.who) else turn.who
    voice = speaker_of(turn.who) if turn.who else Voice.UNKNOWN.value
    kind = "verbatim" if turn.who else "unknown"
    cells = (f"{file.stem}/{number}", person, name, voice, kind, turn.words)
    return Row(number, dict(zip(COLUMNS, cells, strict=True)))


def _plain(file: Path) -> tuple[list[str], str]:
    if file.stat().st_size > LARGEST:
        raise InputError(file=file.name, problem=f"the document is larger than {LARGEST // 1_000_000} MB")
    encoding = encoding_of(file)
    words = file.read_text(encoding.name)
    return words.replace("\r\n", "\n").replace("\r", "\n").split("\n"), encoding.note


def _docx(file: Path) -> tuple[list[str], str]:
    """Paragraphs and the cells of tables, in order; headers, comments and deleted words are no part of it."""
    from docx import Document
    from docx.opc.exceptions import PackageNotFoundError
    from docx.table import Table as WordTable

    refuse_bomb(file, "a Word document")
    try:
        parts = list(Document(str(file)).iter_inner_content())
    except (PackageNotFoundError, KeyError, ValueError, SyntaxError):
        raise InputError(file=file.name, problem="not readable as a Word document") from None
    found = list[str]()
    for part in parts:
        if isinstance(part, WordTable):
            found += [
                ": ".join(dict.fromkeys(c.text.strip() for c in row.cells if c.text.strip())) for row in part.rows
            ]
        else:
            found.append(part.text)
    return found, ""


def _is_table(file: Path) -> bool:
    """Whether the first lines have the same number of cells: tabs or bars anywhere, commas only under short names."""
    encoding = encoding_of(file)
    with file.open(encoding=encoding.name, newline="") as content:
        lines = [line for _, line in zip(range(4), content, strict=False) if line.strip()]
    if len(lines) < 2:
        return False
    if any(lines[0].count(mark) and lines[0].count(mark) == lines[1].count(mark) for mark in "\t|"):
        return True
    names = lines[0].strip().split(",")
    return (
        len(names) > 1
        and all(0 < len(name.strip()) <= 40 and len(name.split()) <= 6 for name in names)
        and "." not in lines[0]
    )
