"""Train the token model: `python -m nlp.models.deid.train SHARED_DATA [--minutes 25]`.

Reads `written/` and `names/` beside this file, `ner/` and `themes/` of the data folder, and writes
`weights.npz` here. The network is the one `nlp.deid.tagger` reads; CPU is enough (two cores, half an hour).
"""

from __future__ import annotations

import argparse
import random
import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from nlp.deid.lexicon import FLAGS, OPEN_LISTS, flags_of
from nlp.deid.tagger import BUCKETS, DILATIONS, KINDS, SHAPES, letter_groups, passages, shape_of
from nlp.errors import ModelError
from nlp.models.deid.fill import (
    Example,
    Filler,
    Marked,
    ordinary_words,
    read_comments,
    read_marked,
    read_pools,
    read_tab,
    read_tokens,
    swap,
    to_example,
    vary,
)

HERE = Path(__file__).parent
WIDTH, GROUP_WIDTH, WORD_WIDTH = 96, 40, 64
LABELS = ("O", *(f"{side}-{kind}" for kind in KINDS for side in "BI"))
INDEX = {label: i for i, label in enumerate(LABELS)} | {"?": -100}
TOKENS_A_BATCH = 2600
OPEN_FLAGS = len(OPEN_LISTS)


class Words:
    """Surface forms to the inputs of the network, each worked out once."""

    def __init__(self, vocabulary: dict[str, int]) -> None:
        self.vocabulary = vocabulary
        self._known: dict[str, tuple[list[int], int, int, list[int]]] = {}

    def of(self, token: str) -> tuple[list[int], int, int, list[int]]:
        found = self._known.get(token)
        if found is None:
            word = token.casefold()
            found = (letter_groups(word), shape_of(token), self.vocabulary.get(word, -1), flags_of(word))
            self._known[token] = found
        return found


class Network(nn.Module):
    """As `nlp.deid.tagger.Tagger`, with what training needs."""

    def __init__(self, words: torch.Tensor) -> None:
        super().__init__()
        self.groups = nn.EmbeddingBag(BUCKETS, GROUP_WIDTH, mode="mean")
        nn.init.normal_(self.groups.weight, std=0.1)
        self.words: torch.Tensor
        self.register_buffer("words", words)
        self.from_groups = nn.Linear(GROUP_WIDTH, WIDTH)
        self.from_words = nn.Linear(WORD_WIDTH, WIDTH, bias=False)
        self.unknown = nn.Parameter(torch.zeros(WIDTH))
        self.shapes = nn.Embedding(SHAPES, WIDTH)
        self.flags = nn.Linear(FLAGS, WIDTH, bias=False)
        self.norm = nn.LayerNorm(WIDTH)
        self.convs = nn.ModuleList(nn.Linear(3 * WIDTH, WIDTH) for _ in DILATIONS)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in DILATIONS)
        self.passage = nn.Linear(WIDTH, WIDTH)
        self.out = nn.Linear(WIDTH, len(LABELS))
        self.drop = nn.Dropout(0.2)

    def forward(self, batch: Batch) -> torch.Tensor:
        x = self.from_groups(self.groups(batch.groups, batch.offsets))
        known = (batch.words >= 0)[:, None]
        x = x + torch.where(known, self.from_words(self.words[batch.words.clamp(min=0)]), self.unknown)
        x = x + self.shapes(batch.shapes) + self.flags(batch.flags)
        x = self.drop(self.norm(torch.relu(x)))[batch.rows]
        for layer, dilation in enumerate(DILATIONS):
            wide = torch.cat([_shift(x, batch.owner, -dilation), x, _shift(x, batch.owner, dilation)], 1)
            x = self.norms[layer](x + torch.relu(self.convs[layer](wide)))
            x = self.drop(x)
            if layer == 1:
                sums = torch.zeros(len(batch.lengths), WIDTH).index_add_(0, batch.owner, x)
                x = x + torch.relu(self.passage(sums / batch.lengths[:, None]))[batch.owner]
        logits: torch.Tensor = self.out(x)
        return logits


def _shift(x: torch.Tensor, owner: torch.Tensor, by: int) -> torch.Tensor:
    pad = torch.zeros(min(abs(by), len(x)), x.shape[1])
    moved = torch.cat([pad, x[:by]]) if by < 0 else torch.cat([x[by:], pad])
    nobody = torch.full((len(pad),), -1)
    other = torch.cat([nobody, owner[:by]]) if by < 0 else torch.cat([owner[by:], nobody])
    return moved * (owner == other)[:, None]


