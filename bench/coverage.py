"""Do 95% intervals keep their word? `python bench/coverage.py --runs 2000 --out FILE [--workers 1] [--neas FOLDER]`.

Studies are made with a known truth: texts in persons of one to eight, a theme and a machine's errors that both hang
together within a person, and a known sensitivity and specificity. In each cell every method reads as many units; its
interval is scored against its own named truth, and its width against a blind uniform draw of as many units (Wilson,
with the finite-population correction). The intervals are those of `nlp.findings.prevalence`, worked out for all runs
of a cell at once. FOLDER is a coded set: there the human codes are the truth and the design alone is simulated.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from nlp.findings.prevalence import Blind, Sample, Shown, Unit, with_shown
from nlp.findings.prevalence.machine import Tuning, corrected_machine
from nlp.findings.prevalence.strata import (
    FIVE,
    Strata,
    arms,
    by_suggestion,
    five_classes,
    mover,
    never_against_what_was_seen,
    score,
    strata_of,
)  # fmt: skip
from nlp.findings.prevalence.wider import stretch
from nlp.intervals import wilson_bounds

SHARES = (0.02, 0.08, 0.20, 0.40)
MACHINES = ((0.5, 0.90), (0.7, 0.95), (0.9, 0.99), (0.5, 0.99), (0.9, 0.90))
DESIGNS = ((200, 80), (500, 110), (2000, 200), (5000, 350))
SIZES = np.arange(1, 9)
SIZE_WEIGHTS = 0.78**SIZES / (0.78**SIZES).sum()  # mean 3.1
PLANNED = 20
TEXT_SHARES_OF_15 = np.geomspace(0.02, 0.40, 15)


@dataclass(frozen=True)
class Cell:
    """One kind of study; `N` units loaded and `B` read. `slope` and `shift` bend the machine's probabilities."""

    p: float
    sens: float
    spec: float
    N: int
    B: int
    icc: float = 0.2
    machine_icc: float = 0.2
    most_texts: int = 8
    slope: float = 1.0
    shift: float = 0.0
    worse_group: float = 0.0
    accepts: float = 0.0
    kind: str = "grid"


def cells() -> list[Cell]:
    """The 80 cells of the grid, 16 that are harder in one way each, then groups, shown decisions and 15 codes in one read."""
    grid = [Cell(p, *m, *d) for p in SHARES for m in MACHINES for d in DESIGNS]
    one = Cell(0.08, 0.7, 0.95, 500, 110, kind="stress")
    stress = [replace(one, icc=i, machine_icc=i) for i in (0.0, 0.4)]
    stress += [replace(one, p=0.2, N=2000, B=200, icc=i, machine_icc=i) for i in (0.0, 0.4)]
    stress += [replace(one, most_texts=1), replace(one, p=0.2, most_texts=1)]
    stress += [replace(one, slope=a, shift=b) for a, b in ((0.5, 0), (2, 0), (1, 1.5), (1, -1.5))]
    stress += [replace(one, B=b) for b in (60, 200)] + [replace(one, N=5000, B=60), replace(one, N=200, B=60)]
    stress += [replace(one, worse_group=0.2), replace(one, p=0.2, N=2000, B=200, worse_group=0.2)]
    groups = [Cell(p, 0.7, 0.95, n, 300, worse_group=0.2, kind="groups") for p in (0.15, 0.3) for n in (1000, 3000)]
    shown = [Cell(0.08, *m, 1000, 200, accepts=a, kind="shown")
             for m in ((0.7, 0.95), (0.9, 0.90)) for a in (0.0, 0.1, 0.2, 0.3)]  # fmt: skip
    fifteen = [Cell(float(p), *MACHINES[i % 5], 2000, 200, kind="fifteen") for i, p in enumerate(TEXT_SHARES_OF_15)]
    return grid + stress + groups + shown + fifteen


@dataclass(frozen=True)
class Texts:
    """Texts of one study: whose, whether the theme is there, what the machine says."""

    person: np.ndarray
    holds: np.ndarray
    suggested: np.ndarray
    machine: np.ndarray
    worse: np.ndarray


