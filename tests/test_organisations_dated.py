"""Maps of different dates: one whole row for each practice, and the boards of before and after April 2026 bridged."""

from __future__ import annotations

import datetime as dt
import zipfile
from functools import cache

import pandas as pd
import pytest

from gpvar import catalogue, organisations
from gpvar.errors import StudyError
from tests.support import shared

BEFORE, AFTER = dt.date(2026, 3, 31), dt.date(2026, 4, 1)


def places(date: str, **columns: list[str]) -> pd.DataFrame:
    """A map of `date`: practice_code and whatever else is given."""
    return pd.DataFrame(columns).assign(date=date)


def placed_on(day: dt.date, *maps: pd.DataFrame, needs: tuple[str, ...] = ()) -> pd.DataFrame:
    return organisations.place_on(maps, day, needs).set_index("practice_code")


def one_practice(date: str, icb: str, **more: str) -> pd.DataFrame:
    return places(date, practice_code=["A81001"], icb_code=[icb], **{name: [value] for name, value in more.items()})


# Which map a row comes from


def test_the_nearest_map_is_taken_and_named() -> None:
    maps = [one_practice(date, "QHM") for date in ("2024-01-01", "2025-03-01", "2025-09-01")]
    assert placed_on(dt.date(2025, 4, 1), *maps).loc["A81001", "map_date"] == "2025-03-01"
    assert placed_on(dt.date(2025, 8, 1), *maps).loc["A81001", "map_date"] == "2025-09-01"


def test_of_two_maps_as_near_the_one_before_the_day_is_taken() -> None:
    maps = [one_practice("2025-05-11", "QHM"), one_practice("2025-05-09", "QHM")]
    assert placed_on(dt.date(2025, 5, 10), *maps).loc["A81001", "map_date"] == "2025-05-09"
    assert placed_on(dt.date(2025, 5, 10), *reversed(maps)).loc["A81001", "map_date"] == "2025-05-09"


def test_a_practice_missing_from_the_nearest_map_comes_from_the_next() -> None:
    near = places("2025-04-01", practice_code=["A81001"], icb_code=["QHM"])
    far = places("2024-04-01", practice_code=["A81001", "A81002"], icb_code=["QHM", "QF7"])
    placed = placed_on(dt.date(2025, 4, 2), near, far)
    assert placed["map_date"].to_dict() == {"A81001": "2025-04-01", "A81002": "2024-04-01"}


def test_a_row_is_taken_whole_so_that_no_blank_is_filled_from_another_date() -> None:
    near = one_practice("2025-04-01", "QHM", practice_name="NEW NAME")
    far = one_practice("2024-04-01", "QF7", pcn_code="U12345", pcn_name="OLD NETWORK", practice_name="OLD NAME")
    row = placed_on(dt.date(2025, 4, 2), near, far).loc["A81001"]
    assert (row["icb_code"], row["pcn_code"], row["pcn_name"]) == ("QHM", "", "")
    assert row["practice_name"] == "NEW NAME"


def test_a_map_that_lacks_what_is_needed_comes_after_those_that_have_it() -> None:
    ods = places("2025-04-01", practice_code=["A81001", "A81002"], icb_code=["QHM", "QHM"])
    registered = one_practice("2024-04-01", "QHM", pcn_code="U12345")
    placed = placed_on(dt.date(2025, 4, 2), ods, registered, needs=("pcn_code",))
    assert placed["map_date"].to_dict() == {"A81001": "2024-04-01", "A81002": "2025-04-01"}


def test_of_two_maps_of_one_date_the_fuller_row_is_taken() -> None:
    bare, full = one_practice("2025-04-01", "QHM"), one_practice("2025-04-01", "QHM", pcn_code="U12345")
    assert placed_on(dt.date(2025, 4, 1), bare, full).loc["A81001", "pcn_code"] == "U12345"


def test_codes_are_tidied_and_no_map_makes_no_rows() -> None:
    messy = places("2025-04-01", practice_code=[" a81001 ", ""], icb_code=["qhm ", "QHM"])
    assert placed_on(dt.date(2025, 4, 1), messy)["icb_code"].to_dict() == {"A81001": "QHM"}
    assert list(organisations.place_on([], dt.date(2025, 4, 1)).columns) == [
        *organisations.PLACES,
        *organisations.PLACED,
    ]


