"""Everything from counts to ranks against an R script written from the methods page: tests/reference/pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpvar.results import Analysis
from gpvar.stats import funnel
from tests.reference.pipeline import sides

pytestmark = pytest.mark.reference

AGREE = 0.995
#: Places among 6,135 by which ranks of 2,000 draws may differ from ranks of 2,000 others: at the median 1 in 100, at
#: the ends of the interval, which draws know half as well, 2 in 100.
DRAWN = {"median": 62, "lower": 123, "upper": 123}
CASES = [(study, rung, place) for study in sides.STUDIES for rung in sides.RUNGS for place in sides.COMPARATORS]
WITH_MONTHS = [study for study, (months, _) in sides.STUDIES.items() if months > 1]


@pytest.fixture(scope="module")
def analyses() -> dict[str, Analysis]:
    return sides.analyses()


@pytest.fixture(scope="module")
def both(analyses: dict[str, Analysis]) -> pd.DataFrame:
    return sides.beside(analyses)


@pytest.fixture(scope="module")
def models() -> pd.DataFrame:
    return sides.read("models.csv")


def test_the_world_has_every_position_and_movement(both: pd.DataFrame) -> None:
    assert set(both["r_position"]) == {
        "not_decidable", "no_detectable_difference", "usual", "unusual", "far_outside",
    }  # fmt: skip
    assert set(both["r_movement"]) >= {
        "", "explained", "partly_explained", "not_explained", "borderline", "revealed",
    }  # fmt: skip
    small = both.query("study == 'advice_april' and rung == 'M1' and comparator == 'england'")
    assert (small["denominator"] * small["centre"] < 30).mean() > 0.2


@pytest.mark.parametrize(("study", "rung", "comparator"), CASES)
def test_positions_movements_and_ranks_are_those_that_r_finds(
    both: pd.DataFrame, study: str, rung: str, comparator: str
) -> None:
    rows = both[(both["study"] == study) & (both["rung"] == rung) & (both["comparator"] == comparator)]
    assert len(rows) == 6200
    assert (rows["position"] == rows["r_position"]).mean() >= AGREE
    assert (rows["movement"].fillna("") == rows["r_movement"]).mean() >= AGREE
    assert (rows["rank"].isna() == rows["r_rank"].isna()).all()
    apart = (rows["rank"] - rows["r_rank"]).abs().dropna()
    assert (apart <= sides.PLACES).mean() >= AGREE
    if rung == "M0":
        assert (apart == 0).all()


@pytest.mark.parametrize("comparator", sides.COMPARATORS)
def test_percentiles_are_those_of_rs_ranks(both: pd.DataFrame, comparator: str) -> None:
    rows = both[both["comparator"] == comparator].dropna(subset=["r_rank"])
    groups = ["study", "rung", *(["board"] if comparator == "own_icb" else [])]
    tied = rows.groupby([*groups, "r_rank"])["r_rank"].transform("size")
    among = rows.groupby(groups)["r_rank"].transform("size")
    percentile = 100.0 * (rows["r_rank"] + tied / 2 - 1.0) / among
    apart = (percentile - rows["percentile"]).abs() * among / 100.0
    assert (apart.groupby([rows["study"], rows["rung"]]).quantile(AGREE) <= sides.PLACES).all()


@pytest.mark.parametrize(("study", "rung", "comparator"), CASES)
def test_z_is_that_of_r(both: pd.DataFrame, study: str, rung: str, comparator: str) -> None:
    rows = both[(both["study"] == study) & (both["rung"] == rung) & (both["comparator"] == comparator)]
    rows = rows[rows["position"] != "not_decidable"]
    apart = (rows["z"] - rows["r_z"]).abs()
    assert apart.notna().all()
    assert apart.max() <= 0.001


def test_every_disagreement_is_listed(both: pd.DataFrame) -> None:
    listed = sides.read("disagreements.csv")
    columns = [*sides.KEY, "what"]
    found = sides.disagreements(both)
    # What is listed lies on a limit to the last digit: another machine may have it on the same side.
    assert set(found[columns].itertuples(index=False)) <= set(listed[columns].itertuples(index=False))


@pytest.mark.parametrize("study", sides.STUDIES)
def test_models_are_those_of_lme4(analyses: dict[str, Analysis], models: pd.DataFrame, study: str) -> None:
    found = analyses[study]
    theirs = models[models["study"] == study]
    for rung, part in theirs[theirs["rung"].isin(sides.RUNGS)].groupby("rung"):
        own = found.fits[found.fits["rung"] == rung]["estimate"].to_numpy()
        fixed = part[part["part"] == "fixed"]
        assert np.all(np.abs(own - fixed["estimate"]) <= 0.005 * fixed["se"]), rung
        loglik = found.models.set_index("rung")["loglik"][rung]
        assert part[part["part"] == "loglik"]["estimate"].item() == pytest.approx(loglik, abs=1e-3)


@pytest.mark.parametrize("study", sides.STUDIES)
def test_spreads_between_boards_networks_and_practices_are_those_of_lme4(
    analyses: dict[str, Analysis], models: pd.DataFrame, study: str
) -> None:
    # The highest rung is the one that both fit on the same practices.
    own = analyses[study].levels.query("rung == 'M2'").set_index("level")["sd"]
    theirs = models.query("study == @study and rung == 'M2' and part == 'sd'").set_index("term")["estimate"]
    assert own.to_dict() == pytest.approx(theirs.to_dict(), rel=0.002, abs=1e-5)


@pytest.mark.parametrize("study", sides.STUDIES)
def test_the_shared_spread_is_that_of_r(analyses: dict[str, Analysis], study: str) -> None:
    theirs = sides.read("spread.csv").query("study == @study")
    rows = analyses[study].spread.merge(theirs, on=["rung", "comparator"], suffixes=("", "_r"))
    assert len(rows) == 8
    assert (rows["n"] == rows["n_r"]).all()
    assert (rows["tau2"] / rows["tau2_r"] - 1).abs().max() <= 1e-5


@pytest.mark.parametrize("study", sides.STUDIES)
def test_the_spread_of_dersimonian_and_laird_is_that_of_r(both: pd.DataFrame, study: str) -> None:
    theirs = sides.read("spread.csv").query("study == @study and comparator == 'england'")
    for rung, tau2 in theirs.set_index("rung")["dersimonian_laird"].items():
        rows = both.query("study == @study and comparator == 'england' and rung == @rung and in_fit")
        rate = study in ("appointments_year", "advice_april")
        variance = 1 / (rows["denominator"] * rows["centre"] * (1.0 if rate else 1 - rows["centre"]))
        spread = funnel.dersimonian_laird(rows["link_residual"].to_numpy(), variance.to_numpy(), n_parameters=1)[0]
        assert spread.tau2 == pytest.approx(tau2, rel=1e-3), rung


@pytest.mark.parametrize("study", WITH_MONTHS)
def test_passing_movement_and_its_correlation_are_those_of_r(
    analyses: dict[str, Analysis], models: pd.DataFrame, study: str
) -> None:
    own = analyses[study].passing
    used = own[own["used"]].iloc[0]
    theirs = models.query("study == @study and part == 'passing'").set_index("term")["estimate"]
    assert used["v"] == pytest.approx(theirs["v"], rel=1e-6)
    assert used["rho"] == pytest.approx(theirs["rho"], abs=1e-6)
    assert used["v_period"] == pytest.approx(theirs["mean"], rel=1e-6)


@pytest.mark.parametrize("study", WITH_MONTHS)
@pytest.mark.parametrize(("rung", "kind"), [("M0", "raw"), ("M1", "adjusted")])
def test_median_ranks_of_what_lasts_are_those_of_r(
    analyses: dict[str, Analysis], study: str, rung: str, kind: str
) -> None:
    theirs = sides.read("ranks.csv.gz").query("study == @study")
    own = analyses[study].effects.query("rung == @rung").dropna(subset=["rank_median"])
    rows = own.merge(theirs, on="practice_code")
    assert len(rows) == len(own) > 6000
    for end, places in DRAWN.items():
        apart = rows[f"rank_{end}"] - rows[f"{kind}_{end}"]
        assert (apart.abs() <= places).mean() >= AGREE, end
        assert abs(apart.mean()) <= 1.0, end
