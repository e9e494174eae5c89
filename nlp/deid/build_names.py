"""Build the name lists from open data: `python -m nlp.deid.build_names DATA_FOLDER`.

`DATA_FOLDER` holds `names/` (ONS births, OGL v3.0; common names by country, CC0) and `themes/`
(open coded comments, whose lower-case words tell which names are also words).
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

MIN_BIRTHS = 60
MIN_USES_AS_WORD = 3
ALSO_WORDS = frozenset(
    "mark rose grace hope joy faith summer may june april august autumn will bill rob sue pat jack drew dean dale"
    " glen cliff heath rich frank earnest ernest guy art gene grant ray rays sky star sandy rocky sunny stormy"
    " storm misty dusty rusty lucky melody harmony poppy daisy lily ivy iris violet olive hazel holly heather fern"
    " jasmine ginger pepper basil rosemary robin wren jay kit pearl ruby amber crystal jade opal gem penny victor"
    " miles chase hunter mason carter taylor cooper baker archer fisher parker porter tanner king prince duke earl"
    " noble royal major sergeant bishop abbot angel eden eve dawn venus mercedes paris london chelsea india asia"
    " brook brooke lake river reed rowan ash forest bay ocean rain snow skip pip tom sonny buddy buster ace trip"
    " chip gale nova ember honor honour constance prudence patience charity mercy verity clement blessing precious"
    " success princess queen sage clay stone flint steel wade shaw long young white green brown black gray grey"
    " small little wise bright love darling sweet honey sugar candy bliss happy merry jolly max min ad al ali am"
    " an are as be bo can dan do don done ed eh em era ever fin for gabby gen has he her him ho ian in ira is it"
    " jo kay kid la lee les ma mac man mo my nan nat ned no noor of oh on or page pen reece rex rio ron ryan sam"
    " san see sean she sis so ta tad tai tam tea ted tia tim tip to toby tori tray tee us van viv wai way we win"
    " yan yes yen you zen bell belle blue brad bud cherry clover coral dixie dot fay flora gaby gail georgie hale"
    " hank harper jet jewel joe ken kitty lane laurel marina mike mini nick norm orla pa peg piper ralph randy"
    " reggie rocket shade shay sterling tammy tony trinity unity valentine wendy west winter zip north south east"
    " baby boy girl daddy mummy nanna chance case cash dash drake hawk jury lark link mat moss peace pike pine"
    " raven rush scout teal ward webb wolf wood arrow blaze bridge bear champ cove cross dove echo flynn leaf"
    " legend maple marvel meadow mist moon night reason rebel rider ridge saint sailor season seven shadow soul"
    " spark sparrow story sun true truth vale vision wave willow zeal aria sonnet rhythm lyric destiny heaven"
    " miracle treasure journey".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def build(data: Path, out: Path) -> tuple[int, int]:
    """Write `forenames.txt` and `word_names.txt` into `out`; how many of each."""
    names = sorted(_ons(data / "names") | _by_country(data / "names"))
    uses = _lower_case_words(data / "themes")
    words = [name for name in names if name in ALSO_WORDS or uses[name] >= MIN_USES_AS_WORD]
    out.mkdir(exist_ok=True)
    (out / "forenames.txt").write_text("\n".join(names) + "\n", "utf-8")
    (out / "word_names.txt").write_text("\n".join(words) + "\n", "utf-8")
    return len(names), len(words)


def _ons(folder: Path) -> set[str]:
    births: Counter[str] = Counter()
    with (folder / "ons_forenames.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            births[row["name"].strip().casefold()] += int(row["births"])
    return {name for name, n in births.items() if n >= MIN_BIRTHS and len(name) > 2}


def _by_country(folder: Path) -> set[str]:
    with (folder / "common-forenames-by-country.csv").open(encoding="utf-8-sig") as file:
        rows = [row["Romanized Name"].strip().casefold() for row in csv.DictReader(file)]
    return {name for name in rows if len(name) > 2 and _WORD.fullmatch(name)}


def _lower_case_words(folder: Path) -> Counter[str]:
    uses: Counter[str] = Counter()
    for path in sorted(folder.glob("*/texts.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            uses.update(w for w in _WORD.findall(json.loads(line)["text"]) if w.islower())
    return uses


if __name__ == "__main__":
    first_names, also_words = build(Path(sys.argv[1]), Path(__file__).parent / "data")
    print(f"{first_names} first names, {also_words} of them also words")
