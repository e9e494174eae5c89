"""Candidate themes in what no code fits: groups of segments for people to read, name or turn down.

A hundred segments and more go through BERTopic (Grootendorst 2022, "BERTopic: Neural topic modeling
with a class-based TF-IDF procedure"): UMAP, then HDBSCAN, on vectors made elsewhere. Fewer are joined
by average linkage, and fewer than fifteen are left as the list they are. How steady a candidate is
follows Hennig (2007), "Cluster-wise assessment of cluster stability": its best Jaccard match when the
grouping is made again, with other seeds or from other parts of the segments. Nothing is encoded,
fetched or written here, and one seed gives one result.
"""

from __future__ import annotations

import re
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.encode import Vectors
from nlp.errors import NlpError

METHOD = "themes.discover.v1"

CLUSTERS_FROM, TOPICS_FROM = 15, 100
FEWEST_PEOPLE = 2
FEWEST_IN_CLUSTER, FEWEST_IN_TOPIC, TOPIC_SHARE = 3, 5, 200
APART = 0.6  # segments of one cluster have a mean cosine of at least 1 - APART
LINKED_MOST = 3000  # average linkage keeps all pairs in memory
RERUN_MOST, RERUN_PART = 2500, 0.8
NEIGHBOURS, DIMENSIONS, EPOCHS = 15, 5, 200
KEYWORDS, RANKED_WORDS, CENTRAL, NEAREST = 8, 30, 5, 3

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Leftover:
    """A segment that no code fits; `text` is as the models read it, with neutral words for surrogates."""

    id: str
    person: str
    voice: str
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group that may be a theme. `members` and `central` are segment ids, most central first.

    A keyword was said by at least two of its people. `voices` and `places` count people, by name;
    `stability` is 0 to 1; `nearest` are ids of codes, nearest first.
    """

    keywords: tuple[str, ...]
    members: tuple[str, ...]
    central: tuple[str, ...]
    people: int
    voices: tuple[tuple[str, int], ...]
    places: tuple[tuple[str, int], ...]
    stability: float
    nearest: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found, and `how`: "topics", "clusters" or "list"; `unplaced` are the ids in no candidate."""

    how: str
    candidates: tuple[Candidate, ...]
    unplaced: tuple[str, ...]
    seeds: tuple[int, ...]


def _nobody(word: str) -> bool:  # noqa: ARG001
    return False


def discover(
    leftovers: Sequence[Leftover],
    vectors: Vectors,
    codes: Mapping[str, NDArray[Any]],
    *,
    seed: int,
    hidden: frozenset[str] = frozenset(),
    is_name: Callable[[str], bool] = _nobody,
) -> Discovery:
    """Candidates, most people first, from at least two people each; every segment is placed once or unplaced.

    `vectors` has shape (leftovers, dimension), rows of length one; `codes` gives each code's id a vector
    of that dimension. `hidden` words and those that `is_name` knows never become keywords. The same
    input in the same order gives the same result. NlpError when vectors and leftovers do not match.
    """
    vectors = np.asarray(vectors, np.float32)
    if len(vectors) != len(leftovers) or (len(leftovers) and vectors.ndim != 2):
        raise NlpError("there must be one vector for each leftover segment")
    seeds = (seed, seed + 1, seed + 2)
    said = _Said(leftovers, vectors, _Words(hidden, is_name))
    if said.segments < CLUSTERS_FROM:
        return Discovery("list", (), tuple(one.id for one in leftovers), seeds)
    how, groups = _grouped(said, seeds)
    shown = [_candidate(said, group, codes) for group in groups]
    shown.sort(key=lambda c: (-c.people, -len(c.members), c.members[0]))
    placed = {member for c in shown for member in c.members}
    return Discovery(how, tuple(shown), tuple(one.id for one in leftovers if one.id not in placed), seeds)