# Boards of the other side of April 2026


def test_a_board_merged_whole_is_named_by_its_successor() -> None:
    row = placed_on(AFTER, one_practice("2024-01-01", "QRV", icb_name="North West London", region_code="Y56")).loc[
        "A81001"
    ]
    assert (row["icb_code"], row["map_icb_code"], row["board_from"]) == ("Z9B2Z", "QRV", "code")
    assert row["icb_name"] == catalogue.icbs()["Z9B2Z"].name
    assert row["region_code"] == "Y56"


def test_a_board_that_no_change_touched_stays_as_the_map_has_it() -> None:
    row = placed_on(AFTER, one_practice("2024-01-01", "QHM", icb_name="Our own spelling")).loc["A81001"]
    assert (row["icb_code"], row["icb_name"], row["board_from"]) == ("QHM", "Our own spelling", "map")


@pytest.mark.parametrize(
    ("map_date", "day", "icb", "sub_icb", "told"),
    [
        ("2024-01-01", AFTER, "QM7", "07H", "D7T5G"),
        ("2024-01-01", AFTER, "QM7", "06K", "S1Y5D"),
        ("2026-07-01", BEFORE, "S1Y5D", "06K", "QM7"),
        ("2026-07-01", BEFORE, "S0E4D", "U2G6B", "QNQ"),
        ("2026-07-01", BEFORE, "QRL", "10R", "QRL"),
    ],
)
def test_a_split_board_is_told_by_its_sub_icb_location(
    map_date: str, day: dt.date, icb: str, sub_icb: str, told: str
) -> None:
    row = placed_on(day, one_practice(map_date, icb, sub_icb_code=sub_icb)).loc["A81001"]
    assert row["icb_code"] == told


@pytest.mark.parametrize(
    ("map_date", "day", "icb", "sub_icb"),
    [
        ("2024-01-01", AFTER, "QNQ", "D4U1Y"),
        ("2024-01-01", AFTER, "QM7", ""),
        ("2026-07-01", BEFORE, "S9B9J", "92A"),
        ("2026-07-01", BEFORE, "QRL", "D9Y0V"),
    ],
)
def test_a_board_that_codes_do_not_tell_is_left_and_said(map_date: str, day: dt.date, icb: str, sub_icb: str) -> None:
    placed = organisations.place_on([one_practice(map_date, icb, sub_icb_code=sub_icb)], day)
    assert placed[["icb_code", "board_from"]].iloc[0].tolist() == [icb, "not told"]
    assert organisations.boards_not_told(placed)[["icb_code", "practices"]].to_numpy().tolist() == [[icb, 1]]


def test_where_the_nearest_map_cannot_be_bridged_the_whole_row_comes_from_one_that_can() -> None:
    near = one_practice("2026-07-01", "S9B9J", sub_icb_code="92A", pcn_code="U99999")
    far = one_practice("2024-01-01", "QNQ", sub_icb_code="D4U1Y", pcn_code="U11111")
    row = placed_on(BEFORE, near, far).loc["A81001"]
    assert (row["icb_code"], row["pcn_code"], row["map_date"]) == ("QNQ", "U11111", "2024-01-01")
    assert organisations.boards_not_told(organisations.place_on([near, far], BEFORE)).empty


def test_a_map_made_later_with_the_codes_of_before_is_read_by_its_codes() -> None:
    table = places("2026-07-01", practice_code=["A81001", "A81002"], icb_code=["QRL", "QNQ"])
    placed = placed_on(BEFORE, table)
    assert placed["icb_code"].to_dict() == {"A81001": "QRL", "A81002": "QNQ"}
    assert set(placed["board_from"]) == {"map"}


def test_every_board_of_before_is_bridged_in_one_way() -> None:
    pairs = organisations.bridge(BEFORE, AFTER)
    assert set(pairs["old"]) == set(catalogue.icb_members(BEFORE))
    assert set(pairs["new"]) == set(catalogue.icb_members(AFTER))
    by_how = pairs.drop_duplicates("old")["how"].value_counts().to_dict()
    assert by_how == {"unchanged": 29, "merged whole": 9, "split": 3, "enlarged": 1}
    assert pairs.loc[pairs["old"] == "QNQ", "new"].tolist() == ["S0E4D", "QRL", "S9B9J"]
    assert pairs.loc[pairs["how"] == "enlarged", ["old", "new", "new_holds_also"]].to_numpy().tolist() == [
        ["QRL", "QRL", "QNQ"]
    ]


