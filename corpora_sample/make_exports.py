"""Turn the written voices (with their marks) into each site's export files and the gold beside them.

`python corpora_sample/make_exports.py` rewrites the site folders; a test checks that they agree with
`written/`. Identifiers are marked in the written text as `[[PERSON/origin:words]]`, `[[LOCATION:words]]`…
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from openpyxl import Workbook

HERE = Path(__file__).resolve().parent
MARK = re.compile(r"\[\[(PERSON/[a-z_]+|LOCATION|ORG|DATE|AGE|PHONE|EMAIL|ID|URL):([^\[\]]+)\]\]")
QUESTIONS = (
    "What has helped you and your child most, and what has got in the way?",
    "What does being ready for school mean to you?",
    "What do you know about the information services hold about your family, and how do you feel about it?",
    "Is there anything else you want us to hear?",
)
SPEAKER = {
    "parent_carer": "Parent or carer",
    "practitioner": "Practitioner",
    "child": "Child",
    "young_person": "Young person",
}
Entry = dict[str, Any]


def unmarked(text: str) -> tuple[str, list[Entry]]:
    """The plain text and the spans that were marked in it."""
    pieces, spans, at, length = [], [], 0, 0
    for match in MARK.finditer(text):
        pieces += [text[at : match.start()], match[2]]
        length += match.start() - at
        label, _, origin = match[1].partition("/")
        span = {"start": length, "end": length + len(match[2]), "label": label}
        spans.append({**span, "origin": origin} if origin else span)
        length, at = length + len(match[2]), match.end()
    return "".join([*pieces, text[at:]]), spans


def written(site: str) -> list[Entry]:
    """The site's entries, with `plain` text and `spans` added."""
    entries = []
    for file in sorted((HERE / "written").glob(f"{site}-*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            entry = json.loads(line)
            entry["plain"], entry["spans"] = unmarked(entry["text"])
            entries.append(entry)
    return entries


def day(entry: Entry) -> date:
    """A day in the entry's month; the month is what was written."""
    year, month = map(int, entry["period"].split("-"))
    return date(year, month, 1 + sum(map(ord, entry["id"])) % 28)


def hampshire() -> dict[str, bytes]:
    """Case-management CSV: Windows-1252, CRLF, identifying columns that intake must drop."""
    columns = (
        "Case Note ID", "Person ID", "Case Reference Number", "Child Name", "Parent Name", "Worker", "Note Date", "Note Type",
        "Team", "Locality", "Whose view", "Written by", "Record type", "Age band", "Consent", "ICS-Confidential", "Case Note Detail",
    )  # fmt: skip
    via = {"practitioner": "Worker", "parent_carer": "Parent or carer", "interpreter": "Interpreter", "self": "Self"}
    kind = {"verbatim": "Verbatim", "reported": "Reported", "ai_drafted": "AI summary", "unknown": "Not recorded"}
    consent = {"analysis_only": "Analysis only", "analysis_and_quotes": "Analysis and quotes"}
    rows = [
        (
            e["id"], e["participant"], f"EH{400000 + i}", e["names"].get("child", ""), e["names"].get("parent", ""),
            e["names"].get("worker", ""), f"{day(e):%d/%m/%Y}", e["note_type"], e["team"], e["area"], SPEAKER[e["voice"]],
            via[e["via"]], kind[e["provenance"]], e["age_band"], consent[e["consent"]], "Y" if e["confidential"] else "N", e["plain"],
        )
        for i, e in enumerate(written("HA"))
    ]  # fmt: skip
    return {"case-notes.csv": delimited([columns, *rows], ",").encode("cp1252")}


def north_yorkshire() -> dict[str, bytes]:
    """One workbook of survey comments and pathway-plan text."""
    columns = (
        "Response ref", "Young person ref", "Month", "Source", "Question", "Comment or plan text", "Who is speaking", "Typed by",
        "Kind of text", "Age band", "Area", "May we use your words?",
    )  # fmt: skip
    via = {
        "self": "Young person",
        "practitioner": "Personal adviser",
        "interpreter": "Interpreter",
        "parent_carer": "Parent or carer",
    }
    kind = {
        "verbatim": "Own words",
        "reported": "What they told us",
        "ai_drafted": "AI draft",
        "unknown": "Not recorded",
    }
    consent = {"analysis_only": "For analysis only", "analysis_and_quotes": "For analysis and quotes"}
    rows = [
        (
            e["id"], e["participant"], e["period"] + "-01", {"survey": "Survey", "pathway_plan": "Pathway plan"}[e["source"]],
            e["question"], e["plain"], SPEAKER[e["voice"]], "Personal adviser" if e["voice"] == "practitioner" else via[e["via"]],
            kind[e["provenance"]], e["age_band"], e["area"], consent[e["consent"]],
        )
        for e in written("NY")
    ]  # fmt: skip
    return {"survey-and-plans.xlsx": workbook([columns, *rows])}


def oldham() -> dict[str, bytes]:
    """Observation notes as UTF-8 CSV with a BOM; interviews as Excel's “Unicode text” (UTF-16, tabs)."""
    columns = (
        "Note ref",
        "Family ref",
        "Date",
        "Setting",
        "Voice",
        "Written down by",
        "Kind",
        "Age band",
        "Area",
        "Consent",
        "Note text",
    )
    speaker = {**SPEAKER, "child": "Child (observed)"}
    via = {
        "practitioner": "Practitioner",
        "self": "Self",
        "interpreter": "Interpreter",
        "parent_carer": "Parent or carer",
    }
    kind = {"verbatim": "Verbatim", "reported": "Reported", "ai_drafted": "AI draft", "unknown": "Not recorded"}
    consent = {"analysis_only": "Analysis", "analysis_and_quotes": "Analysis and quotes"}
    rows: dict[str, list[tuple[str, ...]]] = {"observation": [columns], "interview": [columns]}
    for e in written("OL"):
        rows[e["source"]].append(
            (
                e["id"], e["participant"], f"{day(e):%Y-%m-%d}", e["source"].capitalize(), speaker[e["voice"]], via[e["via"]],
                kind[e["provenance"]], e["age_band"], e["area"], consent[e["consent"]], e["plain"],
            )
        )  # fmt: skip
    return {
        "observations.csv": delimited(rows["observation"], ",").encode("utf-8-sig"),
        "interviews.txt": delimited(rows["interview"], "\t").encode("utf-16"),
    }


def rochdale() -> dict[str, bytes]:
    """The same consultation twice: a Microsoft-Forms-like workbook and a Qualtrics-like CSV."""
    return {
        "family-hub-form.xlsx": workbook(list(_forms())),
        "family-hub-panel.csv": delimited(list(_panel()), ",").encode("utf-8-sig"),
    }


def _people(prefix: str) -> Iterator[tuple[str, list[Entry], dict[str, Entry]]]:
    people: dict[str, list[Entry]] = {}
    for e in written("RO"):
        if e["id"].startswith(prefix):
            people.setdefault(e["participant"], []).append(e)
    for person, entries in people.items():
        yield person, entries, {e["question"]: e for e in entries}


def _forms() -> Iterator[tuple[str, ...]]:
    yield (
        "ID", "Start time", "Completion time", "Email", "Name", "I am answering as", "Who is filling this in?", "How old are you?",
        "Where do you live?", "Have you used a family hub?", "Children under 5 at home", "How did you hear about the hub?",
        *QUESTIONS, "May we quote your words without your name?",
    )  # fmt: skip
    role = {
        "parent_carer": "A parent or carer",
        "young_person": "A young parent",
        "practitioner": "Someone who works with families",
    }
    by = {"self": "Me", "interpreter": "An interpreter with me", "practitioner": "A worker with me"}
    for person, entries, answers in _people("RO-A"):
        first = entries[0]
        filled = "Me" if first["voice"] == "practitioner" else by[first["via"]]
        when = f"{day(first):%Y-%m-%d}"
        yield (
            person, f"{when}T09:02", f"{when}T09:17", first["names"]["email"], first["names"]["name"], role[first["voice"]], filled,
            first["age_band"], first["area"], first["closed"]["hub_used"], first["closed"]["children_under_5"],
            first["closed"].get("how_heard", ""), *(answers[q]["plain"] if q in answers else "" for q in QUESTIONS),
            "Yes" if first["consent"] == "analysis_and_quotes" else "No",
        )  # fmt: skip


def _panel() -> Iterator[tuple[str, ...]]:
    names = (
        "StartDate", "EndDate", "Status", "IPAddress", "Progress", "Duration (in seconds)", "Finished", "ResponseId",
        "Q_ROLE", "Q_BY", "Q_AGE", "Q_AREA", "Q_HUB", "Q_UNDER5", "Q1", "Q2", "Q3", "Q4", "Q_CONSENT",
    )  # fmt: skip
    words = {
        **dict(zip(("Q1", "Q2", "Q3", "Q4"), QUESTIONS, strict=True)),
        "Q_CONSENT": "May we quote your words without your name?",
    }
    yield names
    yield tuple(words.get(n, n) for n in names)
    yield tuple(f'{{"ImportId":"{n}"}}' for n in names)
    role = {"parent_carer": "Parent or carer", "young_person": "Young parent", "practitioner": "Practitioner"}
    by = {"self": "Me", "interpreter": "Interpreter", "practitioner": "Worker"}
    for i, (person, entries, answers) in enumerate(_people("RO-B")):
        first = entries[0]
        filled = "Me" if first["voice"] == "practitioner" else by[first["via"]]
        when = f"{day(first):%Y-%m-%d}"
        yield (
            f"{when} 20:40:00", f"{when} 20:51:00", "IP Address", f"192.0.2.{i + 1}", "100", "660", "True", person,
            role[first["voice"]], filled, first["age_band"], first["area"], first["closed"]["hub_used"],
            first["closed"]["children_under_5"], *(answers[q]["plain"] if q in answers else "" for q in QUESTIONS),
            "Yes" if first["consent"] == "analysis_and_quotes" else "No",
        )  # fmt: skip


def delimited(rows: list[tuple[str, ...]], delimiter: str) -> str:
    """Rows as delimited text with CRLF, as spreadsheet programs write it."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue()


def workbook(rows: list[tuple[str, ...]]) -> bytes:
    """Rows as a one-sheet workbook."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


SITES = {
    "hampshire-early-help": ("HA", hampshire),
    "north-yorkshire-care-leavers": ("NY", north_yorkshire),
    "oldham-early-language": ("OL", oldham),
    "rochdale-family-hub": ("RO", rochdale),
}


def gold(prefix: str) -> dict[str, bytes]:
    """Gold spans and gold codes, one line a voice; `record` and `column` say where the export holds it."""
    spans, texts = [], []
    for e in written(prefix):
        base = {"id": e["id"], "text": e["plain"], "voice": e["voice"]}
        spans.append({**base, "spans": e["spans"]})
        texts.append({**base, **_place(e), "via": e["via"], "codes": [_gold_code(e, c) for c in e["codes"]]})
    return {"gold/spans.jsonl": _lines(spans), "gold/texts.jsonl": _lines(texts)}


def _place(e: Entry) -> Entry:
    if not e["id"].startswith("RO"):
        return {"record": e["id"], "column": 0}
    return {"record": e["participant"], "column": QUESTIONS.index(e["question"])}


def _gold_code(e: Entry, code: Entry) -> Entry:
    if "evidence" not in code:
        return {"code": code["code"]}
    start = e["plain"].index(code["evidence"])
    return {"code": code["code"], "stance": code["stance"], "start": start, "end": start + len(code["evidence"])}


def _lines(rows: list[Entry]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def main() -> None:
    """Write every site's folder."""
    for site, (prefix, exports) in SITES.items():
        for name, content in {**exports(), **gold(prefix)}.items():
            file = HERE / site / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        print(f"{site}: {len(written(prefix))} voices")


if __name__ == "__main__":
    main()