_BEFORE = r"(?:(?:i|im|ive|um|erm|well|sorry|honestly|just|there is|theres|have|ive got|got|have got) )*"
_AFTER = r"(?: (?:really|at all|thanks|thank you|sorry|tbh|to be honest|at the moment|right now|now|else|yet|so far))*"
_PHRASES = """
    n a|na|none|non|no|nope|nah|nil|null|nothing|nowt|no one|nobody|never|not applicable|does not apply|blank|empty
    |yes|yep|yeah|yup|okay|no comments?|no answer|no response|no reply|no thoughts?|no opinion|no idea|no clue|no thanks
    |no thank you|nothing (?:to|i want to|i can|id like to) (?:say|add|report|share|think of)|nothing (?:special|more|much)
    |nothing comes to mind|nothing springs to mind|nothing in particular|no(?:thing)? further comments?|no more
    |(?:do not|dont|dunt|didnt|did not|wouldnt|would not) (?:really )?know(?: what to (?:say|put|write))?|dunno|idk|unknown
    |(?:cant|cannot|can not|couldnt) (?:think of (?:anything|any|one)|say|remember)|(?:do not|dont) remember|not sure|unsure
    |(?:do not|dont) (?:want to (?:say|answer)|mind|care|have (?:any|anything|one))(?: to (?:say|add))?
    |(?:would |id )?(?:prefer|rather) not(?: to)? (?:say|answer)|pass|skip|see (?:above|below|previous|other|last answer)
    |(?:same )?as (?:above|before|previous|said|stated)(?: above)?|same(?: again)?|same answer|ditto|already (?:said|answered)
    |tbc|tba|test|testing|refused|declined(?: to answer)?|left blank|not answered|not known|not recorded
"""
_NON_ANSWER = re.compile(_BEFORE + "(?:" + re.sub(r"\n\s*", "", _PHRASES) + ")" + _AFTER)
_LONGEST_NON_ANSWER = 80


def is_non_answer(text: str) -> bool:
    """Whether nothing is said: “n/a”, “don't know”, “see above”, emoji, one letter over and over, under 3 letters."""
    letters = {c for c in text.casefold() if c.isalpha()}
    if len(letters) < 2 or sum(c.isalpha() for c in text[:_LONGEST_NON_ANSWER]) < 3 > sum(map(str.isalpha, text)):
        return True
    plain = " ".join(re.findall(r"[^\W_]+", re.sub(r"['’`]", "", text[: 4 * _LONGEST_NON_ANSWER].casefold())))
    return len(plain) <= _LONGEST_NON_ANSWER and _NON_ANSWER.fullmatch(plain) is not None


_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ALSO_STOPPED = frozenset(
    "also aint arent came cant come comes coming couldnt did didnt does doesnt doing done dont else gets getting give "
    "goes going gonna got gotta hadnt hasnt havent hes isnt ive just know let lets like lot lots made make makes maybe "
    "much need needs okay put really said say says shes shouldnt stuff thats thing things think too want wanted wants "
    "wasnt went werent weve wont wouldnt yeah yes youre youve".split()
)


class _Words:
    """The words of a text that may be keywords: no stop words, no hidden words, no names, three letters and more."""

    def __init__(self, hidden: frozenset[str], is_name: Callable[[str], bool]) -> None:
        self._is_name = is_name
        self._hidden = {part for word in hidden for part in (word.casefold(), *_WORD.findall(word.casefold()))}
        self._known: dict[str, bool] = {}

    @cached_property
    def _stopped(self) -> frozenset[str]:
        from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

        return frozenset(ENGLISH_STOP_WORDS) | _ALSO_STOPPED

    def __call__(self, text: str) -> list[str]:
        """In the order they stand, small letters; “mum's” is “mum”, and “don't” or “O'Brien” is no word."""
        found = (re.sub(r"['’]s$", "", word.casefold()) for word in _WORD.findall(text))
        return [word for word in found if self._may_show(word)]

    def _may_show(self, word: str) -> bool:
        if word not in self._known:
            self._known[word] = self._judged(word)
        return self._known[word]

    def _judged(self, word: str) -> bool:
        if len(word) < 3 or not word.isalpha() or word in self._stopped or word in self._hidden:
            return False
        # Lists of names differ in how they are spelt; asking in every case is cheap.
        return not any(self._is_name(form) for form in (word, word.capitalize(), word.upper()))