def test_the_same_boards_on_both_days_are_unchanged() -> None:
    pairs = organisations.bridge(dt.date(2024, 1, 1), BEFORE)
    assert len(pairs) == 42 and set(pairs["how"]) == {"unchanged"}
    assert organisations.unbridgeable(dt.date(2024, 1, 1), BEFORE).empty


def test_backwards_every_board_that_was_put_together_is_split() -> None:
    pairs = organisations.bridge(AFTER, BEFORE)
    split = set(pairs.loc[pairs["how"] == "split", "old"])
    assert split == {"D7T5G", "QRL", "S0E4D", "S1Y5D", "S9B9J", "T6Y0W", "Z9B2Z"}


def test_the_parts_that_codes_do_not_tell_are_named_with_what_would() -> None:
    found = organisations.unbridgeable(BEFORE, AFTER).set_index("old")
    assert set(found.index) == {"QJG", "QM7", "QNQ"}
    assert found.loc["QM7", "told_by_sub_icb"] == "06K, 06N: S1Y5D; 07H: D7T5G"
    assert found.loc["QM7", "what_would_bridge"] == "A column of sub-ICB locations."
    assert found.loc["QNQ", "not_told"] == "D4U1Y"
    assert "dated on or after 1 April 2026" in found.loc["QNQ", "what_would_bridge"]
    back = organisations.unbridgeable(AFTER, BEFORE).set_index("old")
    assert back.loc[["QRL", "S9B9J"], "not_told"].tolist() == ["D9Y0V", "92A"]
    assert "dated before 1 April 2026" in back.loc["S9B9J", "what_would_bridge"]


def test_a_day_before_there_were_boards_is_refused() -> None:
    with pytest.raises(StudyError, match="boards began on 1 July 2022, and 1 January 2021 is before that"):
        organisations.bridge(dt.date(2021, 1, 1), BEFORE)


# Maps compared practice by practice


def test_practices_closed_opened_moved_and_elsewhere_are_told_apart() -> None:
    then = pd.DataFrame(
        {
            "practice_code": ["A81001", "A81002", "A81003", "W91001", "K81001"],
            "icb_code": ["QHM", "QHM", "QRV", "Q99", "QNQ"],
            "sub_icb_code": ["16C", "16C", "W2U3Z", "7A1", "D4U1Y"],
            "pcn_code": ["U1", "U1", "U3", "", "U4"],
        }
    )
    now = pd.DataFrame(
        {
            "practice_code": ["A81001", "A81003", "A81004", "K81001"],
            "icb_code": ["QF7", "Z9B2Z", "QHM", "QRL"],
            "sub_icb_code": ["03L", "W2U3Z", "16C", "D9Y0V"],
            "pcn_code": ["U2", "U3", "U1", ""],
        }
    )
    found = organisations.bridge_by_practice(then, now)
    assert found.closed["practice_code"].tolist() == ["A81002"]
    assert found.opened["practice_code"].tolist() == ["A81004"]
    assert found.elsewhere["practice_code"].tolist() == ["W91001"]
    assert found.moved[["practice_code", "what", "then", "now"]].to_numpy().tolist() == [
        ["A81001", "board", "QHM", "QF7"],
        ["A81001", "sub-ICB location", "16C", "03L"],
        ["A81001", "network", "U1", "U2"],
    ]
    assert found.boards[["old", "new", "practices"]].to_numpy().tolist() == [
        ["QHM", "QF7", 1],
        ["QNQ", "QRL", 1],
        ["QRV", "Z9B2Z", 1],
    ]


