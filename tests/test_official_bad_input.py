"""Official files that arrive spoiled: each is read right, or refused in three lines: what, where, and what to do."""

from __future__ import annotations

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gpvar import catalogue
from gpvar.errors import SourceError
from gpvar.sources import _tabular, fingertips, ods, payments, qof, registered, small_areas, workforce
from gpvar.sources._parts import Part
from gpvar.sources.looking import look
from gpvar.sources.recognise import recognise
from gpvar.study import Period
from tests import official_files as made

YEAR = Period("2025-04", "2026-03")
AS_PUBLISHED = "Use the file as it was downloaded; one that was opened and saved by a spreadsheet may have changed."
PART_MISSING = "Part of the file is missing or was changed: download it again and use it as it is."
TWO_EDITIONS = "Two editions seem to have been put together: use each as it was published, in a file of its own."
KEEP_LAST = "Keep the one that was downloaded last from the publisher's page, and take the other out of the study."


def refused(read: Callable[[], object]) -> tuple[str, str, str]:
    """What is said, with the folder of the test left out."""
    with pytest.raises(SourceError) as caught:
        read()
    error = caught.value
    assert len(str(error).splitlines()) == 3 and error.problem and error.where and error.fix
    return error.problem, error.where, error.fix


def lists(path: Path, change: Callable[[list[list[object]]], object]) -> Part:
    """Lists by age with their rows changed in place."""
    rows = [list(row) for row in made.quinary_rows()]
    change(rows)
    return made.part(made.write(path / "quin.csv", "registered_quinary", rows))


def put(column: int, text: object, at: int = 0) -> Callable[[list[list[object]]], object]:
    def change(rows: list[list[object]]) -> None:
        rows[at][column] = text

    return change


# --- one region missing ----------------------------------------------------------------------------------------------


def test_a_region_whose_practices_are_missing_is_named(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "quin.csv", practices=made.PRACTICES[1:])
    assert refused(lambda: registered.read([part], YEAR)) == (
        "The practices of London (Y56) are missing: 1,000 patients that the file's own regions count.",
        f"{tmp_path / 'quin.csv'}",
        PART_MISSING,
    )


def test_two_regions_whose_practices_are_missing_are_named(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "quin.csv", practices=made.PRACTICES[:5])
    problem, _, _ = refused(lambda: registered.read([part], YEAR))
    assert problem.startswith(
        "The practices of North West (Y62) and North East and Yorkshire (Y63) are missing: 13,000"
    )


def test_a_region_without_its_own_rows_is_found(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "quin.csv", regions=made.REGIONS[1:])
    problem, _, _ = refused(lambda: registered.read([part], YEAR))
    assert problem == "The file's regions lack 1,000 of the patients that its practices have: rows are missing."


def test_a_region_taken_out_with_its_practices_is_found_by_the_boards(tmp_path: Path) -> None:
    here = made.quinary_rows(practices=made.PRACTICES[1:], regions=made.REGIONS[1:])
    board = [(*row[:2], "ICB", "QHM", *row[4:]) for row in made.quinary_rows() if row[3] == "A81001"]
    others = [(*row[:2], "ICB", "QJK", *row[4:8], 0) for row in board]
    cells: dict[tuple[object, ...], int] = {}
    for row in here:
        if row[2] == "GP":
            cells[row[6:8]] = cells.get(row[6:8], 0) + int(str(row[8]))
    others = [(*row[:8], cells.get(row[6:8], 0)) for row in others]
    part = made.part(made.write(tmp_path / "quin.csv", "registered_quinary", [*here, *board, *others]))
    problem, _, fix = refused(lambda: registered.read([part], YEAR))
    assert problem.startswith("The practices of NHS North East and North Cumbria")
    assert problem.endswith(
        "(QHM) are missing: 1,000 patients that the file's own boards count. Nothing in the file is of London (Y56): "
        "part of it may be missing."
    )
    assert fix == PART_MISSING


def test_a_region_of_which_the_file_holds_nothing_at_all_is_said(tmp_path: Path) -> None:
    part = made.quinary(tmp_path / "quin.csv", practices=made.PRACTICES[1:], regions=made.REGIONS[1:])
    remarks = registered.read([part], YEAR).remarks
    assert "Nothing in the file is of London (Y56): part of it may be missing." in remarks


