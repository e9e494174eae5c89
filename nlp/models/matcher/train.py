"""Teach MiniLM which codes a text speaks for, on codebooks of many fields, so that it can read one it has never seen.

A step takes texts of one field and that field's codes. Each code is seen through two lines of its entry, drawn anew
(codebook dropout): a label or another wording of it, the definition, what it includes, a quote, or what another text says
of it. The loss asks three things of the cosines: that a text's codes come first among the codes, that a code's texts come
first among the texts, and that texts of no code stay far from all (after Khosla et al. 2020, "Supervised contrastive
learning"). The pool halves of public coded sets take part as further fields. In the end the weights are averaged with those
that training began from (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

import math
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nlp.encode import bundled_folder
from nlp.encode_int8 import MATCHER, export
from nlp.models.matcher.fields import HELD_OUT, HELD_OUT_HAND, Field, Given, WrittenText, read_fields
from nlp.models.matcher.noise import flattened, respelt
from nlp.text import sentences
from nlp.themes.corpus import CodedSet, read_coded_set
from nlp.themes.curve import Rows, halves
from nlp.types import Code

SEED = 11
TEXTS, CODES = 40, 24
SCALE = 20.0
WARM_UP = 0.08
LONGEST = 128
CLAUSE, FLAT, RESPELT = 0.3, 0.25, 0.35
PUBLIC, PUBLIC_A_PASS = ("goemotions", "nhs-phase1-single"), 600

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """Passes over the texts of some hands (all where none is named), at a learning rate."""

    passes: float
    rate: float
    hands: frozenset[str] = frozenset()


FIRST_HANDS = frozenset({"public", *(f"W{n}" for n in range(1, 9))})
STAGES = (Stage(6.0, 8e-5, FIRST_HANDS), Stage(2.0, 5e-5))
TAUGHT = 0.7  # the share of the taught weights in what ships


def for_training(fields: Sequence[Field]) -> list[Field]:
    """All but the held-out fields and the held-out hand."""
    kept = [f for f in fields if f.name not in HELD_OUT]
    return [
        Field(f.name, f.codebook, f.other_labels, tuple(t for t in f.texts if t.hand != HELD_OUT_HAND)) for f in kept
    ]


def public_fields(folder: Path) -> list[Field]:
    """Half of the pool halves of public coded sets, as fields; a whole text is its own evidence.

    The other half is what the prior is fitted on.
    """
    return [_public_field(read_coded_set(folder / name)) for name in PUBLIC]


def public_for_prior(folder: Path) -> list[CodedSet]:
    """The texts of the pool halves that the encoder is not taught on."""
    sets = [read_coded_set(folder / name) for name in PUBLIC]
    return [replace(coded, texts=tuple(coded.texts[i] for i in _pool(coded)[1::2])) for coded in sets]


def _pool(coded: CodedSet) -> Rows:
    return halves(len(coded.texts), 0)[0]


def _public_field(coded: CodedSet) -> Field:
    known = {code.id for code in coded.codebook.codes}
    texts = []
    for i in _pool(coded)[::2]:
        text = coded.texts[i]
        given = tuple(Given(code, text.text, implied=False) for code in sorted(text.codes & known))
        texts.append(WrittenText(text.id, text.text, text.voice, "", "public", given, ()))
    return Field(coded.name, coded.codebook, {}, tuple(texts))


class Drawer:
    """Draws the lines of one field's entries and the texts of a step."""

    def __init__(self, field: Field, dice: random.Random) -> None:
        self.field, self._dice = field, dice
        self.codes = list(field.codebook.codes)
        self._said: dict[str, list[tuple[str, str]]] = {code.id: [] for code in self.codes}
        for text in field.texts:
            for given in text.given:
                self._said[given.code].append((text.id, given.evidence))

    def steps(self) -> Iterator[list[WrittenText]]:
        """The field's texts in a new order, cut into steps."""
        most = min(len(self.field.texts), PUBLIC_A_PASS) if self.field.name in PUBLIC else len(self.field.texts)
        order = self._dice.sample(self.field.texts, most)
        count = max(1, round(len(order) / TEXTS))
        for part in np.array_split(np.arange(len(order)), count):
            yield [order[i] for i in part]

    def wording(self, text: WrittenText) -> tuple[str, frozenset[str]]:
        """What is read of a text, and its codes: the whole, or a clause with the codes that it shows."""
        words, codes = text.text, text.codes
        if text.given and self._dice.random() < CLAUSE:
            words = self._dice.choice(text.given).evidence
            codes = frozenset(g.code for g in text.given if g.evidence in words)
        if self._dice.random() < FLAT:
            words = flattened(words) or words
        if self._dice.random() < RESPELT:
            words = respelt(words, self._dice, share=self._dice.uniform(0.05, 0.3))
        return words, codes

    def chosen_codes(self) -> list[Code]:
        """The codes of a step: all, or so many that their order says nothing."""
        count = min(len(self.codes), CODES, self._dice.randint(max(2, len(self.codes) // 2), len(self.codes) + 6))
        return self._dice.sample(self.codes, count)

    def lines(self, codes: Sequence[Code], shown: frozenset[str]) -> list[str]:
        """One line of each code's entry, all of one kind or mixed; nothing said in the texts that are `shown`."""
        kind = self._dice.choice(("label", "meaning", "quote", "said", "said", "mixed", "mixed"))
        return [self._line(code, kind, shown) for code in codes]

    def _line(self, code: Code, kind: str, shown: frozenset[str]) -> str:
        dice = self._dice
        if kind == "mixed":
            kind = dice.choice(("label", "meaning", "meaning", "include", "quote", "quote", "said"))
        labels = (code.label, *self.field.other_labels.get(code.id, ()))
        said = [words for text, words in self._said[code.id] if text not in shown] if kind == "said" else []
        options: Sequence[str] = {
            "label": labels,
            "include": code.include,
            "quote": code.examples,
            "said": said,
        }.get(kind, ())
        if options:
            return dice.choice(options)
        first_two = " ".join(s.of(code.definition).strip() for s in sentences(code.definition)[:2])
        return f"{dice.choice(labels)}. {first_two}".strip()


def teach(folder: Path, fields: Sequence[Field], stage: Stage, *, say: Log) -> Any:
    """A sentence-transformers model that began as the one in `folder`; the same data and seed give the same weights."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.manual_seed(SEED)
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    model.max_seq_length = LONGEST
    dice = random.Random(SEED)
    drawers = [Drawer(field, dice) for field in fields]
    total = math.ceil(stage.passes * sum(len(list(d.steps())) for d in drawers))
    optimiser = torch.optim.AdamW(model.parameters(), lr=stage.rate, weight_decay=0.01)
    bias = torch.nn.Parameter(torch.tensor(-0.35 * SCALE))
    optimiser.add_param_group({"params": [bias], "weight_decay": 0.0, "lr": 1e-2})
    plan = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda i: _pace(i, total))
    model.train()
    began, losses = time.monotonic(), list[float]()
    for number, (drawer, texts) in enumerate(_all_steps(drawers, dice, total), 1):
        loss = _loss(model, bias, drawer, texts)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        plan.step()
        losses.append(loss.item())
        if number % 50 == 0 or number == total:
            say(f"step {number} of {total}: loss {np.mean(losses[-50:]):.3f}, {time.monotonic() - began:.0f} s")
    return model.eval()


def blend(folder: Path, plain: Path, share: float) -> Any:
    """The model in `folder`, its weights averaged with those of `plain`; `share` is its own part, 0 to 1."""
    import torch
    from sentence_transformers import SentenceTransformer

    model, other = (SentenceTransformer(str(f), device="cpu", local_files_only=True) for f in (folder, plain))
    theirs = dict(other.named_parameters())
    with torch.no_grad():
        for name, p in model.named_parameters():
            p.copy_(share * p + (1 - share) * theirs[name])
    return model.eval()


def _pace(step: int, total: int) -> float:
    """Up in a straight line, then down along a cosine."""
    warm = max(1.0, WARM_UP * total)
    return step / warm if step < warm else 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1.0, total - warm)))


def _all_steps(
    drawers: Sequence[Drawer], dice: random.Random, total: int
) -> Iterator[tuple[Drawer, list[WrittenText]]]:
    made = 0
    while made < total:
        steps = [(drawer, texts) for drawer in drawers for texts in drawer.steps()]
        dice.shuffle(steps)
        yield from steps[: total - made]
        made += len(steps)


def _loss(model: Any, bias: Any, drawer: Drawer, texts: Sequence[WrittenText]) -> Any:
    import torch

    codes = drawer.chosen_codes()
    shown = frozenset(t.id for t in texts)
    read = [drawer.wording(t) for t in texts]
    lines = [*drawer.lines(codes, shown), *drawer.lines(codes, shown)]
    vectors = _encode(model, [*(words for words, _ in read), *lines])
    asked, entries = vectors[: len(read)], vectors[len(read) :].reshape(2, len(codes), -1)
    truth = torch.tensor([[code.id in given for code in codes] for _, given in read])
    near = torch.tensor([[code.id in t.near for code in codes] for t in texts])
    each = [SCALE * asked @ one.T for one in entries]
    both = torch.stack(each).logsumexp(0) - math.log(len(each))
    return sum(_first(s, truth) + _first(s.T, truth.T) for s in (*each, both)) / 3 + _apart(both, bias, truth, near)


def _first(scores: Any, truth: Any) -> Any:
    """How far what is true is from standing before all that is not; rows with nothing true or nothing false say nothing."""
    import torch

    false = scores.masked_fill(truth, -math.inf).logsumexp(1, keepdim=True)
    lost = torch.nn.functional.softplus(false - scores)
    rows = truth.any(1) & ~truth.all(1)
    if not rows.any():
        return scores.sum() * 0.0
    true = truth[rows]
    return ((lost[rows] * true).sum(1) / true.sum(1)).mean()


def _apart(scores: Any, bias: Any, truth: Any, near: Any) -> Any:
    import torch

    weight = 1.0 + 2.0 * near + 2.0 * truth
    return torch.nn.functional.binary_cross_entropy_with_logits(scores + bias, truth.float(), weight=weight)


def _encode(model: Any, texts: Sequence[str]) -> Any:
    """Vectors of length one, with a gradient; texts of like length go together."""
    import torch

    order = np.argsort([len(t) for t in texts], kind="stable")
    parts = np.array_split(order, max(1, round(len(texts) / 32)))
    with torch.autocast("cpu", torch.bfloat16):  # twice as fast where the processor knows it
        rows = [model(_tokens(model, [texts[i] for i in part]))["sentence_embedding"] for part in parts]
    vectors = torch.nn.functional.normalize(torch.cat(rows).float(), dim=1)
    return vectors[torch.as_tensor(np.argsort(np.concatenate(parts), kind="stable"))]


def _tokens(model: Any, texts: Sequence[str]) -> Any:
    return model.tokenizer(list(texts), padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")


def train(data: Path, *, share: float = TAUGHT, scale: float = 1.0, say: Log) -> Path:
    """Teach stage by stage, export, and write what ships into this copy of the repository; the file of the weights.

    `scale` shortens or lengthens every stage.
    """
    fields = [*public_fields(data / "themes"), *for_training(read_fields())]
    with tempfile.TemporaryDirectory() as work:
        taught = bundled_folder()
        for number, stage in enumerate(STAGES):
            mine = of_hands(fields, stage.hands)
            taken = Stage(stage.passes * scale, stage.rate, stage.hands)
            model, taught = teach(taught, mine, taken, say=say), Path(work, str(number))
            model.save(str(taught))
        blend(taught, bundled_folder(), share).save(str(Path(work, "shipped")))
        return ship(Path(work, "shipped"))


def of_hands(fields: Sequence[Field], hands: frozenset[str]) -> list[Field]:
    """The fields with the texts of some hands, all where none is named; fields that are left empty go."""
    kept = [replace(f, texts=tuple(t for t in f.texts if not hands or t.hand in hands)) for f in fields]
    return [field for field in kept if field.texts]


def ship(folder: Path) -> Path:
    """Export a taught model and put it where it is loaded from; the file of the weights."""
    export(folder, MATCHER / "weights.onnx")
    shutil.copyfile(folder / "tokenizer.json", MATCHER / "tokenizer.json")
    return MATCHER / "weights.onnx"
