"""Training the models that ship, from a copy of the repository."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.show import say

app = typer.Typer(help="Train the models that ship.", no_args_is_help=True)


@app.command()
def deid(
    data: Annotated[Path, typer.Argument(help="The folder that holds ner/ and themes/.")],
    minutes: Annotated[float, typer.Option(min=0.1, help="How long to train.")] = 25,
) -> None:
    """Train the de-identification model and write its weights into this copy of the repository.

    Example: heard train deid ../shared/data --minutes 25
    """
    from nlp.models.deid.train import train

    say(f"Wrote {train(data, minutes).name}.")


@app.command()
def matcher(
    data: Annotated[Path, typer.Argument(help="The folder that holds themes/.")],
    passes: Annotated[float, typer.Option(min=0.01, help="How often each text is read.")] = 6,
) -> None:
    """Train the encoder that suggestions rest on, from the written corpus and public coded sets, then its prior.

    Example: heard train matcher ../shared/data --passes 6
    """
    from nlp.models.matcher.train import train

    say(
        f"Wrote {train(data, passes, say=say).name}. Fit its prior with “python -m nlp.themes.fit_prior --matcher {data}”."
    )