class Batch:
    """Distinct words with their inputs, the row of each token, and its text."""

    def __init__(self, examples: Sequence[Example], words: Words, pick: random.Random | None) -> None:
        rows: dict[tuple[str, int], int] = {}
        order: list[int] = []
        for e in examples:
            for token in e.tokens:
                draw = 0 if pick is None else pick.choices((0, 1, 2), (0.64, 0.27, 0.09))[0]
                order.append(rows.setdefault((token, draw), len(rows)))
        groups: list[int] = []
        offsets, shapes, known = [], [], []
        self.flags = torch.zeros(len(rows), FLAGS)
        for row, (token, draw) in enumerate(rows):
            g, shape, word, flags = words.of(token)
            offsets.append(len(groups))
            groups += g if draw < 2 else g[1:]
            shapes.append(shape)
            unlisted = draw > 0 and bool({0, 1, 2} & set(flags))  # so that a name on no list is still read as one
            known.append(-1 if draw == 2 or unlisted else word)
            self.flags[row, [f for f in flags if not (unlisted and f < OPEN_FLAGS)]] = 1
        self.groups, self.offsets = torch.tensor(groups), torch.tensor(offsets)
        self.shapes, self.words, self.rows = torch.tensor(shapes), torch.tensor(known), torch.tensor(order)
        lengths = [len(e.tokens) for e in examples]
        self.owner = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
        self.lengths = torch.tensor(lengths, dtype=torch.float32)
        self.labels = torch.tensor([INDEX[label] for e in examples for label in e.labels])


def static_words(width: int = WORD_WIDTH) -> tuple[list[str], torch.Tensor]:
    """The whole words of MiniLM's vocabulary, and its input vectors for them brought down to `width`."""
    from nlp.encode import bundled_minilm

    model = bundled_minilm()._model
    vocabulary = model.tokenizer.get_vocab()
    table = next(p for n, p in model.named_parameters() if n.endswith("word_embeddings.weight")).detach()
    words = sorted((w for w in vocabulary if re.fullmatch(r"[^\W\d_]+", w)), key=vocabulary.get)
    vectors = table[[vocabulary[w] for w in words]]
    vectors = vectors - vectors.mean(0)
    _, _, v = torch.linalg.svd(vectors, full_matrices=False)
    low = vectors @ v[:width].T
    return words, low / low.std()


class Sources:
    """Everything that trains, mixed anew for each round."""

    def __init__(self, data: Path, vocabulary: frozenset[str], seed: int) -> None:
        self.pick = random.Random(seed)
        self.filler = Filler(read_pools(HERE / "names", held_out=False), seed)
        self.marked = [m for path in sorted((HERE / "written").glob("*.jsonl")) for m in read_marked(path)]
        self.tab = [
            e for text, spans in read_tab(data / "ner" / "tab-train.jsonl") for e in _cut(to_example(text, spans))
        ]
        self.tweets = [
            *read_tokens(data / "ner" / "btc-train.jsonl", frozenset({"PER"})),
            *read_tokens(data / "ner" / "wnut17-train.jsonl", frozenset({"person"})),
        ]
        self.comments = [c for c in read_comments(data / "themes" / "nhs-phase1-single" / "texts.jsonl") if len(c) > 8]
        remarks = list(read_comments(data / "themes" / "goemotions" / "texts.jsonl"))
        posts = (
            " ".join(t if label == "O" else "X" for t, label in zip(e.tokens, e.labels, strict=True))
            for e in self.tweets
        )
        self.ordinary = [w for w in ordinary_words([*self.comments, *remarks, *posts]) if w in vocabulary]
        self.named = [
            Marked(
                "",
                "unknown",
                re.sub(
                    r"\[NAME\]",
                    lambda _: self.pick.choice(
                        ("[[first:Sam]]", "[[first:Sam]]", "[[full:Sam Lee]]", "[[family:Lee]]")
                    ),
                    c,
                ),
            )
            for c in remarks
            if "[NAME]" in c or self.pick.random() < 0.5
        ]

    def round(self, copies: int) -> list[Example]:
        """The examples of one round in random order."""
        written = [self._varied(self._filled(m)) for m in self.marked for _ in range(copies)]
        named = [self._varied(_open_capitals(self._filled(m))) for m in self.named]
        comments = [self._varied(_open_capitals(to_example(c, ()))) for c in self.pick.sample(self.comments, 2000)]
        tweets = [self._varied(e) for e in self.pick.sample(self.tweets, 2500)]
        examples = [*written, *_joined(written, self.pick), *named, *comments, *tweets, *self.tab]
        self.pick.shuffle(examples)
        return [e for e in examples if e.tokens]

    def _varied(self, example: Example) -> Example:
        return vary(swap(example, self.ordinary, self.pick), self.pick)

    def _filled(self, marked: Marked) -> Example:
        return to_example(*self.filler.fill(marked.text))


