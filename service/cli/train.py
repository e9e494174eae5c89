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
    scale: Annotated[float, typer.Option(min=0.001, help="Make every stage shorter or longer; 1 is as it ships.")] = 1,
) -> None:
    """Train the encoder that suggestions rest on, from the written corpus and public coded sets.

    Example: heard train matcher ../shared/data
    """
    from nlp.models.matcher.train import train

    say(
        f"Wrote {train(data, scale=scale, say=say).name}. Fit its prior with “python -m nlp.themes.fit_prior --matcher {data}”."
    )
