"""Six sentences about ICB QHM on the real England table: the raw facts, and what is found, as it falls."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

import gpvar
from gpvar import claims
from gpvar.results import Claim, Finding, Run
from gpvar.words.claims import claim_facts, finding_right_short
from tests.claim_rows import figure
from tests.support import ROOT, shared
from tests.test_real_study import COLUMNS

CLAIMS = tomllib.loads((ROOT / "tests" / "qhm_claims.toml").read_text(encoding="utf-8"))["claim"]


@pytest.fixture(scope="module")
def raw() -> pd.DataFrame:
    table = pd.read_csv(shared("data", "joined", "england_2025_26.csv.gz"), low_memory=False)
    shown = table["gpad_annual_dna"] + table["gpad_annual_attended"]
    total = table["gpad_annual_total_appointments"]
    return pd.DataFrame(
        {
            "practice_code": table["practice_code"],
            "icb_code": table["icb_code_2024"],
            "same_day_share": table["gpad_annual_same_day"] / total,
            "dna_share": table["gpad_annual_dna"] / shown,
            "appointments_per_1000": total / table["annual_patient_month_exposure"],
        }
    )


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim["text"][:30])
def test_the_raw_fact_was_counted_rightly(claim: dict[str, Any], raw: pd.DataFrame) -> None:
    figures, fact = raw[claim["metric"]], claim["raw"]
    board = figures[raw["icb_code"] == "QHM"]
    if claim["template"] == "fold":
        assert round(board.max() / board.min(), 2) == fact["fold"]
        assert len(board) == fact["practices"]
        return
    here = raw["practice_code"] == claim["practice"]
    assert round(figures[here].iloc[0], 4) == fact["value"]
    if "rank" in fact:
        assert (figures.rank()[here].iloc[0], len(figures)) == (fact["rank"], fact["of"])
    if "mean_of_icb" in fact:
        assert round(board.mean(), 4) == fact["mean_of_icb"]


# --- what is found ---------------------------------------------------------------------------------------------------

SHARE, MISSED, RATE = "same_day_share", "dna_share", "appointments_per_1000"
INTERVALS = [
    "Same Day", "1 Day", "2 to 7 Days", "8  to 14 Days", "15  to 21 Days", "22  to 28 Days", "More than 28 Days",
    "Unknown / Data Quality",
]  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The year, with April beside it; that file holds no missed appointments. Each card's own adjusters."""
    columns = COLUMNS | {"age_sex": ["share_0_4", "share_65plus", "share_85plus", "share_female_15_44"]}
    april = {
        "practice_code": "GP_CODE",
        f"{SHARE}.numerator": "Same Day",
        f"{SHARE}.denominator": INTERVALS,
        f"{RATE}.numerator": INTERVALS,
    }
    study = {
        "schema": 1,
        "title": "Access in North East and North Cumbria, 2025/26",
        "seed": 20260401,
        "declared": "2026-11-22",
        "period": "2025-04..2026-03",
        "metrics": [SHARE, MISSED, RATE],
        "area": {"kind": "icb", "code": "QHM"},
        "reference": {"set": "england", "exclude": ["atypical", "list_under_1000"]},
        "source": [
            {"id": "local", "file": str(shared("data", "joined", "england_2025_26.csv.gz")), "columns": columns},
            {
                "id": "april",
                "file": str(shared("data", "joined", "appointments_april_2025_wide.csv.gz")),
                "period": "2025-04",
                "columns": april,
            },
        ],
    }
    return gpvar.run(gpvar.load_study(study, base=tmp_path_factory.mktemp("qhm")))


def claim_of(number: int) -> Claim:
    said = CLAIMS[number - 1]
    return Claim(
        id=str(number),
        template=said["template"],
        text=said["text"],
        practice=said.get("practice", ""),
        practice_code=said.get("practice", ""),
        metric=said["metric"],
        figure=figure(said["figure"]),
        threshold=figure(said["threshold"]) if "threshold" in said else None,
        comparator={"England": "england", "ICB": "icb"}[said["comparator"]],
        direction=said.get("direction", ""),
    )


