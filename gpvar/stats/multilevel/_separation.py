"""Columns without an estimate of their own: combinations of earlier ones, and those that separate the outcomes.

A direction d of the coefficients separates when x'd = 0 in every row whose outcome is inside its range, x'd ≤ 0 in
every row without an event and x'd ≥ 0 in every row with nothing else, not all of them 0. The likelihood then grows for
ever along d; in its limit the rows with x'd ≠ 0 contribute 0, and the rest is the likelihood of the other rows.

References
----------
Albert & Anderson 1984, Biometrika 71:1; Correia, Guimarães & Zylkin 2019, arXiv:1903.01633.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg, optimize

from gpvar.errors import StatsError
from gpvar.stats._checks import BoolArray, FloatArray, IntArray
from gpvar.stats.multilevel._reading import counted, listed

# R's lm: what is left of a column after the earlier ones, as a share of its length.
_INDEPENDENT = 1e-7
# The same share squared, well above the rounding of a cross-product: no QR is needed beyond it.
_PLAINLY_INDEPENDENT = 1e-8
_STEPS = 25
_SAMPLE = 2000
_SMALLEST_WEIGHT = 1e-5
# How far a row moves along a direction, in typical rows' lengths, to be told apart; and not to be.
_MOVED = 1e-7
_NOT_MOVED = 1e-9


def independent_columns(design: FloatArray) -> tuple[BoolArray, FloatArray]:
    """Return which columns are not combinations of earlier ones, and each column as a combination of the kept.

    The second is (p, p): column j of it holds the coefficients of column j of the design.
    """
    p = design.shape[1]
    whole = np.ones(p, dtype=bool), np.eye(p)
    cross = design.T @ design
    length = np.sqrt(np.diag(cross))
    if p == 0 or (length > 0).all():
        try:
            triangle = linalg.cholesky(cross / np.outer(length, length), check_finite=False)
        except linalg.LinAlgError:
            pass
        else:
            if (np.diag(triangle) ** 2 > _PLAINLY_INDEPENDENT).all():
                return whole
    return _by_qr(design / np.where(length > 0, length, 1.0), np.where(length > 0, length, 1.0))


def _by_qr(scaled: FloatArray, length: FloatArray) -> tuple[BoolArray, FloatArray]:
    # The small triangle has the same inner products as the design, so that columns can be tried one by one on it.
    triangle = np.asarray(linalg.qr(scaled, mode="r", check_finite=False)[0])[: scaled.shape[1]]
    p = scaled.shape[1]
    kept, made_of = np.zeros(p, dtype=bool), np.zeros((p, p))
    for j in range(p):
        earlier = np.flatnonzero(kept)
        share = linalg.lstsq(triangle[:, earlier], triangle[:, j])[0] if len(earlier) else np.empty(0)
        left = triangle[:, j] - triangle[:, earlier] @ share
        kept[j] = linalg.norm(left) > _INDEPENDENT
        if kept[j]:
            made_of[j, j] = 1.0
        else:
            share[np.abs(share) < _INDEPENDENT] = 0.0
            made_of[earlier, j] = share * length[j] / length[earlier]
    return kept, made_of


def collinear_notes(columns: Sequence[str], kept: BoolArray, made_of: FloatArray) -> list[str]:
    notes = []
    for j in np.flatnonzero(~kept).tolist():
        parts = [columns[i] for i in np.flatnonzero(made_of[:, j]).tolist()]
        if parts:
            reason = (
                f"is a combination of {listed(parts)}"
                if parts != ["Intercept"]
                else "is the same in every row (to 7 digits)"
            )
        else:
            reason = "is zero in every row"
        notes.append(f"Column {columns[j]!r} {reason}, and has no estimate of its own.")
    return notes


def separated_rows(design: FloatArray, low: BoolArray, high: BoolArray) -> BoolArray:
    """Return the rows that some direction of the coefficients tells apart by their outcome.

    Parameters
    ----------
    design
        Columns that are linearly independent.
    low, high
        Rows whose outcome is the lowest possible (no event), or the highest (nothing but events).
    """
    found, edge = np.zeros(len(design), dtype=bool), np.flatnonzero(low | high)
    if not len(edge):
        return found
    length = np.sqrt(np.einsum("ij,ij->j", design, design) / len(design))
    space = _free_directions(design, np.flatnonzero(~(low | high)), length)
    if not space.shape[1]:
        return found
    sign = np.where(high[edge], 1.0, -1.0)
    some = _sample(len(edge))
    # Where some rows already hold every direction, all rows do.
    if _cannot_separate((design[edge[some]] / length) @ space * sign[some, None]):
        return found
    signed = (design[edge] / length) @ space * sign[:, None]
    while True:
        moves = np.abs(signed).max(axis=1, initial=0.0) > _MOVED
        edge, signed = edge[moves], signed[moves]
        if not len(edge) or _cannot_separate(signed):
            return found
        direction = _separating_direction(signed)
        if direction is None:
            return found
        apart = signed @ direction > _MOVED
        found[edge[apart]] = True
        # The rows left do not move along this direction: others are looked for at right angles to it.
        edge, signed = edge[~apart], signed[~apart] @ linalg.null_space(direction[None, :])


def _sample(rows: int) -> IntArray:
    return np.arange(rows) if rows <= _SAMPLE else np.random.default_rng(0).choice(rows, _SAMPLE, replace=False)


def _free_directions(design: FloatArray, rows: IntArray, length: FloatArray) -> FloatArray:
    """Return a basis of the directions that leave these rows as they are."""
    p = design.shape[1]
    if not len(rows):
        return np.eye(p)
    few = design[rows[_sample(len(rows))]] / length
    cross = few.T @ few
    size = np.sqrt(np.diag(cross))
    if (size > 0).all() and linalg.eigvalsh(cross / np.outer(size, size))[0] > _PLAINLY_INDEPENDENT:
        return np.empty((p, 0))
    triangle = np.asarray(linalg.qr(design[rows] / length, mode="r", check_finite=False)[0])[:p]
    return np.asarray(linalg.null_space(triangle, rcond=_INDEPENDENT))


def _cannot_separate(signed: FloatArray) -> bool:
    """Return True when positive weights of the rows sum to nothing in every direction: then none separates.

    The weights of a logistic fit in which every row is a success come near to that; a small correction, relative to
    each weight, makes it exact, and where that correction leaves them positive they are the proof.
    """
    direction = np.zeros(signed.shape[1])
    for _ in range(_STEPS):
        # Weights too small would let rounding pass for a proof; any positive weights will do.
        weight = np.maximum(1.0 / (1.0 + np.exp(np.minimum(signed @ direction, 30.0))), _SMALLEST_WEIGHT)
        total = weight @ signed
        try:
            correction = signed @ _solved(signed, weight, total)
            step = _solved(signed, weight * (1.0 - weight), total)
        except linalg.LinAlgError:
            return False
        if correction.max() < 1.0 - 1e-6:
            return True
        direction = direction + step
        if not np.isfinite(signed @ direction).all():
            return False
    return False


def _solved(rows: FloatArray, weight: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(linalg.cho_solve(linalg.cho_factor((rows * weight[:, None]).T @ rows), right))


def _separating_direction(signed: FloatArray) -> FloatArray | None:
    """Return a direction d with signed x'd ≥ 0 in every row and > 0 in some, or None where there is none.

    Most rows never bind: the linear program has a sample of them, to which those it overlooked are added.
    """
    towards, active = signed.mean(axis=0), _sample(len(signed))
    while True:
        solved = optimize.linprog(
            -towards,
            A_ub=-signed[active],
            b_ub=np.zeros(len(active)),
            bounds=(-1.0, 1.0),
            method="highs",
            options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
        )
        if solved.x is None:
            return None
        direction = np.asarray(solved.x)
        moved = signed @ direction
        if moved.max() <= _MOVED:
            return None
        wrong = np.setdiff1d(np.flatnonzero(moved < -_NOT_MOVED), active)
        if not len(wrong):
            return direction if moved.min() > -_MOVED else None
        active = np.concatenate([active, wrong[np.argsort(moved[wrong])[:_SAMPLE]]])


def refuse_perfect(left: int, rows: int, columns: Sequence[str]) -> None:
    if left:
        return
    raise StatsError(
        "The columns tell every outcome exactly: no coefficient has a finite estimate.",
        f"{counted(rows, 'row')}, columns {listed(columns)}",
        "Leave out the column that decides the outcome, or check that it is not made from it.",
    )


def separation_notes(
    columns: Sequence[str], lost: BoolArray, made_of: FloatArray, apart: BoolArray, low: BoolArray, high: BoolArray
) -> list[str]:
    """Say which columns separate what, and which estimates now mean something else."""
    names = [columns[j] for j in np.flatnonzero(lost).tolist()]
    changed = [columns[i] for i in np.flatnonzero(~lost & (made_of[:, lost] != 0).any(axis=1)).tolist()]
    both = [name for name in columns if name in names or name in changed]
    rows = int(apart.sum())
    if not (apart & high).any():
        outcome = "none has an event"
    elif not (apart & low).any():
        outcome = "all have events only"
    else:
        outcome = f"{int((apart & low).sum()):,} have no event and {int((apart & high).sum()):,} have events only"
    which = f"Columns {listed(both)} together separate" if len(both) > 1 else f"Column {listed(both)} separates"
    notes = [
        f"{which} the outcomes: of the {counted(rows, 'row')} told apart {outcome}, which no finite coefficient "
        "describes. Those rows are left out: in the limit they add nothing to the log-likelihood."
    ]
    if changed:
        notes.append(
            f"Of these, {listed(names)} {'has' if len(names) == 1 else 'have'} no estimate, and what is shown for "
            f"{listed(changed)} describes only the rows that are left. Where a reference category is the cause, choose "
            "another."
        )
    return notes
