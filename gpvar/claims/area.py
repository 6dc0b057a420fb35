"""The practices of the study's area: their figures as they stand, and joint draws of what lasts of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpvar.analysis import passing
from gpvar.analysis.draws import refit, stream_of
from gpvar.analysis.expected import inverse_link
from gpvar.analysis.lasting import DRAWS, add_expected, lasting_effects
from gpvar.claims import always

if TYPE_CHECKING:
    from gpvar.claims.evidence import Evidence

_NO_ANSWER = "not_decidable"
FIFTH = 0.2
#: Draws are made in as many parts, each with a passing movement of its own, so that what is not known of it is in them.
_PARTS = 20


def area_of(seen: Evidence) -> tuple[tuple[str, ...], list[str]]:
    """Return the practices that a sentence on an area is about, and what must be said beside it.

    They are those of the study's area; of the whole board where the letter says so, the area is a part of it and all
    of its practices are of that one board.
    """
    table = seen.run.table
    if seen.claim.comparator != "icb" or seen.run.study.area.kind == "icb":
        return table.area_codes, []
    boards = table.hierarchy.set_index("practice_code")["icb_code"].fillna("")
    own = set(boards.reindex(list(table.area_codes)).fillna(""))
    if len(own) != 1 or "" in own:
        return table.area_codes, ["area_is_the_studys"]
    return tuple(boards.index[boards == own.pop()]), []


def figures(seen: Evidence) -> pd.DataFrame:
    """Return every practice with a figure: code, value, denominator, weeks, and three marks.

    area: of the study's area; sound: behind no check that stops; compared: among those that practices are ranked with.
    """
    frame = seen.analysis.practices
    rows = frame[(frame["rung"] == "M0") & (frame["comparator"] == "england")]
    rows = rows[np.isfinite(rows["value"].to_numpy(float))]
    outcomes = seen.run.table.outcomes
    months = outcomes[outcomes["metric"] == seen.claim.metric].set_index("practice_code")["months"]
    period = seen.run.study.period
    return pd.DataFrame(
        {
            "practice_code": rows["practice_code"].to_numpy(str),
            "value": rows["value"].to_numpy(float),
            "denominator": rows["denominator"].to_numpy(float),
            "weeks": rows["practice_code"].map(months).to_numpy(float) * period.weeks / period.months,
            "area": rows["practice_code"].isin(area_of(seen)[0]).to_numpy(),
            "sound": (rows["position"] != _NO_ANSWER).to_numpy(),
            "compared": np.isfinite(rows["rank"].to_numpy(float)),
        }
    )


def has_model(seen: Evidence) -> bool:
    """Return whether the headline rests on a multilevel model, from which figures can be drawn."""
    return bool((seen.analysis.effects["rung"] == seen.headline).any())


def months_known(seen: Evidence) -> bool:
    """Return whether passing movement is taken off what lasts, or there is none to take off."""
    return not (seen.analysis.effects["rule"] == "sampling_only").any()


@dataclass(frozen=True)
class AreaDraws:
    """Joint draws of lasting raw figures; row i of every array belongs to draw i.

    Attributes
    ----------
    practice_code
        The area's sound practices that the model was fitted on.
    value
        (draws, practices) their lasting figures, in the card's raw unit.
    best
        (side, whose) → (draws,) where the best fifth of lasting figures begins: side 1 the highest, -1 the lowest;
        whose own_icb (the area's) or england (all compared).
    """

    practice_code: np.ndarray
    value: np.ndarray
    best: dict[tuple[int, str], np.ndarray] = field(repr=False)


def drawn(seen: Evidence, everyone: pd.DataFrame) -> AreaDraws:
    """Return the draws, from the model of the headline; made once for all sentences about a measure.

    Parameters
    ----------
    seen
        The evidence.
    everyone
        What `figures` returned.
    """
    # Whose area it is depends on whether the letter speaks of the board.
    key = ("area_draws", always.period_of(seen), seen.claim.metric, seen.headline, seen.claim.comparator == "icb")
    if key not in seen.cache:
        seen.cache[key] = _drawn(seen, everyone[everyone["sound"]])
    found: AreaDraws = seen.cache[key]
    return found


def _drawn(seen: Evidence, sound: pd.DataFrame) -> AreaDraws:
    again = refit(seen.run, seen.claim.metric, seen.headline)
    data = again.model.estimate.data
    codes = again.design["practice_code"].to_numpy(str)
    here = np.isin(codes, sound.loc[sound["area"], "practice_code"])
    groups = {"own_icb": here, "england": np.isin(codes, sound.loc[sound["compared"], "practice_code"])}
    values: list[np.ndarray] = []
    edges: dict[tuple[int, str], list[np.ndarray]] = {(side, name): [] for side in (1, -1) for name in groups}
    kind = seen.card.kind
    movements = _movements(seen.analysis.passing, seen.run.study.seed)
    for part, movement in enumerate(movements):
        seed = stream_of(seen.run.study.seed, f"{seen.claim.metric} {part}")
        draws = again.model.simulate(DRAWS // len(movements), seed)
        found, _ = lasting_effects(again.model, draws, movement, seed)
        add_expected(found, draws.fixed.to_numpy()[:, data.kept], data.design)
        values.append(inverse_link(found[:, here], kind))
        for name, members in groups.items():
            ends = np.quantile(found[:, members], (1.0 - FIFTH, FIFTH), axis=1)
            for side, edge in zip((1, -1), ends, strict=True):
                edges[side, name].append(inverse_link(edge, kind))
    return AreaDraws(codes[here], np.vstack(values), {key: np.concatenate(parts) for key, parts in edges.items()})


def _movements(moved: pd.DataFrame, seed: int) -> np.ndarray:
    """Return what passing movement can be, from the least to the most; one NaN where it is not known."""
    if not np.isfinite(passing.transient_of(moved)):
        return np.array([np.nan])
    middles = (np.arange(_PARTS) + 0.5) / _PARTS
    return np.quantile(passing.draws_of(moved, DRAWS, seed), middles)