def test_some_practices_missing_are_found(tmp_path: Path) -> None:
    part = lists(tmp_path, lambda rows: [row.__setitem__(8, 990) for row in rows if row[3:8:3] == ["A81001", "ALL"]])
    problem, _, _ = refused(lambda: registered.read([part], YEAR))
    assert problem == "The file's practices lack 10 of the patients that its own regions count."


def test_one_age_changed_by_hand_is_found(tmp_path: Path) -> None:
    def change(rows: list[list[object]]) -> None:
        next(row for row in rows if row[3] == "A81001" and row[7] == "0_4")[8] = 41

    problem, _, fix = refused(lambda: registered.read([lists(tmp_path, change)], YEAR))
    assert problem == "Practices and regions of the file do not add up to the same patients (FEMALE, age 0_4)."
    assert fix == PART_MISSING


def test_many_practices_whose_ages_do_not_add_up_refuse_the_file(tmp_path: Path) -> None:
    rows = [row for row in made.quinary_rows() if row[2] == "GP" and row[7] != "0_4"]
    part = made.part(made.write(tmp_path / "quin.csv", "registered_quinary", rows))
    problem, where, fix = refused(lambda: registered.read([part], YEAR))
    assert problem.startswith("The age groups of 7 practices do not add up to the whole list: A81001 (900 of 1,000), ")
    assert (where, fix) == (str(tmp_path / "quin.csv"), PART_MISSING)


# --- two editions, or one twice --------------------------------------------------------------------------------------


def test_two_months_in_one_file_are_refused(tmp_path: Path) -> None:
    rows = [*made.quinary_rows("2026-06-01"), *made.quinary_rows("2026-07-01")]
    part = made.part(made.write(tmp_path / "quin.csv", "registered_quinary", rows))
    assert refused(lambda: registered.read([part], YEAR)) == (
        "The file holds more than one extract date: 2026-06-01, 2026-07-01.",
        str(tmp_path / "quin.csv"),
        TWO_EDITIONS,
    )


def test_a_file_pasted_under_itself_is_read_once(tmp_path: Path) -> None:
    rows = made.quinary_rows()
    part = made.part(made.write(tmp_path / "quin.csv", "registered_quinary", [*rows, *rows]))
    found = registered.read([part], YEAR)
    assert found.facts.loc["A81001", "list_size"] == 1000
    doubled = sum(row[2] == "GP" for row in rows)
    assert f"{doubled:,} rows standing twice" in str(found.provenance[0]["reason"])


def test_two_files_of_one_month_that_differ_are_refused(tmp_path: Path) -> None:
    one = made.totals(tmp_path / "one.csv", "2026-07-01", {"A81001": 1000})
    other = made.totals(tmp_path / "other.csv", "01Jul2026", {"A81001": 1001})
    assert refused(lambda: registered.read([one, other], YEAR)) == (
        "Two files of July 2026 give 1 practice different lists.",
        f"{tmp_path / 'one.csv'} and {tmp_path / 'other.csv'}",
        KEEP_LAST,
    )


def test_two_files_of_one_month_that_agree_are_both_well(tmp_path: Path) -> None:
    sizes = {code: sum(made.cells_of(place).values()) for place, code in enumerate(made.PRACTICES)}
    both = [made.quinary(tmp_path / "q.csv"), made.totals(tmp_path / "all.csv", "01Jul2026", sizes)]
    assert registered.read(both, YEAR).facts["list_size"].to_dict() == sizes


