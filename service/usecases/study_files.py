"""What each table of a study is, in words: those that leave with it, and those that stay behind with why."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from service.study.copies import Column

GOES: Mapping[str, str] = {
    "study": "The study: title, codebook, whether it is fictional, leaks allowed, how probable a suggestion must be.",
    "passports": "Every version of the dataset passport: purpose, controller, basis, retention, what may leave (content).",
    "runs": "Each run of a method: its model, codebook version, hash of what went in, counts.",
    "audit": "Who did what and when, in ids and counts.",
    "participants": "People, by pseudonym.",
    "voices": "Contributions: who speaks, whose hand wrote it, consent, question and closed answers (attributes, a JSON object).",
    "clean_texts": "De-identified texts by version. `held` is the language of one that waits for a person, without its words.",
    "redactions": "Where surrogates stand in a clean text, of which kind, and why.",
    "doubts": "Stretches of a clean text that may be identifiers and were left as they stand.",
    "segments": "The stretches of a voice's clean text that are read and coded one by one.",
    "checks": "Reads of the check of de-identification: what was missed, what was masked for nothing.",
    "check_edits": "What a check changed in a text.",
    "check_undos": "Checks that were taken back.",
    "restored": "Versions of a text that have the words of an earlier one again.",
    "corrections": "Versions of a text that have the words of a corrected file.",
    "withdrawals": "Who has withdrawn, by pseudonym, and what was done for it, in ids and counts.",
    "acceptances": "Who accepted which risk of identifiers, and why.",
    "codebooks": "Every version of the codebook (content, a JSON object): codes, definitions, examples, changes.",
    "publications": "Versions of the codebook that were published here.",
    "code_changes": "What became of a code from one version to the next.",
    "counts_as": "The code that a coding of an earlier version counts under today; empty where it must be read again.",
    "bulk_acts": "Suggestions that were accepted many at a time, what that rested on, and the round of what was held back.",
    "bulk_ends": "Such acceptances that were taken back.",
    "recodes": "Segments that are read again because a code changed.",
    "drafts": "The open draft of a next version of the codebook.",
    "current_reading": "The codebook version in use, and the newest set of suggestions.",
    "matched": "Which segments were read by the machine in which set of suggestions.",
    "suggestions": "What the machine proposed: code, calibrated probability, evidence, method and model. Never a coding.",
    "rounds": "Rounds of reading: review rounds show suggestions, counting rounds are random draws read blind first.",
    "frames": "Whom a counting round could have drawn.",
    "draws": "What was drawn for a round, by which stream and with which probability, before anybody read it.",
    "plans": "Who reads a round, and which share is read twice.",
    "assignments": "Which coder reads which item of a round.",
    "round_ends": "Rounds that were ended.",
    "decisions": "Every act of a coder, never changed: accept, reject, add, change, skip, close, undo; shown or blind.",
    "moved": "Where a decision's words stand in a later version of the text.",
    "unkept": "Decisions that a corrected file took back, and the round in which their words are read again.",
    "rereads": "Segments that are read again blind, and the last decision that was made on their earlier words.",
    "adjudications": "What was settled where two coders differed, and why.",
    "flags": "Segments flagged to discuss, or for a disclosure.",
    "flag_ends": "Flags that were seen to.",
    "memos": "Notes of the people who read.",
    "discoveries": "Searches for what no code fits.",
    "candidates": "Candidate themes that these found, as ids of segments.",
    "candidate_acts": "What people did with candidate themes.",
    "indicator_files": "Files of published figures that were taken in, with SHA-256, publisher and licence.",
    "indicator_values": "The published values, each with its quality (content, a JSON object).",
    "figures": "Links between codes and published figures as last taken in (content, a JSON object).",
    "link_versions": "Every version of a link that was in use.",
    "judgements": "People's judgements of how what is heard and what is published stand to each other.",
    "promises": "Who will see a finding, and what will change.",
    "quotations": "Words that somebody asked to release: where they stand, a paraphrase, what was seen to; never the words.",
    "quotation_rulings": "What a release officer decided on them, and why.",
    "packs": "Packs of other councils that were loaded beside the study.",
    "count_releases": "Packs that were given to other councils.",
    "counted_answers": "The cells of those packs, so that a later one cannot give them away.",
    "counted_people": "Whose voices were counted in those cells.",
}  # fmt: skip
STAYS: Mapping[str, str] = {
    "vectors": "A model's numbers for each text, which may give away its words; they are made again from the texts.",
    "borrowed": "Lessons of other studies, which are theirs to give.",
    "chain": "The hashes of what was done vouch only where they were made; the copy begins a chain of its own.",
    "glass_asks": "Who asked here to see original words; those never leave with a study.",
    "glass_answers": "What a second person answered to that.",
    "glass_ends": "When such leave was over.",
    "protocols": "The safeguarding protocol here; another place has its own.",
    "leases": "Who has an item open at this moment.",
    "saves": "What a browser has sent, so that it is stored once; of no use elsewhere.",
    "jobs": "Work that this installation was asked to do.",
    "webhooks": "Addresses that this installation tells; they would be told twice.",
    "deliveries": "What this installation told them.",
    "words": "The index for search, made again from the texts.",
    "worded": "The index for search, made again from the texts.",
}

_FIELDS = {
    "id": "The row's name.", "seq": "The row's number, in the order in which things happened.", "at": "When, UTC.",
    "by": "Who.", "coder": "Who decided.", "voice": "The voice, or in `voices` who speaks.", "segment": "The segment.",
    "code": "The code's id in the codebook.", "stance": "How the speaker stands to the theme, or empty.",
    "start": "The first character, in code points of the clean text.", "end": "The character after the last.",
    "probability": "Calibrated, of a suggestion; of being drawn, of a draw or decision.",
    "shown": "1 where a suggestion was on screen.",
    "bulk": "1 where it was accepted with many others, unread.", "stream": "By which way of drawing it came.",
    "seconds": "How long it took.", "undoes": "The decision that it takes back.",
    "codebook_version": "The codebook version in use then.",
    "model": "The model's fingerprint.", "run": "The run that made it.",
    "digest": "A keyed hash of the raw words, by the study's key.",
    "quote": "The words in the clean text that speak for it.", "content": "A JSON object, as text.",
}  # fmt: skip
_TYPES = {"TEXT": "string", "BLOB": "string", "INTEGER": "integer", "REAL": "number"}


def schema(columns: Mapping[str, Sequence[Column]]) -> dict[str, Any]:
    """A JSON schema for the rows of each file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A study of Heard: one definition for the lines of each file",
        "$defs": {table: _of(table, fields) for table, fields in columns.items()},
    }


