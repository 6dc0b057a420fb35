"""Which options of each choice a study has the data for, and why it has not for others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gpvar import catalogue
from gpvar.catalogue import multiverse as declared
from gpvar.gates.evidence import columns_of
from gpvar.multiverse.stretches import Stretch, counted, stretches_of

if TYPE_CHECKING:
    from gpvar.multiverse.setting import Setting

#: How passing movement may be reckoned: the correlation of one month with the next that is assumed.
RHO = {"rho_0": 0.0, "rho_0_5": 0.5, "rho_0_7": 0.7}
#: The list that a rate may be of, instead of the months' own: the published one before the study's.
LISTS = ("registered_list", "list_size")


def options_of(setting: Setting) -> dict[str, dict[str, str]]:
    """Return choice → option → why it cannot be taken, empty where it can; the option of the study's analysis first.

    The ways of counting that the study holds stand by their ids in place of "other".
    """
    found: dict[str, dict[str, str]] = {}
    for choice, options in declared.choices().items():
        found[choice] = {options[0]: ""}
        for option in options[1:]:
            found[choice] |= _WHY[choice](setting, option)
    if setting.plain:
        found["model"] = {"regression": "", "multilevel": "too_few" if setting.few else "no_solution"}
    return found


def index_of(need: tuple[str, ...]) -> str:
    """Return the edition of the index of deprivation that is allowed for; empty where none is."""
    return next((index for index in declared.indices() if index in need), "")


def other_index(setting: Setting) -> str:
    """Return another edition of the index that the study holds; empty where there is none."""
    for index in declared.indices():
        columns = columns_of(setting.practices, index)
        if index not in setting.need and columns and setting.practices[columns].notna().any(axis=None):
            return index
    return ""


def _covariates(setting: Setting, option: str) -> dict[str, str]:
    left = [covariate for covariate in setting.need if covariate not in declared.leaves_out()[option]]
    if len(left) == len(setting.need):
        return {option: "not_declared"}
    return {option: "" if left else "nothing_left"}


def _deprivation(setting: Setting, option: str) -> dict[str, str]:
    own = index_of(setting.need)
    if not own:
        return {option: "not_declared"}
    if option == "other_index":
        return {option: "" if other_index(setting) else "no_data"}
    return {option: "" if catalogue.covariate(own).transform == "spline" else "same"}


def _denominator(setting: Setting, option: str) -> dict[str, str]:
    if option == "list":
        return {option: _list(setting)}
    ways = declared.denominators(setting.card.id)
    if not ways:
        return {option: "none_known"}
    study = Stretch(((1, setting.table.study.period),))
    held = [
        way.id
        for way in ways
        if counted(setting, way.numerator, study) is not None and counted(setting, way.denominator, study) is not None
    ]
    return dict.fromkeys(held, "") or {option: "no_data"}


def _list(setting: Setting) -> str:
    if setting.card.kind != "rate":
        return "wrong_kind"
    patients = list_of(setting)
    if patients is None:
        return "no_data"
    months = patients * float(setting.table.study.period.months)
    same = np.isclose(months, setting.counts.denominator, rtol=1e-9, atol=0.0, equal_nan=True)
    return "same" if same.all() else ""


def list_of(setting: Setting) -> np.ndarray | None:
    """Return the list that a rate may be of; None where the study holds none."""
    for name in LISTS:
        if name in setting.practices and setting.practices[name].notna().any():
            return setting.practices[name].to_numpy(float)
    return None


def _exclusion(setting: Setting, option: str) -> dict[str, str]:
    counts = setting.counts
    if option == "stops_only":
        changed = counts.usable & counts.compared & ~counts.in_reference
    else:
        changed = counts.usable & counts.in_reference & setting.warned
    return {option: "" if changed.any() else "same"}


def _link(setting: Setting, option: str) -> dict[str, str]:
    if setting.card.kind == "rate":
        return {option: "wrong_kind"}
    used = setting.counts.usable & setting.counts.in_reference
    share = float(setting.counts.observed[used].sum() / setting.counts.denominator[used].sum())
    low, high = declared.straight_between()
    return {option: "skewed" if option == "identity" and not low <= share <= high else ""}


def _spread(setting: Setting, option: str) -> dict[str, str]:
    return {option: ""}


def _period(setting: Setting, option: str) -> dict[str, str]:
    stretch = stretches_of(setting)[option]
    return {option: stretch if isinstance(stretch, str) else ""}


def _slopes(setting: Setting, option: str) -> dict[str, str]:
    if not setting.need:
        return {option: "not_declared"}
    if "own_icb" not in setting.comparators:
        return {option: "no_boards"}
    return {option: "too_few" if setting.few else ""}


def _model(setting: Setting, option: str) -> dict[str, str]:
    return {option: "same" if setting.plain else ""}


def _passing(setting: Setting, option: str) -> dict[str, str]:
    rows = setting.analysis.passing
    used = rows[rows["used"].astype(bool)]
    if used.empty:
        return {option: "not_measured"}
    if option == "robust":
        return {option: "" if np.isfinite(used["v_robust"].iloc[0]) else "no_data"}
    assumed = rows[(rows["rho_from"] == "assumed") & np.isclose(rows["rho"], RHO[option])]
    if assumed.empty:
        return {option: "no_data"}
    return {option: "same" if assumed.index[0] == used.index[0] else ""}


_WHY = {
    "covariates": _covariates,
    "deprivation": _deprivation,
    "denominator": _denominator,
    "exclusion": _exclusion,
    "link": _link,
    "spread": _spread,
    "period": _period,
    "slopes": _slopes,
    "model": _model,
    "passing": _passing,
}
