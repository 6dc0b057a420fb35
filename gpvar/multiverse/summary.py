"""From many analyses to tables: what each gives, who stands as in the primary one, and what drives the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import schema
from gpvar.analysis.expected import inverse_link
from gpvar.analysis.position import USUAL
from gpvar.stats import robustness

if TYPE_CHECKING:
    from gpvar.multiverse.fitting import Fitted, Placed
    from gpvar.multiverse.setting import Setting
    from gpvar.multiverse.specification import Specification
    from gpvar.stats.robustness import Agreement

#: From which share of the raw spread measured need explains enough to be a yardstick for what was not measured.
YARDSTICK_FROM = 0.05
#: One of five that differs would decide whether it is called robust.
FEWEST = 6


@dataclass(frozen=True, slots=True)
class Made:
    """The analyses that could be made, beside one comparator.

    Attributes
    ----------
    specs
        Their numbers, the primary's first.
    options
        Choice → the option that each takes.
    placed
        What each gives.
    known
        (practices,) of whom something is said.
    agreement
        Beside the primary.
    """

    specs: list[str]
    options: dict[str, list[str]]
    placed: list[Placed]
    known: np.ndarray
    agreement: Agreement


def made_of(specs: Sequence[tuple[str, Specification]], placed: Sequence[Placed], known: np.ndarray) -> Made:
    """Return what was made beside one comparator, compared with the primary."""
    z = np.array([each.z for each in placed])
    z[:, ~known] = np.nan
    options = {choice: [spec.taken[choice] for _, spec in specs] for choice in specs[0][1].taken}
    return Made([number for number, _ in specs], options, list(placed), known, robustness.agreement(z, fewest=FEWEST))


def specifications(
    setting: Setting, listed: Sequence[tuple[str, Specification]], why_not: Mapping[str, str], england: Made
) -> pd.DataFrame:
    """Return one row per analysis: its options, whether it could be made, and what it gives beside England."""
    at = {number: place for place, number in enumerate(england.specs)}
    compared = setting.counts.compared & england.known
    rows = []
    for number, spec in listed:
        row: dict[str, Any] = {"spec": number, "primary": "yes" if number == listed[0][0] else "", **spec.taken}
        row |= {"available": "yes" if number in at else "", "why_not": why_not.get(number, "")}
        if number in at:
            row |= _given(england, at[number], compared)
        rows.append(row)
    return pd.DataFrame(rows, columns=schema.names("specifications"))


def _given(made: Made, at: int, compared: np.ndarray) -> dict[str, float]:
    placed = made.placed[at]
    here = compared & made.agreement.placed[at]
    agrees = made.agreement.agrees[at][here]
    return {
        "n": float(placed.n),
        "tau": placed.tau,
        "flagged": float((np.abs(placed.z[here]) > USUAL).sum()),
        "agree_share": float(agrees.mean()) if here.any() else float("nan"),
    }


def of_practices(setting: Setting, comparator: str, made: Made) -> pd.DataFrame:
    """Return one row per analysis and practice of the area."""
    area = np.flatnonzero(made.known & np.isin(setting.counts.practice_code, list(setting.table.area_codes)))
    placed = made.agreement.placed[:, area]
    ways, rows = np.nonzero(placed)
    frame = pd.DataFrame({"spec": np.array(made.specs, dtype=object)[ways], "comparator": comparator})
    frame["practice_code"] = setting.counts.practice_code[area][rows]
    for name in ("value", "difference", "lower", "upper", "z"):
        frame[name] = np.array([getattr(each, name)[area] for each in made.placed])[placed]
    frame["agrees"] = np.where(made.agreement.agrees[:, area][placed], "yes", "")
    return frame[schema.names("specification_practices")]


def of_everyone(setting: Setting, comparator: str, made: Made, yardstick: Yardstick) -> pd.DataFrame:
    """Return one row per practice: how often it stands as in the primary analysis, and what it would take to move."""
    found, primary = made.agreement, made.placed[0]
    rows = np.flatnonzero(found.placed[0])
    frame = pd.DataFrame({"practice_code": setting.counts.practice_code[rows]})
    frame["comparator"] = comparator
    frame["z"] = primary.z[rows]
    for name, values in found.to_frame().items():
        frame[str(name)] = values.to_numpy()[rows]
    frame["outside"] = _ways_outside(made)[rows]
    frame["drives"], frame["drives_gap"] = (
        values[rows] for values in robustness.drivers(found.agrees, found.placed, made.options)
    )
    strength = robustness.unmeasured(primary.z, primary.sd)[rows]
    frame["unmeasured_sd"] = strength / primary.tau if primary.tau > 0.0 else np.nan
    frame["unmeasured_points"] = _in_unit(setting, primary, strength, rows)
    frame["unmeasured_multiple"] = strength / yardstick.sd if yardstick.usable else np.nan
    frame["strongest"] = yardstick.covariate
    frame["to"] = np.where(np.abs(frame["z"]) > USUAL, "inside", "outside")
    return frame[schema.names("robustness")]


def _ways_outside(made: Made) -> np.ndarray:
    """Return in how many of the other analyses each practice is outside the usual range."""
    z = np.array([each.z for each in made.placed[1:]]).reshape(-1, made.known.size)
    return np.asarray(((np.abs(z) > USUAL) & made.agreement.placed[1:]).sum(axis=0))


def _in_unit(setting: Setting, primary: Placed, strength: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return by how much the expectation would have to move, in the metric's unit."""
    kind = setting.card.kind
    centre = (primary.value - primary.difference)[rows]
    link = np.log(centre / (1.0 - centre)) if kind == "proportion" else np.log(centre)
    z = primary.z[rows]
    towards = np.where(np.abs(z) > USUAL, np.sign(z), -np.sign(z))
    return np.asarray(np.abs(inverse_link(link + towards * strength, kind) - centre))


@dataclass(frozen=True, slots=True)
class Yardstick:
    """The strongest measured characteristic, to hold an unmeasured one against.

    Attributes
    ----------
    covariate
        Its id; empty where nothing is allowed for.
    sd
        SD over the fitted practices of what it adds to the expectation, on the link scale; NaN without one.
    need_share
        Share of the raw spread between practices that the measured ones take away, beside England.
    """

    covariate: str
    sd: float
    need_share: float

    @property
    def usable(self) -> bool:
        """Whether what was measured explains enough for a multiple of it to mean anything."""
        return self.need_share >= YARDSTICK_FROM and self.sd > 0.0


def yardstick_of(setting: Setting, fitted: Fitted) -> Yardstick:
    """Return the strongest measured characteristic of the primary analysis."""
    used = fitted.counts.in_reference & fitted.counts.usable & fitted.made.complete
    covariates = fitted.made.terms["covariate"].astype(str).to_numpy(object)
    adds = {
        covariate: float(np.std(fitted.made.matrix[used][:, mine] @ fitted.expected.coefficients[mine]))
        for covariate in dict.fromkeys(covariates[1:])
        for mine in [covariates == covariate]
    }
    if not adds:
        return Yardstick("", float("nan"), 0.0)
    strongest = max(adds, key=lambda covariate: adds[covariate])
    return Yardstick(strongest, adds[strongest], _need_share(setting))


def _need_share(setting: Setting) -> float:
    spread = setting.analysis.spread
    tau2 = spread[spread["comparator"] == "england"].set_index("rung")["tau2"]
    before, after = float(tau2["M0"]), float(tau2[setting.rung])
    return max(0.0, 1.0 - after / before) if before > 0.0 else 0.0