class _Said:
    """The segments that say something; what one person says twice in the same words counts once, as one unit."""

    def __init__(self, leftovers: Sequence[Leftover], vectors: Vectors, words: _Words) -> None:
        self.leftovers, self.words = leftovers, words
        lengths = np.linalg.norm(vectors, axis=1) if len(vectors) else np.zeros(0)
        usable = np.isfinite(lengths) & (lengths > 1e-6)
        rows: dict[tuple[str, str], list[int]] = {}
        for row, one in enumerate(leftovers):
            if usable[row] and not is_non_answer(one.text):
                rows.setdefault((one.person, " ".join(one.text.casefold().split())), []).append(row)
        self.rows = list(rows.values())
        self.segments = sum(map(len, self.rows))
        firsts = [copies[0] for copies in self.rows]
        self.vectors: Vectors = vectors[firsts] / lengths[firsts, None].astype(np.float32) if firsts else vectors[:0]
        self.texts = [leftovers[row].text for row in firsts]
        self.people = [leftovers[row].person for row in firsts]

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def words_of(self) -> list[list[str]]:
        """The words of each unit that may be keywords."""
        return [self.words(text) for text in self.texts]

    def enough_people(self, units: Rows) -> bool:
        """Whether no single person said all of them."""
        return len({self.people[i] for i in units}) >= FEWEST_PEOPLE


@dataclass(frozen=True, slots=True)
class _Group:
    """Units that belong together, words in the order they set it apart, and how steady it is."""

    units: Rows
    words: tuple[str, ...]
    stability: float


def _grouped(said: _Said, seeds: tuple[int, ...]) -> tuple[str, list[_Group]]:
    if len(said) >= TOPICS_FROM and (topics := _topics(said, seeds)):
        return "topics", topics
    return "clusters", _clusters(said, seeds)


# --- a hundred and more: topics ------------------------------------------------------------------------------------

_ONE_AT_A_TIME = threading.Lock()  # neither filters of warnings nor every one of numba's pools take two threads


@contextmanager
def _quiet() -> Iterator[None]:
    """Keeps in what the libraries for topics warn of: a missing Tensorflow, threads given up for the seed."""
    with _ONE_AT_A_TIME, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _topics(said: _Said, seeds: tuple[int, ...]) -> list[_Group]:
    """Topics of enough people; none where BERTopic finds none or the vectors cannot be spread out."""
    try:
        with _quiet():
            labels, ranked = _bertopic(said, seeds[0])
            found = {t: np.flatnonzero(labels == t) for t in sorted(set(labels.tolist()) - {-1})}
            found = {t: units for t, units in found.items() if said.enough_people(units)}
            again = [_again(said.vectors, seed) for seed in seeds[1:]] if found else []
    except (ValueError, TypeError, IndexError, ArithmeticError):  # such as nothing but copies of one text
        return []
    return [_Group(units, ranked.get(t, ()), _steadiness(units, again)) for t, units in found.items()]


def _bertopic(said: _Said, seed: int) -> tuple[Rows, dict[int, tuple[str, ...]]]:
    """A topic for each unit, -1 for none, and the words of each topic by class-based TF-IDF."""
    from bertopic import BERTopic
    from sklearn.feature_extraction.text import CountVectorizer

    if not any(said.words_of):
        return _spread_and_joined(said.vectors, seed), {}
    model = BERTopic(
        language="multilingual",  # with “english” it would cut every letter that has an accent
        embedding_model=None,
        umap_model=_umap(seed),
        hdbscan_model=_hdbscan(len(said)),
        vectorizer_model=CountVectorizer(analyzer=said.words),
        calculate_probabilities=False,
        top_n_words=RANKED_WORDS,
    )
    labels, _ = model.fit_transform(said.texts, embeddings=said.vectors)
    ranked = {int(t): tuple(word for word, weight in words if weight > 0) for t, words in model.get_topics().items()}
    return np.asarray(labels, np.int64), ranked