def study(cell: Cell, dice: np.random.Generator, people: int | None = None) -> Texts:
    """Texts of `people` persons, or `N` texts of as many persons as it takes."""
    weights = SIZE_WEIGHTS[: cell.most_texts] / SIZE_WEIGHTS[: cell.most_texts].sum()
    sizes = dice.choice(SIZES[: cell.most_texts], people or cell.N, p=weights)
    person = np.repeat(np.arange(len(sizes)), sizes)
    if people is None:
        person = person[: cell.N]
    count = int(person[-1]) + 1
    own = _own(cell, count, dice)
    holds = dice.random(len(person)) < own[person]
    worse = (dice.random(count) < 0.35)[person] if cell.worse_group else np.zeros(len(person), bool)
    edge = norm.ppf(cell.spec)
    apart = edge + norm.ppf(cell.sens)
    less = apart - edge - norm.ppf(max(cell.sens - cell.worse_group, 0.01))
    lean = np.sqrt(cell.machine_icc) * dice.normal(size=count)[person]
    seen = lean + np.sqrt(1 - cell.machine_icc) * dice.normal(size=len(person)) + holds * (apart - worse * less)
    logit = np.log(cell.p / (1 - cell.p)) + apart * seen - apart**2 / 2
    machine = 1 / (1 + np.exp(-np.clip(cell.slope * logit + cell.shift, -30, 30)))
    return Texts(person, holds, seen > edge, machine, worse)


def _own(cell: Cell, count: int, dice: np.random.Generator) -> np.ndarray:
    """Each person's own share of texts with the theme."""
    if not cell.icc:
        return np.full(count, cell.p)
    strength = (1 - cell.icc) / cell.icc
    return dice.beta(cell.p * strength, (1 - cell.p) * strength, count)


def ever_wider(cell: Cell) -> float:
    """How many of people like these ever say it."""
    weights = SIZE_WEIGHTS[: cell.most_texts] / SIZE_WEIGHTS[: cell.most_texts].sum()
    never = 1.0
    out = 0.0
    for m, weight in enumerate(weights):
        if not cell.icc:
            never *= 1 - cell.p
        else:
            strength = (1 - cell.icc) / cell.icc
            never *= ((1 - cell.p) * strength + m) / (strength + m)
        out += weight * (1 - never)
    return float(out)


