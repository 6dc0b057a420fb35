"""Six sentences about ICB QHM on the real England table: the raw facts, and what is found, as it falls."""

from __future__ import annotations

import tomllib
from typing import Any

import pandas as pd
import pytest

from tests.support import ROOT, shared

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