def _umap(seed: int) -> Any:
    from umap import UMAP

    return UMAP(
        n_neighbors=NEIGHBOURS, n_components=DIMENSIONS, min_dist=0.0, metric="cosine", n_epochs=EPOCHS,
        random_state=seed % 2**32, n_jobs=1,
    )  # fmt: skip


def _hdbscan(units: int) -> Any:
    from hdbscan import HDBSCAN

    fewest = max(FEWEST_IN_TOPIC, units // TOPIC_SHARE)
    return HDBSCAN(min_cluster_size=fewest, prediction_data=True, core_dist_n_jobs=1)


def _spread_and_joined(vectors: Vectors, seed: int) -> Rows:
    """What BERTopic does, without the words."""
    return np.asarray(_hdbscan(len(vectors)).fit(_umap(seed).fit_transform(vectors)).labels_, np.int64)


def _again(vectors: Vectors, seed: int) -> tuple[Rows, Rows]:
    """Units drawn, and their topics with another seed."""
    drawn = _drawn(len(vectors), min(len(vectors), RERUN_MOST), seed)
    return drawn, _spread_and_joined(vectors[drawn], seed)


# --- fewer: average linkage ----------------------------------------------------------------------------------------


def _clusters(said: _Said, seeds: tuple[int, ...]) -> list[_Group]:
    """Clusters of enough people, with how they fare in other parts of the units."""
    labels = _linked(said.vectors, seeds[0])
    found = [
        units for t in range(labels.max(initial=-1) + 1) if said.enough_people(units := np.flatnonzero(labels == t))
    ]
    part = min(int(RERUN_PART * len(said)), RERUN_MOST)
    drawn = [_drawn(len(said), part, seed) for seed in seeds] if found else []
    again = [(rows, _linked(said.vectors[rows], seeds[0])) for rows in drawn]
    ranked = _ranked(said, found)
    return [_Group(units, words, _steadiness(units, again)) for units, words in zip(found, ranked, strict=True)]


def _linked(vectors: Vectors, seed: int) -> Rows:
    """A cluster for each vector, -1 for none. Beyond `LINKED_MOST`, those not drawn join by the same rule."""
    from sklearn.cluster import AgglomerativeClustering

    if len(vectors) < FEWEST_IN_CLUSTER:
        return np.full(len(vectors), -1, np.int64)
    drawn = _drawn(len(vectors), min(len(vectors), LINKED_MOST), seed)
    linkage = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=APART)
    labels = _large_only(np.asarray(linkage.fit(vectors[drawn]).labels_, np.int64))
    out = np.full(len(vectors), -1, np.int64)
    out[drawn] = labels
    if len(drawn) < len(vectors) and labels.max() >= 0:
        # The mean is not of length one: a dot product with it is the mean cosine, as in average linkage.
        means = np.stack([vectors[drawn][labels == t].mean(axis=0) for t in range(labels.max() + 1)])
        likeness = vectors @ means.T
        joins = np.where(likeness.max(axis=1) >= 1 - APART, likeness.argmax(axis=1), -1)
        others = np.setdiff1d(np.arange(len(vectors)), drawn)
        out[others] = joins[others]
    return out


def _large_only(labels: Rows) -> Rows:
    """Numbered anew from 0 without gaps; -1 where a cluster is too small."""
    sizes = np.bincount(labels)
    kept = sizes >= FEWEST_IN_CLUSTER
    return np.where(kept[labels], np.cumsum(kept)[labels] - 1, -1)


def _ranked(said: _Said, groups: list[Rows]) -> list[tuple[str, ...]]:
    """Words of each group, those that set it apart first: BERTopic's class-based TF-IDF, all other units one class."""
    inside = set(chain.from_iterable(units.tolist() for units in groups))
    classes = [*(units.tolist() for units in groups), [i for i in range(len(said)) if i not in inside]]
    counts = [Counter(chain.from_iterable(said.words_of[i] for i in units)) for units in classes]
    total: Counter[str] = sum(counts, Counter())
    mean = total.total() / max(len(counts), 1)
    weights = [{word: n * np.log1p(mean / total[word]) for word, n in count.items()} for count in counts[:-1]]
    return [tuple(sorted(weight, key=lambda word: (-weight[word], word))) for weight in weights]


