"""The traps of real exports: each is read right, or refused with the row named. Nobody in these files exists."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from docx import Document
from openpyxl import Workbook

from service.errors import InputError
from service.files.choose import choose_profile
from service.files.mapping import Profile, save_profile
from service.files.tables import Table, read_table
from service.usecases.answers import Answer, Records, answers, open_rows
from service.usecases.signs import signs_in

LONG = "i like it here because people listen to me"
MOJIBAKE = "I donâ€™t feel safe at my sonâ€™s school at all"


def opened(file: Path, saved: Path | None = None) -> tuple[Table, Profile]:
    table = read_table(file)
    return table, choose_profile(table, profile=None, text_column=None, saved=saved)


def read(file: Path) -> list[Answer]:
    table, profile = opened(file)
    records, found = Records(table, profile), list[Answer]()
    for row, may_be_read in open_rows(table, profile):
        records.check(row)
        found += answers(table, profile, row) if may_be_read else ()
    return found


def words(file: Path) -> list[str]:
    return [answer.words for answer in read(file)]


def csv(folder: Path, text: str | bytes, name: str = "in.csv") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def sheet(folder: Path, rows: list[list[object]], change: Callable[[Workbook], None] = lambda _: None) -> Path:
    book = Workbook()
    for row in rows:
        book.active.append(row)
    change(book)
    book.save(folder / "in.xlsx")
    return folder / "in.xlsx"


PLAIN = f"id,text\n1,{LONG}\n2,no thanks to them\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        b"\xff\xfe" + PLAIN.encode("utf-16-le"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode(),
        PLAIN.replace(",", "|").encode(),
        PLAIN.replace("id,text\n", "id,text,,,\n").encode(),
        PLAIN.replace(LONG, f'"{LONG}"').encode(),
        (PLAIN + "\n,\n").encode(),
        PLAIN.replace("id,text", " id , text ").encode(),
    ],
    ids=["utf-8", "bom", "utf-16", "utf-16 le", "utf-16 be", "crlf", "semicolons", "tabs", "bars", "empty columns at the end",
         "quoted", "blank rows", "blanks round names"],
)  # fmt: skip
def test_the_same_words_come_out_of_every_usual_form(tmp_path: Path, content: bytes) -> None:
    assert words(csv(tmp_path, content)) == [LONG, "no thanks to them"]


def test_a_windows_file_is_read_as_such_and_told(tmp_path: Path) -> None:
    file = csv(tmp_path, "id,text\n1,it’s fine – mostly\n".encode("cp1252"))
    assert words(file) == ["it’s fine – mostly"]
    assert read_table(file).notes == ("The file is not UTF-8; it was read as Windows-1252.",)


def test_line_breaks_inside_a_cell_are_kept(tmp_path: Path) -> None:
    assert words(csv(tmp_path, 'id,text\n1,"one\r\ntwo"\n2,b c\n'))[0].split() == ["one", "two"]


@pytest.mark.parametrize(
    "said", ["😀😀 love it", "Rydw i’n hapus yma", "مجھے یہاں اچھا لگتا ہے", "আমি এখানে ভালো আছি", "I HATE IT HERE"]
)
def test_words_of_every_script_are_kept(tmp_path: Path, said: str) -> None:
    assert words(csv(tmp_path, f"id,text\n1,{said}\n")) == [said]


@pytest.mark.parametrize("nothing", ["", "n/a", "N/A", "-", ".", "nil", "  "])
def test_an_answer_that_says_nothing_is_no_voice(tmp_path: Path, nothing: str) -> None:
    assert words(csv(tmp_path, f"id,text\n1,{nothing}\n2,hello there\n")) == ["hello there"]


@pytest.mark.parametrize("said", ["nothing", "no", "dont know", "idk"])
def test_a_short_answer_is_a_voice(tmp_path: Path, said: str) -> None:
    assert words(csv(tmp_path, f"id,text\n1,{said}\n")) == [said]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("id,text,text\n1,a,b\n", ["row 1", "same name"]),
        ("id,text\n1,a\n2,b,c\n", ["row 3", "more cells"]),
        ('id,text\n1,"a\n2,b\n', ["row", "quotation mark"]),
        ("id,text\n1,a\n1,b\n", ["row 3", "stands twice"]),
        ("id,text\n1," + "x" * 4_100_000 + "\n", ["row 2", "longer than"]),
        ("id,text,ICS-Confidential\n1,a b c,Maybe\n", ["row 2", "ICS-Confidential"]),
    ],
)
def test_a_file_that_cannot_be_read_right_is_refused_by_row(tmp_path: Path, content: str, says: list[str]) -> None:
    file = csv(tmp_path, content)
    with pytest.raises(InputError) as refused:
        read(file)
    assert all(part in str(refused.value) for part in says), refused.value


QUALTRICS = (
    "StartDate,EndDate,Status,IPAddress,Progress,ResponseId,RecipientFirstName,LocationLatitude,Q1,Q2,Q3\n"
    "Start Date,End Date,Response Type,IP Address,Progress,Response ID,First Name,Latitude,What helped you most?,"
    "How did it feel?,Would you come again?\n"
    + ",".join(f'"{{""ImportId"":""{n}""}}"' for n in range(11)) + "\n"
    f"2026-01-02 10:00:00,2026-01-02 10:05:00,IP Address,10.0.0.1,100,R_1,Bronwen,51.1,{LONG},it was really quite good,Yes\n"
    f"2026-01-03 10:00:00,2026-01-03 10:05:00,Survey Preview,10.0.0.1,100,R_2,Test,51.1,test test test test,test again it is,Yes\n"
    f"2026-01-04 10:00:00,2026-01-04 10:05:00,IP Address,10.0.0.2,100,R_3,Idris,51.1,they came round to my house,fine i think so,No\n"
)  # fmt: skip


def test_qualtrics_three_headers_previews_and_identifiers(tmp_path: Path) -> None:
    file = csv(tmp_path, QUALTRICS)
    found = read(file)
    assert [a.words for a in found] == [
        LONG,
        "it was really quite good",
        "they came round to my house",
        "fine i think so",
    ]
    assert {a.question for a in found} == {"What helped you most?", "How did it feel?"}
    assert [a.known for a in found][:1] == [("Bronwen",)]
    assert {a.period for a in found} == {"2026-01"}
    assert not any("10.0.0" in str(a.attributes) or "51.1" in str(a.attributes) for a in found)
    assert len({a.person for a in found}) == 2


def test_microsoft_forms_with_joined_choices_and_a_new_line_in_its_header(tmp_path: Path) -> None:
    when = datetime(2026, 3, 4, 9, 30)  # noqa: DTZ001 - a workbook's times have no zone
    head = [
        "ID",
        "Start time",
        "Completion time",
        "Email",
        "Name",
        "What was\xa0good\nfor you?",
        "Which did you use?",
        "Points - Q",
    ]
    rows: list[list[object]] = [
        [n, when, when, f"p{n}@example.org", "Saoirse", f"{LONG} number {n}", "Stay and play;Health visitor;", 0]
        for n in range(1, 7)
    ]
    found = read(sheet(tmp_path, [head, *rows]))
    assert len(found) == 6
    assert found[0].words == f"{LONG} number 1"
    assert (found[0].record, found[0].period, found[0].known) == ("1", "2026-03", ("Saoirse",))
    assert found[0].attributes == {"Which did you use?": "Stay and play;Health visitor;"}


def test_two_forms_that_number_from_one_do_not_meet(tmp_path: Path) -> None:
    head = "ID,Start time,Completion time,{}\n1,2026-01-01,2026-01-01,i think that it is really good\n"
    one = opened(csv(tmp_path, head.format("What did you think of it?"), "a.csv"))[1]
    other = opened(csv(tmp_path, head.format("What should we change here?"), "b.csv"))[1]
    assert one.name != other.name


def test_google_forms_has_no_ids_and_its_address_is_dropped(tmp_path: Path) -> None:
    text = "Timestamp,Email Address,What would help you most?\n" + "".join(
        f"2026/01/0{n} 10:00:00,a{n}@example.org,more people who know what they do {n}\n" for n in range(1, 4)
    )
    profile = opened(csv(tmp_path, text))[1]
    assert (profile.record_id, profile.texts) == ("", ["What would help you most?"])
    assert profile.role_of("Email Address") == "dropped"


def test_smartsurvey_has_its_options_in_a_second_row(tmp_path: Path) -> None:
    text = (
        "UserID,Started,Ended,Name,Which helped?,,What else?\n"
        ",,,,Hub,Visitor,\n"
        f"1,01/02/2026 10:00,01/02/2026 10:10,Kofi,Hub,,{LONG}\n"
        "2,15/02/2026 10:00,15/02/2026 10:10,Mairead,,Visitor,nobody ever came to see us\n"
    )
    table = opened(csv(tmp_path, text))[0]
    assert "Which helped?: Visitor" in table.columns
    found = read(tmp_path / "in.csv")
    assert [a.words for a in found] == [LONG, "nobody ever came to see us"]
    assert [a.period for a in found] == ["2026-02", "2026-02"]
    assert found[0].known == ("Kofi",)


def test_citizen_space_keeps_who_may_be_quoted_and_drops_what_analysts_wrote(tmp_path: Path) -> None:
    text = (
        "Response ID,Submitted date,What do you think of the plan?,May we publish your response?,Analyst notes\n"
        + "".join(
            f"ANON-{n},2026-02-0{n},the plan is far too short number {n},{'Yes' if n % 2 else 'No'},look at this one again please\n"
            for n in range(1, 7)
        )
    )
    found = read(csv(tmp_path, text))
    assert [a.consent for a in found[:2]] == ["analysis_and_quotes", "analysis_only"]
    assert not any("look at this" in a.words for a in found)


def test_liquidlogic_notes_keep_a_persons_notes_together(tmp_path: Path) -> None:
    text = "FACT_CASENOTE_ID,DIM_PERSON_ID,EVENT_DTTM,CASENOTE,SEEN_ALONE_FLAG\n" + "".join(
        f"{n},P{n % 2},2026-01-1{n} 09:00:00,Visited the home and we spoke about school {n},Y\n" for n in range(1, 7)
    )
    found = read(csv(tmp_path, text))
    assert (len(found), len({a.person for a in found}), found[0].via) == (6, 2, "unknown")


def test_capita_notes_leave_out_what_is_confidential(tmp_path: Path) -> None:
    text = "Date,Case Reference Number,People Present,Case Note Detail,ICS-Confidential\n" + "".join(
        f"1{n}/01/2026,C{n},Aoife Brennan; Tunde,Home visit where we talked about the move {n},{'Y' if n == 2 else 'N'}\n"
        for n in range(1, 7)
    )
    found = read(csv(tmp_path, text))
    assert len(found) == 5
    assert found[0].known == ("Aoife Brennan", "Tunde")
    assert found[0].period == "2026-01"


def test_american_dates_are_not_guessed_at(tmp_path: Path) -> None:
    text = "Response ID,Submitted date,What do you think of it?\n1,01/02/2026,it is really good i think\n2,01/25/2026,it is not good at all\n"
    assert {a.period for a in read(csv(tmp_path, text))} == {""}


def test_single_years_of_age_become_bands(tmp_path: Path) -> None:
    text = "Response ID,Submitted date,How old are you?,What do you think of it?\n" + "".join(
        f"{n},2026-01-01,{7 if n % 2 else 17},i think that it is good {n}\n" for n in range(1, 9)
    )
    assert {a.age_band for a in read(csv(tmp_path, text))} == {"5-10", "16-17"}


def test_an_ai_draft_is_never_a_verbatim_voice(tmp_path: Path) -> None:
    text = "FACT_CASENOTE_ID,DIM_PERSON_ID,CASENOTE,Record type\n" + "".join(
        f"{n},P{n},The young person said that school is hard for them {n},{'AI summary' if n % 2 else 'Verbatim'}\n"
        for n in range(1, 9)
    )
    assert [a.provenance for a in read(csv(tmp_path, text))][:2] == ["ai_drafted", "verbatim"]


def test_hidden_sheets_are_passed_over(tmp_path: Path) -> None:
    def hide(book: Workbook) -> None:
        secret = book.create_sheet("secret", 0)
        secret.append(["id", "text"])
        secret.append(["9", "what nobody should see"])
        secret.sheet_state = "hidden"
        book.active = 1

    assert words(sheet(tmp_path, [["id", "text"], ["1", LONG]], hide)) == [LONG]


def test_a_title_over_the_columns_is_passed_over(tmp_path: Path) -> None:
    def merge(book: Workbook) -> None:
        book.active.merge_cells("A1:C1")

    rows: list[list[object]] = [
        ["Consultation 2026", None, None],
        ["id", "text", "place"],
        ["1", LONG, "x"],
        ["2", "b c", "y"],
    ]
    assert words(sheet(tmp_path, rows, merge)) == [LONG, "b c"]


def test_numbers_with_leading_zeros_keep_them(tmp_path: Path) -> None:
    def form(book: Workbook) -> None:
        book.active["A2"].number_format = "00000"

    assert [a.record for a in read(sheet(tmp_path, [["id", "text"], [42, LONG]], form))] == ["00042"]


def test_excels_carriage_returns_are_line_breaks(tmp_path: Path) -> None:
    assert words(sheet(tmp_path, [["id", "text"], ["1", "one_x000D_\ntwo"]]))[0].split() == ["one", "two"]


def test_words_that_look_like_a_formula_stay_words(tmp_path: Path) -> None:
    assert words(csv(tmp_path, "id,text\n1,=HYPERLINK(evil)\n2,+1 to all that\n")) == [
        "=HYPERLINK(evil)",
        "+1 to all that",
    ]


def test_html_is_read_as_what_it_shows(tmp_path: Path) -> None:
    assert words(csv(tmp_path, "id,text\n1,<p>We moved&nbsp;again</p><p>I <b>hate</b> it</p>\n2,i <3 my dog\n")) == [
        "We moved\xa0again\nI hate it",
        "i <3 my dog",
    ]


def test_broken_letters_are_told_and_mended_only_when_asked(tmp_path: Path) -> None:
    file = csv(tmp_path, f"id,text\n1,{MOJIBAKE}\n")
    found = read(file)
    assert found[0].words == MOJIBAKE
    assert "1 rows hold letters that another program broke" in " ".join(signs_in(found).notes())
    table, profile = opened(file)
    (row,) = table.rows()
    (mended,) = answers(table, profile.model_copy(update={"mend_letters": True}), row)
    assert "don't" in mended.words.replace("’", "'")


def test_cells_that_excel_cut_are_told(tmp_path: Path) -> None:
    found = read(csv(tmp_path, f"id,text\n1,{'word ' * 6553}ab\n"))
    assert "Excel cuts" in " ".join(signs_in(found).notes())


def test_cloned_notes_and_campaigns_are_told_apart(tmp_path: Path) -> None:
    note = "Visited the family at home today and we spoke about how school is going for him and what would help at weekends"
    text = "note_id,person_id,note_date,note_text\n" + "".join(
        f"{n},{'A' if n < 3 else f'B{n}'},2026-01-01,{note if n < 3 else 'please keep our library open every day because we all need it so much'} {n}\n"
        for n in range(1, 7)
    )
    found = signs_in(read(csv(tmp_path, text)))
    told = " ".join(found.notes())
    assert "2 answers are near copies of another by the same person" in told
    assert "4 answers say nearly the same as another person's" in told
    assert len(set(found.group_of().values())) == 1


def test_different_answers_are_no_copies(tmp_path: Path) -> None:
    found = read(csv(tmp_path, f"id,text\n1,{LONG} and more\n2,we had to move house three times in one single year\n"))
    assert signs_in(found).groups == []


INTERVIEW = (
    "Interviewer: How was it when you moved?\nP1: It was hard at first.\nI missed my friends.\n"
    "Interviewer: And you?\nP2: I liked it: more space.\nP1: Yeah, that too.\n"
)


def test_an_interview_is_cut_at_its_turns_without_who_asks(tmp_path: Path) -> None:
    found = read(csv(tmp_path, INTERVIEW, "group.txt"))
    assert [a.words for a in found] == [
        "It was hard at first.\nI missed my friends.",
        "I liked it: more space.",
        "Yeah, that too.",
    ]
    assert [a.person for a in found] == ["group/p1", "group/p2", "group/p1"]
    assert {a.provenance for a in found} == {"verbatim"}


def test_a_name_before_a_turn_is_a_name_to_mask(tmp_path: Path) -> None:
    found = read(csv(tmp_path, INTERVIEW.replace("P1", "Oluwaseun").replace("P2", "Mum"), "group.txt"))
    assert [(a.known, a.voice) for a in found][:2] == [(("Oluwaseun",), "unknown"), ((), "parent_carer")]


def test_prose_with_colons_and_commas_is_one_voice(tmp_path: Path) -> None:
    text = "Dear all, I wanted to say this: thank you.\n\nWe came in May, and it helped. Note: the room was cold.\n"
    assert len(read(csv(tmp_path, text, "letter.txt"))) == 1


def test_a_word_document_is_read_like_text(tmp_path: Path) -> None:
    document = Document()
    for line in INTERVIEW.strip().split("\n"):
        document.add_paragraph(line)
    document.save(str(tmp_path / "group.docx"))
    assert len(read(tmp_path / "group.docx")) == 3


def test_a_text_file_of_cells_is_a_table(tmp_path: Path) -> None:
    assert words(csv(tmp_path, PLAIN.replace(",", "\t"), "in.txt")) == [LONG, "no thanks to them"]


@pytest.mark.parametrize("name", ["in.xlsx", "in.docx"])
def test_a_zip_that_swells_is_refused_before_it_is_unpacked(tmp_path: Path, name: str) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b" " * 80_000_000)
    with pytest.raises(InputError, match="far more"):
        read_table(csv(tmp_path, out.getvalue(), name))


@pytest.mark.parametrize("name", ["in.xlsx", "in.docx", "in.parquet", "in.json", "in.jsonl"])
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=name):
        read_table(csv(tmp_path, b"\x00\x01 nothing of the kind", name))


def test_a_table_without_free_text_is_refused(tmp_path: Path) -> None:
    file = csv(tmp_path, "id,age,place\n" + "".join(f"{n},7,Hub\n" for n in range(9)))
    with pytest.raises(InputError, match="no column of text"):
        opened(file)


def test_a_profile_that_was_saved_is_recognised_by_its_columns(tmp_path: Path) -> None:
    file = csv(
        tmp_path,
        f"ref,what they said about it,place\n1,{LONG},Hub\n2,it was not so good really,Hub\n3,i do not know at all,Hub\n",
    )
    table, profile = opened(file)
    save_profile(profile, "hub-cards", table.columns, tmp_path / "profiles")
    assert opened(file, tmp_path / "profiles")[1].name == "hub-cards"
    assert opened(file, tmp_path / "profiles")[1].texts == profile.texts
    with pytest.raises(InputError, match="small letters"):
        save_profile(profile, "../evil", table.columns, tmp_path / "profiles")
