"""Discovery: candidates from what no code fits, the same each time, with nobody's name on them and never an exception."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.encode import Encoder, Vectors
from nlp.errors import NlpError
from nlp.themes.discover import Discovery, Leftover, discover, is_non_answer

BIN = "the bins on our street are never emptied"
NOISE = (
    "my sister plays the drums", "we saw a whale in the film", "maths is on a monday", "the tent leaked at camp",
    "i like painting horses", "the bus driver waved", "our tap drips all night", "grandad grows tomatoes",
    "the library has new chairs", "he lost his left shoe", "we baked bread together", "the vet was kind to the rabbit",
)  # fmt: skip


def leftovers(texts: list[str], *, people: int = 10_000) -> list[Leftover]:
    return [
        Leftover(f"s{i}", f"p{i % people}", "child" if i % 2 else "young_person", "north", t)
        for i, t in enumerate(texts)
    ]


def spread(count: int, seed: int = 0) -> Vectors:
    drawn = np.random.default_rng(seed).normal(size=(count, 16)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def placed_once(found: Discovery, given_: list[Leftover]) -> bool:
    members = [m for c in found.candidates for m in c.members]
    return sorted([*members, *found.unplaced]) == sorted(one.id for one in given_)


@pytest.fixture(scope="module")
def planted(minilm: Encoder) -> tuple[list[Leftover], Vectors]:
    """Twelve ways to speak of bins among things that have nothing to do with each other."""
    bins = [f"{BIN} {end}" for end in ("", "ever", "again", "and it smells", "since june", "so rats come", "this week",
                                       "by anyone", "at all", "and priya complained", "on time", "by someone")]  # fmt: skip
    texts = [*bins, *NOISE]
    return leftovers(texts), minilm.encode(texts)


def test_a_theme_among_noise_is_found_with_its_words_and_people(planted: tuple[list[Leftover], Vectors]) -> None:
    given_, vectors = planted
    found = discover(given_, vectors, {"BINS": vectors[0], "PETS": vectors[-1]}, seed=1)
    first = found.candidates[0]
    assert found.how == "clusters"
    assert first.people >= 10
    assert {"bins", "street"} & set(first.keywords)
    assert first.nearest[0] == "BINS"
    assert len(first.central) == 5
    assert set(first.central) <= set(first.members)
    assert sum(n for _, n in first.voices) == first.people
    assert 0.5 <= first.stability <= 1
    assert placed_once(found, given_)


def test_neither_names_nor_surrogates_become_keywords(planted: tuple[list[Leftover], Vectors]) -> None:
    given_, vectors = planted
    found = discover(given_, vectors, {}, seed=1, hidden=frozenset({"street"}), is_name=lambda w: w == "bins")
    words = {w for c in found.candidates for w in c.keywords}
    assert words
    assert not words & {"street", "bins"}


def test_a_seed_gives_one_result(planted: tuple[list[Leftover], Vectors]) -> None:
    given_, vectors = planted
    assert discover(given_, vectors, {}, seed=3) == discover(given_, vectors, {}, seed=3)


@pytest.mark.parametrize(("count", "how"), [(0, "list"), (1, "list"), (14, "list"), (15, "clusters"), (99, "clusters")])
def test_small_sets_get_clusters_and_the_smallest_a_plain_list(count: int, how: str) -> None:
    given_ = leftovers([f"{NOISE[i % 12]} number {i}" for i in range(count)])
    found = discover(given_, spread(count), {}, seed=1)
    assert found.how == how
    assert placed_once(found, given_)
    if how == "list":
        assert found.candidates == ()


def test_a_hundred_and_more_go_through_topics_the_same_each_time(minilm: Encoder) -> None:
    texts = [f"{BIN} {w}" for w in ("a", "b", "c")] * 20 + [f"{n} {i}" for i, n in enumerate(NOISE * 6)]
    given_, vectors = leftovers([f"{t} {i}" for i, t in enumerate(texts)]), minilm.encode(texts)
    found = discover(given_, vectors, {}, seed=1)
    assert found.how == "topics"
    assert placed_once(found, given_)
    assert any("bins" in c.keywords for c in found.candidates)
    assert found == discover(given_, vectors, {}, seed=1)


def test_what_one_person_says_many_times_is_no_theme() -> None:
    given_ = leftovers([f"{BIN} {i}" for i in range(20)], people=1)
    found = discover(given_, np.repeat(spread(1), 20, axis=0), {}, seed=1)
    assert found.candidates == ()
    assert placed_once(found, given_)


@pytest.mark.parametrize(
    "text", ["n/a", "Nothing", "dont know", "no comment", "see above", "-", "😀😀", "ok", "", "   ", "aaaa"]
)
def test_non_answers_are_in_no_theme(text: str) -> None:
    assert is_non_answer(text)
    given_ = leftovers([text] * 30 + [f"{BIN} {i}" for i in range(30)])
    vectors = np.concatenate([np.repeat(spread(1, 1), 30, axis=0), np.repeat(spread(1, 2), 30, axis=0)])
    found = discover(given_, vectors, {}, seed=1)
    assert {f"s{i}" for i in range(30)} <= set(found.unplaced)


@pytest.mark.parametrize(
    "text", ["nothing helped until she came", "no one listens to me", "i dont know who my worker is"]
)
def test_an_answer_that_begins_like_one_is_kept(text: str) -> None:
    assert not is_non_answer(text)


@pytest.mark.parametrize("count", [20, 120])
def test_identical_texts_are_no_trouble(count: int) -> None:
    given_ = leftovers([BIN] * count)
    assert placed_once(discover(given_, np.repeat(spread(1), count, axis=0), {}, seed=1), given_)


@settings(max_examples=25)
@given(st.lists(st.text(max_size=30), max_size=40), st.integers(0, 5), st.integers(1, 4))
def test_no_words_are_an_exception(texts: list[str], seed: int, people: int) -> None:
    given_ = leftovers(texts, people=people)
    found = discover(given_, spread(len(texts), seed), {"A": spread(1)[0]}, seed=seed)
    assert placed_once(found, given_)
    assert all(c.people >= 2 for c in found.candidates)


def test_vectors_that_do_not_match_are_refused() -> None:
    with pytest.raises(NlpError, match="one vector for each"):
        discover(leftovers(["a", "b"]), spread(3), {}, seed=1)