def _of(table: str, fields: Sequence[Column]) -> dict[str, Any]:
    return {
        "title": f"{table}.jsonl", "description": GOES[table], "type": "object", "additionalProperties": False,
        "required": [f.name for f in fields], "properties": {f.name: _field(f) for f in fields},
        "x-key": [f.name for f in fields if f.key],
    }  # fmt: skip


def _field(field: Column) -> dict[str, Any]:
    about: dict[str, Any] = {"type": [_TYPES[field.type], "null"]}
    if field.type == "BLOB":
        about["contentEncoding"] = "base64"
    if words := _FIELDS.get(field.name):
        about["description"] = words
    if field.points_to:
        about["x-references"] = field.points_to
    return about


def readme(title: str, rows: Mapping[str, int], *, waiting: int, with_vault: bool) -> str:
    """The README of an export, for people."""
    files = "\n".join(f"| {table}.jsonl | {count:,} | {GOES[table]} |" for table, count in rows.items())
    stays = "\n".join(f"- `{table}`: {why}" for table, why in STAYS.items())
    vault = (
        "`vault.db` holds the raw words and names as ciphertext; only the study's key, which is not here, opens it."
        if with_vault
        else "Raw words and names are not here; they stay in the vault of the study that this came from."
    )
    return _README.format(
        title=json.dumps(title, ensure_ascii=False), files=files, stays=stays, vault=vault, waiting=waiting
    )


_README = """# A study of Heard, whole

The study {title}. Each file holds one JSON object a line; `schema.json` says of each field its type, what it is and what
it points to. `manifest.json` names every file with its SHA-256, bytes and rows. A text that holds JSON (attributes,
content) is a string. Offsets count code points in the voice's clean text and are half-open.

It comes back with `heard import study THIS NEW-FOLDER`, which refuses it if a byte is missing or changed. It can be read by
anything else: rows stand in the order in which they came. A coding is not stored; it follows from decisions: for each
segment, code, coder and round the newest accept, add or change that no later undo takes back, unless a reject is newer;
an adjudication stands in its place, and one accepted with many others (bulk) ends when anybody reads its segment.

The texts are de-identified, not anonymous: they are about single people and are not for release.

## What is here

| file | rows | what it is |
|---|---|---|
{files}

## What is left out

- {vault}
- The words of {waiting} voices that wait for a person, since no machine protects their language.
- Accounts and passwords, which belong to an installation and not to a study.
{stays}
"""


def left_out(*, waiting: int, with_vault: bool) -> dict[str, Any]:
    """What is not in the export and why, for the manifest."""
    vault = "in vault.db, as ciphertext" if with_vault else "they stay in the vault that this came from"
    return {"raw words and names": vault, "words of voices that wait for a person": waiting, "tables": dict(STAYS)}
