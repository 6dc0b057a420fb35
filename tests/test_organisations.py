"""Finding practices and boards by name or code, and the boards of before and after April 2026."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from gpvar import catalogue, organisations
from gpvar.errors import StudyError

FRAME = pd.DataFrame(
    {
        "practice_code": ["A81001", "A81002", "F84001", "F84002", "K81001"],
        "practice_name": ["THE DENSHAM SURGERY", "Park Surgery", "PARK SURGERY", "St James' Medical Centre", None],
        "icb_code": ["QHM", "QHM", "QMF", "QMF", ""],
    }
)


def test_codes_are_tidied() -> None:
    codes = organisations.tidy(pd.Series([" a81001 ", "A81002", None]))
    assert codes.tolist() == ["A81001", "A81002", ""]
    assert organisations.is_practice_code(codes).tolist() == [True, True, False]


@pytest.mark.parametrize("query", ["A81001", " a81001", "Densham", "the densham surgery", "DENSHAM"])
def test_a_practice_is_found_by_code_or_part_of_its_name(query: str) -> None:
    assert organisations.find_practice(FRAME, query) == "A81001"


def test_punctuation_in_a_name_does_not_matter() -> None:
    assert organisations.find_practice(FRAME, "st james medical") == "F84002"


def test_an_ambiguous_name_is_answered_with_a_list_and_narrowed_by_a_board() -> None:
    with pytest.raises(
        StudyError, match="2 practices have 'park surgery' in their name: A81002 Park Surgery, F84001 PARK"
    ):
        organisations.find_practice(FRAME, "park surgery")
    assert organisations.find_practice(FRAME, "park surgery", within=["F84001", "F84002"]) == "F84001"


def test_a_list_of_practices_stops_at_ten() -> None:
    many = pd.DataFrame({"practice_code": [f"A81{i:03d}" for i in range(14)], "practice_name": "Mill Surgery"})
    with pytest.raises(StudyError, match="14 practices") as caught:
        organisations.find_practice(many, "Mill")
    assert caught.value.problem.count("Mill Surgery") == 10
    assert caught.value.problem.endswith("and 4 more.")


def test_a_word_that_many_practices_share_is_no_likeness() -> None:
    names = [f"{first}{last} Surgery" for first in ("Ash", "Elm", "Oak", "Yew") for last in ("combe", "ford", "wick")]
    many = pd.DataFrame({"practice_code": [f"A81{i:03d}" for i in range(12)], "practice_name": names})
    with pytest.raises(StudyError) as caught:
        organisations.find_practice(many, "Zzqxj surgery")
    assert caught.value.fix.startswith("Give the practice's code")
    with pytest.raises(StudyError) as caught:
        organisations.find_practice(many, "Elmwyk surgery of Mr Q")
    assert caught.value.fix == "Did you mean A81005 Elmwick Surgery?"


def test_a_slip_in_a_name_or_code_is_met_with_the_nearest() -> None:
    with pytest.raises(StudyError) as name:
        organisations.find_practice(FRAME, "Denshm")
    assert name.value.fix == "Did you mean A81001 THE DENSHAM SURGERY?"
    with pytest.raises(StudyError) as code:
        organisations.find_practice(FRAME, "A81011")
    assert code.value.fix == "Did you mean A81001 THE DENSHAM SURGERY?"


def test_a_practice_of_another_board_is_said_to_be_one() -> None:
    with pytest.raises(StudyError, match="not in the board or list asked for: A81001"):
        organisations.find_practice(FRAME, "Densham", within=["F84001"])


def test_a_board_is_found_by_code_or_name() -> None:
    assert organisations.find_icb(FRAME, "qhm") == ["QHM"]
    assert organisations.find_icb(FRAME, "North Cumbria") == ["QHM"]
    assert organisations.find_icb(FRAME, "North East") == ["QHM", "QMF"]


def test_the_names_of_the_table_go_before_those_of_the_catalogue() -> None:
    named = FRAME.assign(icb_name=["Our Board", "Our Board", "", "", ""])
    assert organisations.find_icb(named, "our board") == ["QHM"]


def test_an_unknown_board_is_met_with_the_nearest() -> None:
    with pytest.raises(StudyError) as caught:
        organisations.find_icb(FRAME, "Nothumbria")
    assert "QHM" in caught.value.fix or "QMF" in caught.value.fix
    with pytest.raises(StudyError, match="No board of this table is called 'QH0'") as caught:
        organisations.find_icb(FRAME, "QH0")
    assert "QHM (NHS North East and North Cumbria" in caught.value.fix


def test_a_board_of_april_2026_is_the_sum_of_those_it_replaced() -> None:
    whole = [
        (new, [old for old, board in catalogue.icbs().items() if new in board.successors]) for new in catalogue.icbs()
    ]
    new, old = next(
        (new, old)
        for new, old in whole
        if len(old) > 1 and all(catalogue.icbs()[code].successors == (new,) for code in old)
    )
    assert set(organisations.codes_of_board(new, [*old, "QHM"])) == set(old)


def test_a_board_that_was_split_cannot_be_put_together_from_codes() -> None:
    split = [old for old, board in catalogue.icbs().items() if len(board.successors) > 1]
    assert split, "the catalogue knows no board that was split"
    for old in split:
        successors = catalogue.icbs()[old].successors
        new = [code for code in successors if code not in ("QHM",)]
        assert organisations.codes_of_board(old, new) == ()


def test_a_board_that_cannot_be_told_says_when_it_was() -> None:
    old = next(old for old, board in catalogue.icbs().items() if len(board.successors) > 1)
    table = pd.DataFrame({"icb_code": list(catalogue.icbs()[old].successors)})
    with pytest.raises(StudyError, match=f"practices of {old} .* ended on 31 March 2026"):
        organisations.find_icb(table, old)


def test_unallocated_practices_are_pooled_within_their_board_and_straddling_networks_are_two() -> None:
    code, key = organisations.network(
        pd.Series(["U", "U", "U41591", "U41591", ""]), pd.Series(["QHM", "QMF", "QOX", "QR1", "QHM"])
    )
    assert code.tolist() == ["QHM U", "QMF U", "U41591", "U41591", ""]
    assert key.tolist() == ["QHM:U", "QMF:U", "QOX:U41591", "QR1:U41591", ""]


def test_a_practice_of_another_board_is_answered_with_its_own() -> None:
    frame = pd.DataFrame({"practice_code": ["A81001"], "practice_name": ["Densham"], "icb_code": ["QHM"]})
    with pytest.raises(StudyError) as caught:
        organisations.find_practice(frame, "densham", within=["B82001"])
    assert "Name its own board (QHM (NHS North East and North Cumbria Integrated Care Board))" in caught.value.fix
    twins = pd.concat([frame, frame.assign(practice_code="A81002")])
    with pytest.raises(StudyError) as caught:
        organisations.find_practice(twins, "densham", within=["A81001", "A81002"])
    assert "board" not in caught.value.fix


def test_a_board_is_found_by_name_as_it_is_by_code() -> None:
    new = next(code for code, board in catalogue.icbs().items() if board.valid_from.year == 2026)
    old = [code for code, board in catalogue.icbs().items() if board.successors == (new,)]
    frame = pd.DataFrame({"icb_code": old})
    if organisations.codes_of_board(new, old):
        assert organisations.find_icb(frame, catalogue.icbs()[new].name) == organisations.find_icb(frame, new) == [new]
    names = pd.DataFrame({"icb_code": ["NHS NORTH EAST AND NORTH CUMBRIA ICB"]})
    assert organisations.find_icb(names, "QHM") == ["NHS NORTH EAST AND NORTH CUMBRIA ICB"]
    assert organisations.lives_on("QHM") and not organisations.lives_on(new) and not organisations.lives_on(old[0])


def test_a_board_is_found_without_a_table() -> None:
    day = dt.date(2026, 3, 31)
    assert organisations.find_icb_by_date("north cumbria", day) == "QHM"
    with pytest.raises(StudyError, match="have 'north' in their name"):
        organisations.find_icb_by_date("north", day)