@pytest.fixture(scope="module")
def found(run: Run) -> dict[int, Finding]:
    numbers = range(1, len(CLAIMS) + 1)
    return dict(zip(numbers, claims.check_all([claim_of(number) for number in numbers], run), strict=True))


@pytest.mark.parametrize(
    ("number", "verdict", "reason"),
    [
        (1, "supported", "rank_holds"),
        (2, "supported", "shortfall_holds"),
        (3, "not_decidable", "rank_needs_months"),
        (4, "supported", "shortfall_holds"),
        (5, "contradicted", "not_exceptional"),
        (6, "not_decidable", "variation_needs_months"),
    ],
)
def test_what_is_found_as_it_fell(number: int, verdict: str, reason: str, found: dict[int, Finding]) -> None:
    """The board is right of three and wrong of one; two need months that the file of April does not hold."""
    assert (found[number].verdict, found[number].reason) == (verdict, reason)


def test_the_findings_rest_on_the_facts_that_were_counted_by_hand(found: dict[int, Finding]) -> None:
    for number in (1, 3):
        numbers, fact = found[number].numbers, CLAIMS[number - 1]["raw"]
        assert (numbers["rank"], numbers["ranked"]) == (fact["rank"], fact["of"])
        assert numbers["in_tail"] is True
    for number in (1, 2, 4, 5):
        assert round(found[number].rungs[0]["value"], 4) == CLAIMS[number - 1]["raw"]["value"]
        assert found[number].arithmetic == "right"


def test_the_first_is_in_the_lowest_tenth_whatever_is_allowed_for(found: dict[int, Finding]) -> None:
    numbers = found[1].numbers
    assert min(numbers["p_raw"], numbers["p_adjusted"], numbers["p_setting"]) > 0.98
    assert 0.95 < numbers["reliability"] < 0.97
    assert 50 < numbers["rank_lower"] < numbers["rank"] < numbers["rank_upper"] < 500


def test_almost_half_of_the_second_s_shortfall_is_its_patients_and_the_rest_is_far_outside(
    found: dict[int, Finding],
) -> None:
    numbers = found[2].numbers
    assert 0.40 < numbers["explained_share"] < 0.50
    assert numbers["adjusted_upper"] < -2 * numbers["margin"]
    assert {row["position"] for row in found[2].rungs} == {"far_outside"}
    assert "atypical" in [gate["gate"] for gate in found[2].gates if gate["state"] == "failed"]


def test_the_fourth_s_patients_account_for_none_of_its_distance_from_its_board(found: dict[int, Finding]) -> None:
    assert found[4].comparator == "own_icb"
    assert abs(found[4].numbers["explained_share"]) < 0.05
    assert found[4].rungs[0]["ranked"] == 331


def test_the_fifth_is_the_highest_of_its_board_and_inside_the_usual_range(found: dict[int, Finding]) -> None:
    numbers = found[5].numbers
    assert numbers["z_adjusted"] < numbers["z_raw"] < 1.96
    assert numbers["beyond_99_8"] > numbers["expected_beyond"]


def test_in_few_words_the_highest_place_of_its_board_is_conceded_of_the_fifth(
    run: Run, found: dict[int, Finding]
) -> None:
    said = finding_right_short(claim_facts(run, found[5]))
    assert said[0].endswith("the highest of 331 in its own ICB.") and any("10.3%" in text for text in said)


def test_without_april_no_lasting_place_is_told_and_the_shortfall_of_the_year_is(run: Run) -> None:
    table = replace(run.table, periods=run.table.periods.iloc[:0])
    alone = replace(run, table=table, analyses={SHARE: gpvar.analyse(table, SHARE)})
    first, fourth = claims.check_all([claim_of(1), claim_of(4)], alone)
    assert (first.verdict, first.reason) == ("not_decidable", "rank_needs_months")
    assert first.numbers["in_tail"] is True
    # 17 points below its board in the year, whatever lasts of it, and still inside the range of practices as they are.
    assert (fourth.verdict, fourth.reason) == ("supported", "shortfall_holds")
    assert min(abs(row["z"]) for row in fourth.rungs) < 1.96
    assert fourth.numbers["difference_upper"] < -2 * fourth.numbers["margin"]
    assert "chance_not_separated" in fourth.because
