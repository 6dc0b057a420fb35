"""What is true of the practices of a world beside each other, as the tests of a letter's sentences ask it.

Everything here is of the figures that practices were given, and of none that was counted: what lasts of a figure, what
the declared characteristics make of it, and how practices are spread about that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from gpvar import catalogue
from gpvar.analysis.expected import inverse_link, link_of
from gpvar.analysis.position import EXPLAINED_AT, USUAL
from gpvar.simulate._writing import headings
from gpvar.stats import funnel

if TYPE_CHECKING:
    from gpvar.catalogue import MetricCard
    from gpvar.simulate.worlds import World

Array = np.ndarray[Any, np.dtype[Any]]

RAW = "M0"
ADJUSTED = ("M1", "M2")
#: Sampling variance of what is known exactly, next to none.
_EXACT = 1e-9


@dataclass(frozen=True, slots=True)
class Beside:
    """Practices that are compared, and what is true of them; every array is in the order of `codes`.

    Attributes
    ----------
    card
        The measure.
    codes
        The practices.
    observed, denominator
        Their figures as they were counted, in the card's raw unit, and of how many.
    lasting, period
        Link of the figure that lasts, and of the year's own.
    expected
        Rung → link of what practices with the same characteristics have, the middle of all practices included.
    tau
        Rung → spread of lasting figures about it.
    """

    card: MetricCard
    codes: Array
    observed: Array
    denominator: Array
    lasting: Array
    period: Array
    expected: dict[str, Array]
    tau: dict[str, float]

    def left(self, rung: str, link: Array | None = None) -> Array:
        """Return how far a figure (the lasting one) lies from what is expected at a rung."""
        return np.asarray((self.lasting if link is None else link) - self.expected[rung])

    def weakest(self, side: Array | int, link: Array | None = None) -> tuple[Array, Array]:
        """Return the least that is left on a side at the adjusted rungs, and the spread there."""
        left = np.array([side * self.left(rung, link) for rung in ADJUSTED])
        rung = left.argmin(axis=0)
        return left.min(axis=0), np.array([self.tau[name] for name in ADJUSTED])[rung]

    def explained(self, side: Array | int, link: Array | None = None) -> Array:
        """Return how far a practice is from having half of its raw distance explained: above nought it has not.

        Twice what is missing to the half: the figure's own error then counts once.
        """
        return np.asarray(2.0 * (self.weakest(side, link)[0] - (1.0 - EXPLAINED_AT) * side * self.left(RAW, link)))

    def not_in_line(self, side: Array | int) -> Array:
        """Return how far a practice is from being in line with its patients: above nought it is not."""
        left, tau = self.weakest(side)
        return np.asarray(np.maximum(self.explained(side), np.abs(left) - USUAL * tau))

    def line(self, rung: str, side: Array | int) -> Array:
        """Return the link of what is expected at a rung, moved by the card's margin."""
        kind, scale = self.card.kind, float(self.card.scale)
        centre = inverse_link(self.expected[rung], kind)
        if kind == "proportion":
            moved = np.clip(centre + side * float(self.card.margin) / scale, 1e-9, 1.0 - 1e-9)
            return np.asarray(np.log(moved / (1.0 - moved)))
        return np.asarray(np.log(centre * (1.0 + side * float(self.card.margin) / 100.0)))

    def at(self, share: float) -> float:
        """Return the figure that a share of the practices has at most, as counted and in the card's raw unit."""
        return float(np.quantile(self.observed, share))


def beside(world: World, metric: str, compared: Collection[str] | None = None) -> Beside:
    """Return what is true of a world's practices beside each other.

    Parameters
    ----------
    world, metric
        The world, and a metric that has a single truth in it.
    compared
        Codes of the practices that are compared; all when None.

    Notes
    -----
    What is expected at a rung is the least-squares projection of need onto the columns that the rung declares; need
    that they cannot hold stays with the practice. The middle and the spread are those of METHODS 5 on what is true.
    """
    truth = world.truth_of(metric)
    used = np.ones(len(truth), bool) if compared is None else np.asarray(truth.index.isin(list(compared)))
    lasting, need = truth["link"].to_numpy(float), truth["need"].to_numpy(float)
    expected, tau = {}, {}
    for rung, columns in _columns(world, metric).items():
        slopes, *_ = np.linalg.lstsq(columns[used], need[used], rcond=None)
        apart = lasting - columns @ slopes
        spread = funnel.shared_spread(apart[used], np.full(int(used.sum()), _EXACT))
        expected[rung] = (columns @ slopes + float(spread.centre))[used]
        tau[rung] = float(np.sqrt(spread.tau2))
    top, base = counted(world.practices, metric)
    return Beside(
        card=catalogue.metric(metric),
        codes=truth.index.to_numpy(str)[used],
        observed=(top / base)[used],
        denominator=base[used],
        lasting=lasting[used],
        period=truth["period"].to_numpy(float)[used],
        expected=expected,
        tau=tau,
    )


def _columns(world: World, metric: str) -> dict[str, Array]:
    """Return the columns that each rung allows for, the intercept first."""
    made, adjust = world.design_of(metric), catalogue.metric(metric).adjust
    covariate = made.terms["covariate"]
    found: dict[str, Array] = {RAW: made.matrix[:, :1]}
    allowed: list[str] = [""]
    for rung in ADJUSTED:
        allowed += list(adjust.get(rung, ()))
        found[rung] = made.matrix[:, covariate.isin(allowed).to_numpy()]
    return found


def counted(table: pd.DataFrame, metric: str, *, year: bool = True) -> tuple[Array, Array]:
    """Return a metric's two counts from a world's table of the year, or of months."""
    top, base = (
        table[[name] if isinstance(name, str) else list(name)].sum(axis=1).to_numpy(float)
        for name in headings(metric, year=year).values()
    )
    return top, base


def link_at(figure: float, card: MetricCard) -> float:
    """Return where a figure in the card's raw unit stands on the link scale."""
    return link_of(figure, card.kind)
