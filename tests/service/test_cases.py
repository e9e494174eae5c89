"""One person's voices are read together: names carry over, surrogates stay, names from the form are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nlp.deid.cascade import Deidentifier
from nlp.deid.policy import Policy
from service import wiring
from service.errors import InputError, ServiceError
from service.settings import Settings
from service.study.voices import all_voices, clean_text
from service.usecases import deidentify as usecase
from service.usecases.deidentify import deidentify_lines, deidentify_study
from service.usecases.intake import take_in
from service.vault.store import Vault
from tests.conftest import NOW, Made

PROFILE = "name: t\nrecord_id: id\nparticipant: who\ntexts: [text]\nknown_people: [family, worker]\n"


def quiet(_done: int, _total: int) -> None:
    """Progress that nobody watches."""


def take(made: Made, folder: Path, rows: list[dict[str, str]]) -> None:
    profile, file = folder / "profile.yaml", folder / "in.jsonl"
    profile.write_text(PROFILE)
    file.write_text("".join(json.dumps({"family": "", "worker": "", **r}) + "\n" for r in rows), "utf-8")
    take_in(made.study, file, made.key, now=NOW, keep_raw_days=30, actor="t", profile=profile, speaker="child")


def texts(made: Made) -> list[str]:
    return [clean_text(made.study.db, v.id) for v in all_voices(made.study.db)]


def test_a_name_found_in_one_voice_is_masked_in_the_others_of_that_person(
    made: Made, tmp_path: Path, cascade: Deidentifier
) -> None:
    take(made, tmp_path, [{"id": "1", "who": "p", "text": "My sister, Mrs Zorblatt, came."},
                          {"id": "2", "who": "p", "text": "zorblatt was cross"},
                          {"id": "3", "who": "q", "text": "the zorblatt was cross"}])  # fmt: skip

    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)

    first, second, third = texts(made)
    assert "Zorblatt" not in first
    assert second.startswith("[")
    assert "zorblatt" in third


def test_a_later_voice_gets_the_surrogates_of_the_earlier_ones(
    made: Made, tmp_path: Path, cascade: Deidentifier
) -> None:
    take(made, tmp_path, [{"id": "1", "who": "p", "text": "I told Kasia and then Oluwaseun."}])
    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)
    take(made, tmp_path, [{"id": "1", "who": "p", "text": "I told Kasia and then Oluwaseun."},
                          {"id": "2", "who": "p", "text": "Oluwaseun told Tadhg."}])  # fmt: skip

    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)

    assert texts(made) == ["I told [Person 1] and then [Person 2].", "[Person 2] told [Person 3]."]
    with Vault(made.study.vault_file, made.key, made.study.id) as vault:
        (ledger,) = vault.ledgers(v.participant for v in all_voices(made.study.db)[:1]).values()
    assert sorted(set(ledger.values())) == ["[Person 1]", "[Person 2]", "[Person 3]"]
    assert "asia" not in json.dumps(ledger)


def test_names_from_the_form_are_known_and_sealed(made: Made, tmp_path: Path, cascade: Deidentifier) -> None:
    row = {
        "id": "1",
        "who": "p",
        "family": "Blorp Quuxley; Nim",
        "worker": "Zed Zarniwoop",
        "text": "blorp told nim, zarniwop laughed",
    }
    take(made, tmp_path, [row])

    deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)

    (clean,) = texts(made)
    assert [w for w in ("blorp", "nim", "zarniwop") if w in clean] == []
    stored = (made.study.folder / "study.db").read_bytes() + (made.study.folder / "vault.db").read_bytes()
    assert b"Zarniwoop" not in stored


def test_people_are_not_cut_apart_by_batches(
    made: Made, tmp_path: Path, cascade: Deidentifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usecase, "BATCH", 2)
    rows = [{"id": str(i), "who": f"p{i % 3}", "text": f"Kasia said number {i} to Oluwaseun"} for i in range(9)]
    take(made, tmp_path, rows)

    report = deidentify_study(made.study, made.key, cascade, now=NOW, actor="t", progress=quiet)

    assert report.voices == 9
    assert {t.split(" said")[0] for t in texts(made)} == {"[Person 1]"}


def test_lines_of_one_participant_are_read_together_wherever_they_stand(tmp_path: Path, cascade: Deidentifier) -> None:
    rows = [
        {"id": "a", "participant": "p", "text": "Mrs Zorblatt came"},
        {"id": "b", "text": "the zorblatt came"},
        {"id": "c", "participant": "p", "known": ["Nim Blorp"], "text": "zorblatt and nim"},
    ]
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text("".join(json.dumps(r) + "\n" for r in rows))

    deidentify_lines(source, out, cascade, spans=False, progress=quiet)

    found = {r["id"]: r["clean_text"] for r in map(json.loads, out.read_text().splitlines())}
    assert list(found) == ["a", "b", "c"]
    assert found["b"] == "the zorblatt came"
    assert found["c"].startswith("[Person 1] and [Person 2]") or found["c"] == "[Person 1] and [Person 2]"


@pytest.mark.parametrize(
    ("row", "field"),
    [({"id": 1, "text": "x", "known": "Kasia"}, "known"), ({"id": 1, "text": "x", "known": [1]}, "known"),
     ({"id": 1, "text": "x", "participant": ["p"]}, "participant")],
)  # fmt: skip
def test_a_line_with_a_wrong_field_is_named_and_nothing_is_written(
    tmp_path: Path, cascade: Deidentifier, row: dict[str, object], field: str
) -> None:
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text(json.dumps(row) + "\n")

    with pytest.raises(InputError, match=field) as refused:
        deidentify_lines(source, out, cascade, spans=False, progress=quiet)
    assert "Kasia" not in str(refused.value)
    assert not out.exists()


def test_two_runs_over_one_file_hide_nothing_behind_the_same_invented_name(
    tmp_path: Path, cascade: Deidentifier
) -> None:
    hiding = Deidentifier(cascade.detectors, Policy(names="invented"))
    source = tmp_path / "in.jsonl"
    names = ["Kasia", "Oluwaseun", "Tadhg", "Nasreen", "Zofia", "Bronwen"]
    source.write_text("".join(json.dumps({"id": i, "text": f"I told {n} today"}) + "\n" for i, n in enumerate(names)))

    for out in ("one", "two"):
        deidentify_lines(source, tmp_path / out, hiding, spans=False, progress=quiet)

    one, two = (tmp_path / "one").read_text(), (tmp_path / "two").read_text()
    assert one != two
    assert [n for n in names if n in one + two] == []


def test_a_policy_file_is_read_and_a_wrong_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text("names: number\ndates: hide\nbirth_dates: hide\nages: hide\npostcodes: district\n")
    wiring.deidentifier.cache_clear()
    monkeypatch.setattr(wiring, "settings", lambda: Settings(policy_file=file))
    try:
        (clean,) = wiring.deidentifier().deidentify(["My sister Kasia, 7, lives at OL4 2QD since 3 May 2024"])
        assert clean.text == "My sister [Person 1], [Age], lives at [OL4] since [Date]"
        file.write_text("names: everything\n")
        wiring.deidentifier.cache_clear()
        with pytest.raises(Exception, match="must be one of") as refused:
            wiring.deidentifier()
        assert not isinstance(refused.value, ServiceError)
    finally:
        wiring.deidentifier.cache_clear()
