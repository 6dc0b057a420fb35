"""The result of a multilevel model as text, and as one long frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._reading import counted

if TYPE_CHECKING:
    from gpvar.stats.multilevel._result import MultilevelFit

_FAMILIES = {
    "binomial": ("Binomial, logit link", "log-odds"),
    "poisson": ("Poisson, log link", "log of the rate"),
    "negative_binomial": ("Negative binomial (variance μ + μ²/k), log link", "log of the rate"),
    "gaussian": ("Gaussian", "unit of the response"),
}
_EVIDENCE = {
    "evaluations": "evaluations of the likelihood",
    "largest_gradient": "largest gradient",
    "newton_decrement": "expected gain of one more step",
    "condition": "condition number",
}


def text(fit: MultilevelFit) -> str:
    """Return everything a reader needs to judge the model, in plain words."""
    family, scale = _FAMILIES[fit.family]
    given = fit.estimate.data.n_given
    formula = fit.formula or f"{len(fit.fixed)} ready columns"
    rows = f"{fit.n_rows:,}" + ("" if fit.n_rows == given else f" of {given:,} given (see the notes)")
    levels = ", ".join(f"{name} ({counted(units, 'unit')})" for name, units in fit.n_units.items())
    blocks = [
        f"Multilevel model, nested random intercepts\n"
        f"{_pair('Formula', formula)}\n{_pair('Family', family)}\n{_pair('Method', _method(fit))}\n"
        f"{_pair('Rows', rows)}\n{_pair('Levels', levels)}",
        f"{'REML criterion / -2' if fit.reml else 'Log-likelihood'} {fit.loglik:.3f} with {fit.n_parameters} "
        f"parameters, AIC {fit.aic:.2f}, BIC {fit.bic:.2f}",
        f"Fixed effects ({scale}; Wald intervals at 95 %)\n{_fixed(fit.fixed)}",
        f"Spread between units (SD of the random intercepts, {scale})\n{_spread(fit)}",
        _after(fit),
    ]
    if fit.notes:
        blocks.append("Notes\n" + "\n".join(f"- {note}" for note in fit.notes))
    return "\n\n".join(blocks) + "\n"


def _pair(name: str, value: str) -> str:
    return f"{name + ':':<9}{value}"


def _method(fit: MultilevelFit) -> str:
    if fit.family == "gaussian":
        return "restricted maximum likelihood (REML)" if fit.reml else "maximum likelihood (exact)"
    if fit.n_quadrature > 1:
        return f"maximum likelihood (adaptive Gauss-Hermite quadrature, {fit.n_quadrature} points)"
    return "maximum likelihood (Laplace approximation)"


def _fixed(frame: pd.DataFrame) -> str:
    # All to the digits that the best known coefficient deserves.
    digits = _digits(frame["se"].to_numpy(dtype=np.float64))
    cells = pd.DataFrame(
        {name: [_number(value, digits) for value in frame[name]] for name in ("estimate", "se", "lower", "upper")}
    )
    cells["z"] = ["" if np.isnan(value) else f"{value:.2f}" for value in frame["z"]]
    cells["p"] = ["" if np.isnan(p) else "<0.001" if p < 0.001 else f"{p:.3f}" for p in frame["p"]]
    cells.loc[frame["estimate"].isna().to_numpy(), "estimate"] = "none"
    return _table(cells, [str(name) for name in frame.index])


def _spread(fit: MultilevelFit) -> str:
    frame = fit.variances
    sds, variances = (frame[name].to_numpy(dtype=np.float64) for name in ("sd", "variance"))
    cells = pd.DataFrame(
        {
            "units": [f"{units:,}" for units in frame["units"]],
            "SD": [_number(sd, _digits(sds, 4)) for sd in sds],
            "variance": [_number(variance, _digits(variances, 4)) for variance in variances],
            " ": ["on the boundary: no spread beyond what the rest expects" if sd == 0 else "" for sd in sds],
        }
    )
    lines = _table(cells, [str(name) for name in frame["group"]])
    if fit.family == "negative_binomial":
        k = "infinite, so that the counts are Poisson" if np.isinf(fit.dispersion) else f"{fit.dispersion:.4g}"
        lines += f"\nDispersion k {k}"
    return lines


def _after(fit: MultilevelFit) -> str:
    found = fit.estimate.evidence
    told = ", ".join(f"{_EVIDENCE.get(name, name)} {value:.3g}" for name, value in found.items())
    return (
        "Intervals of the SDs (profile likelihood): .intervals(). Tests that an SD is zero: .likelihood_ratio().\n"
        "Is the model to be believed? .check()\n"
        f"Converged: {'yes' if fit.converged else 'no'}. {told[:1].upper()}{told[1:]}."
    )


def _digits(values: FloatArray, fewest: int = 3) -> int:
    """Return the decimals that show two digits of the smallest value, at most 7."""
    least = np.nanmin(values[values > 0], initial=np.inf)
    return int(np.clip(1 - np.floor(np.log10(least)), fewest, 7)) if np.isfinite(least) else fewest


def _number(value: float, digits: int) -> str:
    return "" if np.isnan(value) else f"{value:.{digits}f}"


def _table(cells: pd.DataFrame, names: list[str]) -> str:
    """Return right-aligned columns under their headings, names on the left."""
    wide = max(map(len, names), default=0)
    columns = [[str(heading), *cells[heading]] for heading in cells]
    widths = [max(map(len, column)) for column in columns]
    lines = []
    for row, name in enumerate(["", *names]):
        aligned = [
            column[row].ljust(width) if column[0] == " " else column[row].rjust(width)
            for column, width in zip(columns, widths, strict=True)
        ]
        lines.append(f"{name:<{wide}}  {'  '.join(aligned)}".rstrip())
    return "\n".join(lines)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a small frame by column name."""
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def frame(fit: MultilevelFit) -> pd.DataFrame:
    """Return every number of the result on a row of its own."""
    nan, errors = float("nan"), spread_errors(fit)
    rows: list[tuple[Any, ...]] = [
        ("fixed", None, term, row["estimate"], row["se"], row["lower"], row["upper"])
        for term, row in zip(fit.fixed.index, records(fit.fixed), strict=True)
    ]
    for row in records(fit.variances):
        rows.append(("sd", row["group"], None, row["sd"], errors.get(row["group"], nan), nan, nan))
    if fit.family == "negative_binomial":
        rows.append(("dispersion", None, "k", fit.dispersion, errors.get("dispersion", nan), nan, nan))
    for group, units in fit.n_units.items():
        rows.append(("units", group, None, float(units), nan, nan, nan))
    whole = {"rows": fit.n_rows, "parameters": fit.n_parameters, "loglik": fit.loglik, "aic": fit.aic, "bic": fit.bic}
    rows += [("fit", None, term, float(value), nan, nan, nan) for term, value in whole.items()]
    made = pd.DataFrame(rows, columns=["part", "group", "term", "estimate", "se", "lower", "upper"])
    return made.astype({"part": "str", "group": "str", "term": "str"})


def spread_errors(fit: MultilevelFit) -> dict[str, float]:
    """Return the standard error of each SD, and of the dispersion, from the curvature on the log scale."""
    estimate = fit.estimate
    p = len(estimate.beta)
    values = {name: sd for name, sd in zip(fit.groups, estimate.sds, strict=True) if sd > 0}
    if fit.family == "gaussian":
        values["Residual"] = estimate.residual_sd
    if fit.family == "negative_binomial" and np.isfinite(estimate.dispersion):
        values["dispersion"] = estimate.dispersion
    logs = np.sqrt(np.diag(estimate.covariance)[p:])
    return {name: float(value * log) for (name, value), log in zip(values.items(), logs, strict=True)}