@pytest.mark.parametrize(
    ("room", "layout", "rows", "what"),
    [
        (qof, "qof_prevalence", [*made.qof_rows("A81001", AF=30), *made.qof_rows("A81001", AF=31)], "A81001 AF"),
        (
            payments,
            "nhs_payments",
            [made.payment("A81001"), made.payment("A81001", **{"Contract Type": "PMS"})],
            "A81001",
        ),
        (ods, "ods_epraccur", [made.register_row("A81001"), made.register_row("A81001", status="D")], "A81001"),
        (registered, "registered_map", [made.map_row("A81001"), made.map_row("A81001", 1)], "A81001"),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_a_practice_that_stands_twice_with_different_words_is_refused(
    tmp_path: Path, room, layout: str, rows: list[made.Row], what: str
) -> None:
    part = made.part(made.write(tmp_path / "file.csv", layout, rows))
    problem, where, fix = refused(lambda: room.read([part], YEAR))
    assert problem.startswith("2 rows stand more than once for the same practice")
    assert problem.endswith(f"and say different things: {what}.")
    assert (where, fix) == (str(tmp_path / "file.csv"), TWO_EDITIONS)


def test_two_years_of_registers_put_together_are_told_from_their_lists(tmp_path: Path) -> None:
    rows = [*made.qof_rows("A81001", AF=30), *made.qof_rows("A81001", total=1010, LD=5)]
    part = made.part(made.write(tmp_path / "p.csv", "qof_prevalence", rows))
    problem, _, fix = refused(lambda: qof.read([part], YEAR))
    assert problem == "1 practice has more than one total list: A81001 has 1,000, 1,010."
    assert fix == TWO_EDITIONS


def test_two_files_of_one_year_are_refused(tmp_path: Path) -> None:
    parts = [
        made.part(
            made.write(tmp_path / name / "PREVALENCE_2425.csv", "qof_prevalence", made.qof_rows("A81001", AF=size))
        )
        for name, size in (("one", 1), ("other", 2))
    ]
    problem, _, fix = refused(lambda: qof.read(parts, YEAR))
    title = catalogue.layouts()["qof_prevalence"].title
    assert problem == f"Two files of {title} are both of March 2025 and do not say the same."
    assert fix == KEEP_LAST


def test_indices_of_two_years_in_one_extract_are_refused(tmp_path: Path) -> None:
    rows = [("A81001", "A Surgery", "2019", "30.1"), ("B81002", "B Surgery", "2025", "20.5")]
    part = made.part(made.write(tmp_path / "imd.csv", "fingertips_extract", rows))
    assert refused(lambda: fingertips.read([part], YEAR)) == (
        "The file holds more than one year of the index: 2019, 2025.",
        str(tmp_path / "imd.csv"),
        TWO_EDITIONS,
    )


# --- saved by a spreadsheet ------------------------------------------------------------------------------------------


def test_lists_saved_by_a_british_spreadsheet_are_read_as_they_were(tmp_path: Path) -> None:
    rows = [(*row[:1], "01/07/2026", *row[2:8], f"{row[8]:,}") for row in made.quinary_rows()]
    part = made.part(made.write(tmp_path / "excel.csv", "registered_quinary", rows))
    found = registered.read([part], YEAR)
    assert found.facts.equals(registered.read([made.quinary(tmp_path / "q.csv")], YEAR).facts)
    assert found.dates == {"age_sex": "2026-07"}


def test_days_and_months_turned_round_are_refused(tmp_path: Path) -> None:
    rows = [(*row[:1], "7/1/2026", *row[2:]) for row in made.quinary_rows()]
    part = made.part(made.write(tmp_path / "excel.csv", "registered_quinary", rows))
    assert refused(lambda: registered.read([part], YEAR)) == (
        "What stands in the column EXTRACT_DATE has its day and month turned round, or is no first of a month.",
        f"{tmp_path / 'excel.csv'}, row 2 ('7/1/2026')",
        AS_PUBLISHED,
    )


@pytest.mark.parametrize("text", ["0", "6.00E+00", "0L", "12"])
def test_codes_taken_for_numbers_are_refused(tmp_path: Path, text: str) -> None:
    rows = [made.map_row("A81001"), made.map_row("B81002", 1, SUB_ICB_LOCATION_CODE=text)]
    part = made.mapping(tmp_path / "map.csv", rows)
    assert refused(lambda: registered.read([part], YEAR)) == (
        "1 cell of the column SUB_ICB_LOCATION_CODE: what stands there is not a code: a spreadsheet has taken the code "
        "for a number.",
        f"{tmp_path / 'map.csv'}, row 3 ('{text}')",
        AS_PUBLISHED,
    )


@pytest.mark.parametrize("code", ["06E", "15E", "00L", "U2G6B", "E81", "U"])
def test_codes_that_look_like_numbers_and_are_none_are_well(tmp_path: Path, code: str) -> None:
    part = made.mapping(tmp_path / "map.csv", [made.map_row("A81001", SUB_ICB_LOCATION_CODE=code)])
    places = registered.read([part], YEAR).places
    assert places is not None and list(places["sub_icb_code"]) == [code]


def test_practice_codes_taken_for_numbers_are_refused(tmp_path: Path) -> None:
    rows = [*made.qof_rows("A81001", AF=30), *made.qof_rows("8.10E+04", AF=30)]
    part = made.part(made.write(tmp_path / "p.csv", "qof_prevalence", rows))
    problem, where, _ = refused(lambda: qof.read([part], YEAR))
    assert (
        problem
        == "1 cell of the column PRACTICE_CODE: what stands there was a code that a spreadsheet took for a number."
    )
    assert where == f"{tmp_path / 'p.csv'}, row 3 ('8.10E+04')"


def test_age_groups_taken_for_dates_are_refused(tmp_path: Path) -> None:
    part = lists(tmp_path, lambda rows: [row.__setitem__(7, "05-Sep") for row in rows if row[7] == "0_4"])
    assert refused(lambda: registered.read([part], YEAR)) == (
        "The column AGE_GROUP_5 holds what is no age group: 05-SEP.",
        str(tmp_path / "quin.csv"),
        "Use the file as it was downloaded: a spreadsheet turns some age groups into dates.",
    )


# --- encodings and order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "cp1252"])
def test_every_encoding_of_the_same_rows_reads_the_same(tmp_path: Path, encoding: str) -> None:
    row = made.map_row("A81001", PRACTICE_NAME="St Zoë's Surgery")
    good = made.mapping(tmp_path / "good.csv", [row])
    path = tmp_path / "other.csv"
    path.write_bytes(good.member.path.read_text(encoding="utf-8").encode(encoding))
    facts = registered.read([made.part(path)], YEAR).facts
    assert (
        facts.equals(registered.read([good], YEAR).facts) and facts.loc["A81001", "practice_name"] == "St Zoë's Surgery"
    )


def test_columns_in_another_order_read_the_same(tmp_path: Path) -> None:
    columns = catalogue.layouts()["registered_quinary"].columns
    turned = made.write(
        tmp_path / "t.csv", "registered_quinary", [row[::-1] for row in made.quinary_rows()], columns[::-1]
    )
    facts = registered.read([made.part(turned)], YEAR).facts
    assert facts.equals(registered.read([made.quinary(tmp_path / "q.csv")], YEAR).facts)


# --- counts that are none --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "why"), [("-5", "is below nought"), ("twelve", "is not a number"), ("12.5", "is not a whole number")]
)
def test_a_count_that_is_none_is_named_with_its_row(tmp_path: Path, text: str, why: str) -> None:
    assert refused(lambda: registered.read([lists(tmp_path, put(8, text, 4))], YEAR)) == (
        f"1 cell of the column NUMBER_OF_PATIENTS: what stands there {why}.",
        f"{tmp_path / 'quin.csv'}, row 6 ('{text}')",
        AS_PUBLISHED,
    )


def test_a_blank_count_is_not_nought(tmp_path: Path) -> None:
    assert refused(lambda: registered.read([lists(tmp_path, put(8, "", 4))], YEAR)) == (
        "1 cell of the column NUMBER_OF_PATIENTS holds no number.",
        f"{tmp_path / 'quin.csv'}, row 6",
        "Download the file again: as published, every row has a number.",
    )


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    rows = [
        made.payment("A81001", **{"Number of Registered Patients (Last Known Figure)": "many"}),
        made.payment(
            "B81002", **{"Number of Weighted Patients (Last Known Figure)": "-1", "Practice Open Date": "soon"}
        ),
    ]
    part = made.part(made.write(tmp_path / "p.csv", "nhs_payments", rows))
    with pytest.raises(SourceError, match="3 things need mending") as caught:
        payments.read([part], YEAR)
    for told in ("('many')", "('-1')", "('soon')"):
        assert told in caught.value.problem


def test_full_time_equivalents_below_nought_are_refused(tmp_path: Path) -> None:
    part = made.high_level(tmp_path / "w.csv", {("A81001", "GP", "Partner"): -1.0})
    assert refused(lambda: workforce.read([part], YEAR))[:2] == (
        "1 cell of the column VALUE: what stands there is below nought.",
        f"{tmp_path / 'w.csv'}, row 2 ('-1.0')",
    )


# --- the wrong file --------------------------------------------------------------------------------------------------


def test_another_indicator_is_refused_by_its_name(tmp_path: Path) -> None:
    part = made.fingertips(tmp_path / "f.csv", [("241", "Diabetes: QOF prevalence", "A81001", "GPs", "7.1")])
    assert refused(lambda: fingertips.read([part], YEAR)) == (
        "This is the Fingertips indicator 241, Diabetes: QOF prevalence, which gpvar does not read.",
        str(tmp_path / "f.csv"),
        "For deprivation, download the indicator 94240 (deprivation (IMD 2025)) or 93553 (deprivation (IMD 2019)).",
    )


def test_an_indicator_without_practices_is_refused(tmp_path: Path) -> None:
    part = made.fingertips(
        tmp_path / "f.csv",
        [("94240", "IMD 2025", "QHM", "ICBs", "25"), ("94240", "IMD 2025", "E92000001", "England", "22")],
    )
    assert refused(lambda: fingertips.read([part], YEAR)) == (
        "The file holds England, ICBs, and no practices.",
        str(tmp_path / "f.csv"),
        "Download the indicator for the area type GPs (child_area_type_id=7 in the address).",
    )


def test_ranks_in_place_of_scores_are_refused(tmp_path: Path) -> None:
    part = made.fingertips(
        tmp_path / "f.csv",
        [("94240", "IMD 2025", "A81001", "GPs", "5120"), ("94240", "IMD 2025", "B81002", "GPs", "12")],
    )
    problem, _, fix = refused(lambda: fingertips.read([part], YEAR))
    assert problem == "1 of 2 values are no deprivation scores, which lie between 0 and 100: A81001 has 5,120."
    assert fix == "Ranks and deciles are no scores: download the score."


def test_an_index_of_an_unknown_year_is_refused(tmp_path: Path) -> None:
    part = made.part(made.write(tmp_path / "imd.csv", "fingertips_extract", [("A81001", "A Surgery", "2015", "30")]))
    assert (
        refused(lambda: fingertips.read([part], YEAR))[0] == "The index of deprivation of 2015 is not known to gpvar."
    )


def test_two_files_of_one_index_that_differ_are_refused(tmp_path: Path) -> None:
    api = made.fingertips(tmp_path / "f.csv", [("94240", "IMD 2025", "A81001", "GPs", "33.5194")])
    extract = made.part(made.write(tmp_path / "e.csv", "fingertips_extract", [("A81001", "A", "2025", "33.519")]))
    assert fingertips.read([extract, api], YEAR).facts.loc["A81001", "imd2025"] == 33.5194
    other = made.part(made.write(tmp_path / "o.csv", "fingertips_extract", [("A81001", "A", "2025", "35")]))
    assert refused(lambda: fingertips.read([api, other], YEAR)) == (
        "Two files of deprivation (IMD 2025) give 1 practice different scores, A81001 among them.",
        str(tmp_path / "o.csv"),
        "Keep the one that was downloaded last, and take the other out of the study.",
    )


def test_registers_without_the_whole_list_are_refused(tmp_path: Path) -> None:
    part = made.part(made.write(tmp_path / "p.csv", "qof_prevalence", made.qof_rows("A81001", DM=30)))
    assert refused(lambda: qof.read([part], YEAR)) == (
        "No row is of the whole list (PATIENT_LIST_TYPE TOTAL), which every register is divided by.",
        str(tmp_path / "p.csv"),
        "Use the whole file as it was downloaded.",
    )


def test_the_register_of_doctors_is_not_that_of_practices(tmp_path: Path) -> None:
    rows = [made.register_row(code, prescribing_setting="") for code in ("G3301234", "G3301235", "G3301236")]
    part = made.part(made.write(tmp_path / "egpcur.csv", "ods_epraccur", rows))
    assert refused(lambda: ods.read([part], YEAR)) == (
        "This has the form of the register of practices (epraccur), and does not hold practices.",
        str(tmp_path / "egpcur.csv"),
        "Use the file epraccur; those of GPs and of branches have the same number of fields.",
    )


def test_lists_without_practices_are_refused(tmp_path: Path) -> None:
    rows = [row for row in made.quinary_rows() if row[2] != "GP"]
    part = made.part(made.write(tmp_path / "q.csv", "registered_quinary", rows))
    assert refused(lambda: registered.read([part], YEAR)) == (
        "The file holds no row of a practice (GP in the column ORG_TYPE); it holds Comm Region.",
        str(tmp_path / "q.csv"),
        "Use the whole file as it was downloaded.",
    )


def test_a_heading_of_another_edition_is_compared_with_the_known_ones(tmp_path: Path) -> None:
    columns = [
        "AGE_BAND" if name == "AGE_GROUP_5" else name for name in catalogue.layouts()["registered_quinary"].columns
    ]
    path = made.write(tmp_path / "q.csv", "registered_quinary", made.quinary_rows(), columns)
    problem, where, _ = refused(lambda: recognise(path))
    assert "AGE_GROUP_5 is missing" in problem and "AGE_BAND" in problem and where == str(path)


# --- workforce and small areas ---------------------------------------------------------------------------------------


def test_roles_that_are_sums_of_others_are_refused(tmp_path: Path) -> None:
    values = {}
    for code in made.PRACTICES:
        sizes = {"Partner": 2.0, "Salaried": 1.0, "Partners of any kind": 2.0, "Total": 3.0}
        values |= {(code, "GP", role): size for role, size in sizes.items()}
    part = made.high_level(tmp_path / "w.csv", values)
    assert refused(lambda: workforce.read([part], YEAR)) == (
        "In 7 of 7 practices the roles of the group GP do not add up to its published total (A81001: roles 5.00, total "
        "3.00).",
        str(tmp_path / "w.csv"),
        "Some of its roles may be sums of others, which would count people twice: use the detailed table of the same "
        "zip.",
    )


def test_roles_that_no_total_vouches_for_are_refused(tmp_path: Path) -> None:
    values = {(code, "GP", role): 2.0 for code in made.PRACTICES for role in ("Partner", "Salaried", "Locum")}
    problem, _, fix = refused(lambda: workforce.read([made.high_level(tmp_path / "w.csv", values)], YEAR))
    assert problem == (
        "The file has no total of the group GP to hold its roles against, so it cannot be told whether some of them "
        "are sums of others: Locum, Partner, Salaried."
    )
    assert fix.endswith("use the detailed table of the same zip.")


def test_a_role_that_is_the_sum_of_the_others_is_refused(tmp_path: Path) -> None:
    values: dict[tuple[str, str, str], object] = {}
    for place, code in enumerate(made.PRACTICES):
        parts = {"Partner": 2.0 + place, "Salaried": 1.0, "Every doctor": 3.0 + place, "Total": 6.0 + 2 * place}
        values |= {(code, "GP", role): size for role, size in parts.items()}
    problem, _, _ = refused(lambda: workforce.read([made.high_level(tmp_path / "w.csv", values)], YEAR))
    assert problem == (
        "In 7 of 7 practices the role Every doctor of the group GP is the sum of its other roles: it seems to be a "
        "total."
    )


def test_totals_alone_do_not_say_how_many_gps_are_trained(tmp_path: Path) -> None:
    part = made.high_level(tmp_path / "w.csv", {("A81001", "GP", "Total"): 3.0})
    problem, _, fix = refused(lambda: workforce.read([part], YEAR))
    assert problem == (
        "The file has no full-time equivalents for single roles of the group GP, only totals at most: a total counts "
        "doctors in training and locums."
    )
    assert fix == "Use the detailed table of the same zip, or the high-level table as it was downloaded."


def test_areas_of_two_censuses_are_refused(tmp_path: Path) -> None:
    index = made.index_2025(tmp_path / "s.csv", {"E01000001": 10.0, "E01033001": 50.0})
    rows = [("A81001", "E01000001", "ALL", 970), ("A81001", "E01000099", "ALL", 30)]
    part = made.living(tmp_path / "l.csv", rows, "04JAN2021")
    assert refused(lambda: small_areas.read([part, index], YEAR)) == (
        "Only 97.0 % of the patients who live in England live in areas of this index: the files are of different "
        "censuses (2011 and 2021). Not in the index: E01000099.",
        str(tmp_path / "l.csv"),
        "The index of 2025 needs registrations by areas of 2021, those of the publication's recent editions.",
    )


@pytest.mark.parametrize("has", ["registrations", "index"])
def test_half_of_what_a_score_is_made_of_is_refused(tmp_path: Path, has: str) -> None:
    if has == "index":
        part, lacking = made.index_2025(tmp_path / "x.csv", {"E01000001": 10.0}), "registered_lsoa"
    else:
        part, lacking = made.living(tmp_path / "x.csv", [("A81001", "E01000001", "ALL", 5)]), "iod2025_scores"
    problem, where, fix = refused(lambda: small_areas.read([part], YEAR))
    layouts = catalogue.layouts()
    assert problem.endswith("alone gives no score of practices.") and where == str(tmp_path / "x.csv")
    assert fix == f"Name {layouts[lacking].title} ({layouts[lacking].member}) beside it."


def test_an_area_without_a_score_in_the_index_is_refused(tmp_path: Path) -> None:
    index = made.part(made.write(tmp_path / "s.csv", "iod2025_scores", [("E01000001", "A place", "E06", "A", "")]))
    part = made.living(tmp_path / "l.csv", [("A81001", "E01000001", "ALL", 5)])
    problem, _, _ = refused(lambda: small_areas.read([part, index], YEAR))
    assert problem == "1 cell of the column Index of Multiple Deprivation (IMD) Score holds no number."


# --- strangers' archives, and files made to fill the memory -----------------------------------------------------------


def a_zip(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("table.csv", "PRACTICE,VALUE\nA81001,1\n")
    return path


@pytest.mark.parametrize("method", [9, 93, 98])
def test_a_zip_packed_in_another_way_is_refused_in_words(tmp_path: Path, method: int) -> None:
    path = a_zip(tmp_path / "Scans.zip")
    data = bytearray(path.read_bytes())
    data[8:10] = method.to_bytes(2, "little")
    at = data.index(b"PK\1\2")
    data[at + 10 : at + 12] = method.to_bytes(2, "little")
    path.write_bytes(bytes(data))
    if method == 93 and hasattr(zipfile, "ZIP_ZSTANDARD"):
        pytest.skip("this Python unpacks it")
    problem, where, fix = refused(lambda: recognise(path))
    assert problem == "The file is packed in a way that gpvar cannot unpack."
    assert where == f"{path}: table.csv"
    assert fix == "Unpack the zip in the computer's own file manager, and name the CSV inside."
    assert look([tmp_path]) == ()


def test_a_zip_whose_two_lists_of_contents_differ_is_refused_in_words(tmp_path: Path) -> None:
    path = a_zip(tmp_path / "Scans.zip")
    path.write_bytes(path.read_bytes().replace(b"table.csv", b"other.csv", 1))
    problem, _, _ = refused(lambda: recognise(path))
    assert problem == "The packed file is cut short or damaged; nothing of it was used."
    assert look([tmp_path]) == ()


def packed_lists(path: Path, tail: bytes) -> Part:
    plain = made.write(path.with_suffix(".csv"), "registered_quinary", made.quinary_rows())
    with gzip.open(path, "wb", compresslevel=9) as packed:
        packed.write(plain.read_bytes() + tail)
    return made.part(path)


def test_a_row_without_an_end_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_tabular, "_LONGEST_ROW", 10_000)
    for tail in (b"x" * 30_000, b"\xff" * 30_000):
        part = packed_lists(tmp_path / "quin.csv.gz", tail)
        problem, where, _ = refused(lambda part=part: registered.read([part], YEAR))
        assert problem == "A row is longer than any of this publication; nothing of the file was used."
        assert ", row " in where


def test_a_table_that_unpacks_to_more_than_its_kind_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"%d,2026-07-01,GP,,,,ALL,ALL,1\n" % place for place in range(20_000))
    part = packed_lists(tmp_path / "quin.csv.gz", rows)
    monkeypatch.setattr(_tabular, "_MOST_BYTES", 100_000)
    problem, where, _ = refused(lambda: registered.read([part], YEAR))
    assert (
        problem == "The file unpacks to more than 100 kB, more than registered patients by sex and five-year age group."
    )
    assert where == str(tmp_path / "quin.csv.gz")


def test_a_gzip_of_noughts_is_not_read_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpvar.sources.files.members._SMALL", 1_000_000)
    part = packed_lists(tmp_path / "quin.csv.gz", b"\n" * 4_000_000)
    problem, _, _ = refused(lambda: registered.read([part], YEAR))
    assert problem.startswith("The file unpacks to more than four hundred times its size")
