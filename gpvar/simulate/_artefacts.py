"""What can be wrong with data of a practice that does nothing unusual: each done to a world's tables, and recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpvar.errors import StudyError
from gpvar.simulate._artefact_kinds import KINDS, Kind
from gpvar.simulate._moving import YEAR
from gpvar.simulate._scene import Artefact, Scene, differences


@dataclass(frozen=True, slots=True, eq=False)
class Done:
    """What an artefact did.

    Attributes
    ----------
    kind, practices
        What it was, and the practices concerned.
    gate
        Id of the gate that should see it; empty where none can, because no metric is made of what it touches.
    changed
        Every count and characteristic that it changed: table (``"practices"``, ``"months"``, ``"telephony"``),
        practice_code, month (empty: of the year), column, `shown` (what the table says; NaN where it is hidden or
        gone) and `own` (what it would have said).
    """

    kind: str
    practices: tuple[str, ...]
    gate: str
    changed: pd.DataFrame


def check(item: Artefact, months: int) -> None:
    """Refuse an artefact that cannot be made."""
    if item.kind not in KINDS:
        fix = f"Ask for one of: {', '.join(KINDS)}."
        raise StudyError(f"There is no artefact called '{item.kind}'.", "artefacts", fix)
    about = KINDS[item.kind]
    if about.by_month and not months:
        raise StudyError(f"A world without months has no {item.kind}.", "artefacts", "Ask for months=12.")
    if about.by_month and item.month not in YEAR[3:10]:
        fix = f"Ask for a month from {YEAR[3]} to {YEAR[9]}, so that there are some before it and some after."
        raise StudyError(f"{item.kind} cannot begin in '{item.month}'.", "artefacts", fix)
    if item.kind == "suppression" and item.size not in (None, 5, 8):
        raise StudyError("Counts are hidden below 5 or below 8.", f"size={item.size}", "Ask for size=5 or size=8.")
    if item.kind == "stale_covariates" and item.practices is not None:
        fix = "Leave practices out: one date is given for the characteristics of all."
        raise StudyError("Characteristics cannot be stale of some practices alone.", "artefacts", fix)


def apply(rng: np.random.Generator, items: Sequence[Artefact], scene: Scene) -> tuple[Done, ...]:
    """Let things go wrong with a world's tables, one after another, and return what each did."""
    done = []
    codes = scene.practices["practice_code"]
    # Of all practices in one order, so that one that asks for more takes those of one that asks for fewer.
    order = [int(row) for row in rng.permutation(len(codes))]
    for item in items:
        about = KINDS[item.kind]
        rows = _rows(item, about, scene, [row for row in order if row not in scene.taken])
        before = {"practices": scene.practices, "months": scene.months}
        own = about.do(rng, item, scene, rows)
        changed = [differences(name, table, getattr(scene, name)) for name, table in before.items()]
        every = pd.concat([part for part in (*changed, own) if len(part)] or [own], ignore_index=True)
        touched = codes.isin(every["practice_code"])
        done.append(Done(item.kind, tuple(codes[touched]), about.gate, every))
        if not about.everywhere:
            scene.taken |= set(np.flatnonzero(touched).tolist())
    return tuple(done)


def _rows(item: Artefact, about: Kind, scene: Scene, free: Sequence[int]) -> list[int]:
    """Return the rows of the practices concerned."""
    codes = scene.practices["practice_code"]
    wanted = item.practices
    if wanted is None:
        if about.everywhere:
            return list(range(len(codes)))
        wanted = 0.01
    if not isinstance(wanted, (int, float)):
        place = pd.Series(codes.index, index=codes)
        unknown = sorted(set(wanted) - set(codes))
        if unknown:
            problem, said = "An artefact names practices that this world does not have.", ", ".join(unknown[:5])
            raise StudyError(problem, said, "Take codes of a world.")
        return [int(row) for row in place[list(wanted)]]
    number = round(wanted * len(codes) if wanted < 1 else wanted)
    if not 1 <= number <= len(free):
        fix = f"There are {len(free):,} practices that nothing else was done to: ask for a share below 1, or a number."
        raise StudyError("An artefact cannot have that many practices.", f"practices={wanted}", fix)
    return list(free[:number])
