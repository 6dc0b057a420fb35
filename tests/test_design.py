"""The design matrix: transformations, constants kept, nothing dropped in silence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpvar import design
from gpvar.errors import TableError


@pytest.fixture
def practices() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    n = 400
    register = rng.integers(50, 900, n).astype(float)
    return pd.DataFrame(
        {
            "practice_code": [f"A{i:05d}" for i in range(n)],
            "list_size": rng.integers(1500, 20000, n).astype(float),
            "age_sex.share_0_4": rng.uniform(0.02, 0.1, n),
            "age_sex.share_65plus": rng.uniform(0.05, 0.35, n),
            "imd2025": rng.gamma(4.0, 6.0, n),
            "qof_dm.numerator": register,
            "qof_dm.denominator": register * rng.uniform(8, 20, n),
            "rurality": rng.choice(["Urban", "Rural"], n, p=[0.8, 0.2]),
        }
    )


def everyone(practices: pd.DataFrame) -> np.ndarray:
    return np.ones(len(practices), dtype=bool)


def test_spline_is_straight_beyond_its_outer_knots(practices: pd.DataFrame) -> None:
    made = design.build(practices, ["imd2025"], everyone(practices))
    knots = [float(k) for k in made.terms["knots"].iloc[1].split()]
    curve = made.matrix[:, 1:]
    for outside in (practices["imd2025"] < knots[0], practices["imd2025"] > knots[-1]):
        order = np.argsort(practices["imd2025"][outside].to_numpy())
        x = practices["imd2025"][outside].to_numpy()[order]
        for column in curve[outside.to_numpy()][order].T:
            slopes = np.diff(column) / np.diff(x)
            assert np.allclose(slopes, slopes[0], atol=1e-8)
    assert made.extrapolated.mean() == pytest.approx(0.10, abs=0.01)


def test_spline_has_one_straight_and_two_curved_parts(practices: pd.DataFrame) -> None:
    made = design.build(practices, ["imd2025"], everyone(practices))
    assert made.terms["term"].tolist() == ["intercept", "imd2025", "imd2025 (curve 1)", "imd2025 (curve 2)"]


def test_prevalence_enters_as_the_logit_of_register_over_list(practices: pd.DataFrame) -> None:
    made = design.build(practices, ["qof_dm"], everyone(practices))
    share = (practices["qof_dm.numerator"] + 0.5) / (practices["qof_dm.denominator"] + 1.0)
    logit = np.log(share / (1 - share))
    assert np.allclose(made.matrix[:, 1], (logit - logit.mean()) / logit.std(ddof=0))
    assert made.terms["centre"].iloc[1] == pytest.approx(logit.mean())


def test_a_column_can_be_rebuilt_from_the_constants_kept(practices: pd.DataFrame) -> None:
    made = design.build(practices, ["age_sex"], everyone(practices))
    for j, term in enumerate(made.terms.itertuples()):
        if term.covariate:
            assert np.allclose(made.matrix[:, j] * term.scale + term.centre, practices[term.term])


def test_categories_are_compared_with_the_commonest(practices: pd.DataFrame) -> None:
    made = design.build(practices, ["rurality"], everyone(practices))
    assert made.terms["term"].tolist() == ["intercept", "rurality: Rural rather than Urban"]


def test_missing_covariates_leave_a_practice_incomplete_not_zero(practices: pd.DataFrame) -> None:
    practices.loc[3, "imd2025"] = np.nan
    practices.loc[5, "rurality"] = None
    made = design.build(practices, ["imd2025", "rurality"], everyone(practices))
    assert np.flatnonzero(~made.complete).tolist() == [3, 5]
    assert np.isnan(made.matrix[3]).any() and np.isnan(made.matrix[5]).any()


def test_constants_come_from_the_fitted_practices_only(practices: pd.DataFrame) -> None:
    fitted = everyone(practices)
    fitted[0] = False
    practices.loc[0, "imd2025"] = 1e6
    made = design.build(practices, ["imd2025"], fitted)
    assert made.matrix[fitted, 1].mean() == pytest.approx(0.0, abs=1e-9)


def test_a_covariate_that_never_varies_is_left_out(practices: pd.DataFrame) -> None:
    practices["imd2025"] = 20.0
    assert design.build(practices, ["imd2025"], everyone(practices)).matrix.shape[1] == 1


def test_a_covariate_without_a_column_is_refused_by_name(practices: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="qof_dep"):
        design.build(practices, ["qof_dep"], everyone(practices))
