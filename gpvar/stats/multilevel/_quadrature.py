"""Adaptive Gauss-Hermite quadrature for one grouping level, with its exact gradient.

Each unit's integral is taken at nodes placed about its mode and scaled by its own curvature:

    L_j = log Σ_q W_q exp{h_j(û_j + x_q/√D_j) + x_q²/2} − ½ log D_j,      h_j(u) = Σ l(η) − ½u²,

with x and W the probabilists' nodes and weights. One node is the Laplace approximation; with more the error falls
fast while the integrands are near normal (Pinheiro & Bates 1995; Liu & Pierce 1994). Where units are nearly separated
they are not, and the result is taken again with twice the nodes before it is believed. Modes and curvatures move with
the parameters, and the gradient follows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from gpvar.stats._checks import FloatArray
from gpvar.stats.multilevel._families import Family, NegativeBinomial
from gpvar.stats.multilevel._laplace import Evaluation, Laplace, Modes, Rows


@dataclass(frozen=True, slots=True)
class _Nodes:
    """The units' integrands at their nodes, first axis the node.

    Attributes
    ----------
    effects, scores
        (nodes, units): u at each node, and the sum of the rows' scores there.
    shares
        (nodes, units): each node's share of the unit's integral.
    """

    points: FloatArray
    effects: FloatArray
    scores: FloatArray
    shares: FloatArray
    integrals: FloatArray


class Quadrature(Laplace):
    """The log-likelihood by adaptive quadrature, as a function of the parameter vector."""

    def __init__(self, rows: Rows, start: list[FloatArray], n_nodes: int) -> None:
        super().__init__(rows, start)
        points, weights = special.roots_hermitenorm(n_nodes)
        self.points = points
        self.log_weights = np.log(weights) - 0.5 * np.log(2.0 * np.pi)

    def evaluate(self, parameters: FloatArray) -> Evaluation:
        """Return the log-likelihood and its exact gradient."""
        found, sds, family = self.modes(parameters)
        sd = float(sds[0])
        with np.errstate(over="ignore", invalid="ignore"):
            nodes = self._integrate(found, sd, family)
            gradient = self._node_gradient(found, sd, family, nodes)
        loglik = float(nodes.integrals.sum()) + family.constant() - 0.5 * found.pivots.log_determinant()
        return Evaluation(parameters, loglik, gradient, found)

    def _at(self, found: Modes, sd: float, family: Family, move: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the rows' η and mean with each unit's effect moved."""
        eta = found.eta + self.rows.tree.hand_down(0, sd * move)
        return eta, family.mean(eta)

    def _integrate(self, found: Modes, sd: float, family: Family) -> _Nodes:
        tree, mode, pivot = self.rows.tree, found.effects[0], found.pivots.pivots[0]
        effects, scores, heights = [], [], []
        for point, log_weight in zip(self.points, self.log_weights, strict=True):
            move = point / np.sqrt(pivot)
            eta, mean = self._at(found, sd, family, move)
            effects.append(mode + move)
            scores.append(tree.sum_up(0, family.score_and_weight(mean)[0]))
            height = tree.sum_up(0, family.loglik_rows(eta, mean)) - 0.5 * effects[-1] ** 2
            heights.append(height + log_weight + 0.5 * point**2)
        stacked = np.array(heights)
        integrals = special.logsumexp(stacked, axis=0)
        return _Nodes(self.points, np.array(effects), np.array(scores), np.exp(stacked - integrals), integrals)

    def _node_gradient(self, found: Modes, sd: float, family: Family, nodes: _Nodes) -> FloatArray:
        tree, mode, pivot = self.rows.tree, found.effects[0], found.pivots.pivots[0]
        weight = found.pivots.weights[0]
        weight_slope = family.weight_slope(found.mean, found.weight)
        slopes = tree.sum_up(0, weight_slope)
        pull = sd * nodes.scores - nodes.effects
        on_pivot = -0.5 * pivot**-1.5 * (nodes.points @ (nodes.shares * pull)) - 0.5 / pivot
        on_mode = (nodes.shares * pull).sum(axis=0) + on_pivot * sd**3 * slopes
        spread = (nodes.shares * nodes.effects * nodes.scores).sum(axis=0)
        spread += on_pivot * (2.0 * sd * weight + sd**2 * mode * slopes)
        spread += on_mode * (found.score_sums - sd * mode * weight) / pivot
        rows = weight_slope * tree.hand_down(0, on_pivot * sd**2)
        rows -= found.weight * tree.hand_down(0, on_mode * sd / pivot)
        dispersion = 0.0
        for effects, shares in zip(nodes.effects, nodes.shares, strict=True):
            _, mean = self._at(found, sd, family, effects - mode)
            share = tree.hand_down(0, shares)
            rows += share * family.score_and_weight(mean)[0]
            if isinstance(family, NegativeBinomial):
                dispersion += float(share @ family.slopes(mean).loglik)
        gradient = np.r_[self.rows.design.T @ rows, sd * float(spread.sum())]
        if isinstance(family, NegativeBinomial):
            at_mode = family.slopes(found.mean)
            dispersion += family.constant_slope() + float(on_pivot * sd**2 @ tree.sum_up(0, at_mode.weight))
            dispersion += float(on_mode * sd / pivot @ tree.sum_up(0, at_mode.score))
        if isinstance(self.rows.family, NegativeBinomial):
            gradient = np.append(gradient, dispersion)
        return np.asarray(gradient)
