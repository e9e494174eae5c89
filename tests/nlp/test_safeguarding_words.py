"""The words that a reader is asked to stop at: found in every spelling, silent where they are harmless, and no judgement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.safeguarding import Prompt, prompts

WORDS = (
    "he she mum dad hit hits me my arm secret dont tell scared of hungry [PERSON_1] . ! night kill myself on purpose"
)


def kinds(text: str) -> set[str]:
    return {p.kind for p in prompts(text)}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("hurt", "My dad hits me with his belt."),
        ("hurt", "dad HITTS me wen hes cross"),
        ("hurt", "Mum’s boyfriend punched my brother"),
        ("sexual", "he touched my privates and said it was a game"),
        ("secret", "my uncle sed dont tell anyone"),
        ("afraid", "i am scard of going home"),
        ("self", "I want to kill myself"),
        ("self", "i cut myself when its bad"),
        ("neglect", "there is no food in the house and mum is passed out"),
        ("partner", "He won't let me have my phone or see my mum."),
        ("online", "a man on roblox asked me to send him pictures"),
        ("forced", "they are taking me to pakistan to get married and i dont want to"),
    ],
)
def test_each_kind_is_stopped_at_in_a_childs_spelling_and_in_a_notes(kind: str, text: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "", " \n\t", "🙂🙂", "The group was lovely and the staff listened.", "he kicked the ball and we won",
        "I beat him at Fifa", "the waiting time hit me hard", "We had a secret santa at the family hub.", "my tummy hurts",
        "She is scared of spiders.", "I was scared to ask questions", "We need to hit the deadline.", "burnt the toast again",
        "I'd kill for a cup of tea", "The forms nearly beat us in the end.",
    ],
)  # fmt: skip
def test_ordinary_words_stop_nobody(text: str) -> None:
    assert prompts(text) == ()


def test_a_prompt_has_its_words_and_when_they_come_up_and_nothing_that_could_rank_a_child() -> None:
    text = "It's ok.\n\nMy dad HITS me 🙁 alot"

    (found, *_) = prompts(text)

    assert set(Prompt.__dataclass_fields__) == {"kind", "when", "span"}
    assert text[found.span.start : found.span.end].startswith(("dad HITS", "HITS me"))
    assert found.when == "somebody is being hit or hurt"


def test_a_name_that_was_replaced_may_be_whoever_does_it() -> None:
    assert "hurt" in kinds("[PERSON_1] hits me")


def test_a_pattern_does_not_run_on_into_the_next_sentence() -> None:
    assert "secret" not in kinds("I was told. Not that I tell tales.")


@given(st.lists(st.sampled_from(WORDS.split()) | st.text(max_size=6), max_size=40).map(" ".join))
def test_spans_lie_in_the_text_in_order_and_each_kind_comes_once(text: str) -> None:
    found = prompts(text)

    assert all(0 <= p.span.start < p.span.end <= len(text) for p in found)
    assert all(text[p.span.start : p.span.end].strip() == text[p.span.start : p.span.end] for p in found)
    assert [p.span.start for p in found] == sorted(p.span.start for p in found)
    assert len({p.kind for p in found}) == len(found)


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error_and_the_same_way_twice(text: str) -> None:
    assert prompts(text) == prompts(text)


def test_a_long_text_of_one_word_takes_no_long_time() -> None:
    assert len(prompts("he hit me and " * 20_000)) >= 1
