"""Print the card's tables: `python -m nlp.models.matcher.table`, the matcher beside plain MiniLM on the held-out fields.

Each field is read with a prior fitted without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nlp.encode import Encoder
from nlp.encode_int8 import encoder_in, heard_matcher
from nlp.models.matcher.fields import Field, as_coded_set, diversity, held_out_fields, read_fields
from nlp.models.matcher.measure import Heard, measure
from nlp.models.matcher.train import for_training
from nlp.themes.fit_prior import fit, pairs_of, site_sets
from nlp.themes.prior import Prior


def rows(fields: Sequence[Field], encoder: Encoder) -> list[Heard]:
    """The held-out fields' figures with one encoder."""
    others = [pairs_of(coded, encoder) for coded in site_sets()]
    own = {field.name: pairs_of(as_coded_set(field), encoder) for field in fields}

    def prior(field: Field) -> Prior:
        weights, intercept = fit([*(p for name, p in own.items() if name != field.name), *others])
        return Prior(tuple(map(float, weights)), intercept, "left out")

    return measure(fields, encoder, prior)


def main() -> None:
    """Print counts and the two tables as one."""
    fields = read_fields()
    print(diversity(fields))
    print("taught on:", diversity(for_training(fields)))
    held = held_out_fields(fields)
    plain = rows(held, encoder_in(None, Path.home() / ".cache" / "heard" / "models", plain=True))
    print("| group | n | recall at 3 | macro-AP | first right |\n|---|---|---|---|---|")
    for before, now in zip(plain, rows(held, heard_matcher()), strict=True):
        pairs = [
            (before.recall_at_3, now.recall_at_3),
            (before.macro_ap, now.macro_ap),
            (before.first_right, now.first_right),
        ]
        print(f"| {now.group} | {now.n} | " + " | ".join(f"{a:.2f} -> {b:.2f}" for a, b in pairs) + " |")


if __name__ == "__main__":
    main()
