"""The keys of the queue page: what each does, which key it has, and what a person made of them."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from service.access.people import preferences, set_preferences
from service.deps import ACoder, people_of

router = APIRouter(include_in_schema=False)

ACTS = {
    "save": ("Enter", "Save and go on"),
    "accept": ("a", "Accept the suggestion"),
    "reject": ("x", "Reject the suggestion"),
    "find": ("/", "Find a code"),
    "words": ("e", "Choose the words"),
    "stance": ("t", "Stance"),
    "nothing": ("n", "Nothing fits"),
    "skip": ("s", "Skip"),
    "undo": ("z", "Undo"),
    "memo": ("m", "Memo"),
    "discuss": ("d", "Talk about it"),
    "disclosure": ("p", "Possible disclosure"),
    "up": ("ArrowUp", "Code before"),
    "down": ("ArrowDown", "Code after"),
    "back": ("ArrowLeft", "Text before"),
    "on": ("ArrowRight", "Leave for later"),
    "keys": ("?", "All keys"),
}
NAMED = frozenset({"Enter", "ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight", "Home", "End", "Backspace", "Delete"})
LATIN_AND_MORE = 4  # a key may be a letter with its accent


class Chosen(BaseModel):
    """What a person prefers: keys by act, whether single keys work, and young people's wording of codes."""

    keys: dict[str, str] = Field(max_length=40)
    single: bool = True
    young: bool = False


def keys_of(chosen: Mapping[str, str]) -> dict[str, str]:
    """The key of each act, with what the person changed."""
    return {act: chosen.get(f"key.{act}", key) for act, (key, _) in ACTS.items()}


@router.post("/me/keys")
def choosing(request: Request, person: ACoder, chosen: Chosen) -> dict[str, str]:
    """Keep a person's keys; what is no key, or stands for two things, is left as it comes."""
    asked = {act: key for act, key in chosen.keys.items() if act in ACTS and _is_key(key)}
    keys = {act: asked.get(act, key) for act, (key, _) in ACTS.items()}
    if len(set(keys.values())) < len(keys):
        return {"problem": "Two things cannot have the same key. Nothing was changed."}
    with people_of(request) as db:
        held = preferences(db, person)
        kept = {f"key.{act}": key for act, key in keys.items()}
        more = {"single": "on" if chosen.single else "off", "young": "on" if chosen.young else "off"}
        set_preferences(db, person, {**held, **kept, **more})
    return {}


def _is_key(key: str) -> bool:
    return key in NAMED or (
        len(key) <= LATIN_AND_MORE and key.isprintable() and key.strip() != "" and not key.isdigit()
    )