def draw(
    labels: np.ndarray, spreads: np.ndarray, reads: int, dice: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """A draw from strata, seven tenths by size and planned spread and three by size: who is read, and their weights."""
    size = np.bincount(labels, minlength=len(spreads))
    near = size * np.clip(spreads, 0.1, 0.5)
    wanted = np.maximum(np.round((0.7 * near / near.sum() + 0.3 * size / size.sum()) * reads), 5)
    count = np.minimum(wanted, size).astype(int)
    count[np.argmax(size)] = min(size.max(), max(count[np.argmax(size)] + reads - count.sum(), 1))
    read = np.zeros(len(labels), bool)
    for h, n in enumerate(count):
        read[dice.choice(np.flatnonzero(labels == h), n, replace=False)] = True
    return read, (size / np.maximum(count, 1))[labels]


def uniform(count: int, reads: int, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Who is read of a uniform draw, and the weights."""
    read = np.zeros(count, bool)
    read[dice.choice(count, min(reads, count), replace=False)] = True
    return read, np.full(count, count / min(reads, count))


@dataclass
class Kept:
    """What the runs of one method came to, to be put together for a cell at once."""

    strata: list[Strata]
    truth: list[float]
    seen: list[tuple[int, int, int]]
    ready: list[tuple[float, float, float]]
    factor: list[float]


def kept() -> Kept:
    """Nothing yet."""
    return Kept([], [], [], [], [])


def run(cell: Cell, seed: int, runs: int) -> dict[str, dict[str, float]]:
    """Every method's coverage, bias and width in a cell."""
    dice = np.random.default_rng(
        [seed, *(int(1e4 * v) for v in asdict(cell).values() if not isinstance(v, str) and v >= 0)]
    )
    held: dict[str, Kept] = defaultdict(kept)
    for _ in range(runs):
        if cell.kind == "groups":
            _groups(cell, dice, held)
            continue
        if cell.kind == "shown":
            _shown(cell, dice, held)
            continue
        texts = study(cell, dice)
        _level(cell, texts.holds, texts.suggested, texts.machine, texts.person, Unit.TEXT, dice, held)
        if cell.kind != "fifteen":
            many = study(cell, dice, people=cell.N)
            _level(cell, *_people(many, cell.N), np.arange(cell.N), Unit.PERSON, dice, held)
    return {name: _summary(name, of) for name, of in held.items()}


def _people(texts: Texts, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    holds, suggested = (np.bincount(texts.person, t, count) > 0 for t in (texts.holds, texts.suggested))
    return (
        holds,
        suggested,
        1 - np.exp(np.bincount(texts.person, np.log1p(-np.minimum(texts.machine, 1 - 1e-12)), count)),
    )


def _level(
    cell: Cell, holds: np.ndarray, suggested: np.ndarray, machine: np.ndarray, person: np.ndarray, unit: Unit,
    dice: np.random.Generator, held: dict[str, Kept],
) -> None:  # fmt: skip
    truth, count = float(holds.mean()), len(holds)
    name = partial("{} {}".format, unit)
    read, weight = uniform(count, cell.B, dice)
    drawn = Sample(unit, suggested, read, holds & read, weight, machine, person)
    _keep(held[name("default, uniform")], drawn, by_suggestion(drawn), 2, truth)
    plain = (int((holds & read).sum()), int(read.sum()), count)
    held[name("blind reads alone")].seen.append(plain)
    held[name("blind reads alone")].truth.append(truth)
    _raw(held, name, suggested, holds, truth)
    if cell.kind == "fifteen":
        return
    wider = held[name("wider")]
    strata = strata_of(drawn, by_suggestion(drawn), 2, finite=False)
    wider.strata.append(strata)
    wider.factor.append(stretch(drawn, strata))
    wider.truth.append(cell.p if unit is Unit.TEXT else ever_wider(cell))
    if cell.B * (cell.p if unit is Unit.TEXT else ever_wider(cell)) >= PLANNED:  # known before these reads
        for method, tuning in (("PPI", Tuning.WHOLE), ("PPI++", Tuning.FITTED)):
            of = held[name(method)]
            of.ready.append(corrected_machine(drawn, tuning))
            of.truth.append(truth)
            of.seen.append(plain)
    labels = suggested.astype(np.int64)
    spreads = np.array([_spread(machine[labels == h]) for h in (0, 1)])
    read, weight = draw(labels, spreads, cell.B, dice) if suggested.any() else (read, weight)
    drawn = Sample(unit, suggested, read, holds & read, weight, machine, person)
    _keep(held[name("default, strata drawn")], drawn, labels, 2, truth)
    if unit is Unit.TEXT and cell.B >= 100:
        labels = five_classes(machine)
        spreads = np.array([_spread(machine[labels == h]) for h in range(FIVE)])
        read, weight = draw(labels, spreads, cell.B, dice)
        drawn = Sample(unit, suggested, read, holds & read, weight, machine, person)
        _keep(held[name("five strata")], drawn, labels, FIVE, truth)


def _spread(machine: np.ndarray) -> float:
    mean = float(machine.mean()) if len(machine) else 0.0
    return float(np.sqrt(mean * (1 - mean)))


def _keep(of: Kept, drawn: Sample, labels: np.ndarray, count: int, truth: float) -> None:
    of.strata.append(strata_of(drawn, labels, count))
    of.truth.append(truth)
    of.seen.append((int(drawn.positive.sum()), int(drawn.read.sum()), len(drawn)))


def _raw(held: dict[str, Kept], name: partial[str], suggested: np.ndarray, holds: np.ndarray, truth: float) -> None:
    for method, share in (("raw suggestions", suggested.mean()), ("confirmed only", (suggested & holds).mean())):
        of = held[name(method)]
        of.ready.append((float(share),) * 3)
        of.truth.append(truth)
        of.seen.append((0, 0, 1))


def _groups(cell: Cell, dice: np.random.Generator, held: dict[str, Kept]) -> None:
    """The difference of two groups, equal reads in each; the machine misses more of one."""
    texts = study(cell, dice)
    own = dict[str, tuple[float, Strata, tuple[int, int, int]]]()
    for name, rows in (("worse", texts.worse), ("other", ~texts.worse)):
        read, weight = uniform(int(rows.sum()), cell.B // 2, dice)
        holds, suggested = texts.holds[rows], texts.suggested[rows]
        drawn = Sample(Unit.TEXT, suggested, read, holds & read, weight)
        seen = (int((holds & read).sum()), int(read.sum()), len(read))
        own[name] = (float(holds.mean()), strata_of(drawn, by_suggestion(drawn), 2), seen)
    for name, (truth, strata, seen) in own.items():
        of = held[f"group {name}"]
        of.strata.append(strata)
        of.truth.append(truth)
        of.seen.append(seen)


def _shown(cell: Cell, dice: np.random.Generator, held: dict[str, Kept]) -> None:
    """Suggested texts decided with the suggestion on screen by a coder who leans, half of them read again blind."""
    texts = study(cell, dice)
    here = np.flatnonzero(texts.suggested)
    rest = np.flatnonzero(~texts.suggested)
    shown = dice.choice(here, min(len(here), cell.B // 2), replace=False)
    said = texts.holds[shown] | (dice.random(len(shown)) < cell.accepts)
    twice = dice.permutation(len(shown))[: max(20, len(shown) // 2)]
    blind = dice.choice(rest, min(len(rest), cell.B // 2), replace=False)
    found = Shown(len(here), said, said[twice], texts.holds[shown][twice])
    of = held["shown, by difference"]
    of.ready.append(with_shown(found, Blind(len(rest), len(blind), int(texts.holds[blind].sum()))))
    of.truth.append(float(texts.holds.mean()))
    of.seen.append((0, 0, 1))


def _summary(name: str, of: Kept) -> dict[str, float]:
    truth = np.array(of.truth)
    share, low, high = _intervals(name, of)
    covered = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
    error = share - truth
    return {
        "cover": float(covered.mean()), "runs": len(truth), "bias": float(error.mean()),
        "bias_error": float(error.std() / np.sqrt(len(error))), "width": float((high - low).mean()),
    }  # fmt: skip


def _intervals(name: str, of: Kept) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if of.ready:
        share, low, high = np.array(of.ready).T
        positives, read, loaded = np.array(of.seen).T
        low, high = never_against_what_was_seen(low, high, positives=positives, read=read, loaded=loaded)
        return share, np.minimum(low, share), np.maximum(high, share)
    if not of.strata:
        positives, read, loaded = np.array(of.seen, float).T
        share = positives / read
        low, high = wilson_bounds(
            share, np.where(read < loaded, read * loaded / np.maximum(loaded - read, 1e-9), np.inf)
        )
        return share, low, high
    strata = Strata(*(np.stack([getattr(s, part) for s in of.strata]) for part in ("part", "share", "reads")))
    if of.factor:
        below, above = arms(strata)
        factor = np.array(of.factor)
        return (
            strata.estimate, np.maximum(strata.estimate - factor * below, 0),
            np.minimum(strata.estimate + factor * above, 1),
        )  # fmt: skip
    low, high = score(strata) if "five" in name else mover(strata)
    positives, read, loaded = np.array(of.seen).T
    low, high = never_against_what_was_seen(low, high, positives=positives, read=read, loaded=loaded)
    return strata.estimate, np.minimum(low, strata.estimate), np.maximum(high, strata.estimate)


def differences(cell: Cell, seed: int, runs: int) -> dict[str, dict[str, float]]:
    """Groups: each one's own interval, and the difference by MOVER of both."""
    dice = np.random.default_rng([seed, int(1e4 * cell.p), cell.N])
    held: dict[str, Kept] = defaultdict(kept)
    for _ in range(runs):
        _groups(cell, dice, held)
    found = {n: (np.array(held[f"group {n}"].truth), *_intervals(n, held[f"group {n}"])) for n in ("worse", "other")}
    (t1, p1, l1, u1), (t2, p2, l2, u2) = found["worse"], found["other"]
    low, high = p1 - p2 - np.hypot(p1 - l1, u2 - p2), p1 - p2 + np.hypot(u1 - p1, p2 - l2)
    ready = Kept([], list(t1 - t2), [(-(10**9), 0, 1)] * runs, list(zip(p1 - p2, low, high, strict=True)), [])
    out = {f"group {n}": _summary(n, held[f"group {n}"]) for n in ("worse", "other")}
    covered = (low <= t1 - t2) & (t1 - t2 <= high)
    error = p1 - p2 - (t1 - t2)
    return out | {
        "difference of groups": {
            "cover": float(covered.mean()), "runs": len(ready.truth), "bias": float(error.mean()),
            "bias_error": float(error.std() / np.sqrt(runs)), "width": float((high - low).mean()),
        }
    }  # fmt: skip


def done(cell: Cell, seed: int, runs: int) -> dict[str, object]:
    """One line of the results."""
    found = differences(cell, seed, runs) if cell.kind == "groups" else run(cell, seed, runs)
    return {"cell": asdict(cell), "methods": found}


def real(folder: Path, seeds: int, reads: int) -> dict[str, dict[str, float]]:
    """Human codes as the truth, the codebook's own suggestions as strata, uniform draws; by code."""
    from nlp.themes.corpus import read_coded_set
    from nlp.themes.curve import Curve
    from service import wiring

    coded = read_coded_set(folder, None)
    curve = Curve(coded, wiring.encoder())
    probabilities = curve.prior_probabilities
    out = {}
    for j, code in enumerate(coded.codebook.active_codes):
        holds = np.array([code.id in t.codes for t in coded.texts])
        dice, of = np.random.default_rng(j), kept()
        for _ in range(seeds):
            read, weight = uniform(len(holds), reads, dice)
            drawn = Sample(Unit.TEXT, probabilities[:, j] >= 0.2, read, holds & read, weight, probabilities[:, j])
            _keep(of, drawn, by_suggestion(drawn), 2, float(holds.mean()))
        out[code.id] = _summary("default", of) | {"share": float(holds.mean())}
    return out


def table(rows: list[dict[str, object]]) -> Iterator[str]:
    """Worst and mean coverage, worst bias and ratios of width for each method, and whether the numbers wanted are reached."""
    found: dict[str, list[tuple[dict, dict, dict]]] = defaultdict(list)
    for row in rows:
        for name, values in row["methods"].items():
            found[name].append((row["cell"], values, row["methods"]))
    yield "| method | cells | coverage: worst | mean | under .93 | worst bias, points | its error | width: median | most |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name, held in found.items():
        cover = np.array([v["cover"] for _, v, _ in held])
        worst = max(held, key=lambda h: abs(h[1]["bias"]))[1]
        base = f"{name.split(' ')[0]} blind reads alone"
        ratio = [v["width"] / every[base]["width"] for c, v, every in held if base in every and c["kind"] != "fifteen"]
        wide = f"{np.median(ratio):.2f} | {max(ratio):.2f}" if ratio else "|"
        yield (
            f"| {name} | {len(held)} | {cover.min():.3f} | {cover.mean():.3f} | {(cover < 0.93).sum()} |"
            f" {100 * worst['bias']:+.2f} | {100 * worst['bias_error']:.2f} | {wide} |"
        )


def main() -> None:
    """Run every cell, a line of JSON each as it is done, then the table."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--runs", type=int, default=500)
    asked.add_argument("--workers", type=int, default=1)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--kind", default="")
    asked.add_argument("--out", type=Path, required=True)
    asked.add_argument("--neas", type=Path)
    asked.add_argument("--table", action="store_true", help="Only print the table of the lines in --out.")
    given = asked.parse_args()
    if not given.table:
        began, wanted = time.perf_counter(), [c for c in cells() if given.kind in ("", c.kind)]
        with ProcessPoolExecutor(given.workers) as pool, given.out.open("w", encoding="utf-8") as out:
            for row in pool.map(partial(done, seed=given.seed, runs=given.runs), wanted):
                out.write(json.dumps(row) + "\n")
                out.flush()
        print(f"{len(wanted)} cells, {given.runs} runs each, {time.perf_counter() - began:.0f} s\n")
    rows = [json.loads(line) for line in given.out.read_text("utf-8").splitlines()]
    print("\n".join(table(rows)))
    if given.neas:
        found = real(given.neas, given.runs, 200)
        cover = np.array([v["cover"] for v in found.values()])
        print(f"\n{given.neas.name}: {len(cover)} codes, 200 read: mean {cover.mean():.3f}, least {cover.min():.3f}")
        print(json.dumps(found))


if __name__ == "__main__":
    main()
