"""Saturation: what is new as reading goes on, and a hint in plain words that counts what is still needed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.themes.saturation import saturation

VOICE = st.frozensets(st.sampled_from("ABCDEFG"), max_size=3)


def test_new_codes_and_new_pairs_are_counted_in_tens() -> None:
    voices = [frozenset("A"), frozenset("AB")] + [frozenset("A")] * 9 + [frozenset("ABC")]
    found = saturation(voices, seed=1)
    assert found.codes.new == (2, 1)
    assert found.pairs.new == (1, 2)
    assert (found.read, found.seen) == (12, 3)


def test_few_voices_say_nothing_yet() -> None:
    assert saturation([], seed=1).hint == "Too few voices are read to say. Read at least 20 more."
    assert saturation([frozenset("A")] * 19, seed=1).needed is None


def test_when_everything_is_met_often_reading_more_only_confirms() -> None:
    found = saturation([frozenset("AB"), frozenset("BC")] * 20, seed=1)
    assert found.needed == 0
    assert found.expected == 3
    assert found.hint.startswith("The last 10 voices brought no new code.")


def test_while_new_codes_turn_up_more_voices_are_needed() -> None:
    dice = np.random.default_rng(1)
    chance = 1 / np.arange(1, 41) ** 1.2
    voices = [frozenset(str(c) for c in np.flatnonzero(dice.random(40) < chance * 0.5)) for _ in range(60)]
    few, many = saturation(voices[:30], seed=1), saturation(voices, seed=1)
    assert few.needed is not None
    assert few.needed > 0
    assert f"About {few.needed} more voices" in few.hint
    assert few.expected > few.seen
    assert many.seen > few.seen


def test_every_code_met_once_leaves_the_end_out_of_sight() -> None:
    found = saturation([frozenset({str(i)}) for i in range(30)], seed=1)
    assert found.needed is None
    assert "too often to say" in found.hint


def test_the_needed_voices_do_reach_most_codes() -> None:
    dice = np.random.default_rng(2)
    chance = np.linspace(0.02, 0.3, 20)
    reached = []
    for _ in range(60):
        voices = [frozenset(str(c) for c in np.flatnonzero(dice.random(20) < chance)) for _ in range(400)]
        found = saturation(voices[:30], seed=1)
        if found.needed:
            met = frozenset[str]().union(*voices[: 30 + found.needed])
            reached.append(len(met) / found.expected)
    assert np.mean(reached) == pytest.approx(0.95, abs=0.05)


@given(st.lists(VOICE, max_size=45))
def test_nothing_is_lost_and_chance_orders_lie_around(voices: list[frozenset[str]]) -> None:
    found = saturation(voices, seed=3)
    assert sum(found.codes.new) == found.seen == len(frozenset[str]().union(*voices))
    assert len(found.codes.new) == len(found.codes.low) == -(-len(voices) // 10)
    assert all(low <= high for low, high in zip(found.pairs.low, found.pairs.high, strict=True))
    assert found.hint