def _joined(examples: Sequence[Example], pick: random.Random) -> Iterator[Example]:
    """A few longer texts: two of the same set, one after the other."""
    for _ in range(len(examples) // 12):
        one, two = pick.sample(examples, 2)
        yield Example((*one.tokens, "\n", *two.tokens), (*one.labels, "O", *two.labels))


def _open_capitals(example: Example) -> Example:
    """In texts that nobody marked, a capital in mid-sentence may be a name: it is not held against one."""
    tokens, labels = example.tokens, list(example.labels)
    for i in range(1, len(tokens)):
        if labels[i] == "O" and tokens[i][:1].isupper() and tokens[i] != "I" and tokens[i - 1] not in ".!?\n":
            labels[i] = "?"
    return Example(tokens, tuple(labels))


def _cut(example: Example) -> list[Example]:
    places = [(t, 0, 0) for t in example.tokens]
    return [Example(example.tokens[a:b], example.labels[a:b]) for a, b in passages(places, 160)]


def batches(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Runs of examples of about `TOKENS_A_BATCH` tokens."""
    batch: list[Example] = []
    size = 0
    for example in examples:
        batch.append(example)
        size += len(example.tokens)
        if size >= TOKENS_A_BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def train(data: Path, minutes: float, copies: int = 3, seed: int = 11) -> Path:
    """Train for `minutes` and write the weights; ModelError where the training texts are not at hand."""
    if not (HERE / "written").is_dir() or not (data / "ner").is_dir():
        raise ModelError("training takes a copy of the repository and the data folder with ner/ and themes/")
    torch.manual_seed(seed)
    vocabulary, vectors = static_words()
    words = Words({w: i for i, w in enumerate(vocabulary)})
    pick = random.Random(seed)
    network = Network(vectors)
    optimiser = torch.optim.AdamW(network.parameters(), lr=2.5e-3, weight_decay=0.01)
    began, done, average = time.monotonic(), 0.0, None
    number = 0
    pool = ProcessPoolExecutor(1, initializer=_begin, initargs=(data, frozenset(vocabulary), seed))
    following = pool.submit(_round, copies)
    while done < 1:
        number += 1
        total = seen = 0.0
        examples, following = following.result(), pool.submit(_round, copies)
        for batch in batches(examples):
            done = min(1.0, (time.monotonic() - began) / (60 * minutes))
            if done >= 1:
                break
            for group in optimiser.param_groups:
                group["lr"] = 2.5e-3 * max(0.02, 1 - done) * min(1, (number - 1) + seen / 60 + 0.1)
            tensors = Batch(batch, words, pick)
            loss = nn.functional.cross_entropy(network(tensors), tensors.labels, ignore_index=-100)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            total, seen = total + loss.item(), seen + 1
            if done > 0.5:
                average = _average(average, network)
        print(
            f"round {number}: loss {total / max(1, seen):.4f} over {seen:.0f} batches, {done:.0%} of the time",
            flush=True,
        )
        save(network, average, vocabulary)
    pool.shutdown(cancel_futures=True)
    return HERE / "weights.npz"


_sources: list[Sources] = []


def _begin(data: Path, vocabulary: frozenset[str], seed: int) -> None:
    """In a process beside the training: it mixes the next round meanwhile."""
    _sources.append(Sources(data, vocabulary, seed))


def _round(copies: int) -> list[Example]:
    return _sources[0].round(copies)


def _average(average: dict[str, torch.Tensor] | None, network: Network, keep: float = 0.999) -> dict[str, torch.Tensor]:
    now = {k: v.detach().clone() for k, v in network.state_dict().items()}
    return now if average is None else {k: keep * average[k] + (1 - keep) * now[k] for k in now}


def save(network: Network, average: dict[str, torch.Tensor] | None, vocabulary: Sequence[str]) -> None:
    """Write what `nlp.deid.tagger` reads, in half precision."""
    s = {k: v.numpy() for k, v in (average or network.state_dict()).items()}
    arrays = {
        "groups": s["groups.weight"], "words": s["words"], "unknown": s["unknown"], "shapes": s["shapes.weight"],
        "flags": s["flags.weight"].T, "embed.groups": s["from_groups.weight"].T, "embed.bias": s["from_groups.bias"],
        "embed.words": s["from_words.weight"].T, "embed.gain": s["norm.weight"], "embed.shift": s["norm.bias"],
        "passage.weight": s["passage.weight"].T, "passage.bias": s["passage.bias"],
        "out.weight": s["out.weight"].T, "out.bias": s["out.bias"],
    }  # fmt: skip
    for i in range(len(DILATIONS)):
        arrays[f"conv{i}.weight"], arrays[f"conv{i}.bias"] = s[f"convs.{i}.weight"].T, s[f"convs.{i}.bias"]
        arrays[f"conv{i}.gain"], arrays[f"conv{i}.shift"] = s[f"norms.{i}.weight"], s[f"norms.{i}.bias"]
    halves: dict[str, Any] = {name: a.astype(np.float16) for name, a in arrays.items()}
    np.savez_compressed(HERE / "weights.npz", vocabulary=np.array("\n".join(vocabulary)), **halves)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="the folder that holds ner/ and themes/")
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--copies", type=int, default=3, help="how often a written text is filled anew in a round")
    parser.add_argument("--seed", type=int, default=11)
    asked = parser.parse_args()
    print(train(asked.data, asked.minutes, asked.copies, asked.seed))