@pytest.fixture
def maps() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The ODS file of January 2024 (active, prescribing setting 4) and the registered-patients map of July 2026."""
    ods = shared("data", "official", "epraccur_jan2024.csv.gz")
    registered = shared("data", "official", "gp-reg-pat-prac-map.zip")
    return _maps(str(ods), str(registered))


@cache
def _maps(ods: str, registered: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    then = pd.read_csv(ods, header=None, dtype=str, keep_default_na=False, encoding="cp1252")
    then = then[(then[12] == "A") & (then[25] == "4")]
    names = {0: "practice_code", 1: "practice_name", 2: "region_code", 3: "icb_code", 14: "sub_icb_code"}
    with zipfile.ZipFile(registered) as packed:
        now = pd.read_csv(packed.open("gp-reg-pat-prac-map.csv"), dtype=str, keep_default_na=False)
    now = now.rename(
        columns={"SUB_ICB_LOCATION_CODE": "sub_icb_code", "COMM_REGION_CODE": "region_code"}
        | {name: name.lower() for name in ("PRACTICE_CODE", "PRACTICE_NAME", "PCN_CODE", "PCN_NAME", "ICB_CODE")}
    )
    kept = ["practice_code", "practice_name", "pcn_code", "pcn_name", "sub_icb_code", "icb_code", "region_code"]
    return then.rename(columns=names)[list(names.values())].assign(date="2024-01-01"), now[kept].assign(
        date="2026-07-01"
    )


def test_the_maps_of_2024_and_2026_agree_with_the_catalogue_board_by_board(maps) -> None:
    then, now = maps
    assert (len(then), len(now)) == (6750, 6139)
    found = organisations.bridge_by_practice(then, now)
    expected = organisations.bridge(dt.date(2024, 1, 1), dt.date(2026, 7, 1))
    pairs = ["old", "new", "how"]
    assert set(map(tuple, found.boards[pairs].to_numpy())) == set(map(tuple, expected[pairs].to_numpy()))
    frimley = found.boards[found.boards["old"] == "QNQ"]
    assert dict(zip(frimley["new"], frimley["practices"], strict=True)) == {"S0E4D": 41, "QRL": 14, "S9B9J": 11}
    # 402 of the 6,750 are in Wales; 6,135 of the other 6,348 are still there with a list.
    assert (len(found.elsewhere), len(found.practices), len(found.closed), len(found.opened)) == (402, 6135, 213, 4)
    assert set(found.elsewhere["icb_code"]) == {"Q99"}
    assert found.moved.groupby(["what", "then", "now"]).size().to_dict() == {("sub-ICB location", "03Q", "42D"): 14}


def test_the_map_of_2024_is_bridged_to_july_2026_but_for_frimley(maps) -> None:
    then, now = maps
    placed = organisations.place_on([then], dt.date(2026, 7, 1)).set_index("practice_code")
    not_told = organisations.boards_not_told(placed.reset_index())
    assert not_told[["icb_code", "practices"]].to_numpy().tolist() == [["QNQ", 69]]
    told = placed[placed["board_from"] != "not told"]["icb_code"]
    real = now.set_index("practice_code")["icb_code"]
    both = told.index.intersection(real.index)
    assert len(both) == 6135 - 66
    assert (told.loc[both] == real.loc[both]).all()


def test_the_map_of_2026_is_bridged_back_and_the_rest_taken_whole_from_2024(maps) -> None:
    then, now = maps
    alone = organisations.place_on([now], BEFORE)
    assert organisations.boards_not_told(alone)[["icb_code", "practices"]].to_numpy().tolist() == [
        ["QRL", 133],
        ["S9B9J", 107],
    ]
    placed = organisations.place_on([then, now], BEFORE).set_index("practice_code")
    assert organisations.boards_not_told(placed.reset_index()).empty
    real = then.set_index("practice_code")["icb_code"]
    both = placed.index.intersection(real.index)
    assert len(both) == 6750
    assert (placed.loc[both, "icb_code"] == real.loc[both]).all()
    assert placed.loc[placed["map_date"] == "2024-01-01", "pcn_code"].eq("").all()


def test_one_network_of_july_2026_straddles_two_boards_and_52_practices_have_none(maps) -> None:
    _, now = maps
    straddling = organisations.straddling_networks(now)
    assert straddling[["pcn_code", "icb_code", "practices"]].to_numpy().tolist() == [
        ["U41591", "QJK", 2],
        ["U41591", "QT6", 2],
    ]
    none = organisations.unallocated(now)
    assert (none["practices"].sum(), len(none)) == (52, 26)


def test_a_blank_network_is_neither_unallocated_nor_straddling() -> None:
    frame = pd.DataFrame({"pcn_code": ["", "", "U", "u "], "icb_code": ["QHM", "QF7", "QHM", "QF7"]})
    assert organisations.straddling_networks(frame).empty
    assert organisations.unallocated(frame)["practices"].tolist() == [1, 1]