# --- what people are shown -----------------------------------------------------------------------------------------


def _drawn(size: int, wanted: int, seed: int) -> Rows:
    """Rows drawn without putting back, in order."""
    if wanted >= size:
        return np.arange(size)
    return np.sort(np.random.default_rng(seed % 2**32).choice(size, wanted, replace=False))


def _steadiness(units: Rows, again: list[tuple[Rows, Rows]]) -> float:
    """Mean over the reruns, in which any of the units were drawn, of the best Jaccard match of their group."""
    matches = []
    for drawn, labels in again:
        mine = np.isin(drawn, units)
        if not mine.any():
            continue
        sizes = np.bincount(labels[labels >= 0])
        both = np.bincount(labels[mine & (labels >= 0)], minlength=len(sizes))
        matches.append(float((both / (sizes + mine.sum() - both)).max(initial=0.0)))
    return round(sum(matches) / len(matches), 3) if matches else 0.0


def _candidate(said: _Said, group: _Group, codes: Mapping[str, NDArray[Any]]) -> Candidate:
    mean = said.vectors[group.units].mean(axis=0)
    # Rounded, so that texts alike keep the order in which they came.
    nearness = np.round(said.vectors[group.units] @ (mean / max(float(np.linalg.norm(mean)), 1e-9)), 5)
    order = group.units[np.lexsort((group.units, -nearness))]
    members = [said.leftovers[row] for unit in order for row in said.rows[unit]]
    return Candidate(
        keywords=tuple(islice(_said_by_several(said, group), KEYWORDS)),
        members=tuple(one.id for one in members),
        central=_central(members),
        people=len({one.person for one in members}),
        voices=_people_by((one.voice, one.person) for one in members),
        places=_people_by((one.place, one.person) for one in members),
        stability=group.stability,
        nearest=_nearest(mean, codes),
    )


def _said_by_several(said: _Said, group: _Group) -> Iterator[str]:
    """Words that at least two of the people used: what one person alone says could tell who they are."""
    users: dict[str, set[str]] = {}
    for unit in group.units:
        for word in said.words_of[unit]:
            users.setdefault(word, set()).add(said.people[unit])
    return (word for word in group.words if len(users.get(word, ())) >= FEWEST_PEOPLE)


def _central(members: list[Leftover]) -> tuple[str, ...]:
    """The most central, first of other people in other words, then of other people, then any."""
    chosen: list[int] = []
    people, texts = set[str](), set[str]()
    for new_person, new_text in ((True, True), (True, False), (False, True), (False, False)):
        for i, one in enumerate(members):
            if len(chosen) == CENTRAL:
                break
            known = (new_person and one.person in people) or (new_text and one.text in texts)
            if i not in chosen and not known:
                chosen.append(i)
                people.add(one.person)
                texts.add(one.text)
    return tuple(members[i].id for i in sorted(chosen))


def _people_by(pairs: Iterator[tuple[str, str]]) -> tuple[tuple[str, int], ...]:
    """How many different people stand with each name."""
    return tuple(sorted(Counter(name for name, _ in set(pairs)).items()))


def _nearest(mean: Vectors, codes: Mapping[str, NDArray[Any]]) -> tuple[str, ...]:
    """The codes whose entries lie nearest; a code without a usable vector is left out."""
    likeness = {
        code: round(float(vector @ mean), 6)
        for code, vector in ((code, np.asarray(vector, np.float32)) for code, vector in codes.items())
        if vector.shape == mean.shape and np.isfinite(vector).all() and vector.any()
    }
    return tuple(sorted(likeness, key=lambda code: (-likeness[code], code))[:NEAREST])
