"""Multilevel models: nested random intercepts by maximum likelihood, in numpy and scipy alone.

Units lie in units: practices in networks in areas, pupils in schools, visits in patients. Each level's effects are
normal on the link scale; counts, shares and measurements are binomial (logit), Poisson or negative binomial (log) or
Gaussian. Up to four levels, plus one effect per row ("observation") where counts spread more than chance allows.

>>> fit = multilevel.fit("incidence ~ C(period)", cbpp, family="binomial", trials="size", groups=["herd"])
>>> print(fit.summary())
>>> fit.intervals()

The likelihood is the Laplace approximation, adaptive Gauss-Hermite quadrature for one level (`n_quadrature`), or exact
for the Gaussian (maximum likelihood or REML). It agrees with lme4 and glmmTMB to the digits that they agree with each
other. What nesting buys is speed: the linear systems are trees, solved in one pass up and one down, with no sparse
matrix and no compiled code.

References
----------
Bates, Mächler, Bolker & Walker 2015, J Stat Softw 67(1); Kristensen et al. 2016, J Stat Softw 70(5); Skaug & Fournier
2006, Comput Stat Data Anal 51:699; Pinheiro & Bates 1995, J Comput Graph Stat 4:12; Self & Liang 1987, JASA 82:605.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from gpvar.stats.multilevel._diagnostics import ModelCheck
from gpvar.stats.multilevel._draws import Draws
from gpvar.stats.multilevel._estimate import Estimate, estimate
from gpvar.stats.multilevel._guards import FAMILIES
from gpvar.stats.multilevel._model import from_formula, from_matrix
from gpvar.stats.multilevel._reading import OBSERVATION
from gpvar.stats.multilevel._result import MultilevelFit

__all__ = ["FAMILIES", "OBSERVATION", "Draws", "Estimate", "ModelCheck", "MultilevelFit", "fit", "fit_matrix"]


def fit(
    formula: str,
    data: pd.DataFrame | Mapping[str, ArrayLike],
    *,
    family: str,
    groups: Sequence[str] | str,
    trials: str | None = None,
    exposure: str | None = None,
    offset: str | None = None,
    reml: bool = False,
    n_quadrature: int = 1,
) -> MultilevelFit:
    """Fit a model written as a formula over the columns of a table.

    Parameters
    ----------
    formula
        The response and the fixed effects, in the formula language of statsmodels: ``"seen ~ age + C(region)"``. The
        random intercepts are in `groups`. What lme4 writes ``y ~ x + (1 | area/practice)`` is ``"y ~ x"`` with
        ``groups=["area", "practice"]``.
    data
        One row per observation; nothing missing in the columns that are used.
    family
        "binomial", "poisson", "negative_binomial" or "gaussian".
    groups
        Columns that hold the units' labels, from coarse to fine; a label belongs to one unit over the whole table.
        "observation", where there is no such column, gives every row an effect of its own.
    trials
        Column of denominators (binomial); the response then counts successes. Without it the response is 0 or 1.
    exposure
        Column of exposures (log link): expected counts are proportional to it.
    offset
        Column added to the linear predictor as it stands.
    reml
        Gaussian only: restricted maximum likelihood.
    n_quadrature
        Nodes of adaptive Gauss-Hermite quadrature, for one grouping level; 1 is the Laplace approximation. More nodes
        are advised below a mean count of five a unit.

    Raises
    ------
    StatsError
        If the data do not make this model: the message names the column, level or unit.
    ConvergenceError
        If no maximum was reached.
    """
    model = from_formula(
        formula,
        data,
        family=family,
        groups=groups,
        trials=trials,
        exposure=exposure,
        offset=offset,
        reml=reml,
        n_quadrature=n_quadrature,
    )
    return MultilevelFit.of(estimate(model, reml=reml, n_quadrature=n_quadrature), formula)


def fit_matrix(
    response: ArrayLike,
    design: ArrayLike | pd.DataFrame,
    groups: pd.DataFrame | Mapping[str, Any],
    *,
    family: str,
    trials: ArrayLike | None = None,
    exposure: ArrayLike | None = None,
    offset: ArrayLike | None = None,
    reml: bool = False,
    n_quadrature: int = 1,
) -> MultilevelFit:
    """Fit a model whose design matrix is ready.

    Parameters
    ----------
    response, trials, exposure, offset
        (n,) each, as in `fit`.
    design
        (n, p) columns of the fixed effects, the intercept among them if there is to be one; the names of a DataFrame's
        columns name the coefficients.
    groups
        Level names → (n,) labels, from coarse to fine.
    family, reml, n_quadrature
        As in `fit`, and the same errors are raised.
    """
    model = from_matrix(
        response,
        design,
        groups,
        family=family,
        trials=trials,
        exposure=exposure,
        offset=offset,
        reml=reml,
        n_quadrature=n_quadrature,
    )
    return MultilevelFit.of(estimate(model, reml=reml, n_quadrature=n_quadrature), "")
