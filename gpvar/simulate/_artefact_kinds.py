"""The kinds of artefact: what each does to a world's tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from gpvar.simulate import _world
from gpvar.simulate._scene import (
    AS_IN_MONTHS,
    EXPOSURE,
    KEYS,
    YEAR_OF,
    Artefact,
    Scene,
    differences,
    no_changes,
    rows_of,
    year_again,
)
from gpvar.simulate._tables import MONTHS

Array = np.ndarray[Any, np.dtype[Any]]

ACUTE = "general_consultation_acute"
#: How scores of a practice's patients go with those of a year before; invented, as no table of two dates was measured.
_YEAR_TO_YEAR = 0.97
#: Calls per patient and year; how many are answered, on the logit scale. Invented.
_CALLS, _ANSWERED, _ANSWERED_SPREAD = 6.0, 1.5, 0.5
#: The least size of a neighbour that joins a practice, beside that practice's.
_LEAST_NEIGHBOUR = 0.3
_LISTS = ("mean_monthly_list_size", "maximum_percentage_monthly_change")


def _remapping(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    assert scene.months is not None
    months, at = scene.months.copy(), rows_of(scene, rows, item.month)
    here = months[at]
    total, same_day, acute = here["total_appointments"], here["same_day"], here[ACUTE]
    on_the_day = here[f"{ACUTE}_same_day"]
    others = total - acute - here["unmapped"]
    share = np.minimum((item.size or 0.25) * total / others.clip(lower=1), 0.9)
    moved = pd.Series(rng.binomial(others, share), index=here.index)
    first = (same_day - on_the_day) / (total - acute).clip(lower=1)
    moved_same_day = np.minimum(rng.binomial(moved, first), same_day - on_the_day)
    later = np.minimum(moved - moved_same_day, total - same_day - (acute - on_the_day))
    months.loc[at, ACUTE] = acute + moved_same_day + later
    months.loc[at, f"{ACUTE}_same_day"] = on_the_day + moved_same_day
    year_again(scene, months)
    return no_changes()


def _payment_cap(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    made = scene.practices["ag_requests"].to_numpy()
    capped = np.isin(np.arange(len(made)), rows)
    cap = np.where(capped, np.maximum(np.floor((item.size or 0.7) * made), 1), np.maximum(2 * made, 10)).astype(int)
    if "ag_cap" in scene.practices:
        cap = np.where(capped, cap, scene.practices["ag_cap"])
    if scene.months is None:
        scene.practices = scene.practices.assign(ag_requests=np.minimum(made, cap))
    else:
        running = scene.months.groupby("practice_code", sort=False)["ag_requests"].cumsum()
        most = scene.months["practice_code"].map(pd.Series(cap, index=scene.practices["practice_code"]))
        so_far = np.minimum(running, most)
        before = so_far.groupby(scene.months["practice_code"], sort=False).shift(fill_value=0)
        year_again(scene, scene.months.assign(ag_requests=so_far - before))
    scene.practices = scene.practices.assign(ag_cap=cap)
    return no_changes()


def _shared_phone(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    codes = scene.practices["practice_code"]
    size = len(codes)
    calls = rng.poisson(_CALLS * scene.practices["mean_monthly_list_size"])
    answered = rng.binomial(calls, 1 / (1 + np.exp(-_ANSWERED - _ANSWERED_SPREAD * rng.standard_normal(size))))
    own = pd.DataFrame({"practice_code": codes, "calls": calls, "answered": answered})
    network, place = scene.practices["pcn_code"], np.arange(size)
    free = np.isin(place, rows) | ~np.isin(place, list(scene.taken))
    account = codes.where(~(network.isin(network.iloc[list(rows)]) & free), network)
    shown = own.assign(account=account)
    # The account's figures stand against each of its practices, as if each had taken all of its calls.
    shown[["calls", "answered"]] = shown.groupby("account")[["calls", "answered"]].transform("sum")
    scene.beside["telephony"] = shown[["practice_code", "account", "calls", "answered"]]
    return differences("telephony", own, shown)


def _merger(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    assert scene.months is not None
    pairs = _neighbours(scene, rows)
    months, people = scene.months, scene.practices
    into = dict(pairs)
    after = months["month"] >= item.month
    leaving = months["practice_code"].isin(into) & after
    arriving = months[leaving].assign(practice_code=months.loc[leaving, "practice_code"].map(into))
    order = months.loc[~leaving, list(KEYS)]
    together = pd.concat([months[~leaving], arriving]).groupby(list(KEYS), sort=False).sum()
    year_again(scene, together.loc[pd.MultiIndex.from_frame(order)].reset_index())
    jump = _jump(scene, pairs, people)
    scene.practices = scene.practices.assign(**jump)
    if item.recorded:
        events = pd.DataFrame(
            [(code, "merged", f"{item.month}-01", successor, "simulated", "simulated") for code, successor in pairs],
            columns=["code", "event", "date", "successor", "source", "confirmed_by"],
        )
        scene.beside["practice_events"] = pd.concat([*_held(scene, "practice_events"), events], ignore_index=True)
    return no_changes()


def _held(scene: Scene, name: str) -> list[pd.DataFrame]:
    return [scene.beside[name]] if name in scene.beside else []


def _neighbours(scene: Scene, rows: Sequence[int]) -> list[tuple[str, str]]:
    """Return for each practice the neighbour that joins it: of its network where it can be, and of some size."""
    people = scene.practices
    size = people["mean_monthly_list_size"].to_numpy()
    gone = {*rows, *scene.taken}
    pairs = []
    for row in rows:
        for column in ("pcn_code", "sub_icb_code", "icb_code"):
            beside = np.flatnonzero((people[column] == people[column].iloc[row]).to_numpy())
            fit = [other for other in beside if other not in gone and size[other] >= _LEAST_NEIGHBOUR * size[row]]
            if fit:
                other = min(fit, key=lambda place: (abs(size[place] - size[row]), place))
                gone.add(other)
                pairs.append((str(people["practice_code"].iloc[other]), str(people["practice_code"].iloc[row])))
                break
    return pairs


def _jump(scene: Scene, pairs: Sequence[tuple[str, str]], people: pd.DataFrame) -> dict[str, Array]:
    """Return lists, and their largest changes, as monthly lists show them after mergers."""
    assert scene.months is not None
    lists = scene.months.set_index(list(KEYS))["registered_patients"]
    mean, change = (people[name].to_numpy(float).copy() for name in _LISTS)
    place = pd.Series(range(len(people)), index=people["practice_code"])
    scale = people["mean_monthly_list_size"].to_numpy() * MONTHS / people[EXPOSURE].to_numpy()
    for code, successor in pairs:
        for one in (code, successor):
            held = lists.loc[one]
            mean[place[one]] = np.round(held.mean() * scale[place[one]], 1)
        held = lists.loc[successor].to_numpy(float)
        change[place[successor]] = np.round(100 * np.abs(np.diff(held) / held[:-1]).max(), 2)
    return dict(zip(_LISTS, (mean, change), strict=True))


def _suppression(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    below = int(item.size or 5)
    name = "practices" if scene.months is None else "months"
    table = scene.practices if scene.months is None else scene.months
    counts = [c for c in table if c in AS_IN_MONTHS or str(c).startswith(YEAR_OF) or name == "months"]
    counts = [c for c in counts if c not in (*KEYS, "registered_patients")]
    values = table[counts].to_numpy(float)
    own = table["practice_code"].isin(scene.practices["practice_code"].iloc[list(rows)]).to_numpy()
    # As the suppliers do it: a star stands for 1 to 4, and nought is shown; "<8" stands for nought too.
    small = (values < below) & own[:, None] & ((values > 0) | (below != 5))
    at, column = np.nonzero(small)
    hidden = pd.DataFrame(
        {
            "table": name,
            "practice_code": table["practice_code"].to_numpy()[at],
            "month": table["month"].to_numpy()[at] if name == "months" else "",
            "column": np.array(counts, dtype=object)[column],
            "shown": np.nan,
            "own": values[at, column],
        }
    )
    mark = "*" if below == 5 else f"<{below}"
    scene.hidden.append(hidden[["table", "practice_code", "month", "column"]].assign(mark=mark))
    return hidden


def _stale_covariates(rng: np.random.Generator, item: Artefact, scene: Scene, rows: Sequence[int]) -> pd.DataFrame:
    years = int(item.size or 3)
    like = _YEAR_TO_YEAR**years
    then = like * scene.where.scores + np.sqrt(1 - like**2) * _world.patients(rng, scene.where.frame)
    people = _world.patient_columns(then)
    registered = scene.practices["qof_list_2425"]
    old: dict[str, Any] = {}
    for name in scene.practices:
        if str(name).startswith("share_"):
            old[str(name)] = people[name].round(5)
        elif str(name).startswith("qof_reg_"):
            prevalence = people[f"qof_{str(name).removeprefix('qof_reg_')}"]
            old[str(name)] = np.round(prevalence * registered).astype(int)
    scene.practices = scene.practices.assign(**old)
    registers = [f"qof_{name.removeprefix('qof_reg_')}" for name in old if name.startswith("qof_reg_")]
    scene.dates |= {"age_sex": f"{2025 - years}-10", **dict.fromkeys(registers, f"{2025 - years}-03")}
    return no_changes()


@dataclass(frozen=True, slots=True)
class Kind:
    """How an artefact is made, which gate sees it, whether it needs months, and whether a whole file has it."""

    do: Callable[[np.random.Generator, Artefact, Scene, Sequence[int]], pd.DataFrame]
    gate: str
    by_month: bool = False
    everywhere: bool = False


KINDS = {
    "remapping": Kind(_remapping, "mapping_step", by_month=True),
    "payment_cap": Kind(_payment_cap, "ag_capped"),
    "shared_phone": Kind(_shared_phone, ""),
    "merger": Kind(_merger, "merger_or_list_jump", by_month=True),
    "suppression": Kind(_suppression, "suppressed", everywhere=True),
    "stale_covariates": Kind(_stale_covariates, "covariate_old", everywhere=True),
}
